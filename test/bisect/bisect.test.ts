/**
 * The search for the first value of a device that is not the reference's: it finds nothing where
 * there is nothing, and an injected fault at its statement, step, element and line.
 */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prim } from '../../compiler/core/expr.ts';
import type { Core, Dtype, Nest } from '../../compiler/core.ts';
import { passes } from '../../compiler/optimise.ts';
import { inspect } from '../../runtime/api/inspect.ts';
import { type Bisection, bisect, guiltyPass } from '../../runtime/bisect/bisect.ts';
import { printDifference } from '../../runtime/cli/bisect.ts';
import { front } from '../../runtime/cli/front.ts';
import type { Device, HostArray } from '../../runtime/devices/device.ts';
import { compile } from '../../runtime/index.ts';
import { randomInputs } from '../../runtime/profile/random-inputs.ts';
import { brokenDevice, confused } from './broken-device.ts';

const text = `fn layers[L, D](w: f32[L, D, D], x: f32[D]): f32 =
  let h = fold h = x for l.
    let z = for d. sum e. w[l, d, e] * h[e]
    for d. tanh(z[d]) + h[d]
  sum d. h[d]^2

fn nested[L, S](x: f32[L], y: f32): f32 =
  fold a = y for l.
    let b = fold b = a for _: S. sin(b) * x[l]
    b + exp(x[l])

fn swapped[N](x: f32[N], a: f32, b: f32): { a: f32, b: f32 } =
  fold { a, b } = { a, b } for n. { a: b, b: a * x[n] + floor(b) }

fn picked[N, K](table: f32[K, 2], labels: idx[K][N]): f32 where K >= 1, N >= 1 =
  sum n, i. exp(table[labels[n], i]) * f32(argmax j. table[labels[n], j])

fn plain[N](x: f32[N]): f32[N] =
  let e = for i. exp(x[i])
  let s = sum i. e[i]
  for i. sqrt(e[i] / s)

let rates: f32[3] = for i. 0.1 / (f32(i) + 3)

fn tabled[N](x: f32[N], l: idx[3][N]): f32[N] = for n. rates[l[n]] * x[n]

fn chosen[N](l: idx[3][N]): f32[N] = for n. rates[l[n]]

fn none[N](x: f32[N]): f32 = fold a = 1 for n. a * x[n]
`;
const program = compile({ 't.tn': text }, 't.tn');

type Case = { readonly sizes: Record<string, number>; readonly grad?: true };

async function search(device: Device, name: string, { sizes, grad }: Case): Promise<Bisection> {
  const special = inspect(program, name, 'a test', { sizes, ...(grad ? { grad } : {}) });
  const random = randomInputs(special.params, new Set());
  const inputs: HostArray[] = [...random.values()].map((x) => x.read());
  return bisect(device, special.compiled, inputs);
}

const cases: readonly [string, Case][] = [
  ['layers', { sizes: { L: 3, D: 4 } }],
  ['layers', { sizes: { L: 3, D: 4 }, grad: true }],
  ['nested', { sizes: { L: 3, S: 4 } }],
  ['nested', { sizes: { L: 3, S: 4 }, grad: true }],
  ['swapped', { sizes: { N: 5 } }],
  ['picked', { sizes: { N: 6, K: 3 }, grad: true }],
  ['plain', { sizes: { N: 5 } }],
  ['tabled', { sizes: { N: 5 } }],
  ['chosen', { sizes: { N: 5 } }],
  ['none', { sizes: { N: 0 }, grad: true }],
];

const whereOf = (b: Bisection): string => {
  const { start, end } = b.first!.span!;
  return text.slice(start, end);
};

describe('on a device that is right', () => {
  it.each(cases)('%s: %o does not differ', async (name, c) => {
    const b = await search(
      brokenDevice((n) => n),
      name,
      c,
    );
    expect(b).toMatchObject({ ok: true, first: undefined, pass: undefined });
    expect(b.statements).toBeGreaterThan(0);
  });
});

describe('a wrong kernel', () => {
  it('is found at its line, with its element, values, bound and operands', async () => {
    const b = await search(brokenDevice(confused('sqrt', 'exp')), 'plain', { sizes: { N: 5 } });
    expect(b.ok).toBe(false);
    expect(b.outputs[0]!.ok).toBe(false);
    const first = b.first!;
    expect(whereOf(b)).toContain('sqrt(e[i] / s)');
    expect(first).toMatchObject({ steps: [], element: [0], off: 5, cells: 5 });
    expect(Math.abs(first.got - Math.exp(first.want ** 2))).toBeLessThan(1e-6);
    expect(first.bound).toBeLessThan(1e-6);
    expect(first.kernel).toBeDefined();
    expect(first.operands.map((o) => o.name)).toEqual(['e', 'sum']);
    const [e, s] = first.operands.map((o) => o.value) as [number, number];
    expect(first.want).toBeCloseTo(Math.sqrt(e / s), 12);
  });

  it('is found before what it spoils', async () => {
    const b = await search(brokenDevice(confused('exp', 'sin')), 'plain', { sizes: { N: 5 } });
    expect(whereOf(b)).toContain('exp(x[i])');
  });

  it('in a fold is found at its first step', async () => {
    const device = brokenDevice(confused('tanh', 'sin'));
    const b = await search(device, 'layers', { sizes: { L: 3, D: 4 } });
    expect(whereOf(b)).toContain('tanh(z[d]) + h[d]');
    expect(b.first).toMatchObject({ steps: [0], element: [0] });
  });

  it('in a fold inside a fold is found at the steps of both', async () => {
    const b = await search(brokenDevice(confused('sin', 'tanh')), 'nested', {
      sizes: { L: 3, S: 4 },
    });
    expect(whereOf(b)).toContain('sin(b) * x[l]');
    expect(b.first!.steps).toEqual([0, 0]);
  });

  it('of a backward pass is found where the steps begin, at the last', async () => {
    const b = await search(brokenDevice(confused('cos', 'sin')), 'nested', {
      sizes: { L: 3, S: 4 },
      grad: true,
    });
    expect(whereOf(b)).toContain('sin(b)');
    expect(b.first!.got).not.toBeCloseTo(b.first!.want, 3);
  });

  it('that shows at one element alone is found there', async () => {
    // Elements at 0.5 and above are twice what they should be.
    const device = brokenDevice((n) =>
      n.axes.length === 1 && n.op === null && n.body.k === 'prim' && n.body.op === 'sqrt'
        ? { ...n, body: { ...n.body, op: 'mul', args: [n.body, two(n)] } }
        : n,
    );
    const two = (n: { body: { t: Dtype }; axes: readonly { id: number }[] }) =>
      ({
        k: 'prim',
        t: 'f32',
        op: 'select',
        args: [
          {
            k: 'prim',
            t: 'bool',
            op: 'eq',
            args: [
              {
                k: 'index',
                t: 'i32',
                ix: { c: 0, terms: [{ m: 1, a: { k: 'axis', id: n.axes[0]!.id } }] },
              },
              { k: 'const', t: 'i32', v: 3 },
            ],
          },
          { k: 'const', t: 'f32', v: 2 },
          { k: 'const', t: 'f32', v: 1 },
        ],
      }) as const;
    const b = await search(device, 'plain', { sizes: { N: 5 } });
    expect(b.first).toMatchObject({ element: [3], off: 1, cells: 5 });
  });

  it('that is wrong only while kernels are joined is said to be', async () => {
    const device = brokenDevice((n, plan) =>
      plan.outputs.length === 1 ? confused('sqrt', 'exp')(n) : n,
    );
    const b = await search(device, 'plain', { sizes: { N: 5 } });
    expect(b).toMatchObject({ ok: false, first: undefined, pass: undefined });
    expect(b.kernels[0]).toBeDefined();
  });
});

it('a pass that changes the program is named', () => {
  const { compiled, params } = inspect(program, 'plain', 'a test', { sizes: { N: 5 } });
  const inputs = [...randomInputs(params, new Set()).values()].map((x) =>
    Float64Array.from(x.read()),
  );
  const harmless = { name: 'harmless', run: (c: Core) => ({ ...c }) };
  const wrong = {
    name: 'wrong',
    run: (c: Core): Core => ({ ...c, body: c.body.map((s) => (s.k === 'nest' ? negated(s) : s)) }),
  };
  const negated = (s: Nest): Nest => (s.body.t === 'f32' ? { ...s, body: prim('neg', s.body) } : s);
  expect(guiltyPass(compiled.source!, inputs, passes)).toBeUndefined();
  expect(guiltyPass(compiled.source!, inputs, [harmless, wrong, harmless])).toBe('wrong');
});

describe('tenon bisect', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-bisect-'));
  const file = join(folder, 't.tn');
  writeFileSync(file, text);

  async function tenon(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    const texts = { out: '', err: '' };
    const code = await front(['bisect', file, ...argv], {
      out: (t) => (texts.out += t),
      err: (t) => (texts.err += t),
      signal: new AbortController().signal,
      terminal: false,
    });
    return { code, ...texts };
  }

  it('shows a row for each result and gradient', async () => {
    const { code, out } = await tenon('layers', '--size', 'L=2,D=3', '--grad', 'w');
    expect(code).toBe(0);
    expect(out).toMatch(/^out +1 .* ok$/m);
    expect(out).toMatch(/^grad\.w\[\d, \d, \d\] +18 .* ok$/m);
    expect(out).toMatch(/^statements compared on wasm: \d+, no difference$/m);
  });

  it('gives the same to scripts', async () => {
    const { code, out } = await tenon('plain', '--size', 'N=3', '--device', 'reference', '--json');
    expect(code).toBe(0);
    const { ok, device, outputs } = JSON.parse(out);
    expect({ ok, device }).toEqual({ ok: true, device: 'reference' });
    expect(outputs[0]).toMatchObject({ name: 'out', elements: 3, ok: true });
  });

  it('refuses what it cannot know', async () => {
    expect((await tenon('plain', '--device', 'tpu')).code).toBe(2);
    expect((await tenon('plain')).err).toMatch(/size/);
    expect((await tenon('nothing')).code).toBe(2);
  });

  it('shows the difference at its line', async () => {
    const found = await search(brokenDevice(confused('sqrt', 'exp')), 'plain', { sizes: { N: 5 } });
    let err = '';
    const write = (t: string) => {
      err += t;
    };
    printDifference({ err: write }, found, program, 'wasm');
    expect(err).toMatch(
      /^t\.tn:\d+:3: error\[E0904\]: `wasm` first differs from the reference here, at `\w+\[0\]`\.$/m,
    );
    expect(err).toMatch(/^ {4}\S+ on wasm, \S+ on the reference \(bound \S+\)$/m);
    expect(err).toMatch(/^ {4}5 of 5 elements differ; kernel \w+ \d+$/m);
    expect(err).toMatch(/^ {4}e\[0\] = \S+$/m);
  });
});
