/**
 * Ohm's parse tree -> AST: one action per grammar rule, in the order of grammar.ts.
 *
 * Invariant: every node's span covers its text in the original file, parentheses included, so that
 * an underlined operand is what the user sees as the operand.
 */
import type { MatchResult, Node } from 'ohm-js';
import type {
  Arg,
  Binder,
  BinOp,
  Decl,
  Expr,
  Fact,
  Name,
  Param,
  Pattern,
  ReduceOp,
  SizeExpr,
  TypeArg,
  TypeExpr,
  TypeField,
} from './ast.ts';
import { grammar } from './compiled-grammar.ts';
import { diagnostic } from './errors.ts';
import { climb, climbSize, type Operand, type SizeOp, SyntaxFault } from './precedence.ts';
import type { Span } from './source.ts';
import type { Token } from './tokens.ts';

export type Source = {
  readonly file: string;
  readonly text: string;
  readonly tokens: readonly Token[];
};

/** What the offsets of the parse tree at hand refer to; set only while `buildDecl` runs. */
let source: Source = { file: '', text: '', tokens: [] };

/** A declaration without its doc comment. Throws SyntaxFault only. */
export function buildDecl(match: MatchResult, of: Source): Decl {
  source = of;
  return actions(match)['ast']();
}

// ---------------------------------------------------------------- reading the parse tree

function span(node: Node): Span {
  const { startIdx, endIdx } = node.source;
  const start = source.tokens[startIdx]!.start;
  const end = endIdx > startIdx ? source.tokens[endIdx - 1]!.end : start;
  return { file: source.file, start, end };
}

function textOf(node: Node): string {
  const { startIdx } = node.source;
  const { start, end } = source.tokens[startIdx]!;
  return source.text.slice(start, end);
}

function name(node: Node): Name {
  return { text: textOf(node), span: span(node) };
}

function ast<T>(node: Node): T {
  return node['ast']();
}

/** The children of `x*`, `x?` and `commas<x>` as AST nodes. */
function all<T>(node: Node): T[] {
  return node.children.map((c) => c['ast']() as T);
}

function maybe<T>(node: Node): T | undefined {
  return node.numChildren === 0 ? undefined : node.child(0)['ast']();
}

/** `commas<x>?` -> list */
function endOf(s: Span): Span {
  return { ...s, start: s.end };
}

function listOf<T>(node: Node): T[] {
  return maybe<T[]>(node) ?? [];
}

function nat(node: Node): number {
  const value = Number(textOf(node));
  if (Number.isSafeInteger(value)) return value;
  throw new SyntaxFault(
    diagnostic('E0110', span(node), 'This number is too large to be exact.', {
      hint: 'Whole numbers go up to 9007199254740991; write larger ones as floats, e.g. `1e16`.',
    }),
  );
}

function float(node: Node): number {
  const value = Number(textOf(node));
  if (Number.isFinite(value)) return value;
  throw new SyntaxFault(
    diagnostic('E0110', span(node), 'This number is too large for a float.', {
      hint: 'The largest f32 is about 3.4e38.',
    }),
  );
}

// ---------------------------------------------------------------- the actions

const actions = grammar.createSemantics();

actions.addOperation<unknown>('ast', {
  decl: (d, _end) => ast(d),

  import: (kw, _o, names, _c, _from, from): Decl => ({
    k: 'import',
    names: ast<Name[]>(names),
    from: textOf(from).slice(1, -1),
    fromSpan: span(from),
    span: { ...span(kw), end: span(from).end },
    doc: '',
  }),
  typeDecl(_kw, n, params, _eq, body): Decl {
    const p = listOf<Param>(params);
    return { k: 'type', name: name(n), params: p, body: ast(body), span: span(this), doc: '' };
  },
  fnDecl(_kw, n, params, args, _colon, result, where, _eq, body): Decl {
    return {
      k: 'fn',
      name: name(n),
      params: listOf(params),
      args: ast<Arg[]>(args),
      result: ast(result),
      where: listOf<Fact>(where),
      headEnd: endOf(listOf<Fact>(where).at(-1)?.span ?? span(result)),
      body: ast(body),
      span: span(this),
      doc: '',
    };
  },
  letDecl(_kw, n, _colon, type, _eq, body): Decl {
    return { k: 'let', name: name(n), type: ast(type), body: ast(body), span: span(this), doc: '' };
  },
  derivative(_kw, of, _o, args, _c, _eq, body): Decl {
    const names = ast<Name[]>(args);
    return {
      k: 'derivative',
      of: name(of),
      args: names,
      body: ast(body),
      span: span(this),
      doc: '',
    };
  },
  checkGradient(_check, _gradient, _of, of, where): Decl {
    const facts = listOf<Fact>(where);
    const headEnd = endOf(facts.at(-1)?.span ?? span(of));
    return { k: 'checkGradient', of: name(of), where: facts, headEnd, span: span(this), doc: '' };
  },
  check(_kw, n, params, args, where, _eq, body): Decl {
    return {
      k: 'check',
      name: name(n),
      params: listOf(params),
      args: ast<Arg[]>(args),
      where: listOf<Fact>(where),
      headEnd: endOf(listOf<Fact>(where).at(-1)?.span ?? span(args)),
      body: ast(body),
      span: span(this),
      doc: '',
    };
  },

  signature: (_o, args, _c) => listOf<Arg>(args),
  arg: (n, _colon, type, _eq, init): Arg => {
    const value = maybe<Expr>(init);
    const arg = { name: name(n), type: ast<TypeExpr>(type) };
    return value === undefined ? arg : { ...arg, init: value };
  },
  params: (_o, params, _c) => ast<Param[]>(params),
  param: (n, _eq, init): Param => {
    const value = maybe<SizeExpr>(init);
    return value === undefined ? { name: name(n) } : { name: name(n), init: value };
  },
  where: (_kw, first, _c, rest) => [ast<Fact>(first), ...all<Fact>(rest)],
  fact(left, relation, right, _eq, equals): Fact {
    const op = source.tokens[relation.source.startIdx]!.kind as Fact['op'];
    const value = maybe<SizeExpr>(equals);
    if ((op === '%') !== (value !== undefined)) throw wrongFact(op, span(this));
    const fact = { left: ast<SizeExpr>(left), op, right: ast<SizeExpr>(right), span: span(this) };
    return value === undefined ? fact : { ...fact, equals: value };
  },

  // ------------------------------------------------------------ types and sizes
  typeArrow_list(_o, params, _c, _arrow, result): TypeExpr {
    return { k: 'fn', params: listOf<TypeExpr>(params), result: ast(result), span: span(this) };
  },
  typeArrow_one(param, _arrow, result): TypeExpr {
    return { k: 'fn', params: [ast<TypeExpr>(param)], result: ast(result), span: span(this) };
  },
  typeAtom(base, args): TypeExpr {
    let type = ast<TypeExpr>(base);
    const { file, start } = span(this);
    for (const a of args.children) {
      type = { k: 'brackets', base: type, args: ast(a), span: { file, start, end: span(a).end } };
    }
    return type;
  },
  typeBase_name(n): TypeExpr {
    return { k: 'name', name: textOf(n), span: span(n) };
  },
  typeBase_record(_o, fields, _c): TypeExpr {
    return { k: 'record', fields: listOf<TypeField>(fields), span: span(this) };
  },
  typeBase_parens(_o, type, _c): TypeExpr {
    return { ...ast<TypeExpr>(type), span: span(this) };
  },
  typeField_fixed: (_fixed, label, _colon, type): TypeField => ({
    label: name(label),
    type: ast(type),
    fixed: true,
  }),
  typeField_plain: (label, _colon, type): TypeField => ({
    label: name(label),
    type: ast(type),
    fixed: false,
  }),
  typeArgs: (_o, args, _c) => ast<TypeArg[]>(args),
  typeArg_named: (n, _eq, value): TypeArg => ({ name: name(n), ...ast<TypeArg>(value) }),
  typeArg_plain: (value) => ast<TypeArg>(value),
  typeArgValue_size: (size, _look): TypeArg => ({ size: ast(size) }),
  typeArgValue_type: (type): TypeArg => ({
    size: { k: 'var', name: '_', span: span(type) },
    type: ast(type),
  }),

  size(first, operators, rest): SizeExpr {
    const operands = [ast<SizeExpr>(first), ...all<SizeExpr>(rest)];
    const ops = operators.children.map((o) => ({ op: textOf(o) as SizeOp, span: span(o) }));
    return climbSize(operands, ops);
  },
  sizeAtom_name(n): SizeExpr {
    return { k: 'var', name: textOf(n), span: span(n) };
  },
  sizeAtom_nat(n): SizeExpr {
    return { k: 'nat', value: nat(n), span: span(n) };
  },
  sizeAtom_parens(_o, size, _c): SizeExpr {
    return { ...ast<SizeExpr>(size), span: span(this) };
  },

  // ------------------------------------------------------------ blocks and patterns
  lets(lets, result): Expr {
    let body = ast<Expr>(result);
    for (const node of lets.children.toReversed()) {
      const head = ast<LetHead>(node);
      const whole = { file: source.file, start: head.start, end: body.span.end };
      const { pattern, type, value } = head;
      body =
        type === undefined
          ? { k: 'let', pattern, value, body, span: whole }
          : { k: 'let', pattern, type, value, body, span: whole };
    }
    return body;
  },
  let: (kw, pattern, _colon, type, _eq, value, _sep): LetHead => ({
    start: span(kw).start,
    pattern: ast(pattern),
    type: maybe(type),
    value: ast(value),
  }),
  pattern_name: (n): Pattern => ({ k: 'name', name: name(n), span: span(n) }),
  pattern_record(_o, fields, _c): Pattern {
    return { k: 'record', fields: ast(fields), span: span(this) };
  },
  patternField_renamed: (label, _colon, pattern) => ({ label: name(label), pattern: ast(pattern) }),
  patternField_plain: (label) => ({ label: name(label) }),

  // ------------------------------------------------------------ expressions
  lambda_one(param, _arrow, body): Expr {
    return { k: 'lambda', params: [name(param)], body: ast(body), span: span(this) };
  },
  lambda_list(_o, names, _c, _arrow, body): Expr {
    return { k: 'lambda', params: listOf<Name>(names), body: ast(body), span: span(this) };
  },
  operators(first, operators, rest): Expr {
    const head = ast<Operand>(first);
    const ops = operators.children.map((o) => ({ op: textOf(o) as BinOp, span: span(o) }));
    return climb([head, ...all<Operand>(rest)], ops);
  },
  operand: (prefixes, head): Operand => ({
    prefixes: prefixes.children.map((p) => ({ op: textOf(p) as '-' | 'not', span: span(p) })),
    head: ast(head),
  }),

  for(_kw, ix, _dot, body): Expr {
    return { k: 'for', ix: ast<Binder[]>(ix), body: ast(body), span: span(this) };
  },
  each(_kw, over): Expr {
    return { k: 'each', ...ast<Over>(over), span: span(this) };
  },
  reduceTree(op, over): Expr {
    const o = textOf(op) as ReduceOp;
    return { k: 'reduceTree', op: o, ...ast<Over>(over), span: span(this) };
  },
  overTrees: (names, _in, first, _c, rest, _dot, body): Over => ({
    names: ast(names),
    trees: [ast<Expr>(first), ...all<Expr>(rest)],
    body: ast(body),
  }),
  reduce(op, ix, _dot, body): Expr {
    const o = textOf(op) as ReduceOp;
    return { k: 'reduce', op: o, ix: ast<Binder[]>(ix), body: ast(body), span: span(this) };
  },
  fold(kw, pattern, _eq, init, _for, ix, _dot, body): Expr {
    return {
      k: textOf(kw) as 'fold' | 'scan',
      pattern: ast(pattern),
      init: ast(init),
      ix: ast<Binder>(ix),
      body: ast(body),
      span: span(this),
    };
  },
  names: (first, _c, rest) => [name(first), ...rest.children.map(name)],
  binders: (first, _c, rest) => [ast<Binder>(first), ...all<Binder>(rest)],
  binder_tuple(_o, items, _c): Binder {
    return { k: 'tuple', items: ast<Binder[]>(items), span: span(this) };
  },
  binder_one(n, _colon, size): Binder {
    const one = { k: 'one', name: name(n), span: span(this) } as const;
    const value = maybe<SizeExpr>(size);
    return value === undefined ? one : { ...one, size: value };
  },
  if(_if, cond, _then, yes, _else, no): Expr {
    // biome-ignore lint/suspicious/noThenProperty: the AST's own word, never awaited
    return { k: 'if', cond: ast(cond), then: ast(yes), else: ast(no), span: span(this) };
  },

  side(side, arg): Expr {
    return { k: textOf(side) as 'left' | 'right', arg: ast(arg), span: span(this) };
  },
  read(target, suffixes, _op, fallback): Expr {
    const read = withSuffixes(ast(target), suffixes.child(0));
    const value = maybe<Expr>(fallback);
    if (value === undefined) return read;
    return { k: 'orElse', read, fallback: value, span: span(this) };
  },
  fallback(minus, target, suffixes): Expr {
    const arg = withSuffixes(ast(target), suffixes.child(0));
    return minus.numChildren === 0 ? arg : { k: 'unary', op: '-', arg, span: span(this) };
  },
  suffix_field: (_dot, label): Suffix => ({ k: 'field', label: name(label) }),
  suffix_brackets: (_o, args, _c): Suffix => ({ k: 'brackets', args: ast(args) }),
  suffix_call: (_o, args, _c): Suffix => ({ k: 'call', args: listOf(args) }),
  bracketArg_named: (n, _eq, value): ExprArg => ({ name: name(n), value: ast(value) }),
  bracketArg_plain: (value): ExprArg => ({ value: ast(value) }),
  callArg_named: (n, _eq, value): ExprArg => ({ name: name(n), value: ast(value) }),
  callArg_plain: (value): ExprArg => ({ value: ast(value) }),

  parens(_o, first, _c, rest, _close): Expr {
    const head = ast<Expr>(first);
    if (rest.numChildren === 0) return { ...head, span: span(this) };
    return { k: 'tuple', items: [head, ...all<Expr>(rest)], span: span(this) };
  },
  array(_o, items, _c): Expr {
    return { k: 'array', items: listOf(items), span: span(this) };
  },
  item: (spread, value) => ({ spread: spread.numChildren > 0, value: ast(value) }),
  record(_o, fields, _c): Expr {
    return { k: 'record', fields: listOf(fields), span: span(this) };
  },
  field_full: (label, _colon, value) => ({ label: name(label), value: ast(value) }),
  field_short: (label) => ({
    label: name(label),
    value: { k: 'var', name: textOf(label), span: span(label) },
  }),

  commas: (first, _c, rest, _trailing) => [ast(first), ...all(rest)],

  id: (n) => name(n),
  anyName: (n) => name(n),
  bindName: (n) => name(n),

  atom(n): Expr {
    const text = textOf(n);
    const at = span(n);
    switch (source.tokens[n.source.startIdx]!.kind) {
      case '$up':
        return { k: 'size', name: text, span: at };
      case '$nat':
        return { k: 'num', text, value: nat(n), isInt: true, span: at };
      case '$num':
        return { k: 'num', text, value: float(n), isInt: false, span: at };
      case 'true':
      case 'false':
        return { k: 'bool', value: text === 'true', span: at };
      default:
        return { k: 'var', name: text, span: at };
    }
  },
});

type LetHead = { start: number; pattern: Pattern; type: TypeExpr | undefined; value: Expr };
type Over = { names: readonly Name[]; trees: readonly Expr[]; body: Expr };
type ExprArg = { readonly name?: Name; readonly value: Expr };
type Suffix = { k: 'field'; label: Name } | { k: 'brackets' | 'call'; args: readonly ExprArg[] };

const MAX_SUFFIXES = 100;

function withSuffixes(target: Expr, suffixes: Node): Expr {
  let expr = target;
  for (const node of suffixes.children) {
    const suffix = ast<Suffix>(node);
    const whole = { file: source.file, start: expr.span.start, end: span(node).end };
    if (suffix.k === 'field') expr = { k: 'field', target: expr, label: suffix.label, span: whole };
    else if (suffix.k === 'call') expr = { k: 'call', fn: expr, args: suffix.args, span: whole };
    else expr = { k: 'brackets', target: expr, args: suffix.args, span: whole };
  }
  if (suffixes.numChildren > MAX_SUFFIXES) throw tooManySuffixes(expr.span);
  return expr;
}

function tooManySuffixes(at: Span): SyntaxFault {
  return new SyntaxFault(
    diagnostic('E0105', at, `More than ${MAX_SUFFIXES} reads and calls stand in one chain.`, {
      hint: 'Name the parts with `let`.',
    }),
  );
}

function wrongFact(op: Fact['op'], at: Span): SyntaxFault {
  const message =
    op === '%'
      ? 'A fact with `%` says what the remainder is.'
      : 'Only a fact with `%` has a second `==`.';
  return new SyntaxFault(
    diagnostic('E0101', at, message, {
      hint: 'Facts are `N >= 1`, `K <= L`, `A == B` and `D % 2 == 0`.',
    }),
  );
}
