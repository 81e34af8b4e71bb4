/**
 * How fast a device is at best, measured by two small programs: a square contraction that stays in
 * cache (arithmetic) and a map over arrays that do not (memory). Profiles and `doctor` quote shares
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

const text = `
fn product[N](a: f32[N, N], b: f32[N, N]): f32[N, N] = for i, j. sum k. a[i, k] * b[k, j]

fn stream[N](x: f32[N]): f32[N] = for i. x[i] * 0.5
`;

/** Divides every tile and block that the targets use. */
const EDGE = 384;
/** 64 MiB in and as much out: more than caches of one processor hold for one process. */
const LENGTH = 2 ** 24;

/** Takes about twice `ms`. @throws TenonError (`device`). */
export async function measureCeiling(device: Device, ms = 300): Promise<Ceiling> {
  return { gflops: await contractionPeak(device, ms), gbps: await bandwidth(device, ms) };
}

export async function contractionPeak(device: Device, ms: number): Promise<number> {
  const matrix = Float32Array.from({ length: EDGE ** 2 }, (_, i) => ((i * 7919) % 2003) / 2003);
  const seconds = await best(device, 'product', EDGE, { a: matrix, b: matrix }, ms);
  return (2 * EDGE ** 3) / seconds / 1e9;
}

async function bandwidth(device: Device, ms: number): Promise<number> {
  const x = new Float32Array(LENGTH).fill(1);
  const seconds = await best(device, 'stream', LENGTH, { x }, ms);
  return (2 * 4 * LENGTH) / seconds / 1e9;
}

/** The shortest of the runs that fit into `ms`: other work on the machine only ever adds time. */
async function best(
  device: Device,
  name: string,
  N: number,
  inputs: Readonly<Record<string, Float32Array>>,
  ms: number,
): Promise<number> {
  await using f = compile({ 'ceiling.tn': text }).function(name, { device, sizes: { N } });
  const instance = await f.prepare({ inputs });
  let shortest = Number.POSITIVE_INFINITY;
  const end = performance.now() + ms;
  for (let runs = 0; runs < 5 || performance.now() < end; runs++) {
    const start = performance.now();
    await instance.run();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest / 1000;
}
