/**
 * y = a x + b over n floats: what a kernel costs that reads and writes everything once and computes
 * next to nothing. The ceiling of the rows that bytes bound.
 */
import { encodeModule, Fn, ins, op } from '../../compiler/emit/wasm/binary.ts';

const FIRST = 1024;
const UNROLL = 8;

export function streamLayout(n: number, threads: number) {
  const step = 4 * UNROLL * threads;
  const padded = Math.ceil(n / step) * step;
  const x = FIRST;
  const y = x + 4 * padded;
  return { x, y, padded, pages: Math.ceil((y + 4 * padded) / 65536) };
}

export function streamModule(n: number, threads: number): Uint8Array<ArrayBuffer> {
  const { x, y, padded, pages } = streamLayout(n, threads);
  const share = (4 * padded) / threads;
  const fn = new Fn('stream', ['i32']);
  const at = fn.local('i32');
  const end = fn.local('i32');
  const scale = fn.local('v128');
  const shift = fn.local('v128');
  fn.emit(ins.f32(1.25), op['f32x4.splat'], ins.set(scale));
  fn.emit(ins.f32(0.125), op['f32x4.splat'], ins.set(shift));
  fn.emit(ins.get(0), ins.i32(share), op['i32.mul'], ins.tee(at));
  fn.emit(ins.i32(share), op['i32.add'], ins.set(end), ins.loop);
  for (let u = 0; u < UNROLL; u++) {
    fn.emit(ins.get(at), ins.get(scale), ins.get(at), ins.load('v128', x + 16 * u), ins.get(shift));
    fn.emit(op['f32x4.relaxed_madd'], ins.store('v128', y + 16 * u));
  }
  fn.emit(ins.get(at), ins.i32(16 * UNROLL), op['i32.add'], ins.tee(at));
  fn.emit(ins.get(end), op['i32.lt_u'], ins.brIf(0), ins.end);
  fn.index = 0;
  return encodeModule({ fns: [fn], exports: new Map([['run', fn]]), pages, shared: threads > 1 });
}
