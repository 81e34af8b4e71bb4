/**
 * Whole numbers that need more than 32 bits, as two words (vec2<u32>: the low word, then the high one)
 * in two's complement. Numbers stay within 2^53 in size (compiler/bounds refuses what may not), so
 * nothing overflows 64 bits. Division is one bit at a time: such numbers are rare, and right is enough.
 */
import type { PrimNode } from '../nest-text.ts';

type Helper = { readonly needs: readonly string[]; readonly text: string };

export const isWide = (node: PrimNode): boolean =>
  node.t === 'int' || node.args.some((a) => a.t === 'int');

export function wideLiteral(v: number): string {
  const low = ((v % 2 ** 32) + 2 ** 32) % 2 ** 32;
  const high = Math.floor(v / 2 ** 32) >>> 0;
  return `vec2<u32>(${low}u, ${high}u)`;
}

export function wideRow(
  a: readonly string[],
  node: PrimNode,
  need: (helper: string) => string,
): string {
  const call = (f: string, ...args: readonly string[]): string => `${need(f)}(${args.join(', ')})`;
  const [x, y] = a as [string, string];
  switch (node.op) {
    case 'stop':
      return x;
    case 'cast':
      if (node.t === 'int') return call(node.args[0]!.t === 'u32' ? 'w_u32' : 'w_i32', x);
      return node.t === 'u32' ? `${x}.x` : `bitcast<i32>(${x}.x)`;
    case 'select':
      return `select(${a[2]}, ${y}, ${x})`;
    case 'add':
    case 'sub':
    case 'mul':
    case 'neg':
    case 'abs':
    case 'sign':
    case 'idiv':
    case 'mod':
      return call(`w_${node.op}`, ...a);
    case 'min':
    case 'max':
      return call(`w_${node.op}`, x, y);
    case 'eq':
      return call('w_eq', x, y);
    case 'ne':
      return `(!${call('w_eq', x, y)})`;
    case 'lt':
      return call('w_lt', x, y);
    case 'gt':
      return call('w_lt', y, x);
    case 'le':
      return `(!${call('w_lt', y, x)})`;
    case 'ge':
      return `(!${call('w_lt', x, y)})`;
    default:
      throw new Error(`wgsl: ${node.op} of whole numbers without a size`);
  }
}

const w = 'vec2<u32>';
const own = (text: string, ...needs: string[]): Helper => ({ needs, text });

/** The functions that rows call, by name. */
export const wideHelpers: Readonly<Record<string, Helper>> = {
  w_i32: own(`fn w_i32(a: i32) -> ${w} {
  return ${w}(bitcast<u32>(a), select(0u, 0xffffffffu, a < 0i));
}`),
  w_u32: own(`fn w_u32(a: u32) -> ${w} {
  return ${w}(a, 0u);
}`),
  w_add: own(`fn w_add(a: ${w}, b: ${w}) -> ${w} {
  let low = a.x + b.x;
  return ${w}(low, a.y + b.y + select(0u, 1u, low < a.x));
}`),
  w_neg: own(`fn w_neg(a: ${w}) -> ${w} {
  return ${w}(~a.x + 1u, ~a.y + select(0u, 1u, a.x == 0u));
}`),
  w_sub: own(`fn w_sub(a: ${w}, b: ${w}) -> ${w} {
  return ${w}(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}`),
  // The product of the low words from halves of them, and what the high words add.
  w_mul: own(`fn w_mul(a: ${w}, b: ${w}) -> ${w} {
  let al = a.x & 0xffffu;
  let ah = a.x >> 16u;
  let bl = b.x & 0xffffu;
  let bh = b.x >> 16u;
  let low = al * bl;
  let mid = ah * bl + (low >> 16u);
  let cross = al * bh + (mid & 0xffffu);
  let high = ah * bh + (mid >> 16u) + (cross >> 16u);
  return ${w}((cross << 16u) | (low & 0xffffu), high + a.x * b.y + a.y * b.x);
}`),
  w_eq: own(`fn w_eq(a: ${w}, b: ${w}) -> bool {
  return a.x == b.x && a.y == b.y;
}`),
  w_lt: own(`fn w_lt(a: ${w}, b: ${w}) -> bool {
  return select(bitcast<i32>(a.y) < bitcast<i32>(b.y), a.x < b.x, a.y == b.y);
}`),
  w_min: own(
    `fn w_min(a: ${w}, b: ${w}) -> ${w} {
  return select(a, b, w_lt(b, a));
}`,
    'w_lt',
  ),
  w_max: own(
    `fn w_max(a: ${w}, b: ${w}) -> ${w} {
  return select(a, b, w_lt(a, b));
}`,
    'w_lt',
  ),
  w_abs: own(
    `fn w_abs(a: ${w}) -> ${w} {
  return select(a, w_neg(a), bitcast<i32>(a.y) < 0i);
}`,
    'w_neg',
  ),
  w_sign: own(
    `fn w_sign(a: ${w}) -> ${w} {
  let s = select(select(1i, 0i, (a.x | a.y) == 0u), -1i, bitcast<i32>(a.y) < 0i);
  return w_i32(s);
}`,
    'w_i32',
  ),
  // Long division of sizes; rounded down where the signs differ. x idiv 0 is x.
  w_idiv: own(
    `fn w_idiv(a: ${w}, b: ${w}) -> ${w} {
  if ((b.x | b.y) == 0u) { return a; }
  let n = w_abs(a);
  let d = w_abs(b);
  var q = ${w}(0u, 0u);
  var r = ${w}(0u, 0u);
  for (var i = 63i; i >= 0i; i--) {
    let at = u32(i) & 31u;
    let bit = (select(n.x, n.y, i > 31i) >> at) & 1u;
    r = ${w}((r.x << 1u) | bit, (r.y << 1u) | (r.x >> 31u));
    if (!w_lt(r, d)) {
      r = w_sub(r, d);
      if (i > 31i) { q.y = q.y | (1u << at); } else { q.x = q.x | (1u << at); }
    }
  }
  if (((a.y ^ b.y) >> 31u) == 0u) { return q; }
  return w_sub(w_neg(q), ${w}(select(0u, 1u, (r.x | r.y) != 0u), 0u));
}`,
    ...['w_abs', 'w_lt', 'w_sub', 'w_neg'],
  ),
  w_mod: own(
    `fn w_mod(a: ${w}, b: ${w}) -> ${w} {
  if ((b.x | b.y) == 0u) { return b; }
  return w_sub(a, w_mul(b, w_idiv(a, b)));
}`,
    ...['w_sub', 'w_mul', 'w_idiv'],
  ),
};
