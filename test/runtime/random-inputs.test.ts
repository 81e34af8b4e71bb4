/** Random inputs are made part by part: the same numbers as the whole, in the same memory. */
import { expect, it } from 'vitest';
import type { LeafSpec, ParamSpec } from '../../compiler/elaborate/interface.ts';
import { randomInputs } from '../../runtime/profile/random-inputs.ts';

const scalars = ['f32', 'idx', 'i32', 'bool', 'u32', 'key'] as const;
const leaves = scalars.map(
  (scalar): LeafSpec => ({ path: [scalar], shape: [7, 2], scalar, fixed: false, bound: 5 }),
);
const params: ParamSpec[] = [{ name: 'p', type: { k: 'record', fields: [] }, leaves }];

it('parts of random inputs are parts of the whole', () => {
  const inputs = randomInputs(params, new Set(['p.i32']));
  expect([...inputs.keys()]).toEqual(['p.f32', 'p.idx', 'p.bool', 'p.u32', 'p.key']);
  const memory = inputs.get('p.f32')!.part(0, 14).buffer;
  for (const { read, part } of inputs.values()) {
    const whole = read();
    expect(new Set(whole).size).toBeGreaterThan(1);
    expect(part(0, 9)).toEqual(whole.slice(0, 9));
    expect(part(9, 14)).toEqual(whole.slice(9));
    expect(part(0, 14).buffer).toBe(memory);
  }
});
