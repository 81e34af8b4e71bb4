/**
 * Step control of the adaptive solver on equations whose solutions are known: the error follows the
 * tolerance, hard places are stepped over slowly, and what cannot be solved is said.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readProgram } from '../../runtime/api/load.ts';
import { compile, type Program, type TenonFunction, type Tensor } from '../../runtime/index.ts';
import { type Dopri5Options, type Dopri5Programs, dopri5 } from '../../runtime/ode/dopri5.ts';
import { modelFile } from '../models/gradients.ts';

/** dz/dt = rate * (z - cos(2 t)) - 2 sin(2 t), so that z = cos(2 t) is a solution; bad > 0 has a pole. */
const text = `
import { Step, dopri5Step, dopri5Between, dopri5Start, dopri5Probe } from "./dopri5.tn"

fn v[N](rate: f32, bad: f32, z: f32[N], t: f32): f32[N] =
  for n. rate * (z[n] - cos(2 * t)) - 2 * sin(2 * t) + bad / (0.5 - t)^2

fn start[N](rate: f32, bad: f32, z: f32[N], t: f32, rtol: f32, atol: f32):
    { slope: f32[N], state: f32, change: f32 } =
  dopri5Start((s, u) -> v(rate, bad, s, u), z, t, rtol, atol)

fn probe[N](rate: f32, bad: f32, z: f32[N], k: f32[N], t: f32, h: f32, rtol: f32, atol: f32): f32 =
  dopri5Probe((s, u) -> v(rate, bad, s, u), z, k, t, h, rtol, atol)

fn step[N](rate: f32, bad: f32, z: f32[N], k: f32[N], t: f32, h: f32, rtol: f32, atol: f32):
    Step[f32[N]] =
  dopri5Step((s, u) -> v(rate, bad, s, u), z, k, t, h, rtol, atol)

fn between[N](z: f32[N], next: f32[N], middle: f32[N], k: f32[N], last: f32[N], h: f32, at: f32):
    f32[N] =
  dopri5Between(z, next, middle, k, last, h, at)
`;

const functions: TenonFunction[] = [];
let programs: Dopri5Programs;
let set: (rate: number, bad: number) => void;

beforeAll(async () => {
  const path = modelFile('dopri5-test');
  const program: Program = compile((await readProgram(path, text)).sources, path);
  const prepare = async (name: string, given: Record<string, number>) => {
    const f = program.function(name, { device: 'reference', sizes: { N: 2 } });
    functions.push(f);
    return f.prepare({ inputs: given });
  };
  const field = { rate: -1, bad: 0 };
  programs = {
    start: await prepare('start', field),
    probe: await prepare('probe', field),
    step: await prepare('step', field),
    between: await prepare('between', {}),
  };
  set = (rate, bad) => {
    for (const p of [programs.start, programs.probe, programs.step]) p.write({ rate, bad });
  };
});
afterAll(() => Promise.all(functions.map((f) => f.dispose())));

const solve = (options: Dopri5Options) => dopri5(programs, Float32Array.of(1, 1), options);

async function errorAt(tolerance: number, to: number): Promise<{ error: number; steps: number }> {
  const { state, accepted } = await solve({ rtol: tolerance, atol: tolerance, to });
  return { error: Math.abs((state as Tensor).data[0]! - Math.cos(2 * to)), steps: accepted };
}

it.each([0.37, 1, 3])('the error at %f follows the tolerance', async (to) => {
  set(-1, 0);
  const loose = await errorAt(1e-4, to);
  const tight = await errorAt(1e-10, to);
  expect(loose.error).toBeLessThan(1e-3);
  expect(tight.error).toBeLessThan(1e-9);
  expect(tight.steps).toBeGreaterThan(loose.steps);
});

it('is of order 5: a tenth of the error takes about 1.6 times the steps', async () => {
  set(-1, 0);
  const few = await errorAt(1e-6, 10);
  const many = await errorAt(1e-11, 10);
  const ratio = many.steps / few.steps;
  expect(ratio).toBeGreaterThan(7);
  expect(ratio).toBeLessThan(14);
});

it('a stiff field makes steps short and some rejected', async () => {
  set(-300, 0);
  const { state, accepted, rejected, evaluations } = await solve({ rtol: 1e-5, atol: 1e-5 });
  expect(Math.abs((state as Tensor).data[1]! - Math.cos(2))).toBeLessThan(1e-4);
  expect(accepted).toBeGreaterThan(50);
  expect(rejected).toBeGreaterThan(0);
  expect(evaluations).toBe(2 + 6 * (accepted + rejected));
});

it('a pole cannot be passed, and too many steps are refused', async () => {
  set(-1, 1);
  await expect(solve({ rtol: 1e-6, atol: 1e-6, maxSteps: 500 })).rejects.toMatchObject({
    code: 'diverged',
  });
});

it('a start that is not finite is refused', async () => {
  set(Number.NaN, 0);
  await expect(solve({ rtol: 1e-6, atol: 1e-6 })).rejects.toMatchObject({ code: 'diverged' });
});
