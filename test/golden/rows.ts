/** Runs the golden cases of this folder, or of a changed copy, and lists what they should hold. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Row, runGolden } from '../../runtime/golden/golden.ts';
import { type DeviceName, openDevice } from '../../runtime/index.ts';

export const here = import.meta.dirname;

export const everyCase = [
  'redi-forward',
  'redi-loss-grad',
  'redi-sample-ode',
  'redi-sample-sde',
  'dit-ddpm',
  'separate-tokens',
  'adamw-ema',
  'repa',
  'pca',
  'dino',
  'vae',
] as const;

export async function rowsOf(folder: string, name: DeviceName, only?: string): Promise<Row[]> {
  const device = await openDevice(name);
  const rows: Row[] = [];
  for await (const row of runGolden(folder, { device, only })) rows.push(row);
  device.dispose();
  return rows;
}

/** Every `out.*` and `grad.*` tensor of a case. */
export const expected = (name: string): string[] => {
  const sidecar = JSON.parse(readFileSync(join(here, `${name}.json`), 'utf8'));
  return Object.keys(sidecar.tensors).filter((t) => /^(out|grad)\./.test(t));
};

/** Every tensor of the case has a row, and every row is within its tolerance. */
export async function passes(name: string, device: DeviceName): Promise<void> {
  const rows = await rowsOf(here, device, name);
  expect(rows.filter((r) => r.status !== 'ok')).toEqual([]);
  expect(rows.map((r) => r.tensor).sort()).toEqual(expected(name).sort());
}
