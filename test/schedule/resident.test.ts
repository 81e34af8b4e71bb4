/**
 * Contractions joined with what stands around them: the same values as without, the same bits in any
 * number of shares, and the number of kernels that the chains of a transformer should become.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { hasContraction } from '../../compiler/schedule/resident.ts';
import { eachKernel, schedule } from '../../compiler/schedule/schedule.ts';
import { compile } from '../../runtime/api/program.ts';
import { specialise } from '../../runtime/api/specialise.ts';
import { compare, runPlan } from '../wasm/run-core.ts';
import { inShares } from '../wasm/shares.ts';

type Chain = {
  readonly before: string;
  readonly turned: boolean;
  readonly after: readonly string[];
  readonly second: boolean;
  readonly n: number;
  readonly t: number;
  readonly d: number;
  readonly f: number;
};

const before: Readonly<Record<string, string>> = {
  none: 'x[n, t]',
  map: 'for i. tanh(x[n, t, i]) + u[i]',
  norm: 'centred(x[n, t])',
};
/** Of a row `r` of F numbers. */
const after: Readonly<Record<string, string>> = {
  bias: 'for o. r[o] + b[o]',
  gate: 'for o. r[o] * sigmoid(g[n, o])',
  act: 'for o. r[o] * tanh(r[o])',
  norm: 'centred(r)',
  weights: 'weights(r)',
  twice: 'for o. r[o] * (sum k. r[k]) / F',
};

const text = (c: Chain): string => `
fn sigmoid(x: f32): f32 = 1 / (1 + exp(-x))
fn centred[D](x: f32[D]): f32[D] where D >= 1 =
  let m = mean i. x[i]
  let v = mean i. (x[i] - m)^2
  for i. (x[i] - m) / sqrt(v + 1)
fn weights[D](x: f32[D]): f32[D] where D >= 1 =
  let top = max i. x[i]
  let e = for i. exp(x[i] - top)
  let z = sum i. e[i]
  for i. e[i] / z
fn main[N, T, D, F](x: f32[N, T, D], w: f32[${c.turned ? 'D, F' : 'F, D'}], u: f32[D], b: f32[F], g: f32[N, F], v: f32[D, F]): f32[N, T, ${c.second ? 'D' : 'F'}] where D >= 1, F >= 1 =
  for n, t.
    let a = ${before[c.before]!}
    let r = for o: F. sum i. ${c.turned ? 'w[i, o]' : 'w[o, i]'} * a[i]
${c.after.map((k) => `    let r = ${after[k]!}\n`).join('')}    ${c.second ? 'for i. x[n, t, i] + (sum o. v[i, o] * r[o])' : 'r'}
`;

const chains: fc.Arbitrary<Chain> = fc.record({
  before: fc.constantFrom(...Object.keys(before)),
  turned: fc.boolean(),
  after: fc.array(fc.constantFrom(...Object.keys(after)), { maxLength: 3 }),
  second: fc.boolean(),
  n: fc.constantFrom(1, 2),
  t: fc.constantFrom(8, 12, 13, 16, 24, 31, 40, 50, 64),
  // 400 is a sum in two passes.
  d: fc.constantFrom(8, 17, 32, 48, 400),
  f: fc.constantFrom(8, 16, 33, 48),
});

function coreOf(
  source: string,
  sizes: Readonly<Record<string, number>>,
  grad: string[] = [],
): Core {
  const program = compile({ 'main.tn': source });
  const fn = program.find('main');
  return specialise(program.typed, program.sources, fn, new Map(Object.entries(sizes)), {
    grad,
    present: new Set(fn.params.map((p) => p.name)),
    donate: new Map(),
  }).core;
}

const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v, i) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, k) =>
      Math.fround((((k + 1) * 7919 + i * 104729) % 2003) / 2003 - 0.5),
    ),
  );

/** Largest error of each output, as a part of its largest value. */
const errors = (got: readonly ArrayLike<number>[], want: readonly ArrayLike<number>[]): number[] =>
  want.map((w, o) => {
    let top = 0;
    let worst = 0;
    for (let i = 0; i < w.length; i++) {
      top = Math.max(top, Math.abs(w[i]!));
      const off = Math.abs(got[o]![i]! - w[i]!);
      worst = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(worst, off);
    }
    return worst / (top || 1);
  });

/** As near to the f64 values as the plan without groups, which rounds in another order. */
async function agrees(core: Core): Promise<void> {
  const inputs = inputsOf(core);
  const want = interpret(core, inputs);
  const plain = errors(await runPlan(core, schedule(core), inputs), want);
  const got = errors(await runPlan(core, schedule(core, [], { resident: true }), inputs), want);
  got.forEach((e, o) => {
    expect(e, core.outputs[o]!.name).toBeLessThanOrEqual(4 * plain[o]! + 2e-6);
  });
}

const sizesOf = (c: Chain) => ({ N: c.n, T: c.t, D: c.d, F: c.f });

describe('resident groups', () => {
  let grouped = 0;
  let all = 0;

  it('mean what the program means', () =>
    fc.assert(
      fc.asyncProperty(chains, async (c) => {
        const core = coreOf(text(c), sizesOf(c));
        const plan = schedule(core, [], { resident: true });
        eachKernel(plan.steps, (k) => {
          if (hasContraction(k)) grouped++;
        });
        all++;
        await agrees(core);
      }),
      { numRuns: 100 },
    ));

  it('are formed in most of these programs', () => {
    expect(grouped / all).toBeGreaterThan(0.5);
  });

  it('give the same bits in any number of shares', () =>
    fc.assert(
      fc.asyncProperty(chains, fc.constantFrom(2, 3, 5), async (c, threads) => {
        const core = coreOf(text(c), sizesOf(c));
        const plan = schedule(core, [], { resident: true });
        const inputs = inputsOf(core);
        const whole = await inShares(plan, inputs, 1, false);
        expect(await inShares(plan, inputs, threads, false)).toEqual(whole);
        expect(await inShares(plan, inputs, threads, true)).toEqual(whole);
      }),
      { numRuns: 40 },
    ));

  it('hold with derivatives too', () =>
    fc.assert(
      fc.asyncProperty(chains, async (c) => {
        const source = `${text(c).replace('fn main[', 'fn forward[')}
fn main[N, T, D, F](x: f32[N, T, D], w: f32[${c.turned ? 'D, F' : 'F, D'}], u: f32[D], b: f32[F], g: f32[N, F], v: f32[D, F]): f32 where D >= 1, F >= 1 =
  let y = forward(x, w, u, b, g, v)
  sum n, t, i. y[n, t, i] * y[n, t, i]
`;
        const core = coreOf(source, sizesOf(c), ['x', 'w', 'b']);
        await agrees(core);
      }),
      { numRuns: 50 },
    ));
});

describe('attention', () => {
  const source = `
fn main[N, A, T, E](x: f32[N, T, 3*A*E]): f32[N, T, A*E] where T >= 1 =
  let w = for n, h: A, t: T.
    let s = for s: T. (sum e. x[n, t, (0, h, e)] * x[n, s, (1, h, e)]) / sqrt(E)
    let top = max i. s[i]
    let e = for i. exp(s[i] - top)
    let z = sum i. e[i]
    for i. e[i] / z
  for n, t, (h, e). sum s. w[n, h, t, s] * x[n, s, (2, h, e)]
`;
  let core: Core;
  beforeAll(() => {
    core = coreOf(source, { N: 2, A: 3, T: 40, E: 16 });
  });

  it('is one kernel: scores, softmax and weighted sum', async () => {
    const plan = schedule(core, [], { resident: true });
    expect(plan.steps.length).toBe(1);
    expect(plan.arenaWords).toBe(0);
    const inputs = inputsOf(core);
    const want = interpret(core, inputs);
    expect(compare(core, await runPlan(core, plan, inputs), want, 1e-5)).toEqual([]);
    const whole = await inShares(plan, inputs, 1, false);
    for (const threads of [2, 3, 4])
      expect(await inShares(plan, inputs, threads, true)).toEqual(whole);
  });
});
