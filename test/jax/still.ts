/**
 * Programs whose values and gradients JAX computed once: the interpreter in f64 and wasm give them still.
 * recorded.jsonl is made by `npm run fuzz -- --lane jax --record FILE`.
 */
import { readFileSync } from 'node:fs';
import { interpret } from '../../compiler/core/interpret.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { optimise } from '../../compiler/optimise.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { check } from '../../dsl/index.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { hostArray } from '../../runtime/gradcheck/device.ts';
import { inDouble, meaningOf } from '../compiled/bounds.ts';
import { inputsAt } from '../compiled/inputs.ts';
import { realParameters } from './program.ts';
import { productsOf, type Recorded, weights } from './recorded.ts';

export const recorded: readonly Recorded[] = readFileSync(
  new URL('./recorded.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

type Leaves = readonly ArrayLike<number>[];

/** The products that are further from JAX's than `scale` of the bounds of the numbers in them. */
function off(r: Recorded, got: Leaves, bounds: Leaves, scale: number): string[] {
  return got.flatMap((leaf, output) =>
    productsOf(leaf).flatMap((g, direction) => {
      const want = r.products[output]![direction]!;
      const w = weights(leaf.length, direction);
      // That of the numbers, and that of adding them up in f64.
      const numbers = w.reduce((sum, x, i) => sum + Math.abs(x) * bounds[output]![i]!, 0);
      const terms = w.reduce((sum, x, i) => sum + Math.abs(x * leaf[i]!), 0);
      const bound = scale * numbers + 2 ** -52 * leaf.length * terms;
      return Math.abs(g - want) <= bound
        ? []
        : [`output ${output}: ${g}, by JAX ${want} (${bound})`];
    }),
  );
}

async function onWasm(device: Device, core: ReturnType<typeof optimise>, inputs: Leaves) {
  const exec = await device.prepare({
    ...{ core, donate: [] },
    plan: (options) => schedule(core, [], options),
  });
  for (const [i, x] of inputs.entries()) {
    exec.write(i, hostArray(core.inputs[i]!.t, Float64Array.from(x)));
  }
  await exec.run();
  const got = await Promise.all(core.outputs.map((_, i) => exec.read(i)));
  exec.dispose();
  return got;
}

/** What is off, and how many gradients there were that are not zero, of how many. */
export async function compared(device: Device, all: readonly Recorded[]) {
  const faults: string[] = [];
  let [gradients, notZero] = [0, 0];
  for (const r of all) {
    const { program } = check(new Map([['r.tn', r.text]]), 'r.tn');
    const sizes = new Map(Object.entries(r.sizes));
    const e = elaborate(program!, 'r.tn#f', sizes, { grad: realParameters });
    const inputs = inputsAt(e, r.seed, r.seed);
    const { bounds } = meaningOf(e.core)(inputs);
    const core = optimise(e.core);
    const exact = interpret(core, inputs);
    const found = [
      ...off(r, exact, bounds, inDouble),
      ...off(r, await onWasm(device, core, inputs), bounds, 1 + inDouble),
    ];
    if (found.length > 0) faults.push(`${found.join('\n')}\n${r.text}`);
    for (const g of exact.slice(e.result.length)) {
      gradients++;
      if (g.some((v) => v !== 0)) notZero++;
    }
  }
  return { faults, gradients, notZero };
}
