/**
 * Carries that are made of parts written in place: the first value is a whole, or parts as well, steps
 * read nothing of it, or other parts of it, and end after an even or an odd number of steps.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { onDevice } from '../../runtime/gradcheck/device.ts';
import { coreOf, inputsOf } from './chains.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice('wasm');
});
afterAll(() => device.dispose());

const head = 'fn main[A, B, N](x: f32[A], z: f32[B], w: f32[N]): { r: f32[A + B], q: f32[A] } =\n';
const ones = 'for i: A + B. 1.0';
const joined = '[..x, ..z]';
const pq = `    let p = for a. sum b. max(k[a], z[b])
    let q = for b. sum a. abs(k[a] - z[b])
`;
const programs: Readonly<Record<string, string>> = {
  'a whole first, parts in each step, not read': `${head}  let s = fold { y, k } = { y: ${ones}, k: x } for n: N.
${pq}    { y: for i: A + B. (p[i] ?? 0) + (q[i - A] ?? 0), k: for a. k[a] + w[n] }
  { r: s.y, q: for a. sin(s.k[a]) }`,
  'parts first and in each step': `${head}  let first = for i: A + B. (x[i] ?? 0) + (z[i - A] ?? 0)
  let s = fold { y, k } = { y: first, k: x } for n: N.
${pq}    { y: for i: A + B. (p[i] ?? 0) + (q[i - A] ?? 0), k: for a. k[a] + w[n] }
  { r: s.y, q: for a. sin(s.k[a]) }`,
  'computed parts first': `${head}  let u = for a. sum b. x[a] * z[b]
  let v = for b. sum a. x[a] - z[b]
  let s = fold { y, k } = { y: [..u, ..v], k: x } for n: N.
${pq}    { y: [..p, ..q], k: for a. k[a] + w[n] }
  { r: s.y, q: for a. sin(s.k[a]) }`,
  'parts that read the carry': `${head}  let s = fold { y, k } = { y: ${joined}, k: x } for n: N.
    let p = for a. sum b. max(y[left a], z[b]) * w[n]
    let q = for b. sum a. abs(k[a] - y[right b])
    { y: [..p, ..q], k: for a. k[a] + w[n] }
  { r: s.y, q: for a. sin(s.k[a]) }`,
  'two carries of parts that change places': `${head}  let s = fold { y, o, k } = { y: ${ones}, o: ${joined}, k: x } for n: N.
${pq}    { y: o, o: [..p, ..q], k: for a. k[a] + w[n] }
  { r: for i. s.y[i] - 2 * s.o[i], q: for a. sin(s.k[a]) }`,
  'a fold in a fold': `${head}  let s = fold { y, k } = { y: ${ones}, k: x } for n: N.
    let t = fold { v, l } = { v: y, l: k } for m: 2.
      let p = for a. sum b. max(l[a], z[b])
      let q = for b. sum a. abs(l[a] - z[b])
      { v: [..p, ..q], l: for a. l[a] + w[n] }
    { y: t.v, k: t.l }
  { r: s.y, q: for a. sin(s.k[a]) }`,
};

const cases = Object.keys(programs).flatMap((name) =>
  [0, 1, 2, 3, 4].map((n) => [name, n] as const),
);

test.each(cases)('%s, after %i steps', async (name, steps) => {
  const core = coreOf(programs[name]!, { A: 2, B: 3, N: steps });
  const run = await onDevice(device, core);
  expect(await run.compare(inputsOf(core))).toMatchObject({ ok: true });
  run.dispose();
});
