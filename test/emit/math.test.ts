/**
 * The lowered mathematical functions against f64: at most 4 units in the last place over the whole
 * range, the limits, subnormals and NaN. The DAG is evaluated here operation by operation in f32,
 * which is what every emitter prints.
 */
import { describe, expect, it } from 'vitest';
import { erf, roundTo } from '../../compiler/core/scalar.ts';
import { threefry } from '../../compiler/core/threefry.ts';
import { type Low, type LowFn, wholeBase } from '../../compiler/emit/low.ts';
import { mathFns } from '../../compiler/emit/math.ts';

const box = new DataView(new ArrayBuffer(4));
const asBits = (v: number): number => {
  box.setFloat32(0, v);
  return box.getUint32(0);
};
const asFloat = (b: number): number => {
  box.setUint32(0, b);
  return box.getFloat32(0);
};

function evaluate(fn: LowFn, args: readonly number[]): number {
  const memo = new Map<Low, number>();
  const go = (e: Low): number => {
    if (e.k === 'param') return e.t === 'f32' ? Math.fround(args[e.i]!) : args[e.i]!;
    if (e.k === 'const') return e.t === 'f32' ? Math.fround(e.v) : e.v;
    const known = memo.get(e);
    if (known !== undefined) return known;
    const v = one(e, e.args.map(go));
    memo.set(e, v);
    return v;
  };
  const one = (e: Extract<Low, { k: 'op' }>, [a = 0, b = 0, c = 0]: number[]): number => {
    const wrap = (v: number): number =>
      e.t === 'f32' ? Math.fround(v) : e.t === 'u32' ? v >>> 0 : e.t === 'i32' ? v | 0 : v;
    switch (e.op) {
      case 'add':
        return wrap(a + b);
      case 'sub':
        return wrap(a - b);
      case 'mul':
        return e.t === 'f32' ? Math.fround(a * b) : wrap(Math.imul(a, b));
      case 'div':
        return Math.fround(a / b);
      case 'neg':
        return wrap(-a);
      case 'abs':
        return Math.abs(a);
      case 'sqrt':
        return Math.fround(Math.sqrt(a));
      case 'pmin':
        return b < a ? b : a;
      case 'pmax':
        return a < b ? b : a;
      case 'nearest': {
        const r = Math.round(a);
        return Math.abs(a % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
      }
      case 'whole':
        return Math.fround(Math.fround(a + wholeBase(b)) - wholeBase(b));
      case 'wholeBits':
        return asBits(Math.fround(a + wholeBase(b))) | 0;
      case 'floor':
        return Math.floor(a);
      case 'eq':
        return Number(a === b);
      case 'ne':
        return Number(a !== b);
      case 'lt':
        return Number(a < b);
      case 'le':
        return Number(a <= b);
      case 'and':
        return e.t === 'bool' ? a & b : wrap(a & b);
      case 'or':
        return e.t === 'bool' ? a | b : wrap(a | b);
      case 'xor':
        return wrap(a ^ b);
      case 'not':
        return Number(!a);
      case 'shl':
        return wrap(a << b);
      case 'shr':
        return e.t === 'u32' ? a >>> b : a >> b;
      case 'bits': {
        const from = e.args[0]!.t === 'f32' ? asBits(a) : a >>> 0;
        return e.t === 'f32' ? asFloat(from) : wrap(from);
      }
      case 'to':
        if (e.t === 'f32') return Math.fround(a);
        return Number.isNaN(a) ? 0 : Math.trunc(Math.min(Math.max(a, -2147483648), 2147483647));
      case 'select':
        return a ? b : c;
    }
  };
  return go(fn.body);
}

/** Distance in units of the last place of the f32 nearest to the true value. */
function ulps(got: number, want: number): number {
  const w = Math.fround(want);
  if (Number.isNaN(w)) return Number.isNaN(got) ? 0 : Number.POSITIVE_INFINITY;
  if (!Number.isFinite(w) || !Number.isFinite(got)) {
    if (got === w) return 0;
    // The last finite number and infinity are neighbours.
    return Math.abs(got) > 3.4e38 && Math.abs(want) > 3.4e38 ? 1 : Number.POSITIVE_INFINITY;
  }
  const exp = Math.max(Math.floor(Math.log2(Math.abs(w) || 1e-46)), -126);
  return Math.abs(got - want) / 2 ** (exp - 23);
}

/** Floats spread evenly over their bit patterns within [lo, hi], both signs when lo < 0. */
function* spread(lo: number, hi: number, n: number): Generator<number> {
  if (lo < 0) for (const v of spread(0, -lo, n >> 1)) yield -v;
  const a = asBits(Math.max(lo, 0));
  const b = asBits(hi);
  for (let k = 0; k <= n; k++) yield asFloat(a + Math.floor(((b - a) * (k + 0.37)) / (n + 1)));
}

function worst(fn: LowFn, want: (v: number) => number, lo: number, hi: number, n = 12000): number {
  let bad = 0;
  for (const v of spread(lo, hi, n)) bad = Math.max(bad, ulps(evaluate(fn, [v]), want(v)));
  for (let k = 0; k < n; k++) {
    const v = Math.fround(Math.max(lo, -200) + (Math.min(hi, 200) - Math.max(lo, -200)) * (k / n));
    bad = Math.max(bad, ulps(evaluate(fn, [v]), want(v)));
  }
  return bad;
}

const huge = 3.4028234663852886e38;

describe('lowered functions are within 4 units in the last place', () => {
  const cases: [keyof typeof mathFns, (v: number) => number, number, number][] = [
    ['exp', Math.exp, -huge, huge],
    ['log', Math.log, 0, huge],
    ['tanh', Math.tanh, -huge, huge],
    ['erf', erf, -huge, huge],
    ['sin', Math.sin, -3, 3],
    ['cos', Math.cos, -1.5, 1.5],
  ];
  for (const [name, want, lo, hi] of cases) {
    it(`${name} on [${lo}, ${hi}]`, () => {
      expect(worst(mathFns[name], want, lo, hi)).toBeLessThanOrEqual(4);
    });
  }

  it('sin and cos are within 2^-23 absolutely up to 10,000', () => {
    for (const [name, want] of [
      ['sin', Math.sin],
      ['cos', Math.cos],
    ] as const) {
      let bad = 0;
      for (let k = -20000; k < 20000; k++) {
        const v = Math.fround(k * 0.5003);
        bad = Math.max(bad, Math.abs(evaluate(mathFns[name], [v]) - want(v)));
      }
      expect(bad).toBeLessThan(2 ** -23);
    }
  });

  it('pow on positive bases with any exponent', () => {
    let bad = 0;
    for (const a of spread(1e-30, 1e30, 200)) {
      for (const b of spread(-20, 20, 100)) {
        const want = a ** b;
        if (want > 1e-37 && want < 3e38)
          bad = Math.max(bad, ulps(evaluate(mathFns.pow, [a, b]), want));
      }
    }
    expect(bad).toBeLessThanOrEqual(4);
  });
});

describe('limits', () => {
  const tiny = 2 ** -149;
  const values = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, tiny, -tiny, huge, -huge];
  const special = [...values, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  const unary: [keyof typeof mathFns, (v: number) => number][] = [
    ['exp', Math.exp],
    ['log', Math.log],
    ['tanh', Math.tanh],
    ['erf', erf],
  ];
  for (const [name, want] of unary) {
    it(`${name} at zero, the ends and NaN`, () => {
      const bad = special.filter((v) => !(ulps(evaluate(mathFns[name], [v]), want(v)) <= 4));
      expect(bad).toEqual([]);
    });
  }

  it('sin and cos of what is not finite are NaN', () => {
    for (const v of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
      expect(evaluate(mathFns.sin, [v])).toBeNaN();
      expect(evaluate(mathFns.cos, [v])).toBeNaN();
    }
  });

  it('pow agrees with IEEE 754 on every pair of special values', () => {
    const bad: string[] = [];
    for (const a of special) {
      for (const b of special) {
        const got = evaluate(mathFns.pow, [a, b]);
        const isOne = a === 1 || (a === -1 && Math.abs(b) === Infinity);
        const want = isOne ? 1 : Math.fround(a) ** Math.fround(b);
        if (!(ulps(got, want) <= 4)) bad.push(`${a} ** ${b} = ${got}, want ${want}`);
      }
    }
    expect(bad).toEqual([]);
  });

  it('isfinite', () => {
    expect(special.map((v) => evaluate(mathFns.isfinite, [v]))).toEqual(
      special.map((v) => Number(Number.isFinite(v))),
    );
  });
});

describe('bits', () => {
  it('half and brain floats round to nearest even with gradual underflow', () => {
    const half = { bits: 11, minExp: -14, max: 65504 };
    const brain = { bits: 8, minExp: -126, max: 3.3895313892515355e38 };
    const bad: number[] = [];
    for (const v of spread(-huge, huge, 15000)) {
      if (evaluate(mathFns.f16, [v]) !== roundTo(v, half)) bad.push(v);
      if (Math.abs(v) > 1.2e-38 && evaluate(mathFns.bf16, [v]) !== roundTo(v, brain)) bad.push(v);
    }
    expect(bad).toEqual([]);
    expect(evaluate(mathFns.f16, [Number.NaN])).toBeNaN();
    expect(evaluate(mathFns.f16, [65519.99])).toBe(65504);
    expect(evaluate(mathFns.f16, [65520])).toBe(Number.POSITIVE_INFINITY);
  });

  it('Threefry gives the words of the reference', () => {
    for (let k = 0; k < 50; k++) {
      const args = [k * 0x9e3779b9, ~k, k * 77, k << 28].map((v) => v >>> 0);
      const want = threefry(args[0]!, args[1]!, args[2]!, args[3]!);
      expect(evaluate(mathFns.bits0, args)).toBe(want[0]);
      expect(evaluate(mathFns.bits1, args)).toBe(want[1]);
    }
  });
});
