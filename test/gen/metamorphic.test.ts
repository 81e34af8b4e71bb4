/**
 * Programs that must give the same as others: axes permuted, axes of extent 1 put in, a batch and its
 * members one by one, checkpoints and none, kernels fused and not, the gradient of a sum and the sum of gradients.
 *
 * Invariant: values and gradients are equal bit for bit, except where terms are added in another
 * order (the last).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { walkStmts } from '../../compiler/core/build.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { cotangentProgram, isReal } from '../../compiler/gradcheck/derived.ts';
import { optimise } from '../../compiler/optimise.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { numbers } from '../../runtime/gradcheck/check-point.ts';
import { elaborateSource } from '../elaborate/run-source.ts';
import { type RandomProgram, randomProgram } from './program.ts';
import { inputsOf } from './run.ts';

type Values = readonly Float64Array[];

const lastType = (p: RandomProgram): string => /last: ([^}]*) \}/.exec(p.text)![1]!.trim();
const facts = 'where A >= 1, B >= 1, C >= 1';
const params =
  'w: f32[A, B], x: f32[B], y: f32[A], m: f32[B, C], t: f32, labels: idx[A][B], seed: key';

const coreOf = (text: string, fn: string, sizes: Readonly<Record<string, number>>): Core =>
  elaborateSource(text, fn, sizes).core;

const inputs = (p: RandomProgram, seed: number): Float64Array[] =>
  inputsOf(elaborateSource(p.text, 'f', p.sizes), seed);

/** Values and cotangents of the f32 inputs, for given cotangents of the f32 outputs; zeros filled in. */
function pulled(core: Core, given: Values, cts: Values, tidy: boolean): [Values, Values] {
  const d = cotangentProgram(core);
  const out = interpret(tidy ? optimise(d.core) : d.core, [...given, ...cts]);
  const reals = core.inputs.flatMap((x, i) => (isReal(x) ? [given[i]!] : []));
  let k = d.values;
  return [
    out.slice(0, d.values),
    d.zero.map((z, i) => (z ? new Float64Array(reals[i]!.length) : out[k++]!)),
  ];
}

const weights = (core: Core, next: () => number): Float64Array[] =>
  core.outputs
    .filter(isReal)
    .map((y) =>
      Float64Array.from({ length: y.shape.reduce((n, d) => n * d, 1) }, () => next() - 0.5),
    );

/** Folds that save their carries only. */
function folds(core: Core): number {
  let n = 0;
  walkStmts(core.body, (s) => {
    if (s.k === 'fold' && s.save === 'carries') n++;
  });
  return n;
}

function transposed(x: Float64Array, rows: number, cols: number): Float64Array {
  return Float64Array.from(x, (_, k) => x[(k % rows) * cols + Math.floor(k / rows)]!);
}

/** Random programs under a relation; the seed of each test is its own. */
function holds(numRuns: number, seed: number, relation: (p: RandomProgram) => void): void {
  fc.assert(fc.property(randomProgram, relation), { numRuns, seed });
}

/** Both programs from the same inputs and weights, before and after the passes. */
function same(
  p: RandomProgram,
  other: string,
  to: { readonly given: (xs: Values) => Values; readonly back: (gs: Values) => Values },
): void {
  const core = coreOf(p.text, 'f', p.sizes);
  const changed = coreOf(`${p.text}\n${other}`, 'g', p.sizes);
  const given = inputs(p, p.seed);
  const cts = weights(core, numbers(p.seed));
  for (const tidy of [false, true]) {
    const [values, gradients] = pulled(core, given, cts, tidy);
    const [again, back] = pulled(changed, to.given(given), cts, tidy);
    expect(again, p.text).toEqual(values);
    expect(to.back(back), p.text).toEqual(gradients);
  }
}

const asIs = (xs: Values): Values => xs;

describe('random programs and their gradients are the same', () => {
  it('with axes permuted', () => {
    holds(20, 101, (p) => {
      const { A, B, C } = p.sizes as { A: number; B: number; C: number };
      const other = `fn g[A, B, C](w: f32[B, A], x: f32[B], y: f32[A], m: f32[C, B], t: f32, labels: idx[A][B], seed: key):
    { loss: f32, last: ${lastType(p)} } ${facts} =
  f((for a: A, b: B. w[b, a]), x, y, (for b: B, c: C. m[c, b]), t, labels, seed)
`;
      same(p, other, {
        given: ([w, x, y, m, ...rest]) => [
          transposed(w!, A, B),
          x!,
          y!,
          transposed(m!, B, C),
          ...rest,
        ],
        back: ([w, x, y, m, t]) => [transposed(w!, B, A), x!, y!, transposed(m!, C, B), t!],
      });
    });
  });

  it('with axes of extent 1 put in', () => {
    holds(20, 102, (p) => {
      const other = `fn g[A, B, C](w: f32[A, 1, B], x: f32[1, B], y: f32[A, 1], m: f32[1, B, 1, C], t: f32[1], labels: idx[A][1, B], seed: key[1]):
    { loss: f32, last: ${lastType(p)} }[1] ${facts} =
  for u: 1. f((for a, b. w[a, u, b]), x[u], (for a. y[a, u]), (for b, c. m[0, b, u, c]), t[u], labels[u], seed[u])
`;
      same(p, other, { given: asIs, back: asIs });
    });
  });

  it('with and without a checkpoint', () => {
    holds(12, 103, (p) => {
      const step = (call: string) => `
fn step[A, B, C](${params}): f32[A, B] ${facts} =
  let r = f(w, x, y, m, t, labels, seed)
  for a, b. 0.5 * w[a, b] + 0.1 * tanh(r.loss + (sum v in r.last. v))

fn g[A, B, C](${params}): f32[A, B] ${facts} =
  fold u = w for _: 3. ${call}
`;
      const plain = `${p.text}${step('step(u, x, y, m, t, labels, seed)')}`;
      const kept = `${p.text}${step('checkpoint(v -> step(v, x, y, m, t, labels, seed), u)')}`;
      const [one, two] = [coreOf(plain, 'g', p.sizes), coreOf(kept, 'g', p.sizes)];
      expect(folds(two)).toBeGreaterThan(folds(one));
      const given = inputs(p, p.seed);
      const cts = weights(one, numbers(p.seed));
      expect(pulled(two, given, cts, false)).toEqual(pulled(one, given, cts, false));
    });
  });

  it('fused and not', () => {
    holds(30, 106, (p) => {
      const core = coreOf(p.text, 'f', p.sizes);
      const plain = optimise(cotangentProgram(core).core);
      const given = [...inputs(p, p.seed), ...weights(core, numbers(p.seed))];
      expect(interpret(fuse(plain), given), p.text).toEqual(interpret(plain, given));
    });
  });

  it('in a batch and one by one', () => {
    holds(20, 104, (p) => {
      const batch = 3;
      const text = `${p.text}
fn g[K, A, B, C](w: f32[K, A, B], x: f32[K, B], y: f32[K, A], m: f32[K, B, C], t: f32[K], labels: idx[A][K, B], seed: key[K]):
    { loss: f32, last: ${lastType(p)} }[K] ${facts} =
  for k. f(w[k], x[k], y[k], m[k], t[k], labels[k], seed[k])
`;
      const one = coreOf(text, 'f', p.sizes);
      const all = coreOf(text, 'g', { ...p.sizes, K: batch });
      const next = numbers(p.seed);
      const members = Array.from({ length: batch }, (_, k) => ({
        given: inputs(p, p.seed + k),
        cts: weights(one, next),
      }));
      const stacked = (xss: readonly Values[]): Values =>
        xss[0]!.map((_, i) => Float64Array.from(xss.flatMap((xs) => [...xs[i]!])));
      const got = pulled(
        all,
        stacked(members.map((r) => r.given)),
        stacked(members.map((r) => r.cts)),
        false,
      );
      const want = members.map((r) => pulled(one, r.given, r.cts, false));
      expect(got[0], p.text).toEqual(stacked(want.map((r) => r[0])));
      expect(got[1], p.text).toEqual(stacked(want.map((r) => r[1])));
    });
  });
});

it('the gradient of a sum is the sum of the gradients', () => {
  holds(20, 105, (p) => {
    const [a, b] = [
      'f(w, x, y, m, t, labels, seed).loss',
      '(sum v in f(w, x, y, m, t, labels, seed).last. v)',
    ];
    const text = `${p.text}
fn together[A, B, C](${params}): f32[A, B] ${facts} =
  grad(u -> ${a.replace('f(w', 'f(u')} + ${b.replace('f(w', 'f(u')}, w)

fn apart[A, B, C](${params}): { one: f32[A, B], two: f32[A, B] } ${facts} =
  { one: grad(u -> ${a.replace('f(w', 'f(u')}, w), two: grad(u -> ${b.replace('f(w', 'f(u')}, w) }
`;
    const given = inputs(p, p.seed);
    const [sum] = interpret(coreOf(text, 'together', p.sizes), given);
    const [one, two] = interpret(coreOf(text, 'apart', p.sizes), given);
    sum!.forEach((v, i) => {
      const terms = Math.abs(one![i]!) + Math.abs(two![i]!);
      expect(Math.abs(v - (one![i]! + two![i]!)), p.text).toBeLessThanOrEqual(1e-12 * (1 + terms));
    });
  });
});
