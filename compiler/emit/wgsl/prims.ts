/**
 * WGSL for every primitive: one row each, total by type, and the helper functions that rows call.
 *
 * WGSL lets an implementation assume that NaN and infinity do not happen, and defines its
 * mathematical built-ins loosely. So NaN is told by its bits, special values are made from bits at
 * run time (as constant expressions they would be errors), and exp, log and the like are our own
 * functions from emit/math.ts. Integer division and remainder floor; x div 0 is x, x mod 0 is 0.
 */
import type { Dtype, Prim } from '../../core.ts';
import { param } from '../low.ts';
import { isMathPrim, mathFns, powConst } from '../math.ts';
import type { PrimNode } from '../nest-text.ts';
import { nanTest, wgslLiteral } from './literal.ts';
import { wgslFn } from './low.ts';
import { wideHelpers } from './wide.ts';

/** A row also says which helpers its text calls. */
export type Row = (args: readonly string[], node: PrimNode, need: Need) => string;
/** Registers a helper and gives its name. */
export type Need = (helper: string) => string;

const infix =
  (op: string): Row =>
  (a) =>
    `(${a[0]} ${op} ${a[1]})`;
const builtin =
  (f: string): Row =>
  (a) =>
    `${f}(${a.join(', ')})`;
const math: Row = (a, node, need) => `${need(`m_${node.op}`)}(${a.join(', ')})`;
/** By the dtype of the first argument. */
const byType =
  (rows: { readonly f32: Row; readonly i32: Row; readonly u32: Row }): Row =>
  (a, node, need) => {
    const t = node.args[0]!.t;
    return rows[t === 'bool' || t === 'int' ? 'i32' : t](a, node, need);
  };
const helper =
  (name: string): Row =>
  (a, _node, need) =>
    `${need(name)}(${a.join(', ')})`;

export const wgslPrim: Readonly<Record<Prim, Row>> = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  idiv: byType({ f32: infix('/'), i32: helper('floor_div'), u32: infix('/') }),
  mod: byType({ f32: infix('%'), i32: helper('floor_mod'), u32: infix('%') }),
  pow: (a, node, need) => {
    const e = node.args[1]!;
    const name = e.k === 'const' ? powName(e.v) : undefined;
    return name ? `${need(name)}(${a[0]})` : math(a, node, need);
  },
  neg: byType({ f32: (a) => `(-${a[0]})`, i32: (a) => `(-${a[0]})`, u32: (a) => `(0u - ${a[0]})` }),
  // A value compared with itself asks for NaN, and compilers may know the answer.
  eq: byType({
    f32: (a) => (a[0] === a[1] ? `(!${nanTest(a[0]!)})` : `(${a[0]} == ${a[1]})`),
    i32: infix('=='),
    u32: infix('=='),
  }),
  // Drivers may take != of floats as ordered, which NaN fails.
  ne: byType({
    f32: (a) => (a[0] === a[1] ? nanTest(a[0]!) : `(!(${a[0]} == ${a[1]}))`),
    i32: infix('!='),
    u32: infix('!='),
  }),
  lt: infix('<'),
  le: infix('<='),
  gt: infix('>'),
  ge: infix('>='),
  and: infix('&'),
  or: infix('|'),
  not: (a) => `(!${a[0]})`,
  min: byType({ f32: helper('f_min'), i32: builtin('min'), u32: builtin('min') }),
  max: byType({ f32: helper('f_max'), i32: builtin('max'), u32: builtin('max') }),
  abs: byType({ f32: builtin('abs'), i32: builtin('abs'), u32: (a) => a[0]! }),
  sign: byType({
    f32: helper('f_sign'),
    i32: builtin('sign'),
    u32: (a) => `select(0u, 1u, ${a[0]} != 0u)`,
  }),
  floor: builtin('floor'),
  ceil: builtin('ceil'),
  round: builtin('round'),
  exp: math,
  log: math,
  sqrt: builtin('sqrt'),
  sin: math,
  cos: math,
  tanh: math,
  erf: math,
  isfinite: helper('f_finite'),
  select: (a) => `select(${a[2]}, ${a[1]}, ${a[0]})`,
  cast: (a, node, need) => cast(a[0]!, node.args[0]!.t, node.t, need),
  f16: math,
  bf16: math,
  stop: (a) => a[0]!,
  bits0: math,
  bits1: math,
};

function cast(a: string, from: Dtype, to: Dtype, need: Need): string {
  if (from === to) return a;
  if (to === 'bool') return `(!(${a} == ${wgslLiteral(from, 0)}))`;
  if (from === 'bool') return `select(${wgslLiteral(to, 0)}, ${wgslLiteral(to, 1)}, ${a})`;
  if (from === 'f32') return `${need(to === 'i32' ? 'f_to_i32' : 'f_to_u32')}(${a})`;
  return `${to}(${a})`;
}

/** x to a small constant power by multiplication; the name says the power. */
function powName(n: number): string | undefined {
  if (powConst(param(0), n) === undefined) return undefined;
  return `m_pow_${String(n).replace('-', 'm').replace('.', '_')}`;
}

type Helper = { readonly needs: readonly string[]; readonly text: string };
const own = (text: string, ...needs: string[]): Helper => ({ needs, text });

/** Functions that rows call, by name. */
const helpers: Readonly<Record<string, Helper>> = {
  floor_div: own(`fn floor_div(a: i32, b: i32) -> i32 {
  let q = a / b;
  let r = a % b;
  return select(q, q - 1, r != 0 && (r < 0) != (b < 0));
}`),
  floor_mod: own(`fn floor_mod(a: i32, b: i32) -> i32 {
  let r = a % b;
  return select(r, r + b, r != 0 && (r < 0) != (b < 0));
}`),
  f_min: own(`fn f_min(a: f32, b: f32) -> f32 {
  return select(select(a, b, b < a), b, ${nanTest('b')});
}`),
  f_max: own(`fn f_max(a: f32, b: f32) -> f32 {
  return select(select(a, b, a < b), b, ${nanTest('b')});
}`),
  f_sign: own(`fn f_sign(a: f32) -> f32 {
  return select(select(a, -1f, a < 0f), 1f, a > 0f);
}`),
  f_finite: own(`fn f_finite(a: f32) -> bool {
  return (bitcast<u32>(a) & 0x7f800000u) != 0x7f800000u;
}`),
  f_to_i32: own(`fn f_to_i32(a: f32) -> i32 {
  let v = select(i32(a), 2147483647i, a >= 2147483648f);
  return select(v, 0i, ${nanTest('a')});
}`),
  f_to_u32: own(`fn f_to_u32(a: f32) -> u32 {
  let v = select(u32(a), 4294967295u, a >= 4294967296f);
  return select(v, 0u, ${nanTest('a')});
}`),
};

function helperOf(name: string): Helper {
  const known = helpers[name] ?? wideHelpers[name];
  if (known) return known;
  const op = name.slice(2) as Prim;
  if (isMathPrim(op)) return own(wgslFn(name, mathFns[op].params, mathFns[op].t, mathFns[op].body));
  const power = Number(name.slice('m_pow_'.length).replace('m', '-').replace('_', '.'));
  return own(wgslFn(name, ['f32'], 'f32', powConst(param(0), power)!));
}

/** The texts of the helpers, each after those it calls. */
export function helperTexts(names: Iterable<string>): string[] {
  const done = new Map<string, string>();
  const add = (name: string): void => {
    if (done.has(name)) return;
    const h = helperOf(name);
    h.needs.forEach(add);
    done.set(name, h.text);
  };
  for (const n of [...names].sort()) add(n);
  return [...done.values()];
}
