/**
 * Indices that are right over whole numbers and whose arithmetic leaves 32 bits on the way: every target
 * gives what the reference gives, and nothing of it has to be checked.
 */
import { describe, expect, it } from 'vitest';
import { bounds } from '../../compiler/bounds/index.ts';
import { castE, constE, f32, indexE, prim, readE } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { addIx, ixAxis, ixConst, ixVal, scaleIx } from '../../compiler/core/ix.ts';
import type { Atom, Axis, Core, Expr, Ix } from '../../compiler/core.ts';
import { CompileError } from '../../compiler/elaborate/errors.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { at, Hand, spans } from '../core/hand.ts';
import { describeOn } from '../gpu/devices.ts';
import { compare, runOn } from '../gpu/run-core.ts';

const int = (v: number): Expr => constE('int', v);
const of = (ix: Ix): Expr => indexE(ix, 'int');
/** As it is: simplified, most of these would be small. */
const raw = (a: Atom): Ix => ({ c: 0, terms: [{ m: 1, a }] });

/** n - 1 - floor(2^26 * i / 2^26), which is n - 1 - i. */
const mirrored = (i: Axis, n: number): Expr => {
  const large = prim('mul', int(67108864), of(ixAxis(i)));
  return prim('sub', int(n - 1), prim('idiv', large, int(67108864)));
};

function backwards(n: number): Core {
  const h = new Hand();
  const [x, other] = [h.input('x', [n]), h.input('other', [128])];
  const i = h.supply.axis(n, 'i');
  const y = h.map('y', [i], readE(x, [ixVal(mirrored(i, n), n)]));
  const ends = prim('add', at(other, 0), at(other, 127));
  return h.core(y, h.map('o', [], ends));
}

/** Its gradient by x, weighted by i + 1: the place is stored, and added at. */
function backwardsAdjoint(n: number): Core {
  const h = new Hand();
  const other = h.input('other', [128]);
  const i = h.supply.axis(n, 'i');
  const place = h.map('place', [i], castE('i32', mirrored(i, n)));
  const weight = castE('f32', indexE(addIx(ixAxis(i), ixConst(1))));
  const v = h.supply.var('x_bar', 'f32', [n]);
  const to = ixVal(at(place, i), n);
  h.body.push({ k: 'segsum', v, axes: [i], at: [to], guard: [], body: weight, spans });
  const j = h.supply.axis(128, 'j');
  return h.core(v, h.map('o', [j], prim('mul', f32(2), at(other, j))));
}

/** Samples (147 * 15,000 j) // 160 mod 97 for j below 1,000: the product passes 2^31. */
function resampled(form: 'index' | 'value'): Core {
  const h = new Hand();
  const x = h.input('x', [97]);
  const j = h.supply.axis(1000, 'j');
  const place: Ix =
    form === 'index'
      ? raw({
          k: 'mod',
          e: raw({ k: 'div', e: scaleIx(ixAxis(j), 147 * 15_000), by: 160 }),
          by: 97,
        })
      : ixVal(
          prim(
            'mod',
            prim('idiv', prim('mul', of(scaleIx(ixAxis(j), 15_000)), int(147)), int(160)),
            int(97),
          ),
          97,
        );
  return h.core(h.map('y', [j], readE(x, [place])));
}

/** (a * i + b * j) // c mod 61 with products beyond 32 bits, as an index. */
function products(a: number, b: number, c: number): Core {
  const h = new Hand();
  const x = h.input('x', [61]);
  const [i, j] = h.supply.axes([50, 40]) as [Axis, Axis];
  const e = addIx(scaleIx(ixAxis(i), a), scaleIx(ixAxis(j), b), ixConst(-17));
  const place = raw({ k: 'mod', e: raw({ k: 'div', e, by: c }), by: 61 });
  const twice = raw({
    k: 'mod',
    e: addIx(scaleIx(raw({ k: 'div', e, by: c }), 7_000_000), ixAxis(j)),
    by: 61,
  });
  return h.core(h.map('y', [i, j], prim('sub', at(x, place), at(x, twice))));
}

/** x at 2^32 * (i - 2) + k where that is in [0, 4): only for i = 2, though not modulo 2^32. */
function farGuards(): Core {
  const h = new Hand();
  const x = h.input('x', [4]);
  const [i, k] = h.supply.axes([5, 6]) as [Axis, Axis];
  const e = addIx(scaleIx(ixAxis(i), 2 ** 32), ixAxis(k), ixConst(-(2 ** 33)));
  const guard = [{ e, lo: 0, hi: 4 }];
  const y = h.map('y', [i, k], readE(x, [e], guard));
  const z = h.reduce('z', [], 'sum', [i, k], prim('mul', readE(x, [e], guard), at(x, 1)));
  // The same as a sum into cells: what the guard refuses goes nowhere.
  const v = h.supply.var('v', 'f32', [4]);
  const body = castE('f32', indexE(addIx(ixAxis(k), ixConst(1))));
  h.body.push({ k: 'segsum', v, axes: [i, k], at: [e], guard, body, spans });
  return h.core(y, z, v);
}

/** Values of indices beyond 32 bits: wrapped as i32, exact where they are compared. */
function values(): Core {
  const h = new Hand();
  const i = h.supply.axis(9, 'i');
  const far = addIx(scaleIx(ixAxis(i), 3e9 + 1), ixConst(-5e9));
  const wrapped = indexE(far);
  return h.core(
    h.map('wrapped', [i], wrapped),
    h.map('less', [i], prim('lt', wrapped, constE('i32', 12))),
    h.map('exact', [i], prim('lt', of(far), int(12))),
    h.map('half', [i], castE('i32', prim('idiv', of(far), int(2 ** 33)))),
  );
}

const cases: readonly (readonly [string, Core])[] = [
  ['x reversed by a product and a quotient', backwards(40)],
  ['its gradient', backwardsAdjoint(40)],
  ['a resampled sound, as an index', resampled('index')],
  ['a resampled sound, as a value', resampled('value')],
  ['products that a rearranged quotient holds', products(90_000_001, 3_000_000, 1_000_000)],
  ['products that need wide numbers', products(1_999_999_999, 1_700_000_003, 1_073_741_827)],
  ['guards beyond 32 bits', farGuards()],
  ['values of indices', values()],
];

const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v) => Float64Array.from({ length: v.shape[0] ?? 1 }, (_, k) => k + 1));

for (const name of ['wasm', 'webgpu', 'gpujs'] satisfies DeviceName[]) {
  describeOn(name, (open) => {
    it.each(cases)('%s', async (_, core) => {
      const inputs = inputsOf(core);
      const got = await runOn(await open(), core, inputs);
      expect(compare(core, got, interpret(core, inputs))).toEqual([]);
    });
  });
}

describe('plans', () => {
  it.each(cases)('show that it is in range: %s', (_, core) => {
    for (const resident of [false, true]) {
      const plan = schedule(core, [], { resident });
      expect(plan.checks).toBeUndefined();
      expect(bounds(plan).plan).toEqual(plan);
    }
  });
});

describe('what cannot be counted is refused', () => {
  const planned = (core: Core) => (): unknown => schedule(core);
  const refused = (core: Core): CompileError => {
    try {
      schedule(core);
    } catch (e) {
      if (e instanceof CompileError) return e;
      throw e;
    }
    throw new Error('it was planned');
  };

  it('a product beyond 2^53, with what it runs over and where it stands', () => {
    const h = new Hand();
    const x = h.input('x', [7]);
    const [i, j] = h.supply.axes([100_000, 300_000], ['i', 'j']) as [Axis, Axis];
    const p = prim('mul', prim('mul', of(ixAxis(i)), of(ixAxis(j))), int(1_000_000));
    const e = refused(
      h.core(h.reduce('s', [], 'sum', [i, j], readE(x, [ixVal(prim('mod', p, int(7)), 7)]))),
    );
    expect(e.code).toBe('E0802');
    expect(e.message).toMatch(/2\^53.*over i: 100000, j: 300000/);
    expect(e.span).toEqual(spans[0]);
  });

  it('but not what merely would be, beside a number that is smaller', () => {
    const h = new Hand();
    const x = h.input('x', [7]);
    const n = h.input('n', [4], 'i32');
    const i = h.supply.axis(4);
    // The square of an i32 stays within 2^62: only cut to 2^26 it is exact.
    const cut = prim('min', castE('int', at(n, i)), int(2 ** 26 - 1));
    const own = prim('max', cut, int(0));
    const square = prim('mod', prim('mul', own, own), int(7));
    expect(planned(h.core(h.map('y', [i], readE(x, [ixVal(square, 7)]))))).not.toThrow();
    const whole = castE('int', at(n, i));
    const beyond = prim('mod', prim('mul', whole, whole), int(7));
    expect(planned(h.core(h.map('y', [i], readE(x, [ixVal(beyond, 7)]))))).toThrow(/2\^53/);
  });

  it('an index beyond 2^53', () => {
    const h = new Hand();
    const i = h.supply.axis(2 ** 30, 'i');
    const far = scaleIx(ixAxis(i), 2 ** 24);
    expect(refused(h.core(h.reduce('s', [], 'sum', [i], indexE(far)))).code).toBe('E0802');
  });

  it('a loop of 2^31 steps, wherever it stands', () => {
    const long = (extent: number): Core => {
      const h = new Hand();
      const x = h.input('x', []);
      const i = h.supply.axis(extent, 'i');
      return h.core(h.reduce('s', [], 'sum', [i], at(x)));
    };
    expect(planned(long(2 ** 31 - 1))).not.toThrow();
    const e = refused(long(2 ** 31));
    expect(e.code).toBe('E0802');
    expect(e.message).toMatch(/`i` takes 2147483648 steps/);
  });

  it('a tensor of more elements than 2^31', () => {
    const h = new Hand();
    const x = h.input('x', [2 ** 16, 2 ** 16]);
    expect(refused(h.core(h.map('y', [], at(x, 0, 0)))).code).toBe('E0806');
  });
});
