/**
 * Products whose operands are read at places that are computed: quotients and remainders of the axis
 * that is summed (block scales, repeated rows), reversed, shifted and padded, with a factor that depends
 * on the place alone. Extents need not be multiples of anything.
 */
import { type Dim, factor, type Picks } from '../gen/names.ts';
import { block, factors, number, type Row, vector } from './scope.ts';

const divisors = [2, 3, 4, 5, 8, 16];

/** A place at most `k` for k from 0: provable in a dimension of the same size. */
const within = (p: Picks, k: string, d: Dim): string =>
  p.one([
    `${k} // ${p.one(divisors)}`,
    `${d.text} - 1 - ${k}`,
    `${k} - ${k} // ${p.one(divisors)}`,
    `${k} // 2 // 2`,
    `(${k} + 1) // 2`,
    `${k} % ${d.text}`,
    k,
  ]);

/** A factor that is read at a quotient or a remainder of k. */
function scale(p: Picks, s: string, k: string, d: Dim): string {
  const q = p.one(divisors);
  return p.one([
    `${s}[${k} // ${q}]`,
    `(${s}[${k} // ${q} - 1] ?? 0.3)`,
    `(${s}[${k} * ${q}] ?? 0.7)`,
    `(${s}[${k} // ${q} * ${q} + ${k} % 2] ?? 0.4)`,
    `${s}[${within(p, k, d)}]`,
    `f32(${k} % ${q} - 1)`,
    `(if ${k} % ${q} < 2 then 0.5 else ${s}[${k} // ${q}])`,
    `f32(${k} // ${q})`,
  ]);
}

/** `sum k. w[i, k] * (m[k, j] * s[k // 4])`. */
const blockScales: Row = (p, s) => {
  const { a, b, d } = factors(p, s);
  const rows = a.free;
  const v = s.bindings.filter((x) => x.type.dims.length === 1 && x.type.dims[0]!.text === d.text);
  if (v.length === 0) return undefined;
  const cols = b.free;
  const f = scale(p, p.one(v).name, 'k', d);
  const [left, right] = [a.at('i', 'k'), b.at('j', 'k')];
  const body = p.one([
    `${left} * (${right} * ${f})`,
    `(${left} * ${f}) * ${right}`,
    `${left} * ${right} * ${f}`,
    `(${left} + ${f}) * ${right}`,
    `${left} * (${right} - ${f})`,
    `(${f} * ${left}) * (${right} * ${f})`,
  ]);
  const text = `for i: ${rows.text}, j: ${cols.text}. (sum k: ${d.text}. ${body}) / (2 + ${d.text})`;
  return { text, type: { dims: [rows, cols] } };
};

/** Rows that are read more than once, or places inside a row that are. */
const computedOperands: Row = (p, s) => {
  const { a, b, d } = factors(p, s);
  const rows = a.free;
  const cols = b.free;
  const left = a.at(p.one(['i', within(p, 'i', rows)]), p.one(['k', within(p, 'k', d)]));
  const shift = p.one(['k - 1', 'k + 1', '2 * k', 'k - 3']);
  const right = p.one([
    b.at('j', within(p, 'k', d)),
    b.at(within(p, 'j', cols), 'k'),
    b.at(within(p, 'j', cols), within(p, 'k', d)),
    `(${b.at('j', shift)} ?? 0.1)`,
  ]);
  const body = p.one([`${left} * ${right}`, `${left} * sin(${right})`, `tanh(${left}) * ${right}`]);
  const text = `for i: ${rows.text}, j: ${cols.text}. (sum k: ${d.text}. ${body}) / (2 + ${d.text})`;
  return { text, type: { dims: [rows, cols] } };
};

/** Repeated rows, then a product: what the repeat makes is read at `i // q`. */
const repeatedRows: Row = (p, s) => {
  const { a, b, d } = factors(p, s);
  const rows = a.free;
  const q = p.one([2, 3, 4, 8]);
  if (q * rows.extent > 70) return undefined;
  const cols = b.free;
  const many: Dim = {
    text: `${q}*${factor(rows)}`,
    extent: q * rows.extent,
  };
  const made = p.one([
    `for i: ${many.text}, k: ${d.text}. ${a.at(`i // ${q}`, 'k')}`,
    `for (i: ${rows.text}, _: ${q}), k: ${d.text}. ${a.at('i', 'k')}`,
    `for (g: ${q}, i: ${rows.text}), k: ${d.text}. ${a.at('i', 'k')} * f32(g + 1)`,
  ]);
  const product = `for i, j. (sum k: ${d.text}. r[i, k] * ${b.at('j', 'k')}) / (2 + ${d.text})`;
  return { text: block(`let r = ${made}`, product), type: { dims: [many, cols] } };
};

/** A small table that is read at a remainder, inside a product or a dot product. */
const cyclic: Row = (p, s) => {
  const { a, b, d } = factors(p, s);
  const rows = a.free;
  const [v] = vector(p, s);
  const q = p.one(divisors);
  const table = `let c = for i: ${q}. 0.3 + sin(f32(i) + ${v.name}[0])`;
  const factor = p
    .one(['c[k % Q]', 'c[(k + 1) % Q]', `c[(${d.text} - 1 - k) % Q]`, 'c[(3 * k) % Q]'])
    .replace('Q', String(q));
  if (p.below(2) === 0) {
    const text = `for i: ${rows.text}. (sum k: ${d.text}. ${a.at('i', 'k')} * ${factor}) / (2 + ${d.text})`;
    return { text: block(table, text), type: { dims: [rows] } };
  }
  const cols = b.free;
  const text = `for i: ${rows.text}, j: ${cols.text}. (sum k: ${d.text}. ${a.at('i', 'k')} * (${b.at('j', 'k')} * ${factor})) / (2 + ${d.text})`;
  return { text: block(table, text), type: { dims: [rows, cols] } };
};

/** Pointwise over twice the range or the half of it: loops of vectors that start anywhere. */
const strided: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const q = p.one([2, 3, 4]);
  const many: Dim = {
    text: `${q}*${factor(d)}`,
    extent: q * d.extent,
  };
  if (many.extent > 130) return undefined;
  const wide = `let r = for i: ${many.text}. ${p.one([
    `${a.name}[i // ${q}] * f32(i % ${q} + 1)`,
    `${a.name}[i % ${d.text}] + 0.1 * f32(i // ${d.text})`,
    `(${a.name}[i - 3] ?? ${a.name}[0])`,
  ])}`;
  return p.one([
    { text: block(wide, 'for i. sin(r[i])'), type: { dims: [many] } },
    { text: block(wide, `for i: ${d.text}. r[${q}*i] - 0.5 * r[${q}*i + 1]`), type: { dims: [d] } },
    {
      text: block(wide, `for i: ${d.text}. (sum k: ${q}. r[${q}*i + k]) / ${q}`),
      type: { dims: [d] },
    },
    {
      text: block(wide, `for k: ${q}. (sum i: ${d.text}. r[(k, i)]) / (1 + ${d.text})`),
      type: { dims: [number(q)] },
    },
  ]);
};

export const productRows: Readonly<Record<string, Row>> = {
  'block scales': blockScales,
  'computed operands': computedOperands,
  'repeated rows': repeatedRows,
  'cyclic factors': cyclic,
  'strided vectors': strided,
};
