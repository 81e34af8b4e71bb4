/**
 * Resident groups as loops: the cells of the grid one after another, in each the nests in order,
 * contractions as tiles and the others as loops. What a contraction packs of its right operand is
 * packed in the outermost loop that knows it: once per thread when no axis of the grid is in it.
 *
 * Invariant: as for all kernels, a cell is computed the same way in whichever thread's share it is.
 */
import type { Extents } from '../../core/ix.ts';
import type { Axis, AxisId } from '../../core.ts';
import type { BufId, Kernel, KNest } from '../../plan.ts';
import { axesOfExpr, type Contraction, contractionIn } from '../../schedule/contract.ts';
import { eachKExpr } from '../../schedule/flat.ts';
import type { Env } from './arith.ts';
import {
  aheadCut,
  type Blocking,
  ContractionEmitter,
  type ContractSite,
  packWords,
  splitCounter,
} from './contract.ts';
import type { Scope } from './graph.ts';
import { extentsAround, NestEmitter } from './nest.ts';
import { firstOnly, shareOf } from './part.ts';
import { regions } from './regions.ts';
import { runsOf } from './runs.ts';

/** Words that packing needs in one thread. */
export function groupPackWords(k: Kernel, blocking: Blocking): number {
  return k.nests.reduce((n, x) => {
    const c = contractionIn(k, x);
    return c ? n + packWords(aheadCut(c, blocking)) : n;
  }, 0);
}

export function emitGroup(k: Kernel, site: ContractSite): void {
  const { g, part } = site;
  const written = new Set(k.nests.map((n) => n.store.buf));
  const axes: Env['axes'] = new Map(site.axes);
  const env = (home: Scope, version: number, extents: Extents): Env => ({
    g,
    axes: new Map(axes),
    extents,
    base: site.base,
    own: site.own,
    fault: site.fault,
    written,
    home,
    version,
  });
  let packAt = site.pack.at;
  const members = runsOf(k.nests, (b) => site.isScratch?.(b) ?? false).map((run) => {
    const nest = run.nests[0]!;
    const extents = extentsAround(k, site.loops, run.nests);
    const c = contractionIn(k, nest);
    if (!c) return { run, nest, extents };
    const cut = aheadCut(c, site.blocking);
    const pack = { at: packAt, bytes: site.pack.bytes };
    packAt += 4 * packWords(cut);
    const make = (scope: Scope, version: number): ContractionEmitter =>
      new ContractionEmitter(c, { ...site, pack }, env(scope, version, extents), cut);
    return { run, nest, extents, make, needs: needs(k, c, written) };
  });
  const packed = new Set<KNest>();
  const bound = new Set<AxisId>();
  const packReady = (scope: Scope): void => {
    for (const m of members) {
      if (!m.make || packed.has(m.nest) || m.needs === undefined) continue;
      if (![...m.needs].every((id) => bound.has(id))) continue;
      packed.add(m.nest);
      m.make(scope, 0).packAhead(scope);
    }
  };
  let scope = g.root;
  packReady(firstOnly(part, scope));
  const order = loopOrder(k.grid);
  const shared = part ? sharedPrefix(order, members) : [];
  if (shared.length > 0) {
    const { lo, hi } = shareOf(g, part, size(shared));
    scope = scope.loop(lo, hi, 1);
    splitCounter(g, scope, shared).forEach((n, i) => {
      axes.set(shared[i]!.id, n);
      bound.add(shared[i]!.id);
    });
    packReady(scope);
  }
  for (const a of order.slice(shared.length)) {
    scope = scope.loop(0, a.extent, 1);
    axes.set(a.id, scope);
    bound.add(a.id);
    packReady(scope);
  }
  let version = 0;
  for (const m of members) {
    if (m.make) {
      m.make(scope, version++).inside(scope, packed.has(m.nest));
      continue;
    }
    for (const r of regions(m.run.nests, m.run.axes, m.extents)) {
      const at = env(scope, version++, r.extents);
      new NestEmitter(at, r.nests, r.own, [], site.spill).emit(scope);
    }
  }
}

/**
 * The axes of the grid in a contraction's right operand; undefined when it can be packed only inside
 * a cell, because the group writes it or an axis of the nest chooses it.
 */
function needs(k: Kernel, c: Contraction, written: ReadonlySet<BufId>): Set<AxisId> | undefined {
  let own = false;
  eachKExpr(c.right, (e) => {
    if (e.k === 'load' && written.has(e.buf)) own = true;
  });
  const used = axesOfExpr(c.right);
  if (own || c.batch.some((a) => used.has(a.id))) return undefined;
  return new Set(k.grid.filter((a) => used.has(a.id)).map((a) => a.id));
}

const size = (l: readonly Axis[]): number => l.reduce((n, a) => n * a.extent, 1);

/**
 * The outer loops whose cells chunks share out: no further than where something is packed for the
 * loops inside, which every chunk would do again.
 */
function sharedPrefix(
  order: readonly Axis[],
  members: readonly { readonly needs?: ReadonlySet<AxisId> }[],
): readonly Axis[] {
  const bound = new Set<AxisId>();
  for (const [i, a] of order.entries()) {
    bound.add(a.id);
    const packs = members.some((m) => m.needs && m.needs.size > 0 && m.needs.isSubsetOf(bound));
    if (packs) return order.slice(0, i + 1);
  }
  return order;
}

/** The axis that is shared out first; the blocks of rows stay innermost where others are enough. */
function loopOrder(grid: readonly Axis[]): Axis[] {
  const outer = grid.slice(0, -1);
  const longest = outer.reduce<Axis | undefined>(
    (a, b) => (a && a.extent >= b.extent ? a : b),
    undefined,
  );
  const first = longest && longest.extent >= 4 ? longest : grid.at(-1);
  return first ? [first, ...grid.filter((a) => a !== first)] : [];
}
