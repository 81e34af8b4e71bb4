/**
 * How fast a device is at best, measured: a square contraction that stays in cache (arithmetic) and a
 * copy of arrays that do not (memory). Profiles and `doctor` quote shares
 * of these, because peaks computed from a processor's name are not reached by anything (after the
 * roofline model of Williams, Waterman and Patterson).
 */
import { compile } from '../api/program.ts';
import type { Device } from '../devices/device.ts';

export type Ceiling = {
  /** Of a contraction, multiplications and additions counted, in 10^9 a second. */
  readonly gflops: number;
  /** Read and written in a pass over memory, in 10^9 bytes a second. */
  readonly gbps: number;
};

const text = `fn product[N](a: f32[N, N], b: f32[N, N]): f32[N, N] = for i, j. sum k. a[i, k] * b[k, j]
`;

/** Divides every tile and block that the targets use. */
const EDGE = 384;
/** 64 MiB in and as much out: more than caches of one processor hold for one process. */
const LENGTH = 2 ** 24;

/** Takes about twice `ms`. @throws TenonError (`device`). */
export async function measureCeiling(device: Device, ms = 300): Promise<Ceiling> {
  return { gflops: await contractionPeak(device, ms), gbps: bandwidth(ms) };
}

/** Of the engine's own copy: no kernel of ours has a part in it, so that all are measured by it. */
function bandwidth(ms: number): number {
  const from = new Float32Array(LENGTH).fill(1);
  const to = new Float32Array(LENGTH);
  let shortest = Number.POSITIVE_INFINITY;
  const end = performance.now() + ms;
  for (let runs = 0; runs < 3 || performance.now() < end; runs++) {
    const start = performance.now();
    to.set(from);
    shortest = Math.min(shortest, performance.now() - start);
  }
  return (2 * 4 * LENGTH) / (shortest / 1000) / 1e9;
}

/** Floating-point operations a second, in 10^9, of a contraction on this device. */
export async function contractionPeak(device: Device, ms: number): Promise<number> {
  const a = Float32Array.from({ length: EDGE ** 2 }, (_, i) => ((i * 7919) % 2003) / 2003);
  await using f = compile({ 'ceiling.tn': text }).function('product', { device });
  const instance = await f.prepare({ inputs: { a, b: a }, sizes: { N: EDGE } });
  let shortest = Number.POSITIVE_INFINITY;
  const end = performance.now() + ms;
  for (let runs = 0; runs < 5 || performance.now() < end; runs++) {
    const start = performance.now();
    await instance.run();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return (2 * EDGE ** 3) / (shortest / 1000) / 1e9;
}
