/**
 * The command line as scripts see it: words, streams and exit codes (0 done, 1 wrong program or
 * data, 2 wrong usage).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';
import { reportFailure } from '../../runtime/cli/report.ts';
import { SafetensorsFile, writeSafetensorsFile } from '../../runtime/io/safetensors-file.ts';

let folder = '';
const at = (name: string): string => join(folder, name);

const program = `# Programs of this test.
type Linear[I, O] = { weight: f32[O, I], bias: f32[O] }

/// y = W x + b
fn linear[I, O](p: Linear[I, O], x: f32[I]): f32[O] =
  for o. p.bias[o] + sum i. p.weight[o, i] * x[i]

/// A stack of layers, and its mean square.
fn loss[L, D](p: { layers: Linear[D, D][L] }, x: f32[D], scale: f32 = 2): { loss: f32, y: f32[D] } =
  let y = fold h = x for l. linear(p.layers[l], h)
  { loss: scale * (sum d. y[d]^2), y: y }

fn pick[K, D](table: f32[K, D], k: idx[K], flip: bool): f32[D] =
  for d. if flip then -table[k, d] else table[k, d]

fn draw[N](k: key): f32[N] = for n. normal(k, n)

fn higher[N](f: f32 -> f32, x: f32[N]): f32[N] = for n. f(x[n])
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenon-cli-'));
  writeFileSync(at('a.tn'), program);
  writeFileSync(at('bad.tn'), 'fn f(x: f32): f32 =\n  x + y\n');
  const f32 = (shape: number[], ...data: number[]) =>
    ({ dtype: 'F32', shape, data: Float32Array.from(data) }) as const;
  const weights = new Map([
    ['layers.0.weight', f32([2, 2], 1, 2, 3, 4)],
    ['layers.0.bias', f32([2], 1, 1)],
    ['layers.1.weight', f32([2, 2], 0, 1, 1, 0)],
    ['layers.1.bias', f32([2], 0, -1)],
  ]);
  writeSafetensorsFile(at('p.safetensors'), weights);
  writeSafetensorsFile(
    at('data.safetensors'),
    new Map([
      ['x', f32([2], 1, -1)],
      ['x3', f32([3], 1, 2, 3)],
      ['table', f32([2, 2], 1, 2, 3, 4)],
    ]),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function tenon(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: [] as string[], err: [] as string[] };
  const code = await front(argv, {
    out: (t) => void texts.out.push(t),
    err: (t) => void texts.err.push(t),
    signal: new AbortController().signal,
    terminal: false,
  });
  return { code, out: texts.out.join(''), err: texts.err.join('') };
}

const run = (fn: string, ...rest: string[]) =>
  tenon('run', at('a.tn'), fn, '--device', 'reference', ...rest);
const model = () => ['--in', `p=${at('p.safetensors')}`, '--in', `x=${at('data.safetensors')}#x`];

describe('tenon run', () => {
  it('names results by path, and gradients by parameter and item', async () => {
    const file = at('out.safetensors');
    const { code, err } = await run('loss', ...model(), '--grad', 'p,x', '--out', file);
    expect(err).toBe('');
    expect(code).toBe(0);
    using out = SafetensorsFile.open(file);
    // layer 0: [1 - 2 + 1, 3 - 4 + 1] = [0, 0]; layer 1: [0, -1]; loss 2 * 1.
    expect([...out.read('out.y').data]).toEqual([0, -1]);
    expect([...out.read('out.loss').data]).toEqual([2]);
    // d loss / d y = 4 y = [0, -4].
    expect([...out.read('grad.p.layers.1.bias').data]).toEqual([0, -4]);
    expect([...out.read('grad.p.layers.0.bias').data]).toEqual([-4, 0]);
    // Adding 0 makes zeros equal whatever their sign.
    const weight = out.read('grad.p.layers.0.weight').data;
    expect(Array.from(weight, (v) => v + 0)).toEqual([-4, 4, 0, 0]);
    expect([...out.read('grad.x').data]).toEqual([-4, -8]);
    expect([...out.tensors.keys()].sort()).toEqual([
      'grad.p.layers.0.bias',
      'grad.p.layers.0.weight',
      'grad.p.layers.1.bias',
      'grad.p.layers.1.weight',
      'grad.x',
      'out.loss',
      'out.y',
    ]);
  });

  it('takes numbers, booleans and defaults from the command line', async () => {
    const table = ['--in', `table=${at('data.safetensors')}#table`];
    const flipped = await run('pick', ...table, '--arg', 'k=1', '--arg', 'flip=true', '--json');
    expect(JSON.parse(flipped.out).results[0].values).toEqual([-3, -4]);
    const scaled = await run('loss', ...model(), '--arg', 'scale=5', '--json');
    expect(JSON.parse(scaled.out).results[0]).toMatchObject({ name: 'out.loss', values: [5] });
  });

  it('prints a line per result without --out', async () => {
    const { out } = await run('loss', ...model());
    expect(out).toMatch(/^out\.loss {2}f32\[\] +2\nout\.y +f32\[2\] +0 -1\n$/);
  });

  it('fills keys from the seed: the same one the same, another one another', async () => {
    const values = async (seed: string) =>
      JSON.parse((await run('draw', '--size', 'N=4', '--seed', seed, '--json')).out).results[0]
        .values;
    expect(await values('1')).toEqual(await values('1'));
    expect(await values('1')).not.toEqual(await values('2'));
  });

  const wrong: [what: string, argv: () => string[], code: number, message: RegExp][] = [
    ['every missing leaf', () => ['loss'], 1, /p\.layers\.weight, p\.layers\.bias, x/],
    [
      'a leaf that contradicts another, with both shapes',
      () => ['loss', '--in', `p=${at('p.safetensors')}`, '--in', `x=${at('data.safetensors')}#x3`],
      1,
      /x has shape \[3\], expected \[D\] = \[2\].*p\.layers\.weight/,
    ],
    ['an extra leaf', () => ['loss', ...model(), '--arg', 'q=1'], 1, /q is given but is no leaf/],
    [
      'a number that no f32 holds',
      () => ['loss', '--arg', 'scale=1e39'],
      2,
      /beyond the largest f32/,
    ],
    [
      'an index out of range',
      () => [
        'pick',
        '--in',
        `table=${at('data.safetensors')}#table`,
        '--arg',
        'k=2',
        '--arg',
        'flip=false',
      ],
      1,
      /k is 2, outside idx\[2\]/,
    ],
    [
      'a dtype',
      () => [
        'pick',
        '--in',
        `table=${at('data.safetensors')}#table`,
        '--in',
        `k=${at('data.safetensors')}#x`,
        '--arg',
        'flip=false',
      ],
      1,
      /k/,
    ],
    [
      'a tensor that is not in the file',
      () => ['loss', '--in', `x=${at('data.safetensors')}#y`],
      1,
      /has no tensor "y"/,
    ],
    [
      'a file that is not there',
      () => ['loss', '--in', `x=${at('none.safetensors')}`],
      1,
      /none\.safetensors/,
    ],
    ['a size that nothing tells', () => ['draw', '--seed', '1'], 2, /cannot infer the size N/],
    ['a size it does not have', () => ['draw', '--seed', '1', '--size', 'M=3'], 2, /no size M/],
    [
      'a size of no name',
      () => ['draw', '--seed', '1', '--size', '__proto__=3'],
      2,
      /no name of a size/,
    ],
    [
      'a size beyond all',
      () => ['draw', '--seed', '1', '--size', 'N=9007199254740993'],
      2,
      /less than 2\^53/,
    ],
    ['an unknown function', () => ['lost'], 2, /no function lost/],
    ['a function no host can call', () => ['higher'], 2, /parameter f of higher is a function/],
    ['an unknown parameter of --grad', () => ['loss', '--grad', 'w'], 2, /no parameter w/],
    [
      'a gradient of what is no scalar',
      () => [
        'linear',
        '--grad',
        'x',
        '--in',
        `x=${at('data.safetensors')}#x`,
        '--in',
        `p.weight=${at('p.safetensors')}#layers.0.weight`,
        '--in',
        `p.bias=${at('p.safetensors')}#layers.0.bias`,
      ],
      1,
      /scalar/,
    ],
    ['an --arg without a value', () => ['draw', '--arg', 'k'], 2, /--arg k/],
    ['an --arg that is no number', () => ['draw', '--arg', 'k=x'], 2, /x is no number/],
    ['a device that does not exist', () => ['draw', '--device', 'abacus'], 2, /no device abacus/],
  ];
  it.each(wrong)('names %s', async (_what, argv, code, message) => {
    const result = await run(...(argv() as [string, ...string[]]));
    expect(result.err).toMatch(message);
    expect(result.err).not.toMatch(/internal error|\n {4}at /);
    expect(result.out).toBe('');
    expect(result.code).toBe(code);
  });
});

describe('tenon check', () => {
  it('says nothing about a good program', async () => {
    expect(await tenon('check', at('a.tn'))).toEqual({ code: 0, out: '', err: '' });
  });

  it('shows a fault at its place, underlined', async () => {
    const { code, err, out } = await tenon('check', at('bad.tn'));
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/bad\.tn:2:7: error\[E\d{4}\]: /);
    expect(err).toMatch(/2 \| {3}x \+ y\n +\| +\^/);
  });

  it('gives diagnostics as data', async () => {
    const { code, out } = await tenon('check', '--json', at('bad.tn'));
    expect(code).toBe(1);
    const report = JSON.parse(out);
    expect(report.errors).toBe(1);
    expect(report.diagnostics[0]).toMatchObject({
      severity: 'error',
      span: { file: at('bad.tn'), line: 2, column: 7 },
    });
  });

  it('refuses a custom derivative that has no transpose, whoever calls it', async () => {
    writeFileSync(
      at('bent.tn'),
      `fn bent[N](x: f32[N]): f32[N] where N >= 2 = x

derivative bent(_x, dx) = for i. max(dx[i], 0)
`,
    );
    const { code, err } = await tenon('check', at('bent.tn'));
    expect(code).toBe(1);
    expect(err).toMatch(/bent\.tn:3:27: error\[E0811\]: The derivative of `bent` is not linear/);
  });

  it('reports a file that is not there without a stack', async () => {
    const { code, err } = await tenon('check', at('none.tn'));
    expect(code).toBe(1);
    expect(err).toMatch(/^error: cannot read .*none\.tn: there is no such file/);
  });
});

describe('tenon fmt', () => {
  it('changes a file in place, once', async () => {
    writeFileSync(at('messy.tn'), '/// Twice x.\nfn f(x:f32):f32=\n      x+x\n');
    expect((await tenon('fmt', '--check', at('messy.tn'))).code).toBe(1);
    const first = await tenon('fmt', at('messy.tn'));
    expect(first.code).toBe(0);
    expect(readFileSync(at('messy.tn'), 'utf8')).toMatch(/fn f\(x: f32\): f32 =\s+x \+ x\n/);
    expect(await tenon('fmt', '--check', at('messy.tn'))).toEqual({ code: 0, out: '', err: '' });
  });

  it('leaves a file with a syntax error alone', async () => {
    writeFileSync(at('broken.tn'), 'fn f(x: f32: f32 = x\n');
    const { code, err } = await tenon('fmt', at('broken.tn'));
    expect(code).toBe(1);
    expect(err).toMatch(/broken\.tn:1:\d+: error/);
    expect(readFileSync(at('broken.tn'), 'utf8')).toBe('fn f(x: f32: f32 = x\n');
  });
});

describe('tenon explain', () => {
  it.each(['ast', 'typed', 'core', 'adjoint', 'kernels', 'plan', 'wgsl', 'wat', 'gpujs'])(
    'shows %s',
    async (stage) => {
      const sizes = ['--size', 'L=2', '--size', 'D=3'];
      const { code, out, err } = await tenon(
        'explain',
        at('a.tn'),
        'loss',
        '--stage',
        stage,
        ...sizes,
      );
      expect(err).toBe('');
      expect(code).toBe(0);
      expect(out.length).toBeGreaterThan(40);
    },
  );

  it('asks for the sizes a stage needs, and for a stage that exists', async () => {
    const sizes = await tenon('explain', at('a.tn'), 'loss', '--stage', 'core');
    expect(sizes).toMatchObject({ code: 2, err: expect.stringContaining('needs the sizes L, D') });
    const stage = await tenon('explain', at('a.tn'), 'loss', '--stage', 'magic');
    expect(stage).toMatchObject({ code: 2, err: expect.stringContaining('no stage magic') });
  });
});

describe('tenon types', () => {
  it('declares what each callable function takes and gives', async () => {
    const { code, out } = await tenon('types', at('a.tn'));
    expect(code).toBe(0);
    expect(out).toContain('export type PickInputs = {');
    expect(out).toMatch(/k: LeafInput \/\* idx\[K\] \*\//);
    expect(out).toMatch(/scale\?: LeafInput/);
    expect(out).not.toContain('HigherInputs');
  });
});

describe('a defect of Tenon', () => {
  const report = (verbose: boolean): { code: number; err: string } => {
    const lines: string[] = [];
    const io = {
      out: () => {},
      err: (t: string) => void lines.push(t),
      signal: new AbortController().signal,
      terminal: false,
    };
    const code = reportFailure(new TypeError('x is undefined\nand more'), io, verbose);
    return { code, err: lines.join('') };
  };

  it('is one line and a hint; the stack only with -v', () => {
    const { code, err } = report(false);
    expect(code).toBe(1);
    expect(err).toMatch(/^tenon: internal error: x is undefined\nhint: .*-v.*\n$/);
    expect(report(true).err).toMatch(/\n {4}at /);
  });
});

describe('tenon', () => {
  it('explains itself, and refuses words it does not know', async () => {
    expect((await tenon('--help')).code).toBe(0);
    expect((await tenon('run', '--help')).out).toMatch(/--grad/);
    expect((await tenon()).code).toBe(2);
    expect((await tenon('frobnicate')).code).toBe(2);
    expect((await tenon('run', at('a.tn'))).code).toBe(2);
    expect((await tenon('run', at('a.tn'), 'loss', '--sizes', 'N=3')).code).toBe(2);
  });

  it('says which devices there are', async () => {
    const { out } = await tenon('doctor', '--json');
    expect(Object.keys(JSON.parse(out).devices).sort()).toEqual([
      'gpujs',
      'reference',
      'wasm',
      'webgpu',
    ]);
  });
});
