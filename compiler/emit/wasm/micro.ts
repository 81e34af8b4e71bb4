/**
 * The register tile of a contraction: C[rows][4 * vecs] (+)= A[rows][k] * B[k][4 * vecs], for k
 * consecutive slices of a packed panel of B. It holds nothing but loads, multiply-adds and stores:
 * anything else in the loop makes the engine spill (see the measurements in docs/internals.md).
 *
 * A is read in place through its strides, one broadcast a row; B is packed, `4 * vecs` words a step.
 * `cols` < 4 * vecs stores only the first columns of a padded panel. Offsets in the instructions fit 32
 * bits: each is the distance between two words of one operand, which lies in memory.
 */
import { Fn, ins, op } from './binary.ts';

export type Tile = {
  readonly rows: number;
  readonly vecs: number;
  readonly cols: number;
  /** Steps of the reduction. */
  readonly depth: number;
  readonly unroll: number;
  /** Strides in words. */
  readonly aRow: number;
  readonly aStep: number;
  readonly cRow: number;
  readonly cCol: number;
  readonly fma: boolean;
};

export const tileKey = (t: Tile): string => Object.values(t).join();

/** micro(a, b, c, first): byte addresses; `first` is 1 to start from zero, 0 to add to C. */
export function microKernel(t: Tile): Fn {
  const fn = new Fn(`tile ${t.rows}x${4 * t.vecs} k${t.depth}`, ['i32', 'i32', 'i32', 'i32']);
  const [a, b, c, first] = [0, 1, 2, 3];
  const acc = Array.from({ length: t.rows }, () =>
    Array.from({ length: t.vecs }, () => fn.local('v128')),
  );
  const bs = Array.from({ length: t.vecs }, () => fn.local('v128'));
  const splat = fn.local('v128');
  const count = fn.local('i32');
  const each = (f: (i: number, j: number) => void): void => {
    for (let i = 0; i < t.rows; i++) for (let j = 0; j < t.vecs; j++) f(i, j);
  };
  /** Columns of vector j that exist. */
  const valid = (j: number): number => Math.max(0, Math.min(4, t.cols - 4 * j));
  const cAt = (i: number, j: number, lane = 0): number =>
    4 * (i * t.cRow + (4 * j + lane) * t.cCol);

  fn.emit(ins.get(first!), op['i32.eqz'], ins.if);
  each((i, j) => {
    if (valid(j) === 4 && t.cCol === 1) {
      fn.emit(ins.get(c!), ins.load('v128', cAt(i, j)), ins.set(acc[i]![j]!));
      return;
    }
    for (let lane = 0; lane < valid(j); lane++) {
      fn.emit(ins.get(c!), ins.get(acc[i]![j]!), ins.loadLane(cAt(i, j, lane), lane));
      fn.emit(ins.set(acc[i]![j]!));
    }
  });
  fn.emit(ins.end);

  const step = (u: number): void => {
    for (let j = 0; j < t.vecs; j++)
      fn.emit(ins.get(b!), ins.load('v128', 16 * (u * t.vecs + j)), ins.set(bs[j]!));
    for (let i = 0; i < t.rows; i++) {
      fn.emit(ins.get(a!), ins.splat(4 * (i * t.aRow + u * t.aStep)), ins.set(splat));
      for (let j = 0; j < t.vecs; j++) {
        const into = acc[i]![j]!;
        if (t.fma)
          fn.emit(ins.get(splat), ins.get(bs[j]!), ins.get(into), op['f32x4.relaxed_madd']);
        else
          fn.emit(ins.get(into), ins.get(splat), ins.get(bs[j]!), op['f32x4.mul'], op['f32x4.add']);
        fn.emit(ins.set(into));
      }
    }
  };
  const advance = (n: number): void => {
    fn.emit(ins.get(a!), ins.i32(4 * n * t.aStep), op['i32.add'], ins.set(a!));
    fn.emit(ins.get(b!), ins.i32(16 * n * t.vecs), op['i32.add'], ins.set(b!));
  };
  const rounds = Math.floor(t.depth / t.unroll);
  if (rounds > 0) {
    fn.emit(ins.get(b!), ins.i32(16 * t.vecs * t.unroll * rounds), op['i32.add'], ins.set(count));
    fn.emit(ins.loop);
    for (let u = 0; u < t.unroll; u++) step(u);
    advance(t.unroll);
    fn.emit(ins.get(b!), ins.get(count), op['i32.lt_u'], ins.brIf(0), ins.end);
  }
  for (let u = 0; u < t.depth - rounds * t.unroll; u++) step(u);

  each((i, j) => {
    if (valid(j) === 4 && t.cCol === 1) {
      fn.emit(ins.get(c!), ins.get(acc[i]![j]!), ins.store('v128', cAt(i, j)));
      return;
    }
    for (let lane = 0; lane < valid(j); lane++)
      fn.emit(ins.get(c!), ins.get(acc[i]![j]!), ins.storeLane(cAt(i, j, lane), lane));
  });
  return fn;
}
