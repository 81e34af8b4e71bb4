/**
 * How several threads run one plan: each runs the whole of `run`, does its share of every kernel, and
 * meets the others at barriers, which stand only where a kernel touches what an earlier one wrote
 * (or writes what it read) since the last barrier.
 *
 * Invariant: between two barriers no two threads touch one word unless all only read it.
 */
import { Fn, ins, op } from './binary.ts';

/** Control words, as byte addresses in the memory's first block. */
export const control = { count: 0, phase: 64, abort: 128 } as const;

const SPINS = 4000;
/** How long a waiting thread sleeps before it looks whether the run was given up. */
const NAP_NS = 20_000_000;

/** barrier(threads): returns when all have called it; traps when the run was aborted. */
export function barrierFn(): Fn {
  const fn = new Fn('barrier', ['i32']);
  const phase = fn.local('i32');
  const spins = fn.local('i32');
  const { atomic } = ins;
  const load = (at: number): void => fn.emit(ins.i32(at), atomic.load);
  const stop = (): void => {
    load(control.abort);
    fn.emit(ins.if, ins.unreachable, ins.end);
  };
  const moved = (depth: number): void => {
    load(control.phase);
    fn.emit(ins.get(phase), op['i32.ne'], ins.brIf(depth));
  };
  load(control.phase);
  fn.emit(ins.set(phase));
  fn.emit(ins.i32(control.count), ins.i32(1), atomic.add);
  fn.emit(ins.get(0), ins.i32(1), op['i32.sub'], op['i32.eq'], ins.if);
  fn.emit(ins.i32(control.count), ins.i32(0), atomic.store);
  fn.emit(ins.i32(control.phase), ins.i32(1), atomic.add, ins.drop);
  fn.emit(ins.i32(control.phase), ins.i32(-1), atomic.notify, ins.drop);
  fn.emit(ins.else, ins.block, ins.loop);
  moved(1);
  fn.emit(ins.get(spins), ins.i32(1), op['i32.add'], ins.tee(spins));
  fn.emit(ins.i32(SPINS), op['i32.lt_s'], ins.brIf(0), ins.end);
  fn.emit(ins.loop);
  moved(1);
  stop();
  fn.emit(ins.i32(control.phase), ins.get(phase), ins.i64(NAP_NS), atomic.wait, ins.drop);
  fn.emit(ins.br(0), ins.end, ins.end, ins.end);
  stop();
  return fn;
}

/** Bytes [from, to). */
export type Range = readonly [from: number, to: number];
export type Access = {
  readonly reads: readonly Range[];
  readonly writes: readonly Range[];
  /** Run by the first thread alone. */
  readonly serial: boolean;
};

/** What has been touched since the last barrier. */
export class Hazards {
  #seen: Access[] = [];

  /** Whether a barrier must come before this kernel; remembers it in any case. */
  needsBarrier(next: Access): boolean {
    const clash = this.#seen.some(
      (a) =>
        !(a.serial && next.serial) &&
        (meet(a.writes, next.reads) || meet(a.writes, next.writes) || meet(a.reads, next.writes)),
    );
    if (clash) this.#seen = [];
    this.#seen.push(next);
    return clash;
  }

  /** Forgets everything; true when there was something, so that a barrier is due. */
  flush(): boolean {
    const due = this.#seen.length > 0;
    this.#seen = [];
    return due;
  }
}

const meet = (a: readonly Range[], b: readonly Range[]): boolean =>
  a.some(([from, to]) => b.some(([f, t]) => from < t && f < to));
