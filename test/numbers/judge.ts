/** A row of rows.ts on a device, and long sums of equal numbers there. */
import type { Device } from '../../runtime/devices/device.ts';
import { compile } from '../../runtime/index.ts';
import type { Row } from './rows.ts';

/** What is wrong, in words. */
export async function offRow(row: Row, device: Device): Promise<string | undefined> {
  await using f = compile(new Map([['row.tn', row.text]])).function('main', { device });
  const { tensors } = await f.call({ x: row.x });
  const got = [...tensors.values()].flatMap((t) => [...t.data].map(Number));
  const scale = Math.max(...row.want.filter(Number.isFinite).map(Math.abs));
  const near = (v: number, want: number): boolean =>
    Object.is(v, want) || Math.abs(v - want) <= (row.within ?? 1e-5) * scale;
  const right = got.length === row.want.length && row.want.every((w, i) => near(got[i]!, w));
  return right ? undefined : `${row.what}: ${got}, want ${row.want}`;
}

const sums = `fn main[N](x: f32[N, 2]): { whole: f32, columns: f32[2], rows: f32[2] } =
  { whole: sum i, j. x[i, j], columns: for j. sum i. x[i, j], rows: for j. sum i. x[i, 0] + 0 * f32(j) }
`;

export async function offSums(device: Device): Promise<string | undefined> {
  const N = 300_000;
  await using f = compile(new Map([['sums.tn', sums]])).function('main', { device });
  const { tensors } = await f.call({
    x: { shape: [N, 2], data: new Float32Array(2 * N).fill(0.1) },
  });
  for (const [name, t] of tensors) {
    const want = N * Math.fround(0.1) * (name.endsWith('whole') ? 2 : 1);
    for (const v of t.data)
      if (Math.abs(Number(v) / want - 1) > 2 ** -21) return `${name}: ${v}, want ${want}`;
  }
  return undefined;
}
