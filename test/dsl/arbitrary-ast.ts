/**
 * Random syntax trees: every node of ast.ts in every place where the grammar allows it. They mean
 * nothing (no name is bound), they only have to survive printing and parsing.
 */
import fc from 'fast-check';
import type {
  Arg,
  Binder,
  BinOp,
  Decl,
  Expr,
  Fact,
  Module,
  Name,
  Param,
  Pattern,
  ReduceOp,
  SizeExpr,
  TypeExpr,
} from '../../dsl/ast.ts';
import { REDUCTIONS } from '../../dsl/tokens.ts';

const span = { file: 'a.tn', start: 0, end: 0 };
const named = (text: string): Name => ({ text, span });

const ID = fc.constantFrom(
  'a',
  'x1',
  'weight',
  'longer_name_2',
  'check',
  'of',
  'fixed',
  'max',
  'any',
);
const UP = fc.constantFrom('N', 'H', 'Long_Size', 'X2');
const lower = ID.map(named);
const upper = UP.map(named);
const anyName = fc.oneof(lower, upper);
const bound = fc.oneof({ weight: 5, arbitrary: lower }, fc.constant(named('_')));
const label = fc
  .oneof(ID, fc.constantFrom('0', '12', 'for', 'in', 'type', 'if', 'true'))
  .map(named);
const few = <T>(of: fc.Arbitrary<T>, minLength = 1) => fc.array(of, { minLength, maxLength: 3 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

/** Without the keys whose value is undefined: the parser leaves them out. */
function lean<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

const { size } = fc.letrec<{ size: SizeExpr }>((tie) => ({
  size: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.nat(20).map((value): SizeExpr => ({ k: 'nat', value, span })),
    UP.map((name): SizeExpr => ({ k: 'var', name, span })),
    fc
      .tuple(fc.constantFrom('+', '-', '*', '/', '^'), tie('size'), tie('size'))
      .map(([op, left, right]): SizeExpr => ({ k: 'op', op, left, right, span })),
  ),
}));

const { type } = fc.letrec<{ type: TypeExpr }>((tie) => {
  const typeArg = fc
    .tuple(
      maybe(upper),
      fc.oneof({ weight: 4, arbitrary: size }, fc.constant(undefined)),
      tie('type'),
    )
    .map(([name, s, t]) => {
      // A bare uppercase name reads as a size.
      const asSize: SizeExpr | undefined =
        t.k === 'name' && /^[A-Z]/.test(t.name) ? { k: 'var', name: t.name, span } : undefined;
      const sized = s ?? asSize;
      return lean({
        name,
        size: sized ?? ({ k: 'var', name: '_', span } as const),
        type: sized === undefined ? t : undefined,
      });
    });
  return {
    type: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.oneof(ID, UP).map((name): TypeExpr => ({ k: 'name', name, span })),
      fc
        .tuple(tie('type'), few(typeArg))
        .map(([base, args]): TypeExpr => ({ k: 'brackets', base, args, span })),
      few(fc.record({ label, type: tie('type'), fixed: fc.boolean() }), 0).map(
        (fields): TypeExpr => ({ k: 'record', fields, span }),
      ),
      fc
        .tuple(few(tie('type'), 0), tie('type'))
        .map(([params, result]): TypeExpr => ({ k: 'fn', params, result, span })),
    ),
  };
});

const { pattern } = fc.letrec<{ pattern: Pattern }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    lower.map((name): Pattern => ({ k: 'name', name, span })),
    few(
      fc.oneof(
        lower.map((l) => ({ label: l })),
        fc.record({ label, pattern: tie('pattern') }),
      ),
    ).map((fields): Pattern => ({ k: 'record', fields, span })),
  ),
}));

const { binder } = fc.letrec<{ binder: Binder }>((tie) => ({
  binder: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc
      .tuple(bound, maybe(size))
      .map(([name, s]): Binder => lean({ k: 'one', name, size: s, span })),
    few(tie('binder')).map((items): Binder => ({ k: 'tuple', items, span })),
  ),
}));

const number = fc
  .oneof(fc.nat(100).map(String), fc.constantFrom('1.5', '0.25', '1e-5', '2.5e3', '007'))
  .map((text): Expr => ({ k: 'num', text, value: Number(text), isInt: /^\d+$/.test(text), span }));

const OPS: readonly BinOp[] = [
  ...(['+', '-', '*', '/', '//', '%', '^'] as const),
  ...(['==', '!=', '<', '<=', '>', '>=', 'and', 'or'] as const),
];

export const { expr } = fc.letrec<{ expr: Expr }>((tie) => {
  const e = tie('expr');
  const reduction = fc.constantFrom<ReduceOp>(...REDUCTIONS);
  const over = fc.record({ names: few(bound), trees: few(e), body: e });
  const args = (name: fc.Arbitrary<Name>) =>
    fc.tuple(maybe(name), e).map(([n, value]) => lean({ name: n, value }));
  return {
    expr: fc.oneof(
      { maxDepth: 5, depthSize: 'medium' },
      fc.oneof(
        number,
        fc.boolean().map((value): Expr => ({ k: 'bool', value, span })),
        ID.map((name): Expr => ({ k: 'var', name, span })),
        UP.map((name): Expr => ({ k: 'size', name, span })),
      ),
      fc
        .tuple(few(bound, 0), e)
        .map(([params, body]): Expr => ({ k: 'lambda', params, body, span })),
      fc
        .tuple(pattern, maybe(type), e, e)
        .map(
          ([p, t, value, body]): Expr => lean({ k: 'let', pattern: p, type: t, value, body, span }),
        ),
      fc.tuple(few(binder), e).map(([ix, body]): Expr => ({ k: 'for', ix, body, span })),
      fc
        .tuple(reduction, few(binder), e)
        .map(([op, ix, body]): Expr => ({ k: 'reduce', op, ix, body, span })),
      fc.tuple(reduction, over).map(([op, o]): Expr => ({ k: 'reduceTree', op, ...o, span })),
      over.map((o): Expr => ({ k: 'each', ...o, span })),
      fc
        .record({ pattern, init: e, ix: binder, body: e, k: fc.constantFrom('fold', 'scan') })
        .map((f): Expr => ({ ...f, span })),
      // biome-ignore lint/suspicious/noThenProperty: the AST's own word, never awaited
      fc.record({ cond: e, then: e, else: e }).map((i): Expr => ({ k: 'if', ...i, span })),
      fc
        .tuple(fc.constantFrom('-', 'not'), e)
        .map(([op, arg]): Expr => ({ k: 'unary', op, arg, span })),
      fc
        .tuple(fc.constantFrom(...OPS), e, e)
        .map(([op, left, right]): Expr => ({ k: 'binary', op, left, right, opSpan: span, span })),
      fc.record({ read: e, fallback: e }).map((o): Expr => ({ k: 'orElse', ...o, span })),
      fc.tuple(fc.constantFrom('left', 'right'), e).map(([k, arg]): Expr => ({ k, arg, span })),
      fc.record({ target: e, label }).map((f): Expr => ({ k: 'field', ...f, span })),
      fc
        .tuple(e, few(args(upper)))
        .map(([target, a]): Expr => ({ k: 'brackets', target, args: a, span })),
      fc.tuple(e, few(args(lower), 0)).map(([fn, a]): Expr => ({ k: 'call', fn, args: a, span })),
      fc
        .array(e, { minLength: 2, maxLength: 3 })
        .map((items): Expr => ({ k: 'tuple', items, span })),
      few(fc.record({ spread: fc.boolean(), value: e }), 0).map(
        (items): Expr => ({ k: 'array', items, span }),
      ),
      few(fc.record({ label, value: e }), 0).map((fields): Expr => ({ k: 'record', fields, span })),
    ),
  };
});

const fact: fc.Arbitrary<Fact> = fc
  .tuple(size, fc.constantFrom('==', '<=', '>=', '%'), size, size)
  .map(([left, op, right, equals]) =>
    lean({ left, op, right, equals: op === '%' ? equals : undefined, span }),
  );
const param: fc.Arbitrary<Param> = fc
  .tuple(upper, maybe(size))
  .map(([name, init]) => lean({ name, init }));
const arg: fc.Arbitrary<Arg> = fc
  .tuple(lower, type, maybe(expr))
  .map(([name, t, init]) => lean({ name, type: t, init }));
const doc = fc
  .array(fc.constantFrom('', 'A sentence.', '  indented', '/ slash', '# no comment'), {
    maxLength: 2,
  })
  .map((lines) => lines.join('\n'));

const rest = { span: fc.constant(span), doc };
const where = { where: few(fact, 0), headEnd: fc.constant(span) };
const signature = { params: few(param, 0), args: few(arg, 0), ...where };

export const decl: fc.Arbitrary<Decl> = fc.oneof(
  fc.record({
    k: fc.constant('import' as const),
    names: few(anyName),
    from: fc.constantFrom('./nn.tn', 'λ # x.tn'),
    fromSpan: fc.constant(span),
    ...rest,
  }),
  fc.record({
    k: fc.constant('type' as const),
    name: upper,
    params: few(param, 0),
    body: type,
    ...rest,
  }),
  fc.record({
    k: fc.constant('fn' as const),
    name: lower,
    ...signature,
    result: type,
    body: expr,
    ...rest,
  }),
  fc.record({ k: fc.constant('let' as const), name: lower, type, body: expr, ...rest }),
  fc.record({
    k: fc.constant('derivative' as const),
    of: lower,
    args: few(lower),
    body: expr,
    ...rest,
  }),
  fc.record({ k: fc.constant('checkGradient' as const), of: lower, ...where, ...rest }),
  fc.record({ k: fc.constant('check' as const), name: lower, ...signature, body: expr, ...rest }),
);

export const module: fc.Arbitrary<Module> = few(decl, 0).map((decls) => ({
  file: 'a.tn',
  decls,
  comments: [],
}));

/** A tree without its spans and comments: what has to survive. */
export function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key]) => !['span', 'fromSpan', 'headEnd', 'opSpan', 'comments'].includes(key),
  );
  return Object.fromEntries(entries.map(([key, v]) => [key, bare(v)]));
}
