/** Programs with their right values, on every device. */
import { expect, test } from 'vitest';
import { deviceNames } from '../../runtime/devices/registry.ts';
import { compile, type Tensor } from '../../runtime/index.ts';
import { describeOn } from '../gpu/devices.ts';
import { right } from './right.ts';

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.abs(b);

for (const device of deviceNames) {
  describeOn(device, (open) => {
    test.each(right.map((c) => [c.name, c] as const))('%s', async (_, c) => {
      const options = { device: await open(), sizes: c.sizes, grad: c.grad };
      await using f = compile({ 'main.tn': c.text }).function(c.fn, options);
      const { tensors } = await f.call(c.inputs ?? {}, { seed: c.seed });
      for (const [leaf, want] of Object.entries(c.want)) {
        const name = leaf.startsWith('grad') ? leaf : ['out', leaf].filter(Boolean).join('.');
        const got = [...(tensors.get(name) as Tensor).data];
        expect(got, name).toHaveLength(want.length);
        const wrong = got.flatMap((v, i) => (near(v, want[i]!) ? [] : [`[${i}] is ${v}`]));
        expect(wrong, name).toEqual([]);
      }
    });
  });
}
