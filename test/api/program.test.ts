/**
 * The library as a host uses it: compile, call, prepare, donate, abort, dispose. On the reference
 * device; other devices agree with it elsewhere.
 */
import { describe, expect, it } from 'vitest';
import {
  check,
  compile,
  type Device,
  isTenonError,
  load,
  ProgramError,
  type Tensor,
} from '../../runtime/index.ts';

const text = `
/// A step of gradient descent on (w x - y)^2 / 2.
fn step[D](state: { w: f32[D], n: f32 }, x: f32[D], y: f32, rate: f32 = 0.1):
    { state: { w: f32[D], n: f32 }, loss: f32 } =
  let r = (sum d. state.w[d] * x[d]) - y
  { state: { w: for d. state.w[d] - rate * r * x[d], n: state.n + 1 }, loss: r^2 / 2 }

fn square[N](x: f32[N]): f32 = sum i. x[i]^2

fn half[D](x: f32[D]): f32[D/2] where D % 2 == 0 = for i. x[2*i]
`;

const asked = { sizes: { D: 2 }, device: 'reference' } as const;

/** A device that counts what is opened and closed. */
async function counting(): Promise<Device & { open: number; closed: boolean }> {
  const { openDevice } = await import('../../runtime/index.ts');
  const inner = await openDevice('reference');
  const self = {
    name: inner.name,
    open: 0,
    closed: false,
    async prepare(program: Parameters<Device['prepare']>[0]) {
      const exec = await inner.prepare(program);
      self.open++;
      return {
        write: exec.write.bind(exec),
        run: exec.run.bind(exec),
        read: exec.read.bind(exec),
        get bytes() {
          return exec.bytes;
        },
        dispose: () => {
          self.open--;
          exec.dispose();
        },
      };
    },
    dispose: () => {
      self.closed = true;
    },
  };
  return self;
}

describe('compile', () => {
  it('gives diagnostics as data, or throws them all', () => {
    const wrong = { 'a.tn': 'fn f(x: f32): f32 = x + y\nfn g(x: f32): f32 = x.z\n' };
    const { diagnostics, program } = check(wrong);
    expect(program).toBeUndefined();
    expect(diagnostics.filter((d) => d.severity === 'error')).toHaveLength(2);
    expect(() => compile(wrong)).toThrow(ProgramError);
    expect(() => compile(wrong)).toThrow(/^a\.tn:1:25: error\[E\d{4}\]: .*\(and 1 more\)$/);
  });

  it('follows imports among the files given', () => {
    const program = compile(
      {
        'lib/nn.tn': 'fn twice(x: f32): f32 = 2 * x\n',
        'main.tn': 'import { twice } from "./lib/nn.tn"\nfn f(x: f32): f32 = twice(twice(x))\n',
      },
      'main.tn',
    );
    expect(program.functions.map((f) => f.name)).toEqual(['f']);
    expect(program.find('twice').id).toContain('nn.tn');
  });

  it('says which functions there are when one is asked for that is not', () => {
    const program = compile({ 'a.tn': text });
    expect(() => program.function('steps')).toThrow(/no function steps/);
    expect(() => program.function('step', { grad: ['v'] })).toThrow(/no parameter v/);
  });

  it('reports a file that cannot be read', async () => {
    const e = await load('no/such.tn').catch((x: unknown) => x);
    expect(isTenonError(e) && e.code).toBe('io');
  });
});

describe('call', () => {
  it('infers sizes, takes defaults, and gives a tree', async () => {
    await using f = compile({ 'a.tn': text }).function('step', { device: 'reference' });
    const { out, tensors } = await f.call({
      state: { w: [1, 2], n: 3 },
      x: Float32Array.of(1, -1),
      y: 1,
    });
    // r = 1 - 2 - 1 = -2; w + 0.1 * 2 * x.
    const { state, loss } = out as { state: { w: Tensor; n: number }; loss: number };
    expect(loss).toBe(2);
    expect(state.n).toBe(4);
    expect(state.w.shape).toEqual([2]);
    expect(Array.from(state.w.data, (v) => Math.fround(v))).toEqual([1.2, 1.8].map(Math.fround));
    expect([...tensors.keys()]).toEqual(['out.state.w', 'out.state.n', 'out.loss']);
  });

  it('is compiled once for each set of sizes', async () => {
    const device = await counting();
    const f = compile({ 'a.tn': text }).function('square', { device });
    expect((await f.call({ x: [3, 4] })).out).toBe(25);
    expect((await f.call({ x: [1, 1] })).out).toBe(2);
    expect(device.open).toBe(1);
    expect((await f.call({ x: [2] })).out).toBe(4);
    expect(device.open).toBe(2);
    await f.dispose();
    expect(device.open).toBe(0);
    // The device is the caller's.
    expect(device.closed).toBe(false);
    await expect(f.call({ x: [1] })).rejects.toThrow(/disposed/);
  });

  it('keeps calls that overlap apart', async () => {
    await using f = compile({ 'a.tn': text }).function('square', { device: 'reference' });
    const all = await Promise.all([1, 2, 3, 4].map((x) => f.call({ x: [x] })));
    expect(all.map((r) => r.out)).toEqual([1, 4, 9, 16]);
  });

  it('gives gradients by parameter', async () => {
    await using f = compile({ 'a.tn': text }).function('square', {
      device: 'reference',
      grad: ['x'],
    });
    const { grad } = await f.call({ x: [3, -4] });
    expect([...(grad['x'] as Tensor).data]).toEqual([6, -8]);
  });

  it('checks facts about sizes with the numbers', async () => {
    await using f = compile({ 'a.tn': text }).function('half', { device: 'reference' });
    expect([...((await f.call({ x: [1, 2, 3, 4] })).out as Tensor).data]).toEqual([1, 3]);
    await expect(f.call({ x: [1, 2, 3] })).rejects.toThrow(/3/);
  });
});

describe('prepare', () => {
  it('keeps inputs and donated state on the device', async () => {
    await using f = compile({ 'a.tn': text }).function('step', {
      device: 'reference',
      donate: ['state'],
    });
    const inputs = { state: { w: [0, 0], n: 0 }, x: [1, 1], y: 1 };
    const loop = await f.prepare({ inputs });
    for (let i = 0; i < 5; i++) await loop.run();
    expect(await loop.read('out.state.n')).toBe(5);
    // Every step takes r to (1 - 0.1 * 2) r; the fifth loss is of the r before it.
    expect(await loop.read('out.loss')).toBeCloseTo(0.8 ** 8 / 2, 6);
    loop.write({ y: 2 });
    await loop.run();
    expect(await loop.read('out.state.n')).toBe(6);
    expect([...(await loop.stateDict('out.state')).keys()]).toEqual(['w', 'n']);
  });

  it('needs every leaf before it runs, and again after an abort', async () => {
    await using f = compile({ 'a.tn': text }).function('step', asked);
    const loop = await f.prepare({ inputs: { y: 1 } });
    await expect(loop.run()).rejects.toThrow(/state\.w, state\.n, x are missing/);
    await expect(loop.read('out.loss')).rejects.toThrow(/before a run/);
    loop.write({ state: { w: [0, 0], n: 0 }, x: [1, 1] });
    const aborted = await loop.run({ signal: AbortSignal.abort() }).catch((e: unknown) => e);
    expect(isTenonError(aborted) && aborted.code).toBe('aborted');
    await loop.run();
    expect(await loop.read('out.loss')).toBe(0.5);
  });

  it('writes nothing when one leaf does not fit', async () => {
    await using f = compile({ 'a.tn': text }).function('step', asked);
    const loop = await f.prepare({ inputs: { state: { w: [0, 0], n: 0 }, x: [1, 1], y: 1 } });
    expect(() => loop.write({ y: 5, x: [1, 2, 3] })).toThrow(/x has shape \[3\], expected \[2\]/);
    await loop.run();
    expect(await loop.read('out.loss')).toBe(0.5);
  });

  it('refuses a donation that the result cannot take over', () => {
    const f = compile({ 'a.tn': text }).function('step', { ...asked, donate: { x: 'state.w' } });
    const g = compile({ 'a.tn': text }).function('step', { ...asked, donate: { y: 'state.w' } });
    return Promise.all([
      expect(f.prepare()).resolves.toBeDefined(),
      expect(g.prepare()).rejects.toThrow(/y cannot be donated/),
    ]);
  });
});
