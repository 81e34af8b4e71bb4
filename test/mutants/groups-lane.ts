/**
 * Products with what stands around them, and attention, with their gradients: on wasm near the f64
 * values, and the same bits when three threads share the kernels in the other order.
 */
import fc from 'fast-check';
import { interpret } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { ProgramFault } from '../gen/run.ts';
import {
  attention,
  chains,
  coreOf,
  energy,
  errors,
  inputsOf,
  sizesOf,
  text,
} from '../schedule/chains.ts';
import { runPlan } from '../wasm/run-core.ts';
import { inShares } from '../wasm/shares.ts';

/** Rounding gives 1e-5 at worst; a wrong cell gives far more. */
const most = 1e-3;

async function one(core: Core): Promise<void> {
  const plan = schedule(core, [], { resident: true });
  const inputs = inputsOf(core);
  const off = Math.max(...errors(await runPlan(core, plan, inputs), interpret(core, inputs)));
  if (!(off <= most)) throw new ProgramFault(`a group is off by ${off}`);
  const [whole, shared] = [
    await inShares(plan, inputs, 1, false),
    await inShares(plan, inputs, 3, true),
  ];
  if (Buffer.compare(Buffer.from(whole), Buffer.from(shared)) !== 0)
    throw new ProgramFault('a group in three shares has other bits');
}

const squares = attention.replace('fn main', 'fn forward').concat(`
fn main[N, A, T, E](x: f32[N, T, 3*A*E]): f32 where T >= 1 =
  let y = forward[A = A](x)
  sum n, t, i. y[n, t, i] * y[n, t, i]
`);

/** The gradient of a matrix over many rows: sums in several passes, neither operand read in place. */
const outer = `
fn main[T, O, I](g: f32[T, O], x: f32[T, I]): f32[O, I] = for o, i. sum t. g[t, o] * x[t, i]
`;

export async function groups(): Promise<void> {
  const sample = fc.sample(chains, { numRuns: 30, seed: 91 });
  for (const [i, c] of sample.entries())
    await one(i % 2 ? coreOf(text(c), sizesOf(c)) : coreOf(energy(c), sizesOf(c), ['x', 'w', 'b']));
  for (const [O, I] of [
    [24, 70],
    [70, 24],
  ] as const)
    await one(coreOf(outer, { T: 900, O, I }));
  await one(coreOf(attention, { N: 2, A: 3, T: 40, E: 16 }));
  await one(coreOf(squares, { N: 2, A: 3, T: 40, E: 16 }, ['x']));
}
