/**
 * What the whole numbers in each buffer can be: what the host may give, what a constant holds, and for
 * all others the union of what is stored there. Stores depend on what other buffers hold (a carry of a
 * fold on itself), so this is a least fixpoint: from nothing upwards, and once that takes long the ends
 * that still move jump to the next number that the program mentions (widening with thresholds: Cousot
 * and Cousot, "Abstract Interpretation", POPL 1977).
 *
 * Invariant: every word of a buffer that has been written lies in its range. Nothing is assumed of
 * memory that nothing writes.
 */
import type { Axis, Stored } from '../core.ts';
import type { Buf, BufId, Kernel, KNest, Plan, Step } from '../plan.ts';
import { eachKExpr } from '../schedule/flat.ts';
import { type Box, boxOf } from './form.ts';
import type { Range } from './range.ts';
import * as R from './range.ts';
import { Values } from './values.ts';

/** Rounds before ends jump, and before they jump to the end of their type. */
const ROUNDS = { exact: 3, all: 12 };

/** The axes around the nests of a kernel. */
export type Site = { readonly nest: KNest; readonly around: readonly Axis[] };

export function sitesOf(steps: readonly Step[], loops: readonly Axis[] = []): Site[] {
  return steps.flatMap((s): Site[] => {
    if (s.k === 'loop') return sitesOf(s.steps, [...loops, s.axis]);
    return s.nests.map((nest) => ({ nest, around: aroundOf(s, loops) }));
  });
}

export const aroundOf = (k: Kernel, loops: readonly Axis[]): Axis[] => [...loops, ...k.grid];

/** The last of equal axes is meant: a nest may bind one that its grid binds too. */
export function boxOver(...lists: readonly (readonly Axis[])[]): Box {
  const ranges = new Map<number, Range>();
  for (const a of lists.flat()) ranges.set(a.id, { lo: 0, hi: a.extent - 1 });
  return boxOf((id) => ranges.get(id) ?? R.anything);
}

const isEmpty = (axes: readonly Axis[]): boolean => axes.some((a) => a.extent === 0);
const isNumber = (t: Stored): boolean => t === 'i32' || t === 'u32';

export class BufferRanges {
  readonly #plan: Pick<Plan, 'bufs' | 'steps' | 'inputs'>;
  #found: ReadonlyMap<BufId, Range> | undefined;

  constructor(plan: Pick<Plan, 'bufs' | 'steps' | 'inputs'>) {
    this.#plan = plan;
  }

  readonly of = (b: BufId): Range => {
    const buf = this.#plan.bufs[b]!;
    if (!isNumber(buf.t)) return R.rangeOfType[buf.t];
    this.#found ??= this.#solve();
    return this.#found.get(b) ?? R.rangeOfType[buf.t];
  };

  #solve(): ReadonlyMap<BufId, Range> {
    const { bufs, steps } = this.#plan;
    const sites = sitesOf(steps).filter(
      ({ nest, around }) =>
        isNumber(bufs[nest.store.buf]!.t) && !isEmpty([...around, ...nest.axes]),
    );
    const given = new Map<BufId, Range>();
    const stored = new Set(sites.map((s) => s.nest.store.buf));
    for (const b of bufs) {
      if (!isNumber(b.t)) continue;
      const before = this.#given(b);
      // What nothing writes may be anything.
      if (before ?? !stored.has(b.id)) given.set(b.id, before ?? R.rangeOfType[b.t]);
    }
    for (;;) {
      const found = this.#fixpoint(sites, given);
      // Only from itself: there is no first value, so there may be any.
      const open = [...stored].filter((b) => R.isNothing(found.get(b)!) && !given.has(b));
      if (open.length === 0) return found;
      for (const b of open) given.set(b, R.rangeOfType[bufs[b]!.t]);
    }
  }

  /** What is there before anything is stored; undefined where nothing is. */
  #given(b: Buf): Range | undefined {
    if (b.kind === 'const' && b.data)
      return b.data.reduce((r, v) => R.union(r, R.only(v)), R.nothing);
    if (b.kind !== 'input' && !this.#plan.inputs.includes(b.id)) return undefined;
    return b.bound === undefined ? R.rangeOfType[b.t] : { lo: 0, hi: b.bound - 1 };
  }

  #fixpoint(sites: readonly Site[], given: ReadonlyMap<BufId, Range>): Map<BufId, Range> {
    const now = new Map<BufId, Range>(given);
    const at = (b: BufId): Range => {
      const { t } = this.#plan.bufs[b]!;
      return isNumber(t) ? (now.get(b) ?? R.nothing) : R.rangeOfType[t];
    };
    let marks: readonly number[] | undefined;
    for (let round = 0, moved = true; moved; round++) {
      moved = false;
      for (const site of sites) {
        const { buf } = site.nest.store;
        const type = R.rangeOfType[this.#plan.bufs[buf]!.t];
        const before = at(buf);
        let after = R.union(before, storedBy(site, at, type));
        if (R.same(before, after) && now.has(buf)) continue;
        if (round >= ROUNDS.exact) {
          marks ??= marksOf(sites, this.#plan.bufs);
          after = round < ROUNDS.all ? widened(before, after, type, marks) : type;
        }
        moved ||= !R.same(before, after);
        now.set(buf, after);
      }
    }
    return now;
  }
}

/** What one nest stores, with buffers as they are now. */
function storedBy({ nest, around }: Site, at: (b: BufId) => Range, type: Range): Range {
  const values = new Values(boxOver(around, nest.axes, nest.red), at);
  const count = nest.red.reduce((n, a) => n * a.extent, 1);
  const body = count === 0 ? R.nothing : values.of(nest.body);
  const fitted = (r: Range): Range => (R.within(r, type) ? r : type);
  // A sum that meets itself any number of times.
  if (nest.store.mode === 'add') return R.isNothing(body) || R.same(body, R.only(0)) ? body : type;
  switch (nest.op) {
    case null:
      return body;
    case 'argmax':
    case 'argmin':
      return { lo: 0, hi: Math.max(0, count - 1) };
    case 'sum':
      if (count === 0) return R.only(0);
      return R.isNothing(body) ? body : fitted(R.scale(body, count));
    case 'max':
    case 'min':
      return count === 0 ? type : body;
    case 'prod':
      if (count === 0) return R.only(1);
      if (count === 1 || R.isNothing(body)) return body;
      return R.within(body, { lo: 0, hi: 1 }) ? body : type;
    case 'all':
    case 'any':
      return R.rangeOfType.bool;
  }
}

/** Numbers that ranges may stop at: constants of the stores, extents of indices, bounds of inputs. */
function marksOf(sites: readonly Site[], bufs: readonly Buf[]): readonly number[] {
  const out = new Set<number>();
  const add = (v: number): void => {
    for (const x of [v - 1, v, v + 1]) out.add(x);
  };
  for (const { nest } of sites) {
    for (const a of [...nest.axes, ...nest.red]) add(a.extent);
    eachKExpr(nest.body, (e) => {
      if (e.k === 'const' && Number.isInteger(e.v)) add(e.v);
      if (e.k === 'load') for (const d of e.at.dyn) add(d.extent);
    });
  }
  for (const b of bufs) if (b.bound !== undefined) add(b.bound);
  return [...out].sort((a, b) => a - b);
}

function widened(before: Range, after: Range, type: Range, marks: readonly number[]): Range {
  const lo = after.lo < before.lo ? marks.findLast((m) => m <= after.lo) : after.lo;
  const hi = after.hi > before.hi ? marks.find((m) => m >= after.hi) : after.hi;
  return {
    lo: Math.max(type.lo, lo ?? type.lo),
    hi: Math.min(type.hi, hi ?? type.hi),
  };
}
