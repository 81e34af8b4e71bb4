/**
 * Operators: pointwise on equal shapes or with a scalar, never broadcasting (language.md, idea 3).
 *
 * Integer literals and sizes take the type of the other operand. Indices count as integers in
 * integer arithmetic and are never silently made f32. Invariant: the result of an operator on
 * scalars is a scalar, and on a tensor has the tensor's shape.
 */
import type { BinOp, Expr } from '../ast.ts';
import { equate } from '../equations.ts';
import { isReported, type Reported } from '../reported.ts';
import { head, showType } from '../solver.ts';
import type { ScalarOp, TExpr, Type } from '../typed.ts';
import { BOOL, F32, I32, tensorOf } from '../types.ts';
import { unify } from '../unify.ts';
import { broken, brokenBy, type Env, error, reason } from './context.ts';
import { infer, number } from './expr.ts';
import { unknownType } from './unknown.ts';

const OPS: Readonly<Record<BinOp, ScalarOp>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '//': 'idiv',
  '%': 'mod',
  '^': 'pow',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  and: 'and',
  or: 'or',
};

type Binary = Extract<Expr, { k: 'binary' }>;

/** The scalar inside a scalar or a tensor. */
function elementOf(env: Env, t: Type): Type {
  const now = head(env.fn.solver, t);
  return now.k === 'tensor' ? head(env.fn.solver, now.elem) : now;
}

export function isNumberUnknown(env: Env, t: Type): boolean {
  return t.k === 'var' && env.fn.solver.unknowns.get(t.name)?.kind === 'number';
}

export function isInteger(t: Type): boolean {
  return t.k === 'idx' || (t.k === 'scalar' && (t.s === 'i32' || t.s === 'u32'));
}

/** Evidence that an operand is one that no operator takes. */
function unfit(
  env: Env,
  te: TExpr,
  op: string,
  both?: readonly [Expr, Expr],
): Reported | undefined {
  const { solver } = env.fn;
  const t = elementOf(env, te.type);
  const by = brokenBy(t);
  if (by !== undefined) return by;
  if (t.k === 'scalar' || t.k === 'idx' || isNumberUnknown(env, t)) return undefined;
  const shown = showType(solver, te.type);
  const [x, y] = both ?? [];
  const taken = x?.k === 'var' && y?.k === 'var' ? [x.name, y.name] : [];
  const [a, b] = ['a', 'b', 'c', 'd'].filter((n) => !taken.includes(n));
  const leaves =
    x?.k === 'var' && y?.k === 'var'
      ? `map over their leaves: \`each ${a}, ${b} in ${x.name}, ${y.name}. ${a} ${op} ${b}\``
      : 'map over its leaves: `each a in t. ...`';
  if (t.k === 'record') {
    return error(env, 'E0409', te.span, `\`${op}\` does not work on the record ${shown}`, {
      hint: leaves,
    });
  }
  if (t.k === 'fn') {
    const message = `\`${op}\` does not work on a function`;
    return error(env, 'E0409', te.span, message, { hint: 'call it' });
  }
  if (t.k === 'var' && !t.name.startsWith('?')) {
    const message = `\`${op}\` does not work on ${shown}, which may be any tree`;
    return error(env, 'E0409', te.span, message, { hint: leaves });
  }
  return unknownType(env, te, te.span);
}

export function inferBinary(env: Env, e: Binary): TExpr {
  // Chains of one operator nest to the left as deep as the text is long: walk them in a loop.
  const chain: Binary[] = [e];
  let first: Expr = e.left;
  while (first.k === 'binary') {
    chain.push(first);
    first = first.left;
  }
  let left = infer(env, first);
  for (let i = chain.length - 1; i >= 0; i--) left = binary(env, chain[i]!, left);
  return left;
}

const NO_BROADCAST = 'index both with one `for`; nothing is broadcast';

function unequalShapes(env: Env, op: string, a: Type, b: Type): string {
  const { solver } = env.fn;
  return `\`${op}\` needs equal shapes: ${showType(solver, a)} on the left, ${showType(solver, b)} on the right`;
}

function binary(env: Env, e: Binary, left: TExpr): TExpr {
  const { solver } = env.fn;
  const right = infer(env, e.right);
  const both = [e.left, e.right] as const;
  const refused = unfit(env, left, e.op, both) ?? unfit(env, right, e.op, both);
  if (refused !== undefined) return broken(refused, e.span);
  const element = scalarResult(env, e, left, right);
  if (isReported(element)) return broken(element, e.span);
  const a = head(solver, left.type);
  const b = head(solver, right.type);
  let type = element;
  if (a.k === 'tensor' && b.k === 'tensor') {
    if (a.dims.length !== b.dims.length) {
      const message = unequalShapes(env, e.op, a, b);
      return broken(error(env, 'E0501', e.opSpan, message, { hint: NO_BROADCAST }), e.span);
    }
    const why = reason(e.opSpan, 'an operand', {
      sizes: () => unequalShapes(env, e.op, a, b),
      hint: NO_BROADCAST,
    });
    for (let i = 0; i < a.dims.length; i++) equate(solver, a.dims[i]!, b.dims[i]!, why);
    type = tensorOf(a.dims, element);
  } else if (a.k === 'tensor') {
    type = tensorOf(a.dims, element);
  } else if (b.k === 'tensor') {
    type = tensorOf(b.dims, element);
  }
  return { k: 'prim', op: OPS[e.op], args: [left, right], type, span: e.span };
}

/** The scalar type of the result, after the operands were made to agree. */
function scalarResult(env: Env, e: Binary, left: TExpr, right: TExpr): Type | Reported {
  const { solver } = env.fn;
  const x = elementOf(env, left.type);
  const y = elementOf(env, right.type);
  const agree = (): Reported | undefined =>
    unify(
      solver,
      y,
      x,
      reason(e.right.span, `the right operand of \`${e.op}\``, {
        hint: mixHint(x, y),
        related: [{ span: e.left.span, message: `the left operand is ${showType(solver, x)}` }],
      }),
    );
  switch (e.op) {
    case 'and':
    case 'or': {
      const clashes = [left, right].map((o) =>
        unify(solver, elementOf(env, o.type), BOOL, reason(o.span, `an operand of \`${e.op}\``)),
      );
      return clashes.find((by) => by !== undefined) ?? BOOL;
    }
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const order = e.op !== '==' && e.op !== '!=';
      if (order && (isBool(x) || isKey(x))) {
        return error(env, 'E0409', e.opSpan, `\`${e.op}\` does not compare ${showType(solver, x)}`);
      }
      return integersMeet(env, x, y) ? BOOL : (agree() ?? BOOL);
    }
    case '/': {
      for (const [o, t] of [
        [left, x],
        [right, y],
      ] as const) {
        if (isInteger(t)) {
          return error(
            env,
            'E0409',
            e.opSpan,
            `\`/\` divides f32, and the ${o === left ? 'left' : 'right'} operand is ${showType(solver, t)}`,
            {
              hint: 'write `//` for integers, or `f32(...)` around them',
            },
          );
        }
        const clash = unify(solver, t, F32, reason(o.span, 'an operand of `/`'));
        if (clash !== undefined) return clash;
      }
      return F32;
    }
    case '//':
    case '%': {
      for (const [o, t] of [
        [left, x],
        [right, y],
      ] as const) {
        if (isInteger(t)) continue;
        if (isNumberUnknown(env, t)) continue;
        return error(
          env,
          'E0409',
          e.opSpan,
          `\`${e.op}\` works on integers, and the ${o === left ? 'left' : 'right'} operand is ${showType(solver, t)}`,
          {
            hint:
              e.op === '//'
                ? 'write `/` to divide, or `floor(a / b)`'
                : 'the remainder of an f32 is `a - b * floor(a / b)`',
          },
        );
      }
      if (isU32(x) || isU32(y)) return agree() ?? x;
      return integerResult(env, x, y);
    }
    case '^':
      return powerResult(env, e, x, y, right);
    case '+':
    case '-':
    case '*': {
      for (const t of [x, y]) {
        if (isBool(t) || isKey(t)) {
          const message = `\`${e.op}\` does not work on ${showType(solver, t)}`;
          return error(env, 'E0409', e.opSpan, message, {
            hint: isBool(t) ? 'write `f32(...)` to count true as 1' : 'split or draw from a key',
          });
        }
      }
      if (x.k === 'idx' || y.k === 'idx') {
        const other = x.k === 'idx' ? y : x;
        if (
          other.k === 'idx' ||
          isNumberUnknown(env, other) ||
          (other.k === 'scalar' && other.s === 'i32')
        ) {
          return integerResult(env, x, y);
        }
        const [index, rest, quotient] =
          x.k === 'idx' ? [left, right, slashHint(e.right)] : [right, left, slashHint(e.left)];
        const shown = showType(solver, other);
        if (quotient !== undefined) {
          const message = `this is ${shown}, and the other operand of \`${e.op}\` is an index`;
          return error(env, 'E0401', rest.span, message, { hint: quotient });
        }
        const message = `this is an index, and the other operand of \`${e.op}\` is ${shown}`;
        return error(env, 'E0401', index.span, message, {
          hint: `write \`${other.k === 'scalar' ? other.s : 'f32'}(...)\` around the index`,
        });
      }
      return agree() ?? x;
    }
  }
}

function isBool(t: Type): boolean {
  return t.k === 'scalar' && t.s === 'bool';
}

function isKey(t: Type): boolean {
  return t.k === 'scalar' && t.s === 'key';
}

function isU32(t: Type): boolean {
  return t.k === 'scalar' && t.s === 'u32';
}

/** A quotient that was meant to be a whole number: `D/2` as a part of an index. */
export function slashHint(e: Expr): string | undefined {
  return e.k === 'binary' && e.op === '/'
    ? '`/` gives an f32, of sizes too: write `//` for whole numbers'
    : undefined;
}

function mixHint(x: Type, y: Type): string | undefined {
  const f32 = (t: Type) => t.k === 'scalar' && t.s === 'f32';
  if ((f32(x) && isInteger(y)) || (isInteger(x) && f32(y)))
    return 'write `f32(...)` around the integer';
  if ((f32(x) && isBool(y)) || (isBool(x) && f32(y))) return 'write `f32(...)` to count true as 1';
  return undefined;
}

/** Indices, i32 and literals compare and combine as integers. */
function integersMeet(env: Env, x: Type, y: Type): boolean {
  if (x.k !== 'idx' && y.k !== 'idx') return false;
  const ok = (t: Type) =>
    t.k === 'idx' || (t.k === 'scalar' && t.s === 'i32') || isNumberUnknown(env, t);
  if (!ok(x) || !ok(y)) return false;
  integerResult(env, x, y);
  return true;
}

function integerResult(env: Env, x: Type, y: Type): Type {
  for (const t of [x, y]) {
    if (isNumberUnknown(env, t)) {
      unify(env.fn.solver, t, I32, { span: { file: '', start: 0, end: 0 }, subject: 'a number' });
    }
  }
  return I32;
}

function powerResult(env: Env, e: Binary, x: Type, y: Type, right: TExpr): Type | Reported {
  const { solver } = env.fn;
  if (isBool(x) || isKey(x) || isBool(y) || isKey(y)) {
    return error(
      env,
      'E0409',
      e.opSpan,
      `\`^\` does not work on ${showType(solver, isBool(x) || isKey(x) ? x : y)}`,
    );
  }
  if (head(solver, right.type).k === 'tensor') {
    return error(
      env,
      'E0402',
      e.right.span,
      `an exponent is a scalar, and this is ${showType(solver, right.type)}`,
    );
  }
  if (isInteger(x)) {
    if (right.k === 'num' && right.value >= 0 && isNumberUnknown(env, y)) {
      unify(solver, y, I32, reason(e.right.span, 'the exponent'));
      return x.k === 'idx' ? I32 : x;
    }
    return error(
      env,
      'E0409',
      e.opSpan,
      `\`^\` of ${showType(solver, x)} needs a literal exponent that is not negative`,
      {
        hint: 'write `f32(...)` around the base',
      },
    );
  }
  return unify(solver, y, x, reason(e.right.span, 'the exponent', { hint: mixHint(x, y) })) ?? x;
}

export function inferUnary(env: Env, e: Extract<Expr, { k: 'unary' }>): TExpr {
  const { solver } = env.fn;
  if (e.op === '-' && e.arg.k === 'num') return number(env, e.arg, e);
  const arg = infer(env, e.arg);
  const refused = unfit(env, arg, e.op);
  if (refused !== undefined) return broken(refused, e.span);
  const t = elementOf(env, arg.type);
  if (e.op === 'not') {
    const clash = unify(solver, t, BOOL, reason(e.arg.span, 'the operand of `not`'));
    if (clash !== undefined) return broken(clash, e.span);
    return { k: 'prim', op: 'not', args: [arg], type: arg.type, span: e.span };
  }
  if (isBool(t) || isKey(t) || isU32(t)) {
    const message = `\`-\` does not work on ${showType(solver, t)}`;
    return broken(error(env, 'E0409', e.span, message), e.span);
  }
  if (arg.k === 'num' && t.k === 'scalar' && t.s === 'f32') {
    return { ...arg, value: -arg.value, span: e.span }; // -inf
  }
  const type = t.k === 'idx' ? I32 : arg.type;
  return { k: 'prim', op: 'neg', args: [arg], type, span: e.span };
}
