/**
 * C = A B as fast as WebAssembly goes here: one shape, one tile, one order of loops, each chosen by
 * hand and measured (see docs/performance.md). What generated contractions are held against.
 *
 * B is packed into panels of 4 * vecs columns, all threads together; after a barrier each thread takes
 * a share of the rows, in blocks that stay in the second-level cache, and runs the register tile over
 * them: `rows` broadcasts of A, `vecs` vectors of B, multiply-adds, nothing else. With the revectorizer
 * two neighbouring vectors become one of 256 bits.
 *
 * Blocking after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 */
import { encodeModule, Fn, ins, op } from '../../compiler/emit/wasm/binary.ts';

export type Gemm = { readonly M: number; readonly K: number; readonly N: number };

export type Tiling = {
  readonly rows: number;
  readonly vecs: number;
  /** Steps of the reduction between two loads of C. */
  readonly depth: number;
  readonly unroll: number;
  readonly threads: number;
};

/** Two words that the barrier counts in, far apart. */
export const barrierAt = { count: 0, phase: 64 } as const;
const FIRST = 1024;
const BLOCK_BYTES = 131072;

export function layout({ M, K, N }: Gemm, { rows, vecs, threads }: Tiling) {
  const up = (n: number, by: number) => Math.ceil(n / by) * by;
  const Mp = up(M, rows * threads);
  const Np = up(N, 4 * vecs * threads);
  const a = FIRST;
  const b = a + 4 * Mp * K;
  const c = b + 4 * K * Np;
  const panels = c + 4 * Mp * Np;
  // A panel is read one step ahead of its end.
  const end = panels + 4 * K * Np + 4096;
  return { Mp, Np, a, b, c, panels, pages: Math.ceil(end / 65536) };
}

export function gemmModule(shape: Gemm, tiling: Tiling): Uint8Array<ArrayBuffer> {
  const { K } = shape;
  const { rows, vecs, threads } = tiling;
  const at = layout(shape, tiling);
  const width = 4 * vecs;
  const fns: Fn[] = [];
  const add = (fn: Fn): Fn => {
    fn.index = fns.push(fn) - 1;
    return fn;
  };
  const barrier = add(barrierFn(threads));
  const tiles = new Map<number, Fn>();
  const pack = add(packFn(at.b, at.panels, K, at.Np, width));
  const starts = Array.from({ length: Math.ceil(K / tiling.depth) }, (_, i) => i * tiling.depth);
  for (const k of starts) {
    const depth = Math.min(tiling.depth, K - k);
    if (!tiles.has(depth)) tiles.set(depth, add(tileFn(tiling, depth, K, at.Np)));
  }

  const main = add(new Fn('gemm', ['i32']));
  const thread = 0;
  const names = ['row', 'last', 'block', 'stop', 'a', 'b', 'c', 'j'] as const;
  const v = Object.fromEntries(names.map((n) => [n, main.local('i32')])) as Record<
    (typeof names)[number],
    number
  >;
  const share = (n: number) => n / threads;
  main.emit(ins.get(thread), ins.i32(share(at.Np)), op['i32.mul'], ins.tee(v.j));
  main.emit(ins.get(v.j), ins.i32(share(at.Np)), op['i32.add'], ins.call(pack.index));
  if (threads > 1) main.emit(ins.call(barrier.index));
  const blockRows = (depth: number) =>
    Math.max(rows, Math.floor(BLOCK_BYTES / 4 / depth / rows) * rows);
  for (const k of starts) {
    const depth = Math.min(tiling.depth, K - k);
    const block = blockRows(depth);
    main.emit(ins.get(thread), ins.i32(share(at.Mp)), op['i32.mul'], ins.set(v.row));
    main.emit(ins.get(v.row), ins.i32(share(at.Mp)), op['i32.add'], ins.set(v.last));
    main.emit(ins.loop);
    main.emit(ins.get(v.row), ins.i32(block), op['i32.add'], ins.tee(v.block));
    main.emit(ins.get(v.last), ins.get(v.block), ins.get(v.last), op['i32.lt_s'], op.select);
    main.emit(ins.set(v.block));
    main.emit(ins.i32(0), ins.set(v.j), ins.loop);
    main.emit(ins.i32(at.panels + 4 * k * width), ins.get(v.j), ins.i32(4 * K), op['i32.mul']);
    main.emit(op['i32.add'], ins.set(v.b));
    main.emit(ins.i32(at.a + 4 * k), ins.get(v.row), ins.i32(4 * K), op['i32.mul'], op['i32.add']);
    main.emit(ins.set(v.a));
    main.emit(ins.get(v.row), ins.i32(at.Np), op['i32.mul'], ins.get(v.j), op['i32.add']);
    main.emit(ins.i32(4), op['i32.mul'], ins.i32(at.c), op['i32.add'], ins.set(v.c));
    main.emit(ins.i32(at.a + 4 * k), ins.get(v.block), ins.i32(4 * K), op['i32.mul']);
    main.emit(op['i32.add'], ins.set(v.stop));
    main.emit(ins.loop);
    main.emit(ins.get(v.a), ins.get(v.b), ins.get(v.c), ins.i32(k === 0 ? 1 : 0));
    main.emit(ins.call(tiles.get(depth)!.index));
    main.emit(ins.get(v.c), ins.i32(4 * rows * at.Np), op['i32.add'], ins.set(v.c));
    main.emit(ins.get(v.a), ins.i32(4 * rows * K), op['i32.add'], ins.tee(v.a));
    main.emit(ins.get(v.stop), op['i32.lt_u'], ins.brIf(0), ins.end);
    main.emit(ins.get(v.j), ins.i32(width), op['i32.add'], ins.tee(v.j));
    main.emit(ins.i32(at.Np), op['i32.lt_s'], ins.brIf(0), ins.end);
    main.emit(ins.get(v.block), ins.tee(v.row), ins.get(v.last), op['i32.lt_s'], ins.brIf(0));
    main.emit(ins.end);
  }
  return encodeModule({
    fns,
    exports: new Map([['run', main]]),
    pages: at.pages,
    shared: threads > 1,
  });
}

/** tile(a, b, c, first): c = a b over `depth` steps, or c += a b when not `first`. */
function tileFn({ rows, vecs, unroll }: Tiling, depth: number, K: number, Np: number): Fn {
  const fn = new Fn(`tile ${depth}`, ['i32', 'i32', 'i32', 'i32']);
  const [a, b, c, first] = [0, 1, 2, 3] as const;
  const end = fn.local('i32');
  const acc = Array.from({ length: rows }, () =>
    Array.from({ length: vecs }, () => fn.local('v128')),
  );
  const bs = Array.from({ length: vecs }, () => fn.local('v128'));
  const splat = fn.local('v128');
  const cells = acc.flatMap((row, i) => row.map((into, j) => ({ into, at: 4 * (i * Np + 4 * j) })));
  const steps = depth % unroll === 0 ? unroll : 1;
  fn.emit(ins.get(b), ins.i32(16 * vecs * depth), op['i32.add'], ins.set(end));
  fn.emit(ins.get(first), op['i32.eqz'], ins.if);
  for (const { into, at } of cells) fn.emit(ins.get(c), ins.load('v128', at), ins.set(into));
  fn.emit(ins.end, ins.loop);
  for (let u = 0; u < steps; u++) {
    for (const [j, into] of bs.entries())
      fn.emit(ins.get(b), ins.load('v128', 16 * (u * vecs + j)), ins.set(into));
    for (const [i, row] of acc.entries()) {
      fn.emit(ins.get(a), ins.splat(4 * (i * K + u)), ins.set(splat));
      for (const [j, into] of row.entries()) {
        fn.emit(ins.get(splat), ins.get(bs[j]!), ins.get(into), op['f32x4.relaxed_madd']);
        fn.emit(ins.set(into));
      }
    }
  }
  fn.emit(ins.get(a), ins.i32(4 * steps), op['i32.add'], ins.set(a));
  fn.emit(ins.get(b), ins.i32(16 * vecs * steps), op['i32.add'], ins.tee(b));
  fn.emit(ins.get(end), op['i32.lt_u'], ins.brIf(0), ins.end);
  for (const { into, at } of cells) fn.emit(ins.get(c), ins.get(into), ins.store('v128', at));
  return fn;
}

/** pack(column, last): the panels of these columns, each [K][width]. */
function packFn(b: number, panels: number, K: number, Np: number, width: number): Fn {
  const fn = new Fn('pack', ['i32', 'i32']);
  const [column, last] = [0, 1] as const;
  const from = fn.local('i32');
  const to = fn.local('i32');
  const stop = fn.local('i32');
  fn.emit(ins.loop);
  fn.emit(ins.get(column), ins.i32(4), op['i32.mul'], ins.i32(b), op['i32.add'], ins.set(from));
  fn.emit(ins.get(column), ins.i32(4 * K), op['i32.mul'], ins.i32(panels), op['i32.add']);
  fn.emit(ins.tee(to), ins.i32(4 * K * width), op['i32.add'], ins.set(stop), ins.loop);
  for (let j = 0; j < width / 4; j++) {
    fn.emit(ins.get(to), ins.get(from), ins.load('v128', 16 * j), ins.store('v128', 16 * j));
  }
  fn.emit(ins.get(from), ins.i32(4 * Np), op['i32.add'], ins.set(from));
  fn.emit(ins.get(to), ins.i32(4 * width), op['i32.add'], ins.tee(to));
  fn.emit(ins.get(stop), op['i32.lt_u'], ins.brIf(0), ins.end);
  fn.emit(ins.get(column), ins.i32(width), op['i32.add'], ins.tee(column));
  fn.emit(ins.get(last), op['i32.lt_s'], ins.brIf(0), ins.end);
  return fn;
}

/** Waits, spinning, until all threads have called it. */
function barrierFn(threads: number): Fn {
  const fn = new Fn('barrier', []);
  const phase = fn.local('i32');
  const { atomic } = ins;
  fn.emit(ins.i32(barrierAt.phase), atomic.load, ins.set(phase));
  fn.emit(ins.i32(barrierAt.count), ins.i32(1), atomic.add);
  fn.emit(ins.i32(threads - 1), op['i32.eq'], ins.if);
  fn.emit(ins.i32(barrierAt.count), ins.i32(0), atomic.store);
  fn.emit(ins.i32(barrierAt.phase), ins.i32(1), atomic.add, ins.drop);
  fn.emit(ins.else, ins.loop);
  fn.emit(ins.i32(barrierAt.phase), atomic.load, ins.get(phase), op['i32.eq'], ins.brIf(0));
  fn.emit(ins.end, ins.end);
  return fn;
}
