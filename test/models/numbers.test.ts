/** Numbers at the edges: where the public code has NaN, and what half precision must not lose. */
import { expect, it } from 'vitest';
import { readProgram } from '../../runtime/api/load.ts';
import { compile, load, type Tensor } from '../../runtime/index.ts';
import { encodeSafetensors, parseSafetensors } from '../../runtime/io/safetensors.ts';
import { modelFile } from './gradients.ts';

it('the form SBDM is finite at t = 0, on every path, and so are the steps it makes', async () => {
  const path = modelFile('numbers-test');
  const text = `
import { linearPath, gvpPath, vpPath } from "./paths.tn"
import { sbdmForm, eulerMaruyama } from "./sde.tn"

fn atStart(x: f32[3]): { forms: f32[3], step: f32[3] } =
  let w = sbdmForm(linearPath(), 1)
  {
    forms: [w(0), sbdmForm(gvpPath(), 1)(0), sbdmForm(vpPath(), 1)(0)],
    step: eulerMaruyama(linearPath(), w, (s, _) -> 0.5 * s, x, x, 0, 0.004)
  }
`;
  const program = compile((await readProgram(path, text)).sources, path);
  for (const device of ['wasm', 'reference'] as const) {
    await using f = program.function('atStart', { device });
    const { tensors } = await f.call({ x: Float32Array.of(1, -2, 0.5) });
    for (const t of tensors.values()) expect([...t.data].every(Number.isFinite)).toBe(true);
    expect([...tensors.get('out.forms')!.data].every((w) => w > 0)).toBe(true);
  }
});

it.each(['F16', 'BF16'] as const)('%s on disk keeps the adaLN-Zero start', async (dtype) => {
  const program = await load(modelFile('init'));
  const sizes = { L: 2, K: 3, C: 2, H: 2, W: 2, Q: 2, P: 2 };
  await using init = program.function('initSiT', { device: 'wasm', sizes });
  const begun = (await init.call({ k: 7 })).tensors;
  const stored = new Map(
    [...begun].map(([name, t]) => [name.slice('out.'.length), { ...t, dtype }] as const),
  );
  const bytes = [...encodeSafetensors(stored)];
  const whole = new Uint8Array(bytes.reduce((n, b) => n + b.length, 0));
  let at = 0;
  for (const b of bytes) {
    whole.set(b, at);
    at += b.length;
  }
  const file = parseSafetensors(whole);
  const read = new Map([...file.tensors.keys()].map((n) => [n, file.read(n)]));
  const zeros = [...read].filter(([n]) => /adaLN|final_layer/.test(n));
  expect(zeros).toHaveLength(2 * 2 + 4);
  for (const [, t] of zeros) expect([...t.data].every((v) => v === 0)).toBe(true);

  const sit = await load(modelFile('sit'));
  await using f = sit.function('sit', { device: 'wasm', sizes: { A: 2 } });
  const img = { shape: [2, 4, 4], data: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)) };
  const p = new Map([...read].map(([n, { shape, data }]) => [n, { shape, data }]));
  const { out } = await f.call({ p, img, t: 0.3, y: 1 });
  expect([...(out as Tensor).data].every((v) => v === 0)).toBe(true);
});

it('respaced steps are those of the public code, and the default sampler takes 249 and one', async () => {
  const path = modelFile('steps-test');
  const text = `
import { evenly, strided } from "./ddpm.tn"
import { sampleSde } from "./sde.tn"
import { euler } from "./samplers.tn"
import { vpPath, velocityOfNoise } from "./paths.tn"

fn steps(): { even: i32[5], stride: i32[5], all: i32[1000] } =
  {
    even: for n. i32(evenly[N = 5]()[n]),
    stride: for n. i32(strided[N = 5]()[n]),
    all: for n. i32(evenly[N = 1000]()[n])
  }

/// Data that is all 2 has this velocity; samples come close to it.
fn sampled(z: f32[8], k: key): f32[8] =
  sampleSde((x, t) -> each a in x. (2 - a) / max(1 - t, 0.01), z, k)

/// For data that is all 2 the noise is known; where VP has poles, the ends are left out.
fn byNoise(z: f32[8]): f32[8] =
  let p = vpPath()
  let v: (f32[8], f32) -> f32[8] = (x, t) ->
    let e = each a in x. (a - p.alpha(t) * 2) / p.sigma(t)
    velocityOfNoise(p, x, e, t)
  euler[N = 400](v, z, 0.001, 0.999)
`;
  const program = compile((await readProgram(path, text)).sources, path);
  const numbers = (t: unknown): number[] => [...(t as Tensor).data];
  await using steps = program.function('steps', { device: 'wasm' });
  const { even, stride, all } = (await steps.call({})).out as Record<string, Tensor>;
  expect(numbers(even)).toEqual([0, 250, 500, 749, 999]);
  expect(numbers(stride)).toEqual([0, 200, 400, 600, 800]);
  expect(numbers(all)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  const z = Float32Array.from({ length: 8 }, (_, i) => i / 2 - 2);
  await using sampled = program.function('sampled', { device: 'wasm' });
  for (const v of numbers((await sampled.call({ z, k: 3 })).out)) {
    expect(Math.abs(v - 2)).toBeLessThan(0.4);
  }
  await using byNoise = program.function('byNoise', { device: 'wasm' });
  for (const v of numbers((await byNoise.call({ z })).out)) {
    expect(Math.abs(v - 2)).toBeLessThan(0.1);
  }
});

it('the covariance of features has the digits of f64, though a float32 device sums', async () => {
  const program = await load(modelFile('pca'));
  const [N, D] = [300, 4];
  // Means far from 0 against the deviations, which is what cancels.
  const wave = (i: number) => Math.sin(12.9898 * (i + 1)) * 43758.5453;
  const x = Float32Array.from(
    { length: N * D },
    (_, i) => 50 * (i % D) + wave(i) - Math.floor(wave(i)),
  );
  await using sums = program.function('digitSums', { device: 'wasm' });
  const made = (await sums.call({ x: { shape: [N, D], data: x } })).tensors;
  const s = new Map([...made].map(([n, t]) => [n.slice('out.'.length), t]));
  await using finish = program.function('fromDigits', { device: 'reference' });
  const { mean, covariance } = (await finish.call({ s, count: N })).out as Record<string, Tensor>;
  const average = (f: (n: number) => number): number =>
    Array.from({ length: N }, (_, n) => f(n)).reduce((a, b) => a + b, 0) / N;
  for (let a = 0; a < D; a++) {
    const m = average((n) => x[n * D + a]!);
    expect(Math.abs(mean!.data[a]! - m)).toBeLessThan(1e-10);
    for (let b = 0; b < D; b++) {
      const k = average((n) => x[n * D + b]!);
      const want = average((n) => (x[n * D + a]! - m) * (x[n * D + b]! - k));
      expect(Math.abs(covariance!.data[a * D + b]! - want)).toBeLessThan(1e-10);
    }
  }
});

it('the features of step 999 have the digits of float32, not those of a float32 angle', async () => {
  const program = await load(modelFile('sit'));
  await using f = program.function('timestepFeatures', { device: 'wasm' });
  for (const t of [0, 1, 37, 749, 999]) {
    const features = ((await f.call({ t })).out as Tensor).data;
    const off = Array.from(features, (v, n) => {
      const angle = t * Math.exp((-Math.log(10000) * (n % 128)) / 128);
      return Math.abs(v - (n < 128 ? Math.cos(angle) : Math.sin(angle)));
    });
    expect(Math.max(...off)).toBeLessThan(1e-6);
  }
});

it('betas of respaced steps keep their digits where hardly any of the data is left', async () => {
  const program = await load(modelFile('ddpm'));
  const kept = [1];
  for (let i = 0; i < 1000; i++) kept.push(kept[i]! * (1 - (0.0001 + (0.0199 * i) / 999)));
  const steps = [0, 1, 2, 50, 200, 600, 888, 998, 999];
  const abar = steps.map((t) => kept[t + 1]!);
  await using f = program.function('respaced', { device: 'wasm', sizes: { N: steps.length } });
  const { beta } = (await f.call({ t: Int32Array.from(steps) })).out as Record<string, Tensor>;
  for (const [n, a] of abar.entries()) {
    const want = 1 - a / (n === 0 ? 1 : abar[n - 1]!);
    expect(Math.abs(beta!.data[n]! / want - 1)).toBeLessThan(3e-5);
  }
});
