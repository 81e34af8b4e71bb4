/**
 * The arithmetic of derivatives: f32 constructors that know 0 and 1.
 *
 * Invariant: a derivative that is structurally zero is the constant 0 (`isZero`), never an
 * expression that happens to evaluate to 0, so that zeros disappear while they are made. 0 * e is 0
 * whatever e is: a factor 0 here is a structural zero and not a number that underflowed.
 */

import { bool, f32, prim, selectE } from '../core/expr.ts';
import { sameExpr } from '../core/key.ts';
import type { Expr } from '../core.ts';

export const zero: Expr = f32(0);
export const one: Expr = f32(1);

export function isZero(e: Expr): boolean {
  return e.k === 'const' && e.v === 0;
}

export function isOne(e: Expr): boolean {
  return e.k === 'const' && e.v === 1;
}

function negated(e: Expr): Expr | undefined {
  return e.k === 'prim' && e.op === 'neg' ? e.args[0] : undefined;
}

export function neg(a: Expr): Expr {
  if (a.k === 'const') return f32(a.v === 0 ? 0 : -a.v);
  return negated(a) ?? prim('neg', a);
}

export function add(a: Expr, b: Expr): Expr {
  if (isZero(a)) return b;
  if (isZero(b)) return a;
  const branches = complementary(a, b) ?? complementary(b, a);
  if (branches !== undefined) return branches;
  if (sameExpr(a, b)) return prim('add', a, a);
  const n = negated(b);
  return n === undefined ? prim('add', a, b) : prim('sub', a, n);
}

/** select(c, x, 0) + select(c, 0, y) is select(c, x, y). */
function complementary(a: Expr, b: Expr): Expr | undefined {
  if (a.k !== 'prim' || a.op !== 'select' || b.k !== 'prim' || b.op !== 'select') return undefined;
  const [c, x, z] = a.args;
  const [d, w, y] = b.args;
  if (!isZero(z!) || !isZero(w!) || !sameExpr(c!, d!)) return undefined;
  return selectE(c!, x!, y!);
}

export function sub(a: Expr, b: Expr): Expr {
  return add(a, neg(b));
}

export function mul(a: Expr, b: Expr): Expr {
  if (isZero(a) || isZero(b)) return zero;
  if (isOne(a)) return b;
  if (isOne(b)) return a;
  const [m, n] = [negated(a), negated(b)];
  if (m !== undefined || n !== undefined) {
    const p = mul(m ?? a, n ?? b);
    return (m === undefined) === (n === undefined) ? p : neg(p);
  }
  return prim('mul', a, b);
}

export function div(a: Expr, b: Expr): Expr {
  if (isZero(a)) return zero;
  if (isOne(b)) return a;
  return prim('div', a, b);
}

/** select with structural zeros: both branches 0 is 0; a negated condition swaps the branches. */
export function select(c: Expr, a: Expr, b: Expr): Expr {
  if (isZero(a) && isZero(b)) return zero;
  const n = inverted(c);
  return n === undefined ? selectE(c, a, b) : selectE(n, b, a);
}

// ---------------------------------------------------------------- conditions

export const always: Expr = bool(true);

function inverted(c: Expr): Expr | undefined {
  return c.k === 'prim' && c.op === 'not' ? c.args[0] : undefined;
}

export function not(a: Expr): Expr {
  if (a.k === 'const') return bool(a.v === 0);
  return inverted(a) ?? prim('not', a);
}

/** Whether one of them holds always: p and not p, or x >= y and not x > y, as of max at a tie. */
function either(a: Expr, b: Expr): boolean {
  const [m, n] = [inverted(a), inverted(b)];
  return (m !== undefined && implied(m, b)) || (n !== undefined && implied(n, a));
}

/** Whether q holds wherever p does, as far as is easily seen. */
function implied(p: Expr, q: Expr): boolean {
  if (sameExpr(p, q)) return true;
  if (p.k !== 'prim' || q.k !== 'prim') return false;
  const weaker = (p.op === 'gt' && q.op === 'ge') || (p.op === 'lt' && q.op === 'le');
  return weaker && p.args.every((x, i) => sameExpr(x, q.args[i]!));
}

export function or(a: Expr, b: Expr): Expr {
  if (a.k === 'const') return a.v !== 0 ? a : b;
  if (b.k === 'const') return b.v !== 0 ? b : a;
  if (sameExpr(a, b)) return a;
  if (either(a, b)) return always;
  // (p and q) or (p and not q) is p
  if (a.k === 'prim' && b.k === 'prim' && a.op === 'and' && b.op === 'and') {
    const [p, q] = a.args;
    const [r, s] = b.args;
    if (sameExpr(p!, r!) && either(q!, s!)) return p!;
  }
  return prim('or', a, b);
}

export function and(a: Expr, b: Expr): Expr {
  if (a.k === 'const') return a.v !== 0 ? b : a;
  if (b.k === 'const') return b.v !== 0 ? a : b;
  return sameExpr(a, b) ? a : prim('and', a, b);
}

export function sum(terms: readonly Expr[]): Expr {
  return terms.reduce(add, zero);
}
