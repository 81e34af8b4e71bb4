/**
 * How several threads run one plan: each runs the whole of `run`, takes chunks of every kernel (part.ts),
 * and meets the others at barriers, which stand only where a kernel touches what an earlier one wrote
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

/**
 * Where threads count the chunks that are taken: for every shared kernel, a word for each thread's
 * stretch. 0 between runs and after every barrier.
 */
export type Queues = { readonly at: number; readonly bytes: number };

/** barrier(threads): returns when all have called it; traps when the run was aborted. */
export function barrierFn(queues: Queues): Fn {
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
  // The last to come has the queues for itself.
  if (queues.bytes > 0) {
    const at = fn.local('i32');
    fn.emit(ins.i32(queues.at), ins.set(at), ins.loop);
    fn.emit(ins.get(at), ins.i32(0), ins.store('i32', 0));
    fn.emit(ins.get(at), ins.i32(4), op['i32.add'], ins.tee(at));
    fn.emit(ins.i32(queues.at + queues.bytes), op['i32.lt_u'], ins.brIf(0), ins.end);
  }
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

/**
 * Calls a kernel for chunk after chunk, from this thread's stretch of them and then from the others':
 * `fn(loops..., chunk, thread, first)`. `thread` and `threads` are locals of `run`, `at` is the
 * kernel's queues.
 */
export function takeChunks(
  run: Fn,
  kernel: { readonly fn: Fn; readonly chunks: number; readonly at: number },
  loops: readonly number[],
  thread: number,
  threads: number,
): void {
  const { atomic } = ins;
  const [victim, owner, low, chunk, first] = Array.from({ length: 5 }, () => run.local('i32'));
  const stretch = (of: () => void): void => {
    of();
    run.emit(ins.i32(kernel.chunks), op['i32.mul'], ins.get(threads), op['i32.div_u']);
  };
  run.emit(ins.i32(0), ins.set(victim!), ins.i32(1), ins.set(first!), ins.loop);
  run.emit(ins.get(thread), ins.get(victim!), op['i32.add'], ins.get(threads), op['i32.rem_u']);
  run.emit(ins.set(owner!));
  stretch(() => run.emit(ins.get(owner!)));
  run.emit(ins.set(low!), ins.block, ins.loop);
  run.emit(ins.get(owner!), ins.i32(2), op['i32.shl'], ins.i32(kernel.at), op['i32.add']);
  run.emit(ins.i32(1), atomic.add, ins.get(low!), op['i32.add'], ins.tee(chunk!));
  stretch(() => run.emit(ins.get(owner!), ins.i32(1), op['i32.add']));
  run.emit(op['i32.ge_u'], ins.brIf(1));
  for (const l of loops) run.emit(ins.get(l));
  run.emit(ins.get(chunk!), ins.get(thread), ins.get(first!), ins.call(kernel.fn.index));
  run.emit(ins.i32(0), ins.set(first!), ins.br(0), ins.end, ins.end);
  run.emit(ins.get(victim!), ins.i32(1), op['i32.add'], ins.tee(victim!));
  run.emit(ins.get(threads), op['i32.lt_u'], ins.brIf(0), ins.end);
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
