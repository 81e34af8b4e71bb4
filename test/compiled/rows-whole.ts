/**
 * Whole numbers: quotients and remainders by anything (negative, zero, the least integer, what is not
 * known), products that wrap, literals at the ends of 32 bits, sums and folds of them. They are results
 * of their own, so that each bit counts, and go on into numbers and places.
 */
import type { Picks } from '../gen/names.ts';
import { block, bounded, type Row, vector, type WholeScope } from './scope.ts';

const literals = [
  '2',
  '3',
  '7',
  '(-1)',
  '(-2)',
  '(-3)',
  '0',
  '1',
  '2147483647',
  '(-2147483647 - 1)',
  '65536',
  '46341',
  '(-2147483647)',
  '1073741824',
];

/** A whole number of the index `i` and the inputs n and d. */
function term(p: Picks, s: WholeScope, i: string, depth: number): string {
  if (depth === 0 || p.below(4) === 0) {
    const vectors = s.whole.filter((b) => b.type.dims.length === 1);
    const data =
      vectors.length === 0 ? 'n' : `${p.one(vectors).name}[wrap(i32(${i}) + ${p.below(5)})]`;
    return p.one(['n', 'd', `i32(${i})`, `i32(${i})`, data, p.one(literals)]);
  }
  const [a, b] = [term(p, s, i, depth - 1), term(p, s, i, depth - 1)];
  return p.one([
    `(${a} // ${b})`,
    `(${a} % ${b})`,
    `(${a} // ${b})`,
    `(${a} % ${b})`,
    `(${a} + ${b})`,
    `(${a} - ${b})`,
    `(${a} * ${b})`,
    `(-${a})`,
    `abs(${a})`,
    `min(${a}, ${b})`,
    `max(${a}, ${b})`,
    `(${a})^2`,
    `(${a})^3`,
    `sign(${a})`,
    `(if ${a} < ${b} then ${a} else ${b})`,
    `i32(u32(n + ${a}) // u32(d + ${b}))`,
    `i32(u32(n + ${a}) % u32(d + ${b}))`,
    `i32(u32(n + ${a}) * u32(d - ${b}))`,
    `i32(f32(${a} % 1000))`,
    `i32(${a} == ${b})`,
  ]);
}

const anything: Row = (p, s) => {
  const [, d] = vector(p, s);
  return { text: `for i: ${d.text}. ${term(p, s, 'i', 2)}`, type: { dims: [d] }, whole: true };
};

/** Divisors at the ends: the shapes that analyses of intervals treat by themselves. */
const divided: Row = (p, s) => {
  const [, d] = vector(p, s);
  const num = p.one([
    '2147483647',
    '(2147483647 - i32(i))',
    '(i32(i) + (-2147483647 - 1))',
    'n',
    'i32(i)',
    '(i32(i) - 3)',
    '(n + i32(i))',
    '(i32(i) * n)',
  ]);
  const den = p.one([
    'd',
    'd',
    'd',
    '(-d)',
    '(d - i32(i))',
    '(i32(i) - 2)',
    '(n % 5)',
    '(i32(i) % 3)',
    '(-3)',
    '(-1)',
    '(-2147483647 - 1)',
    '0',
  ]);
  const op = p.one(['//', '%']);
  const text = p.one([
    `${num} ${op} ${den}`,
    `${num} ${op} ${den} - i32(i)`,
    `(${num} ${op} ${den}) % 7`,
    `(${num} ${op} ${den}) // 2`,
  ]);
  return { text: `for i: ${d.text}. ${text}`, type: { dims: [d] }, whole: true };
};

const reduced: Row = (p, s) => {
  const [, d] = vector(p, s);
  const body = term(p, s, 'i', 1);
  const text = p.one([
    `sum i: ${d.text}. ${body}`,
    `prod i: ${d.text}. ${body}`,
    `max i: ${d.text}. ${body}`,
    `min i: ${d.text}. ${body}`,
    `i32(argmax i: ${d.text}. ${body})`,
    `i32(argmin i: ${d.text}. ${body})`,
    `fold c = n for i: ${d.text}. c * 31 + ${body}`,
    `fold c = d for i: ${d.text}. ${body} - c // 3`,
    `i32(all i: ${d.text}. ${body} < d)`,
    `i32(any i: ${d.text}. ${body} % 3 == 0)`,
  ]);
  return { text, type: { dims: [] }, whole: true };
};

/** Places that are computed from what no size bounds. */
const places: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const e = term(p, s, 'i', 2);
  const at = p.one([
    `wrap(${e})`,
    `clamp(${e})`,
    `wrap(n * i32(i))`,
    `wrap(${e} // 2)`,
    `clamp(i32(i) - ${e} % 3)`,
  ]);
  return { text: `for i: ${d.text}. ${bounded(p, `${a.name}[${at}]`)}`, type: { dims: [d] } };
};

/** Whole numbers that become numbers. */
const counted: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const e = term(p, s, 'i', 1);
  const text = p.one([
    `${a.name}[i] * f32((${e}) % 5)`,
    `if ${e} > d then ${a.name}[i] else 0.5 * ${a.name}[i]`,
    `if (${e}) % 2 == 0 then sin(${a.name}[i]) else 0.3`,
    `${a.name}[i] * sin(0.001 * f32((${e}) % 1009))`,
  ]);
  return { text: `for i: ${d.text}. ${text}`, type: { dims: [d] } };
};

/** Told apart, so that whatever comes of it is finite: infinities, none, their sides. */
const toldApart = (v: string): string =>
  `(if isfinite(${v}) then 0.3 * sign(${v}) else if ${v} > 0 then 0.7 else if ${v} < 0 then -0.4 else 0.1)`;

/** Numbers at the ends of f32, through functions and powers at special exponents. */
const atTheEnds: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const x = `${a.name}[i]`;
  const e = `(if ${x} > 0.7131 then inf else if ${x} < -0.3171 then -inf else ${p.one(['0.0', '1.0', '-1.0', '-0.0', '2.5'])})`;
  const v = p.one([
    'e^0.5',
    'e^(-0.5)',
    'e^1.5',
    'e^(-1.5)',
    'e^2',
    'e^3',
    'e^(-1)',
    'e^0.3',
    'e^0.0',
    '0.5^e',
    '2^e',
    'sqrt(e)',
    'log(e)',
    'exp(e)',
    'tanh(e)',
    'erf(e)',
    '1 / e',
    'max(e, 0.2)',
    'min(0.2, e)',
    'abs(e)',
    'floor(e)',
    'f32(i32(e) // 3)',
  ]);
  return {
    text: `for i: ${d.text}. ${block(`let e = ${e}`, `let v = ${v}`, toldApart('v'))}`,
    type: { dims: [d] },
  };
};

export const wholeRows: Readonly<Record<string, Row>> = {
  'whole numbers': anything,
  'quotients by anything': divided,
  'reductions of whole numbers': reduced,
  'places of whole numbers': places,
  'whole numbers as factors': counted,
  'numbers at the ends': atTheEnds,
};
