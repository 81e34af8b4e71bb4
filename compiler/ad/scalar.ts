/**
 * Differentiation of one scalar body: forward over its DAG, and the reverse sweep of a linear one.
 *
 * Note [Dead branches]. select(c, a, b) passes no cotangent to the dead branch, but a partial inside
 * it may be NaN or infinite, and 0 * NaN is NaN. So the sweep keeps beside each cotangent g two
 * conditions: `live`, under which any use of the node counts (the disjunction over its uses), and
 * `mask`, which still has to be applied to g. Going down a branch adds its condition to both, at no
 * cost; the mask is applied where a cotangent leaves the body, or where cotangents with different
 * masks meet. What has passed a partial derivative has to be masked by `live` again. So the dead
 * branch gets exactly 0, one select per read, in time linear in the DAG however the selects nest.
 */

import { foldExpr, type Read, walkExpr } from '../core/expr.ts';
import { sameExpr } from '../core/key.ts';
import type { Expr, Nest, Prim } from '../core.ts';
import { add, always, and, isZero, not, or, select, sum, zero } from './arith.ts';
import { type Partial, type PrimNode, partialOf, share } from './partials.ts';

/** The tangent of an expression, given those of its reads (`zero` where there is none). */
export function tangentOf(ofRead: (r: Read) => Expr): (e: Expr) => Expr {
  return foldExpr((e, go) => {
    switch (e.k) {
      case 'const':
      case 'index':
        return zero;
      case 'read':
        return ofRead(e);
      case 'prim':
        return sum(
          e.args.map((a, i) => {
            const p = partialOf(e, i);
            if (p === null) return zero;
            const da = go(a);
            if (isZero(da)) return zero;
            return 'when' in p ? select(p.when(e), share(p, e, da), zero) : p(e, da);
          }),
        );
    }
  });
}

/** Whether tangents pass from any read that `active` holds of to the expression. */
export function isActive(active: (r: Read) => boolean): (e: Expr) => boolean {
  return foldExpr((e, go) => {
    switch (e.k) {
      case 'const':
      case 'index':
        return false;
      case 'read':
        return active(e);
      case 'prim':
        return e.args.some((a, i) => partialOf(e, i) !== null && go(a));
    }
  });
}

export type Swept = { readonly read: Read; readonly ct: Expr };

type Adjoint = { readonly g: Expr; readonly mask: Expr; readonly live: Expr };
/** Primitives that pass a cotangent 0 as 0, whatever their arguments. */
const keepsZero: ReadonlySet<Prim> = new Set(['add', 'sub', 'neg', 'f16', 'bf16', 'cast']);

const masked = (a: Adjoint): Expr => select(a.mask, a.g, zero);

function meet(a: Adjoint, b: Adjoint): Adjoint {
  const live = or(a.live, b.live);
  if (sameExpr(a.mask, b.mask)) return { g: add(a.g, b.g), mask: a.mask, live };
  return { g: add(masked(a), masked(b)), mask: always, live };
}

/** The cotangents of the active reads of a body whose own cotangent is `g`. */
export function sweep(body: Expr, active: (r: Read) => boolean, g: Expr): readonly Swept[] {
  const reaches = isActive(active);
  if (!reaches(body)) return [];
  const order: Expr[] = [];
  walkExpr((e) => {
    if (reaches(e)) order.push(e);
  }, body);
  const adjoint = new Map<Expr, Adjoint>([[body, { g, mask: always, live: always }]]);
  const give = (e: Expr, x: Adjoint) => {
    const old = adjoint.get(e);
    adjoint.set(e, old === undefined ? x : meet(old, x));
  };
  const out: Swept[] = [];
  // Children come first in `order`, so all uses of a node are seen before it.
  for (const e of order.reverse()) {
    const a = adjoint.get(e);
    if (a === undefined || isZero(a.g)) continue;
    if (e.k === 'read') out.push({ read: e, ct: masked(a) });
    else if (e.k === 'prim') {
      e.args.forEach((x, i) => {
        const p = partialOf(e, i);
        if (p !== null && reaches(x)) give(x, pass(e, p, a));
      });
    }
  }
  return out;
}

function pass(n: PrimNode, p: Partial, a: Adjoint): Adjoint {
  if ('when' in p) {
    const c = p.when(n);
    return { g: share(p, n, a.g), mask: and(a.mask, c), live: and(a.live, c) };
  }
  return { g: p(n, a.g), mask: keepsZero.has(n.op) ? a.mask : a.live, live: a.live };
}

// ---------------------------------------------------------------- what may stand alone

/** Primitives whose partial derivatives are finite wherever their arguments are. */
const tame: ReadonlySet<Prim> = new Set([
  'add',
  'sub',
  'mul',
  'neg',
  'min',
  'max',
  'abs',
  'sin',
  'cos',
  'tanh',
  'erf',
  'select',
  'cast',
  'f16',
  'bf16',
]);

/** Whether all partials on the way from active reads are finite wherever their arguments are. */
export function isTame(body: Expr, active: (r: Read) => boolean): boolean {
  return tameNodes(isActive(active))(body);
}

function tameNodes(reaches: (e: Expr) => boolean): (e: Expr) => boolean {
  return foldExpr<boolean>((e, go) => {
    if (!reaches(e) || e.k !== 'prim') return true;
    const known = tame.has(e.op) || (e.op === 'div' && isNonZero(e.args[1]!));
    return known && e.args.every(go);
  });
}

const isNonZero = (e: Expr) => e.k === 'const' && e.v !== 0;

/** Under which condition a cotangent passes through each node; those through which none does are not there. */
function liveness(body: Expr, active: (r: Read) => boolean): ReadonlyMap<Expr, Expr> {
  const reaches = isActive(active);
  const order: Expr[] = [];
  walkExpr((e) => {
    if (reaches(e)) order.push(e);
  }, body);
  const live = new Map<Expr, Expr>(reaches(body) ? [[body, always]] : []);
  for (const e of order.reverse()) {
    const here = live.get(e);
    if (here === undefined || e.k !== 'prim') continue;
    e.args.forEach((x, i) => {
      const p = partialOf(e, i);
      if (p === null || !reaches(x)) return;
      const there = 'when' in p ? and(here, p.when(e)) : here;
      const old = live.get(x);
      live.set(x, old === undefined ? there : or(old, there));
    });
  }
  return live;
}

/**
 * Whether a node of the body may become a statement of its own. A statement does not know under
 * which condition it is used: where it is not, it would multiply a cotangent 0 by its partials. So a
 * node has to be live always, or to have finite partials, or to pass no tangent. Of an extremum one
 * iteration counts, and none always.
 */
export function mayStandAlone(
  { op, body }: Pick<Nest, 'op' | 'body'>,
  active: (r: Read) => boolean,
): (e: Expr) => boolean {
  const reaches = isActive(active);
  const live = liveness(body, active);
  const finite = tameNodes(reaches);
  const counts = op !== 'max' && op !== 'min';
  return (e) => !reaches(e) || (counts && live.get(e) === always) || finite(e);
}

// ---------------------------------------------------------------- what passes tangents

/** A read in a place from which a tangent may pass to the body. */
export type Passing = Read;

/** The arguments of a node through which tangents pass. */
const passes = (e: PrimNode, i: number): boolean => partialOf(e, i) !== null;

/**
 * The active reads from which a tangent passes to the body, each with the condition under which the
 * body, itself used under `root`, depends on them there: that of the branches around them. A `max`
 * needs the operand it does not choose.
 */
export function passingReads(
  body: Expr,
  active: (r: Read) => boolean,
  root: Expr,
): ReadonlyMap<Passing, Expr> {
  const reaches = isActive(active);
  const order: Expr[] = [];
  walkExpr((e) => {
    if (reaches(e)) order.push(e);
  }, body);
  const used = new Map<Expr, Expr>(reaches(body) ? [[body, root]] : []);
  const out = new Map<Passing, Expr>();
  for (const e of order.reverse()) {
    const here = used.get(e);
    if (here === undefined) continue;
    if (e.k === 'read') out.set(e, here);
    if (e.k !== 'prim') continue;
    e.args.forEach((x, i) => {
      if (!passes(e, i) || !reaches(x)) return;
      const [c] = e.args;
      const there = e.op === 'select' ? and(here, i === 1 ? c! : not(c!)) : here;
      const old = used.get(x);
      used.set(x, old === undefined ? there : or(old, there));
    });
  }
  return out;
}

/**
 * The body with other reads in the places from which tangents pass; a node that stands in such a place
 * and in another one as well is what it was in the other. What stays is the same object.
 */
export function rewritePassing(body: Expr, read: (r: Passing) => Expr): Expr {
  return foldExpr<Expr>((e, go) => {
    if (e.k === 'read') return read(e);
    if (e.k !== 'prim') return e;
    const args = e.args.map((a, i) => (passes(e, i) ? go(a) : a));
    return args.every((a, i) => a === e.args[i]) ? e : { ...e, args };
  })(body);
}
