/**
 * Walkers and keys of kernel expressions.
 *
 * Invariant: indices are in the normal form of core/ix.ts, so two accesses of the same cell have the
 * same key; reuse, in-place updates and forwarding between nests are decided on these keys.
 */
import type { Atom, AxisId, Guard, Ix } from '../core.ts';
import type { BufId, KExpr, KIx, KNest } from '../plan.ts';

const exprKeys = new WeakMap<object, number>();
let nextExprKey = 0;
/** Identity of a shared expression node; equal nodes that are not shared have different keys. */
function exprKey(e: object): number {
  const k = exprKeys.get(e) ?? nextExprKey++;
  exprKeys.set(e, k);
  return k;
}

export function atomKey(a: Atom): string {
  switch (a.k) {
    case 'axis':
      return `a${String(a.id).padStart(7, '0')}`;
    case 'div':
      return `d(${ixKey(a.e)})${a.by}`;
    case 'mod':
      return `m(${ixKey(a.e)})${a.by}`;
    case 'val':
      return `v${exprKey(a.e)}`;
  }
}

export const ixKey = (e: Ix): string =>
  `${e.c}${e.terms.map((t) => `+${t.m}${atomKey(t.a)}`).join('')}`;

export const kixKey = (e: KIx): string =>
  `${ixKey(e.ix)}${e.dyn.map((d) => `+${d.m}x${exprKey(d.e)}`).join('')}`;

export const guardKey = (g: readonly Guard[]): string =>
  g
    .map((x) => `${x.lo}<=${ixKey(x.e)}<${x.hi}`)
    .sort()
    .join('&');

export const hasVal = (e: Ix): boolean =>
  e.terms.some((t) => t.a.k === 'val' || ((t.a.k === 'div' || t.a.k === 'mod') && hasVal(t.a.e)));

/** All axis ids an index mentions, through div and mod. */
export function axesOf(e: Ix, into: Set<AxisId> = new Set()): Set<AxisId> {
  for (const t of e.terms) {
    if (t.a.k === 'axis') into.add(t.a.id);
    else if (t.a.k !== 'val') axesOf(t.a.e, into);
  }
  return into;
}

/** Rebuilds a kernel expression bottom-up, keeping its sharing; `f` sees nodes with mapped children. */
export function mapKExpr(
  root: KExpr,
  fix: (e: Ix) => Ix,
  f: (e: KExpr) => KExpr = (e) => e,
  memo: Map<KExpr, KExpr> = new Map(),
): KExpr {
  const go = (e: KExpr): KExpr => {
    const done = memo.get(e);
    if (done) return done;
    let out: KExpr;
    switch (e.k) {
      case 'const':
        out = f(e);
        break;
      case 'index':
        out = f({ ...e, ix: fix(e.ix) });
        break;
      case 'load':
        out = f({ ...e, at: mapKIx(e.at, fix, go), guard: mapGuards(e.guard, fix) });
        break;
      case 'prim':
        out = f({ ...e, args: e.args.map(go) });
        break;
      case 'checked':
        out = f({ ...e, e: go(e.e) });
        break;
    }
    memo.set(e, out);
    return out;
  };
  return go(root);
}

export const mapKIx = (at: KIx, fix: (e: Ix) => Ix, go: (e: KExpr) => KExpr): KIx => ({
  ix: fix(at.ix),
  dyn: at.dyn.map((d) => ({ ...d, e: go(d.e) })),
});

export const mapGuards = (g: readonly Guard[], fix: (e: Ix) => Ix): Guard[] =>
  g.map((x) => ({ ...x, e: fix(x.e) }));

/** Calls `f` on every node of a kernel expression once, children first. */
export function eachKExpr(root: KExpr, f: (e: KExpr) => void, seen: Set<KExpr> = new Set()): void {
  if (seen.has(root)) return;
  seen.add(root);
  if (root.k === 'prim') for (const a of root.args) eachKExpr(a, f, seen);
  if (root.k === 'load') for (const d of root.at.dyn) eachKExpr(d.e, f, seen);
  if (root.k === 'checked') eachKExpr(root.e, f, seen);
  f(root);
}

/** Calls `f` on every load of a nest, then on its store. */
export function eachAccess(n: KNest, f: (buf: BufId, at: KIx, stored: boolean) => void): void {
  const seen = new Set<KExpr>();
  const load = (e: KExpr): void => {
    if (e.k === 'load') f(e.buf, e.at, false);
  };
  eachKExpr(n.body, load, seen);
  for (const d of n.store.at.dyn) eachKExpr(d.e, load, seen);
  f(n.store.buf, n.store.at, true);
}
