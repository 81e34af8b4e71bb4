/**
 * JavaScript text of the primitives and reductions, for the reference interpreter: a row per
 * primitive and per reduction, total by type. The meaning is that of scalar.ts; a test compares the
 * two on every signature.
 *
 * Invariant: the arguments of a row are numbers, names or parenthesised, and so is what it gives.
 */
import type { Dtype, Prim, ReduceOp } from '../core.ts';
import { castTo, erf, floorDiv, floorRem, power, roundEven, scalarRule } from './scalar.ts';
import { threefry } from './threefry.ts';

/** What generated code may call, as `h`. */
export const helpers = {
  floorDiv,
  floorRem,
  roundEven,
  erf,
  power,
  f16: (x: number) => scalarRule.f16([x], 'f32', 'f32'),
  bf16: (x: number) => scalarRule.bf16([x], 'f32', 'f32'),
  toI32: (x: number) => castTo('i32', 'f32', x),
  toU32: (x: number) => castTo('u32', 'f32', x),
  bits: (a: number, b: number, c: number, d: number, word: 0 | 1) => threefry(a, b, c, d)[word],
};

// ---------------------------------------------------------------- primitives

type Text = (a: readonly string[], t: Dtype, from: Dtype) => string;

export const fitted = (t: Dtype, s: string) =>
  t === 'i32' ? `(${s} | 0)` : t === 'u32' ? `(${s} >>> 0)` : `(${s})`;
const infix =
  (op: string): Text =>
  (a, t) =>
    fitted(t, `${a[0]} ${op} ${a[1]}`);
const test =
  (op: string): Text =>
  (a) =>
    `(${a[0]} ${op} ${a[1]} ? 1 : 0)`;
const call =
  (f: string): Text =>
  (a) =>
    `${f}(${a.join(', ')})`;

/** The same meaning as scalar.ts, as text. */
export const primText: Readonly<Record<Prim, Text>> = {
  add: infix('+'),
  sub: infix('-'),
  mul: (a, t) =>
    t === 'f32' || t === 'int' ? `(${a[0]} * ${a[1]})` : fitted(t, `Math.imul(${a[0]}, ${a[1]})`),
  div: infix('/'),
  idiv: (a, t) => fitted(t, `h.floorDiv(${a[0]}, ${a[1]})`),
  mod: (a, t) => fitted(t, `h.floorRem(${a[0]}, ${a[1]})`),
  pow: call('h.power'),
  neg: (a, t) => fitted(t, `-${a[0]}`),
  eq: test('==='),
  ne: test('!=='),
  lt: test('<'),
  le: test('<='),
  gt: test('>'),
  ge: test('>='),
  and: (a) => `(${a[0]} & ${a[1]})`,
  or: (a) => `(${a[0]} | ${a[1]})`,
  not: (a) => `(1 - ${a[0]})`,
  min: call('Math.min'),
  max: call('Math.max'),
  abs: (a, t) => fitted(t, `Math.abs(${a[0]})`),
  sign: call('Math.sign'),
  floor: call('Math.floor'),
  ceil: call('Math.ceil'),
  round: call('h.roundEven'),
  exp: call('Math.exp'),
  log: call('Math.log'),
  sqrt: call('Math.sqrt'),
  sin: call('Math.sin'),
  cos: call('Math.cos'),
  tanh: call('Math.tanh'),
  erf: call('h.erf'),
  isfinite: (a) => `(Number.isFinite(${a[0]}) ? 1 : 0)`,
  select: (a) => `(${a[0]} !== 0 ? ${a[1]} : ${a[2]})`,
  cast: (a, t, from) => castText(a[0]!, t, from),
  f16: call('h.f16'),
  bf16: call('h.bf16'),
  stop: (a) => a[0]!,
  bits0: (a) => `h.bits(${a.join(', ')}, 0)`,
  bits1: (a) => `h.bits(${a.join(', ')}, 1)`,
};

function castText(a: string, t: Dtype, from: Dtype): string {
  switch (t) {
    case 'f32':
    case 'int':
      return a;
    case 'bool':
      return `(${a} !== 0 ? 1 : 0)`;
    case 'i32':
      return from === 'f32' ? `h.toI32(${a})` : `(${a} | 0)`;
    case 'u32':
      return from === 'f32' ? `h.toU32(${a})` : `(${a} >>> 0)`;
  }
}

export function number(v: number): string {
  if (Number.isNaN(v)) return 'NaN';
  if (!Number.isFinite(v)) return v > 0 ? 'Infinity' : '(-Infinity)';
  return v < 0 || Object.is(v, -0) ? `(-${-v})` : `${v}`;
}

// ---------------------------------------------------------------- reductions

type Accumulate = {
  /** Statements before the reduction loops; `s` is the accumulator. */
  readonly start: (t: Dtype) => string;
  /** Takes the body's value; `at` is the reduction index (argmax, argmin). */
  readonly step: (v: string, at: string, t: Dtype) => string;
  readonly result: string;
};

const least = (t: Dtype) => (t === 'f32' ? '-Infinity' : t === 'i32' ? '-2147483648' : '0');
const most = (t: Dtype) => (t === 'f32' ? 'Infinity' : t === 'i32' ? '2147483647' : '4294967295');
const plain = (init: (t: Dtype) => string, step: (v: string, t: Dtype) => string): Accumulate => ({
  start: (t) => `let s = ${init(t)};`,
  step: (v, _at, t) => `s = ${step(v, t)};`,
  result: 's',
});

/** The first of equals: later ones must be strictly better, and NaN is better than any number. */
const place = (better: '<' | '>', worst: (t: Dtype) => string): Accumulate => ({
  start: (t) => `let s = 0, best = ${worst(t)};`,
  step: (v, at, t) => {
    const nan = t === 'f32' ? ' || (c !== c && best === best)' : '';
    return `{ const c = ${v}; if (c ${better} best${nan}) { best = c; s = ${at}; } }`;
  },
  result: 's',
});

export const accumulate: Readonly<Record<ReduceOp, Accumulate>> = {
  sum: plain(
    () => '0',
    (v, t) => fitted(t, `s + ${v}`),
  ),
  prod: plain(
    () => '1',
    (v, t) => primText.mul(['s', v], t, t),
  ),
  max: plain(least, (v) => `Math.max(s, ${v})`),
  min: plain(most, (v) => `Math.min(s, ${v})`),
  all: plain(
    () => '1',
    (v) => `s & ${v}`,
  ),
  any: plain(
    () => '0',
    (v) => `s | ${v}`,
  ),
  argmax: place('>', least),
  argmin: place('<', most),
};
