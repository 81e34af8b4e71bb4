/**
 * Core to plan: lower each nest to a kernel, give every output its storage (the donated input's own
 * where that is safe), and lay the temporaries out by liveness.
 *
 * Invariant: donation never changes a value. A buffer takes the place of its donated input only
 * when no kernel reads the input after the first write, and the writing kernel reads of it only
 * the cell it is about to write; otherwise the result is copied over at the end.
 */

import { bounded } from '../bounds/index.ts';
import { addIx, ixAxis, ixZero, scaleIx } from '../core/ix.ts';
import type { Axis, Core, Ix } from '../core.ts';
import { fuse } from '../passes/fuse.ts';
import type { Buf, BufId, Kernel, KIx, KNest, Plan, Step } from '../plan.ts';
import { type Place, rowMajor, size } from './access.ts';
import { freshAxes, splitAxes, tidyAxes } from './axes.ts';
import { eachKExpr, kixKey } from './flat.ts';
import { gatherKernels } from './gather.ts';
import { groupRows, toScratch } from './group.ts';
import { type Lowered, lower } from './lower.ts';
import { layout } from './memory.ts';
import { residentGroups } from './resident.ts';
import { demand, type Staged, Verifier, type VerifyOptions } from './verify/index.ts';
import { type Parts, viewOutputs, wholes } from './views.ts';

/** [output, input] pairs: the output is to end up in the input's storage. */
export type Donate = readonly (readonly [output: number, input: number])[];

export type ScheduleOptions = {
  /** Fuse nests on the core and in kernels; default true. */
  readonly fuse?: boolean;
  /**
   * Contractions join the kernels around them, over blocks of rows (resident.ts): for targets that
   * run a cell of the grid on one core with a cache. Default false.
   */
  readonly resident?: boolean;
  /**
   * Holds the plan against the core after every rewrite (verify/), and throws where they differ;
   * default false. It takes as long as a slow run of the program.
   */
  readonly verify?: boolean | VerifyOptions;
};

export function schedule(core: Core, donate: Donate = [], options: ScheduleOptions = {}): Plan {
  const after = options.verify ? verifying(core, donate, options.verify) : undefined;
  const fused = options.fuse === false ? core : fuse(core, { packs: options.resident });
  after?.core('fusion', fused);
  const lowered = settle(lower(fused), donate);
  after?.plan('lowering', lowered);
  const settled = splitAxes(lowered);
  after?.plan('splitting of axes', settled);
  const made =
    options.fuse === false ? settled : grouped(settled, options.resident ?? false, after);
  const tidy = tidyAxes(made);
  after?.plan('merging of axes', tidy);
  const placed = layout(tidy);
  after?.plan('layout', placed);
  const plan = bounded(placed);
  after?.plan('bounds', plan);
  return plan;
}

/** Kernels joined: rows on every target, then what stands around contractions where that is asked. */
function grouped(given: Unplaced, resident: boolean, after?: After): Unplaced {
  const { plan, parts } = resident ? viewOutputs(given) : { plan: given, parts: new Map() };
  const made = (name: string, steps: readonly Step[]): readonly Step[] => {
    after?.plan(name, { ...plan, steps }, parts);
    return steps;
  };
  made('views', plan.steps);
  const fresh = freshAxes(plan.steps);
  let steps = made('row groups', groupRows(plan.steps, fresh, parts));
  if (resident) {
    steps = made('resident groups', residentGroups(steps, fresh, parts));
    steps = made('gathering', gatherKernels(steps, parts));
    steps = made('naming of wholes', wholes(steps, parts));
  }
  const local = toScratch({ ...plan, steps });
  after?.plan('scratch', local);
  return local;
}

/** What looks at a program after each rewrite of it. */
type After = {
  readonly core: (name: string, core: Core) => void;
  readonly plan: (name: string, plan: Staged, parts?: Parts) => void;
};

function verifying(core: Core, donate: Donate, options: true | VerifyOptions): After {
  const asked = options === true ? {} : options;
  const verifier = new Verifier(core, donate, asked);
  return {
    core: (name, fused) => demand(name, verifier.core(fused), asked),
    plan: (name, plan, parts) => demand(name, verifier.plan(plan, parts), asked),
  };
}

/** A plan without the offsets of its temporaries. */
export type Unplaced = Omit<Plan, 'offsets' | 'arenaWords'>;

/** Decides where outputs live and adds the copies that this needs. */
function settle(low: Lowered, donate: Donate): Unplaced {
  const bufs: Buf[] = [...low.bufs];
  const table = low.steps.map(touches);
  let axis = low.nextAxis;
  let kernel = low.nextKernel;
  const target = new Map(donate);
  const taken = new Set<BufId>();
  const passed = new Set(low.outputs.map((o) => o.place.buf));
  const rename = new Map<BufId, BufId>();
  const copies: { from: Place; to: BufId; shape: readonly number[]; name: string }[] = [];

  const outputs = low.outputs.map(({ v, place }, o): BufId => {
    const words = size(v.shape);
    const own = bufs[place.buf]!;
    const whole = own.kind === 'temp' && own.words === words && isZero(place.base);
    const input = target.get(o);
    if (input === undefined) {
      if (whole && !taken.has(own.id)) {
        taken.add(own.id);
        bufs[own.id] = { ...own, kind: 'output', name: v.name };
        return own.id;
      }
      const id = bufs.length;
      bufs.push({ id, name: v.name, t: v.t, words, kind: 'output' });
      copies.push({ from: place, to: id, shape: v.shape, name: v.name });
      return id;
    }
    const into = low.inputs[input]!;
    if (place.buf === into && isZero(place.base)) return into;
    if (
      whole &&
      !taken.has(own.id) &&
      !passed.has(into) &&
      canReplace(low.steps, table, own.id, into)
    ) {
      taken.add(own.id);
      rename.set(own.id, into);
      return into;
    }
    copies.push({ from: place, to: into, shape: v.shape, name: v.name });
    return into;
  });

  const all: Step[] =
    rename.size > 0 ? renameBufs(low.steps, rename).filter((s) => !isIdle(s)) : [...low.steps];
  const copy = (name: string, from: Place, to: BufId, shape: readonly number[]): void => {
    const axes: Axis[] = shape.map((extent, i) => ({ id: axis++, extent, name: `c${i}` }));
    const cell = (strides: readonly number[], base: Place['base']): KIx => ({
      ix: axes.reduce((e, a, d) => addIx(e, scaleIx(ixAxis(a.id), strides[d]!)), base),
      dyn: [],
    });
    const nest: KNest = {
      axes,
      red: [],
      op: null,
      body: {
        k: 'load',
        t: bufs[to]!.t,
        buf: rename.get(from.buf) ?? from.buf,
        at: cell(from.strides, from.base),
        guard: [],
      },
      store: { buf: to, at: cell(rowMajor(shape), ixZero), guard: [], mode: 'set' },
      spans: [],
    };
    all.push({ k: 'kernel', id: kernel++, name, grid: [], nests: [nest], loops: [] });
  };
  // A copy must not overwrite an input that another copy still reads: those go through a temp.
  const written = new Set(copies.map((c) => c.to));
  const staged = copies.map((c) => {
    if (!written.has(c.from.buf)) return c;
    const id = bufs.length;
    bufs.push({ id, name: `${c.name}.kept`, t: bufs[c.to]!.t, words: size(c.shape), kind: 'temp' });
    copy(`${c.name}.keep`, c.from, id, c.shape);
    return { ...c, from: { buf: id, base: ixZero, strides: rowMajor(c.shape) } };
  });
  for (const c of staged) copy(`${c.name}.copy`, c.from, c.to, c.shape);

  const used = new Set<BufId>([...low.inputs, ...outputs]);
  eachKernel(all, (k) => {
    for (const n of k.nests) for (const b of bufsOf(n)) used.add(b);
  });
  return {
    bufs: bufs.map((b) => (used.has(b.id) ? b : { ...b, words: 0 })),
    inputs: low.inputs,
    outputs,
    steps: all,
  };
}

const isZero = (e: Ix): boolean => e.c === 0 && e.terms.length === 0;

export function eachKernel(steps: readonly Step[], f: (k: Kernel) => void): void {
  for (const s of steps) {
    if (s.k === 'kernel') f(s);
    else eachKernel(s.steps, f);
  }
}

/** Loads of a nest: from its body and from its data-dependent store address. */
export function loadsOf(n: KNest): { buf: BufId; at: KIx }[] {
  const out: { buf: BufId; at: KIx }[] = [];
  const seen = new Set<KNest['body']>();
  const visit = (e: KNest['body']): void =>
    eachKExpr(e, (x) => x.k === 'load' && out.push({ buf: x.buf, at: x.at }), seen);
  visit(n.body);
  for (const d of n.store.at.dyn) visit(d.e);
  return out;
}

const bufsOf = (n: KNest): BufId[] => [n.store.buf, ...loadsOf(n).map((l) => l.buf)];

type Touches = { readonly reads: ReadonlySet<BufId>; readonly writes: ReadonlySet<BufId> };

function touches(s: Step): Touches {
  const reads = new Set<BufId>();
  const writes = new Set<BufId>();
  eachKernel([s], (k) => {
    for (const n of k.nests) {
      writes.add(n.store.buf);
      for (const l of loadsOf(n)) reads.add(l.buf);
    }
  });
  return { reads, writes };
}

/** Whether temp `t` may live in the storage of `input`, given everything the steps do to both. */
function canReplace(
  steps: readonly Step[],
  table: readonly Touches[],
  t: BufId,
  input: BufId,
): boolean {
  let written = false;
  for (const [i, s] of steps.entries()) {
    const writes = table[i]!.writes.has(t);
    const reads = table[i]!.reads.has(input);
    if (written && reads) return false;
    if (!writes) continue;
    if (reads && (s.k === 'loop' || !readsOwnCellOnly(s, t, input))) return false;
    written = true;
  }
  return written;
}

/** Every load of `input` is of the very cell that its nest then stores. */
function readsOwnCellOnly(k: Kernel, t: BufId, input: BufId): boolean {
  if (k.nests.length > 1) return false;
  const n = k.nests[0]!;
  if (n.store.buf !== t || n.store.mode !== 'set') return false;
  const cell = kixKey(n.store.at);
  return loadsOf(n).every((l) => l.buf !== input || kixKey(l.at) === cell);
}

/** A copy of a buffer onto itself: a donated input that nothing changes. */
function isIdle(s: Step): boolean {
  const n = s.k === 'kernel' && s.nests.length === 1 ? s.nests[0]! : undefined;
  return (
    n?.body.k === 'load' &&
    n.op === null &&
    n.store.mode === 'set' &&
    n.body.guard.length === 0 &&
    n.body.buf === n.store.buf &&
    kixKey(n.body.at) === kixKey(n.store.at)
  );
}

function renameBufs(steps: readonly Step[], to: ReadonlyMap<BufId, BufId>): Step[] {
  const buf = (b: BufId): BufId => to.get(b) ?? b;
  const rename = (e: KNest['body'], memo: Map<KNest['body'], KNest['body']>): KNest['body'] => {
    const done = memo.get(e);
    if (done) return done;
    let out = e;
    if (e.k === 'prim') out = { ...e, args: e.args.map((a) => rename(a, memo)) };
    if (e.k === 'load') out = { ...e, buf: buf(e.buf), at: renameAt(e.at, memo) };
    memo.set(e, out);
    return out;
  };
  const renameAt = (at: KIx, memo: Map<KNest['body'], KNest['body']>): KIx => ({
    ix: at.ix,
    dyn: at.dyn.map((d) => ({ ...d, e: rename(d.e, memo) })),
  });
  return steps.map((s): Step => {
    if (s.k === 'loop') return { ...s, steps: renameBufs(s.steps, to) };
    return {
      ...s,
      nests: s.nests.map((n) => {
        const memo = new Map<KNest['body'], KNest['body']>();
        return {
          ...n,
          body: rename(n.body, memo),
          store: { ...n.store, buf: buf(n.store.buf), at: renameAt(n.store.at, memo) },
        };
      }),
    };
  });
}
