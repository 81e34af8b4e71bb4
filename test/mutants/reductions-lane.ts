/**
 * Every reduction, and whether it met a NaN, over a row with equal elements, one with a NaN and one of plain numbers, on a device
 * against the reference; long enough for lanes, what they leave over, and a tree of partial results.
 */
import type { DeviceName } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { onDevice } from '../../runtime/gradcheck/device.ts';
import { ProgramFault } from '../gen/run.ts';
import { coreOf } from '../schedule/chains.ts';

const text = `fn main[R, N](x: f32[R, N], n: i32[R, N]): {
    total: f32[R], product: f32[R], most: f32[R], least: f32[R], at: i32[R], low: i32[R],
    up: i32[R], all_: bool[R], any_: bool[R], none: bool[R] } where N >= 1 =
  let most = for r. max i. x[r, i]
  { total: for r. sum i. x[r, i], product: for r. prod i. 1 + 0.001 * x[r, i],
    most, least: for r. min i. x[r, i],
    at: for r. i32(argmax i. x[r, i]), low: for r. i32(argmin i. x[r, i]),
    up: for r. max i. n[r, i], all_: for r. all i. n[r, i] > -3, any_: for r. any i. n[r, i] > 2,
    none: for r. most[r] != most[r] }
`;

/** N is that of one row. */
export async function reductions(name: DeviceName, N: number): Promise<void> {
  const core = coreOf(text, { R: 3, N });
  const x = Float64Array.from({ length: 3 * N }, (_, i) => {
    const [r, c] = [Math.floor(i / N), i % N];
    if (r === 0) return Math.sin(3 * c);
    if (r === 1) return (c * 7) % 5;
    return c === 30 ? Number.NaN : Math.cos(c);
  });
  const n = Float64Array.from({ length: 3 * N }, (_, i) => ((i * 5) % 7) - 3);
  const device = await openDevice(name);
  const run = await onDevice(device, core);
  const v = await run.compare([x, n]);
  run.dispose();
  device.dispose();
  if (!v.ok) throw new ProgramFault(`reductions on ${name} are off by ${v.error} at ${v.output}`);
}
