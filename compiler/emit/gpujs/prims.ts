/**
 * Primitives as gpu.js expressions: one row each, total by type.
 *
 * gpu.js knows one kind of number, the f32 (its integers are i32 only where its type rules say so),
 * so everything here is a float: bool is 0 or 1, integers are exact within what analysis.ts lets
 * through. Rows marked `host` are never printed: kernels that need them run on the host.
 *
 * gpu.js types Math.floor and Math.ceil as integers and would saturate them at 2^31; a conditional
 * whose other branch is a float keeps them floats.
 */
import type { Prim } from '../../core.ts';
import { erfSmall, erfTail } from '../math.ts';
import type { PrimNode } from '../nest-text.ts';

type Row = (a: readonly string[], node: PrimNode) => string;

const infix =
  (op: string): Row =>
  (a) =>
    `(${a[0]} ${op} ${a[1]})`;
const test =
  (op: string): Row =>
  (a) =>
    `(${a[0]} ${op} ${a[1]} ? 1 : 0)`;
const call =
  (f: string): Row =>
  (a) =>
    `Math.${f}(${a.join(', ')})`;
const host: Row = (_a, node) => {
  throw new Error(`${node.op} has no gpu.js form`);
};

/** Beyond this every f32 is whole. */
const WHOLE = 8388608;
const whole = (a: string, e: string): string => `(Math.abs(${a}) < ${WHOLE} ? ${e} : ${a})`;
const horner = (x: string, c: readonly number[]): string =>
  c.slice(0, -1).reduceRight((acc, k) => `(${gpuNumber(k)} + ${x} * ${acc})`, gpuNumber(c.at(-1)!));

/** The better of two, NaN if either is. */
const extreme =
  (op: string): Row =>
  ([a, b]) =>
    `(${a} != ${a} ? ${a} : (${b} != ${b} ? ${b} : (${b} ${op} ${a} ? ${b} : ${a})))`;

/** floor(a / by) for a constant divisor; e is a whole number well below 2^24. */
export function floorBy(e: string, by: number): string {
  const powerOfTwo = Math.log2(by) % 1 === 0;
  return powerOfTwo ? `Math.floor(${e} * ${1 / by})` : `Math.floor((${e} + 0.5) / ${by})`;
}

const divisor = (node: PrimNode): number => {
  const d = node.args[1]!;
  return d.k === 'const' ? d.v : Number.NaN;
};

/** Rows whose text says an argument more than once. */
export const repeats: ReadonlySet<Prim> = new Set<Prim>([
  'mod',
  'min',
  'max',
  'sign',
  'floor',
  'ceil',
  'round',
  'erf',
  'isfinite',
  'pow',
]);

export const gpujsPrim: Readonly<Record<Prim, Row>> = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  idiv: (a, node) => floorBy(a[0]!, divisor(node)),
  mod: (a, node) => `(${a[0]} - ${floorBy(a[0]!, divisor(node))} * ${divisor(node)})`,
  pow: (a, node) => {
    const e = node.args[1]!;
    const power = `Math.pow(${a[0]}, ${a[1]})`;
    if (e.k !== 'const' || !Number.isFinite(e.v)) {
      // IEEE 754: 1 where JavaScript has NaN.
      const near = `(${a[0]} == 1 ? 1 : ${power})`;
      return `(Math.abs(${a[1]}) > 3.4e38 ? (Math.abs(${a[0]}) == 1 ? 1 : ${power}) : ${near})`;
    }
    if (!Number.isInteger(e.v)) return power;
    if (Math.abs(e.v) <= 4) return product(a[0]!, e.v);
    // GPUs know no powers of negative numbers.
    const ofPositive = `Math.pow(-${a[0]}, ${a[1]})`;
    return `(${a[0]} < 0 ? ${e.v % 2 === 0 ? ofPositive : `(-${ofPositive})`} : ${power})`;
  },
  neg: (a) => `(-${a[0]})`,
  eq: test('=='),
  ne: test('!='),
  lt: test('<'),
  le: test('<='),
  gt: test('>'),
  ge: test('>='),
  and: infix('*'),
  or: (a) => `(${a[0]} + ${a[1]} > 0 ? 1 : 0)`,
  not: (a) => `(1 - ${a[0]})`,
  min: extreme('<'),
  max: extreme('>'),
  abs: call('abs'),
  sign: (a) => `(${a[0]} > 0 ? 1 : (${a[0]} < 0 ? (-1) : ${a[0]}))`,
  floor: (a) => whole(a[0]!, `Math.floor(${a[0]})`),
  ceil: (a) => whole(a[0]!, `Math.ceil(${a[0]})`),
  // Half to even: at a tie, twice the floor of half of what is one half more. A zero has the sign of
  // what is rounded to it.
  round: ([a]) =>
    whole(
      a!,
      `(Math.abs(${a}) <= 0.5 ? ${a} * 0 : (${a} - Math.floor(${a}) < 0.5 ? Math.floor(${a}) : ` +
        `(${a} - Math.floor(${a}) > 0.5 ? Math.floor(${a}) + 1 : 2 * Math.floor(${a} * 0.5 + 0.5))))`,
    ),
  exp: call('exp'),
  log: call('log'),
  sqrt: call('sqrt'),
  sin: call('sin'),
  cos: call('cos'),
  tanh: call('tanh'),
  erf: ([x]) => {
    const c = `Math.min(Math.abs(${x}), 3.95)`;
    const tail = `(1 - Math.exp(-(${c} * ${horner(c, erfTail)})))`;
    const small = `(${x} * ${horner(`(${x} * ${x})`, erfSmall)} + ${x})`;
    return `(Math.abs(${x}) < 0.9 ? ${small} : (${x} < 0 ? (-${tail}) : (${x} > 0 ? ${tail} : ${x})))`;
  },
  isfinite: (a) => `(${a[0]} - ${a[0]} == 0 ? 1 : 0)`,
  select: (a) => `(${a[0]} > 0 ? ${a[1]} : ${a[2]})`,
  cast: (a, node) =>
    node.t === 'bool' && node.args[0]!.t !== 'bool' ? `(${a[0]} != 0 ? 1 : 0)` : a[0]!,
  f16: host,
  bf16: host,
  stop: (a) => a[0]!,
  bits0: host,
  bits1: host,
};

function product(a: string, n: number): string {
  if (n === 0) return '1';
  // Not 1 / x^n: the power may leave the range where its inverse does not.
  return `(${new Array<string>(Math.abs(n)).fill(n < 0 ? `(1 / ${a})` : a).join(' * ')})`;
}

/** Infinities, NaN and negative zero cannot be written in a kernel: they come in a small array. */
export const specials: readonly number[] = [Infinity, -Infinity, Number.NaN, -0];

export function gpuNumber(v: number): string {
  const x = Math.fround(v);
  const special = specials.findIndex((s) => Object.is(s, x));
  if (special >= 0) return `k[${special}]`;
  return x < 0 ? `(${x})` : `${x}`;
}
