/**
 * Low-level scalar functions (emit/low.ts) as WGSL functions.
 *
 * Invariant: the operations are printed as they stand, one `let` per shared node; a comparison of a
 * value with itself, which asks for NaN, is asked of the bits, since WGSL may fold it away.
 */
import type { Low, LowOp, LowType } from '../low.ts';
import { nanTest, wgslLiteral } from './literal.ts';

type LowNode = Extract<Low, { k: 'op' }>;
type Row = (a: readonly string[], node: LowNode) => string;

const infix =
  (op: string): Row =>
  (a) =>
    `(${a[0]} ${op} ${a[1]})`;
const call =
  (f: string): Row =>
  (a) =>
    `${f}(${a.join(', ')})`;
const self = (node: LowNode): boolean => node.args[0] === node.args[1] && node.args[0]!.t === 'f32';
const shift =
  (op: string): Row =>
  (a, node) => {
    const by = node.args[1]!;
    return `(${a[0]} ${op} ${by.k === 'const' ? `${by.v}u` : `u32(${a[1]})`})`;
  };

const rows: Readonly<Record<LowOp, Row>> = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  neg: (a) => `(-${a[0]})`,
  abs: call('abs'),
  sqrt: call('sqrt'),
  pmin: (a) => `select(${a[0]}, ${a[1]}, ${a[1]} < ${a[0]})`,
  pmax: (a) => `select(${a[0]}, ${a[1]}, ${a[0]} < ${a[1]})`,
  nearest: call('round'),
  whole: (a) => `round(${a[0]})`,
  wholeBits: (a) => `(i32(round(${a[0]})) + ${a[1]})`,
  floor: call('floor'),
  eq: (a, n) => (self(n) ? `(!${nanTest(a[0]!)})` : infix('==')(a, n)),
  ne: (a, n) => (self(n) ? nanTest(a[0]!) : `(!(${a[0]} == ${a[1]}))`),
  lt: infix('<'),
  le: infix('<='),
  and: infix('&'),
  or: infix('|'),
  xor: (a, n) => (n.t === 'bool' ? infix('!=')(a, n) : infix('^')(a, n)),
  not: (a, n) => `(${n.t === 'bool' ? '!' : '~'}${a[0]})`,
  shl: shift('<<'),
  shr: shift('>>'),
  bits: (a, n) => `bitcast<${n.t}>(${a[0]})`,
  to: (a, n) => `${n.t}(${a[0]})`,
  select: (a) => `select(${a[2]}, ${a[1]}, ${a[0]})`,
};

export function wgslFn(name: string, params: readonly LowType[], t: LowType, body: Low): string {
  const uses = new Map<Low, number>();
  const count = (e: Low): void => {
    const n = uses.get(e) ?? 0;
    uses.set(e, n + 1);
    if (n === 0 && e.k === 'op') e.args.forEach(count);
  };
  count(body);
  const lines: string[] = [];
  const texts = new Map<Low, string>();
  const named = (text: string): string => {
    if (/^[\w.]+$/.test(text)) return text;
    return `v${lines.push(`  let v${lines.length} = ${text};`) - 1}`;
  };
  const text = (e: Low): string => {
    const known = texts.get(e);
    if (known !== undefined) return known;
    let out: string;
    if (e.k === 'param') out = `p${e.i}`;
    else if (e.k === 'const') out = wgslLiteral(e.t, e.v);
    else {
      const twice = e.op === 'pmin' || e.op === 'pmax';
      const args = e.args.map((a) => (twice ? named(text(a)) : text(a)));
      out = rows[e.op](args, e);
      if (uses.get(e)! > 1 || out.length > 90) out = named(out);
    }
    texts.set(e, out);
    return out;
  };
  const result = text(body);
  const args = params.map((p, i) => `p${i}: ${p}`).join(', ');
  return [`fn ${name}(${args}) -> ${t} {`, ...lines, `  return ${result};`, '}'].join('\n');
}
