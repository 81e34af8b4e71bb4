/**
 * The loops of a kernel in their simplest form: axes that are only ever used in halves are split
 * (`qkv[(h, e)]` iterated over one flat axis becomes h and e, and div and mod disappear), and axes
 * that are contiguous in every access are merged (a map over [32, 64, 96] is one loop).
 *
 * Invariant: the same cells get the same values; an extent is never padded.
 */

import { addIx, extentsOf, ixAxis, mapIx, scaleIx } from '../core/ix.ts';
import type { Axis, AxisId, Guard, Ix } from '../core.ts';
import type { KExpr, Kernel, KNest, Plan, Step } from '../plan.ts';
import { axesOf, eachKExpr, mapGuards, mapKExpr, mapKIx } from './flat.ts';

/** Every kernel of a plan with its axes split and merged. */
export function tidyAxes<P extends Pick<Plan, 'steps'>>(plan: P): P {
  const fresh = freshAxes(plan.steps);
  return eachStep(plan, (k) => mergeKernel(dropUnits(splitKernel(oneExtent(k, fresh), fresh))));
}

/** Every kernel of a plan with its axes split only. */
export function splitAxes<P extends Pick<Plan, 'steps'>>(plan: P): P {
  const fresh = freshAxes(plan.steps);
  return eachStep(plan, (k) => splitKernel(k, fresh));
}

function eachStep<P extends Pick<Plan, 'steps'>>(plan: P, f: (k: Kernel) => Kernel): P {
  const step = (s: Step): Step => (s.k === 'loop' ? { ...s, steps: s.steps.map(step) } : f(s));
  return { ...plan, steps: plan.steps.map(step) };
}

/** Names for axes that no step has. */
export function freshAxes(steps: readonly Step[]): () => AxisId {
  let next = 0;
  const all = (s: Step): void => {
    const own =
      s.k === 'loop' ? [s.axis] : [...s.grid, ...s.nests.flatMap((n) => [...n.axes, ...n.red])];
    for (const a of own) next = Math.max(next, a.id + 1);
    if (s.k === 'loop') s.steps.forEach(all);
  };
  steps.forEach(all);
  return () => next++;
}

// ---------------------------------------------------------------- rewriting

type Lists = (a: readonly Axis[]) => Axis[];

function rewrite(k: Kernel, grid: readonly Axis[], lists: Lists, fix: (e: Ix) => Ix): Kernel {
  return { ...k, grid: lists(grid), nests: k.nests.map((n) => rewriteNest(n, lists, fix)) };
}

function rewriteNest(n: KNest, lists: Lists, fix: (e: Ix) => Ix): KNest {
  const memo = new Map<KExpr, KExpr>();
  const go = (e: KExpr): KExpr => mapKExpr(e, fix, (x) => x, memo);
  return {
    ...n,
    axes: lists(n.axes),
    red: lists(n.red),
    body: go(n.body),
    store: { ...n.store, at: mapKIx(n.store.at, fix, go), guard: mapGuards(n.store.guard, fix) },
  };
}

/**
 * Nests of one kernel that bind an id to axes of different extents: all but the first get ids of their
 * own. What follows here changes an axis in all nests at once.
 */
function oneExtent(k: Kernel, fresh: () => AxisId): Kernel {
  const extent = new Map<AxisId, number>();
  for (const a of [...k.loops, ...k.grid]) extent.set(a.id, a.extent);
  const nests = k.nests.map((n): KNest => {
    const to = new Map<AxisId, Axis>();
    for (const a of [...n.axes, ...n.red]) {
      const known = extent.get(a.id);
      if (known === undefined) extent.set(a.id, a.extent);
      else if (known !== a.extent) to.set(a.id, { ...a, id: fresh() });
    }
    if (to.size === 0) return n;
    const own = extentsOf([...n.axes, ...n.red, ...to.values()], k.grid, k.loops);
    const axis = (id: AxisId): Ix | undefined => {
      const a = to.get(id);
      return a === undefined ? undefined : ixAxis(a);
    };
    return rewriteNest(
      n,
      (l) => l.map((a) => to.get(a.id) ?? a),
      (e) => mapIx(e, axis, (v) => v, own),
    );
  });
  return nests.every((n, i) => n === k.nests[i]) ? k : { ...k, nests };
}

/** Every index a kernel forms. */
function indices(k: Kernel): Ix[] {
  const out: Ix[] = [];
  const guards = (g: readonly Guard[]): void => {
    for (const x of g) out.push(x.e);
  };
  for (const n of k.nests) {
    const seen = new Set<KExpr>();
    const visit = (e: KExpr): void => {
      if (e.k === 'index') out.push(e.ix);
      if (e.k === 'load') {
        out.push(e.at.ix);
        guards(e.guard);
      }
    };
    eachKExpr(n.body, visit, seen);
    for (const d of n.store.at.dyn) eachKExpr(d.e, visit, seen);
    out.push(n.store.at.ix);
    guards(n.store.guard);
  }
  return out;
}

const extentsIn = (k: Kernel) =>
  extentsOf(k.loops, k.grid, ...k.nests.map((n) => [...n.axes, ...n.red]));

// ---------------------------------------------------------------- split

const atoms = (e: Ix): number =>
  e.terms.reduce((n, t) => n + (t.a.k === 'div' || t.a.k === 'mod' ? 1 + atoms(t.a.e) : 0), 0);

/** Block sizes at which div and mod atoms cut an axis. */
function cuts(e: Ix, into: Map<AxisId, Set<number>>): void {
  for (const t of e.terms) {
    if (t.a.k !== 'div' && t.a.k !== 'mod') continue;
    for (const u of t.a.e.terms) {
      if (u.a.k !== 'axis' || u.m <= 0 || t.a.by % u.m !== 0) continue;
      const at = into.get(u.a.id) ?? new Set();
      at.add(t.a.by / u.m);
      into.set(u.a.id, at);
    }
    cuts(t.a.e, into);
  }
}

function splitKernel(kernel: Kernel, fresh: () => AxisId): Kernel {
  let k = kernel;
  for (let again = true; again; ) {
    again = false;
    const all = indices(k);
    const before = all.reduce((n, e) => n + atoms(e), 0);
    if (before === 0) return k;
    const found = new Map<AxisId, Set<number>>();
    for (const e of all) cuts(e, found);
    const own = [...k.grid, ...k.nests.flatMap((n) => [...n.axes, ...n.red])];
    // An axis whose number is wanted (argmax) stays whole.
    const whole = new Set(
      k.nests.flatMap((n) =>
        n.op === 'argmax' || n.op === 'argmin' ? n.red.map((a) => a.id) : [],
      ),
    );
    search: for (const a of own) {
      if (whole.has(a.id)) continue;
      for (const q of [...(found.get(a.id) ?? [])].sort((x, y) => x - y)) {
        if (q <= 1 || q >= a.extent || a.extent % q !== 0) continue;
        const tried = splitAxis(k, a, q, fresh);
        const after = indices(tried).reduce((n, e) => n + atoms(e), 0);
        if (after >= before) continue;
        k = tried;
        again = true;
        break search;
      }
    }
  }
  return k;
}

function splitAxis(k: Kernel, a: Axis, q: number, fresh: () => AxisId): Kernel {
  const hi: Axis = { id: fresh(), extent: a.extent / q, name: `${a.name}1` };
  const lo: Axis = { id: fresh(), extent: q, name: `${a.name}0` };
  const lists = (l: readonly Axis[]): Axis[] => l.flatMap((x) => (x.id === a.id ? [hi, lo] : [x]));
  const extents = extentsIn(k);
  const known = (id: AxisId): number | undefined =>
    id === hi.id ? hi.extent : id === lo.id ? lo.extent : extents(id);
  const to = addIx(scaleIx(ixAxis(hi), q), ixAxis(lo));
  const fix = (e: Ix): Ix =>
    axesOf(e).has(a.id)
      ? mapIx(
          e,
          (id) => (id === a.id ? to : undefined),
          (v) => v,
          known,
        )
      : e;
  return rewrite(k, k.grid, lists, fix);
}

// ---------------------------------------------------------------- merge

/** Axes of extent 1 are zero, except where a reduction needs one. */
export function dropUnits(k: Kernel): Kernel {
  const units = new Set(
    [...k.grid, ...k.nests.flatMap((n) => n.axes)].filter((a) => a.extent === 1).map((a) => a.id),
  );
  for (const n of k.nests)
    if (n.op !== null && n.op !== 'argmax' && n.op !== 'argmin' && n.red.length > 1)
      for (const a of n.red.slice(1)) if (a.extent === 1) units.add(a.id);
  if (units.size === 0) return k;
  const fix = (e: Ix): Ix =>
    [...axesOf(e)].some((id) => units.has(id))
      ? mapIx(
          e,
          (id) => (units.has(id) ? { c: 0, terms: [] } : undefined),
          (v) => v,
          extentsIn(k),
        )
      : e;
  return rewrite(k, k.grid, (l) => l.filter((a) => !units.has(a.id)), fix);
}

const inAtoms = (e: Ix, id: AxisId): boolean =>
  e.terms.some((t) => (t.a.k === 'div' || t.a.k === 'mod') && axesOf(t.a.e).has(id));
const coef = (e: Ix, id: AxisId): number =>
  e.terms.find((t) => t.a.k === 'axis' && t.a.id === id)?.m ?? 0;

/** Whether every loop nest over one is over both: nests share axes, and merging changes all of them. */
function alwaysTogether(k: Kernel, a: Axis, b: Axis): boolean {
  const has = (l: readonly Axis[], x: Axis) => l.some((y) => y.id === x.id);
  const all = [k.grid, ...k.nests.flatMap((n) => [n.axes, n.red])];
  return all.every((l) => has(l, a) === has(l, b));
}

function mergeKernel(kernel: Kernel): Kernel {
  let k = kernel;
  const lists = (): (readonly Axis[])[] => [
    k.grid,
    ...k.nests.flatMap((n) => {
      const ordered = n.store.mode === 'add';
      const special = n.op === 'argmax' || n.op === 'argmin';
      return [...(ordered ? [] : [n.axes]), ...(special ? [] : [n.red])];
    }),
  ];
  for (let again = true; again; ) {
    again = false;
    const all = indices(k);
    search: for (const list of lists()) {
      for (const a of list) {
        for (const b of list) {
          if (a === b || !alwaysTogether(k, a, b)) continue;
          const fits = all.every(
            (e) =>
              !inAtoms(e, a.id) && !inAtoms(e, b.id) && coef(e, a.id) === b.extent * coef(e, b.id),
          );
          if (!fits) continue;
          const both: Axis = { ...b, extent: a.extent * b.extent };
          const merged = (l: readonly Axis[]): Axis[] =>
            l.flatMap((x) => (x.id === a.id ? [] : x.id === b.id ? [both] : [x]));
          const fix = (e: Ix): Ix =>
            coef(e, a.id) === 0
              ? e
              : { c: e.c, terms: e.terms.filter((t) => t.a.k !== 'axis' || t.a.id !== a.id) };
          k = rewrite(k, k.grid, merged, fix);
          again = true;
          break search;
        }
      }
    }
  }
  return k;
}
