/**
 * View outputs: a kernel that only puts parts side by side (a concatenation, the cotangent of a value
 * that was read in slices) goes away; the kernels that make the parts write them where they belong.
 *
 * The parts are told by their guards, which must cut one axis of the result into ranges. A part is
 * re-addressed digit by digit: the joining kernel reads it in mixed radix, each digit being one of its
 * axes, and every term of the producer's address lies within one digit.
 *
 * Invariant: every cell of the result is written exactly once, by the producer of its part.
 */
import type { Axis, AxisId, Ix } from '../core.ts';
import type { Buf, BufId, KExpr, Kernel, KNest, Step } from '../plan.ts';
import { eachAccess } from './flat.ts';
import type { Unplaced } from './schedule.ts';

type Load = Extract<KExpr, { k: 'load' }>;
type Part = {
  readonly load: Load;
  readonly axis: AxisId;
  readonly lo: number;
  readonly hi: number;
};

/**
 * The plan with parts written in place. Until kernels are grouped each part has a name of its own, by
 * which kernels that write different parts are seen to be independent: `parts` says of what.
 */
export type Viewed = { readonly plan: Unplaced; readonly parts: Parts };
/** Parts that one kernel joined (`joiner`) share no cell; those of two joiners may. */
export type Parts = ReadonlyMap<BufId, { readonly whole: BufId; readonly joiner: number }>;

export function viewOutputs(plan: Unplaced): Viewed {
  const touched = new Map<BufId, Set<KNest>>();
  const count = (s: Step): void => {
    if (s.k === 'loop') s.steps.forEach(count);
    else
      for (const n of s.nests)
        eachAccess(n, (buf) => touched.set(buf, (touched.get(buf) ?? new Set()).add(n)));
  };
  plan.steps.forEach(count);
  const bufs: Buf[] = [...plan.bufs];
  const parts = new Map<BufId, { whole: BufId; joiner: number }>();
  const named = (whole: BufId, joiner: number): BufId => {
    const id = bufs.push({ ...bufs[whole]!, id: bufs.length, words: 0 }) - 1;
    parts.set(id, { whole, joiner });
    return id;
  };
  const steps = placed(plan.steps, plan.bufs, touched, named);
  return { plan: { ...plan, bufs, steps }, parts };
}

/** Parts by the name of the whole again. */
export function wholes(steps: readonly Step[], parts: Parts): Step[] {
  return steps.map((s) => {
    if (s.k === 'loop') return { ...s, steps: wholes(s.steps, parts) };
    const nests = s.nests.map((n) => {
      const buf = parts.get(n.store.buf)?.whole;
      return buf === undefined ? n : { ...n, store: { ...n.store, buf } };
    });
    return { ...s, nests };
  });
}

function placed(
  steps: readonly Step[],
  bufs: readonly Buf[],
  touched: ReadonlyMap<BufId, ReadonlySet<KNest>>,
  named: (whole: BufId, joiner: number) => BufId,
): Step[] {
  const out: Step[] = steps.map((s) =>
    s.k === 'loop' ? { ...s, steps: placed(s.steps, bufs, touched, named) } : s,
  );
  for (let at = 0; at < out.length; at++) {
    const joiner = out[at]!;
    const parts = joiner.k === 'kernel' ? partsOf(joiner) : undefined;
    if (joiner.k === 'loop' || !parts) continue;
    const n = joiner.nests[0]!;
    const target = n.store.buf;
    // Nothing before the joining kernel may look at the result.
    if (bufs[target]!.kind === 'input' || touchedBefore(out, at, target)) continue;
    const moved = parts.map((p) => reaimed(out, at, joiner, p, bufs, touched));
    if (moved.some((m) => m === undefined)) continue;
    for (const m of moved) {
      // Two parts may come from one kernel.
      const k = out[m!.at] as Kernel;
      const nests = k.nests.map((x, i) =>
        i === m!.nest ? { ...x, store: { ...m!.store, buf: named(target, joiner.id) } } : x,
      );
      out[m!.at] = { ...k, nests };
    }
    out.splice(at, 1);
    at--;
  }
  return out;
}

function touchedBefore(steps: readonly Step[], end: number, buf: BufId): boolean {
  let found = false;
  const walk = (s: Step): void => {
    if (s.k === 'loop') s.steps.forEach(walk);
    else
      for (const n of s.nests)
        eachAccess(n, (b) => {
          if (b === buf) found = true;
        });
  };
  steps.slice(0, end).forEach(walk);
  return found;
}

/** The parts of a map that adds up guarded reads of which exactly one is there for every cell. */
function partsOf(k: Kernel): Part[] | undefined {
  const n = k.nests[0]!;
  if (k.nests.length !== 1 || n.op !== null || n.store.mode !== 'set') return undefined;
  if (n.store.guard.length > 0 || n.store.at.dyn.length > 0) return undefined;
  const loads = summands(n.body);
  if (!loads || loads.length < 2) return undefined;
  const parts: Part[] = [];
  for (const load of loads) {
    const g = load.guard[0];
    const t = g?.e.terms[0];
    if (load.guard.length !== 1 || !g || !t || g.e.terms.length !== 1) return undefined;
    if (t.a.k !== 'axis' || t.m !== 1 || g.e.c !== 0 || load.at.dyn.length > 0) return undefined;
    parts.push({ load, axis: t.a.id, lo: g.lo, hi: g.hi });
  }
  parts.sort((a, b) => a.lo - b.lo);
  const axis = [...k.grid, ...n.axes].find((a) => a.id === parts[0]!.axis);
  let next = 0;
  for (const p of parts) {
    if (p.axis !== axis?.id || p.lo !== next || p.hi <= p.lo) return undefined;
    next = p.hi;
  }
  const distinct = new Set(parts.map((p) => p.load.buf)).size === parts.length;
  return next === axis?.extent && distinct ? parts : undefined;
}

function summands(e: KExpr): Load[] | undefined {
  if (e.k === 'load') return [e];
  if (e.k !== 'prim' || e.op !== 'add') return undefined;
  const sides = e.args.map(summands);
  return sides.some((s) => s === undefined) ? undefined : sides.flatMap((s) => s!);
}

/** The kernel that makes a part, writing it into the result; undefined when that cannot be. */
function reaimed(
  steps: readonly Step[],
  end: number,
  joiner: Kernel,
  part: Part,
  bufs: readonly Buf[],
  touched: ReadonlyMap<BufId, ReadonlySet<KNest>>,
): { at: number; nest: number; store: KNest['store'] } | undefined {
  const { buf } = part.load;
  if (bufs[buf]!.kind !== 'temp' || touched.get(buf)!.size !== 2) return undefined;
  const at = steps.findIndex(
    (s, i) => i < end && s.k === 'kernel' && s.nests.some((n) => n.store.buf === buf),
  );
  const maker = steps[at];
  if (maker?.k !== 'kernel' || maker.gathered) return undefined;
  if (maker.loops.map((l) => l.id).join() !== joiner.loops.map((l) => l.id).join())
    return undefined;
  const index = maker.nests.findIndex((n) => n.store.buf === buf);
  const nest = maker.nests[index]!;
  if (nest.store.guard.length > 0 || nest.store.at.dyn.length > 0) return undefined;
  const own = [...maker.grid, ...nest.axes];
  const to = readdress(nest.store.at.ix, own, joiner, part);
  if (!to) return undefined;
  return { at, nest: index, store: { ...nest.store, at: { ix: to, dyn: [] } } };
}

type Digit = { readonly from: number; readonly to: number; readonly extent: number };

function readdress(ix: Ix, own: readonly Axis[], joiner: Kernel, part: Part): Ix | undefined {
  const n = joiner.nests[0]!;
  const axes = [...joiner.grid, ...n.axes];
  const store = n.store.at.ix;
  const load = part.load.at.ix;
  const coef = (e: Ix, id: AxisId): number =>
    e.terms.find((t) => t.a.k === 'axis' && t.a.id === id)?.m ?? 0;
  const plain = (e: Ix, among: readonly Axis[]): boolean =>
    e.terms.every(
      (t) => t.a.k === 'axis' && among.some((a) => a.id === (t.a as { id: AxisId }).id),
    );
  if (!plain(load, axes) || !plain(ix, own)) return undefined;
  const digits: Digit[] = axes
    .map((a) => ({
      from: coef(load, a.id),
      to: coef(store, a.id),
      extent: a.id === part.axis ? part.hi - part.lo : a.extent,
    }))
    .filter((d) => d.extent > 1)
    .sort((a, b) => b.from - a.from);
  // The reads must be a mixed radix that starts at zero, or cells of the part would be left out.
  let size = 1;
  for (const d of [...digits].reverse()) {
    if (d.from !== size) return undefined;
    size *= d.extent;
  }
  if (load.c + coef(load, part.axis) * part.lo !== 0 || ix.c !== 0) return undefined;
  const used = digits.map(() => 0);
  const terms: Ix['terms'][number][] = [];
  for (const t of ix.terms) {
    const i = digits.findIndex((d) => d.from <= t.m && t.m % d.from === 0);
    const axis = own.find((a) => t.a.k === 'axis' && a.id === t.a.id)!;
    if (i < 0 || t.m <= 0) return undefined;
    const steps = t.m / digits[i]!.from;
    used[i]! += steps * (axis.extent - 1);
    terms.push({ m: steps * digits[i]!.to, a: t.a });
  }
  if (used.some((u, i) => u >= digits[i]!.extent)) return undefined;
  // Terms of enclosing loops and the constant are those of the result.
  const rest = store.terms.filter(
    (t) => t.a.k !== 'axis' || !axes.some((a) => a.id === (t.a as { id: AxisId }).id),
  );
  return { c: store.c + coef(store, part.axis) * part.lo, terms: [...terms, ...rest] };
}
