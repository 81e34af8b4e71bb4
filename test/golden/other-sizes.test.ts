/**
 * The cases of other-sizes/, which PyTorch wrote (make.py there) at sizes unlike the public ones: what
 * a program or the runner takes for granted shows as a miss. One row for every expected tensor.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { everyCase, here, rowsOf } from './rows.ts';

const folder = join(here, 'other-sizes');

it('there is one of every public case', () => {
  const names = readdirSync(folder).filter((f) => f.endsWith('.json'));
  expect(names.map((f) => f.slice(0, -5)).sort()).toEqual([...everyCase].sort());
});

for (const device of ['reference', 'wasm'] as const) {
  it.each(everyCase)(`%s at other sizes on ${device}`, async (name) => {
    const rows = await rowsOf(folder, device, name);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter((r) => r.status !== 'ok')).toEqual([]);
  });
}
