/**
 * The constructs of random programs that are about the place that is read: mirrored, padded, strided,
 * around a ring, of a quotient, on a diagonal, clamped, taken from data, in a loop or outside one.
 * Rows as in constructs.ts, which holds the table.
 *
 * Invariant: every place is proved in range by the checker or has a fallback.
 */
import type { Binding, Construct, Dim, Made, Picks, Scope } from './names.ts';
import { binders, ofRank, over, pickOne, read, sameDim } from './names.ts';

const flipped: Construct = (p, s) => {
  const a = pickOne(p, s, 1);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  const d = a.type.dims[0]!;
  return {
    text: over(n, a.type.dims, read(a, [`${d.text} - 1 - i`, ...n.slice(1)])),
    type: a.type,
  };
};

const padded: Construct = (p, s) => {
  const a = pickOne(p, s, 1);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  const shift = p.one(['i - 1', 'i + 1', 'i + 2', '(2*i - 3) // 2', '(i - 1) // 2', 'i*i - 1']);
  const other = p.one(['0', '0.5']);
  return {
    text: over(n, a.type.dims, `(${read(a, [shift, ...n.slice(1)])} ?? ${other})`),
    type: a.type,
  };
};

/** A convolution over the first dim. */
const strided: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 2);
  if (a === undefined) return undefined;
  const d = p.one(s.sizes);
  const dims = [d, ...a.type.dims.slice(1)];
  const n = binders(dims);
  // The second skips every other element between the places that it reads; in the third, windows
  // that overlap read in turns.
  const [place, width] = p.one([
    ['2*i + a - 1', 2],
    ['4*i + 2*a - 1', 2],
    ['3*i + 2*a - 1', 4],
  ] as const);
  const x = read(a, [place, ...n.slice(1)]);
  return {
    text: over(n, dims, `0.4 * (sum a: ${width}. (1 + 0.2 * f32(a)) * (${x} ?? 0))`),
    type: { dims },
  };
};

/** A function of what a window reads, also of its edge. */
const windowed: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  const f = p.one(['cos', 'tanh', 'exp']);
  const x = `${a.name}[i + k - 1]`;
  const over = (body: string) => `for i: ${d.text}. 0.3 * (sum k: 3. ${body})`;
  const text = p.one([
    over(`${f}(0.5 * (${x} ?? 0))`),
    over(`(${f}(0.3 * (${x} ?? 0.2)) - ${a.name}[i])`),
    `(v -> for i: ${d.text}. 0.4 * (v[i - 1] ?? 0) + 0.1)(for i: ${d.text}. ${f}(${a.name}[i]))`,
  ]);
  return { text, type: { dims: [d] } };
};

/** Around the ring: a circular convolution, and places that wrap once or often. */
const circular: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  const b = p.one(ofRank(s, 1, 1));
  const k = b.type.dims[0]!;
  const ring = (place: string) => `${a.name}[(${place}) % (${d.text})]`;
  const around = (place: string) =>
    `for i: ${d.text}. 0.3 * (sum k: ${k.text}. ${ring(place)} * ${b.name}[k])`;
  const text = p.one([
    around('i - k'),
    around('i - 2*k'),
    around('3*k - i'),
    around('(i - 2*k) // 3'),
    `for i: ${d.text}. ${ring('2 - 3*i')} * 0.8`,
    `for i: ${d.text}. ${ring('2*i + 1')} * ${ring('i - 4')}`,
  ]);
  return { text, type: { dims: [d] } };
};

/** A transposed convolution: the quotient of a difference, where it is one. */
const dilated: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = p.one(s.sizes);
  const [place, whole] = p.one([
    ['(i - k) // 2', '(i - k) % 2 == 0'],
    ['(i + 1 - 2*k) // 3', '(i + 1 - 2*k) % 3 == 0'],
    ['(2*i - k) // 3', '(2*i - k) % 3 < 2'],
  ] as const);
  const x = `(${a.name}[${place}] ?? 0)`;
  return {
    text: `for i: ${d.text}. 0.4 * (sum k: 3. if ${whole} then ${x} * (1 + f32(k)) else 0)`,
    type: { dims: [d] },
  };
};

const diagonal: Construct = (p, s) => {
  const square = ofRank(s, 2, 2).filter((b) => sameDim(b.type.dims[0]!, b.type.dims[1]!));
  if (square.length > 0) {
    const a = p.one(square);
    const d = a.type.dims[0]!;
    return { text: `for i: ${d.text}. ${a.name}[i, i]`, type: { dims: [d] } };
  }
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  return {
    text: `for i: ${d.text}, j: ${d.text}. ${a.name}[i] * sin(${a.name}[j])`,
    type: { dims: [d, d] },
  };
};

/** Operands whose first dim is the range of the labels. */
const labelled = (s: Scope, max: number) =>
  ofRank(s, 1, max).filter((b) => sameDim(b.type.dims[0]!, s.sizes[0]!));

const gathered: Construct = (p, s) => {
  const all = labelled(s, 2);
  if (all.length === 0) return undefined;
  const a = p.one(all);
  const dims = [s.sizes[1]!, ...a.type.dims.slice(1)];
  const n = binders(dims);
  const at = (x: Binding, place: string) => read(x, [place, ...n.slice(1)]);
  const computed = (place: string) => over(n, dims, `(${at(a, place)} ?? 0.3)`);
  const padded = over(n, a.type.dims, `(${at(a, 'i - 1')} ?? 0)`);
  const text = p.one([
    over(n, dims, at(a, 'labels[i]')),
    over(
      n,
      dims,
      read(a, ['labels[i]', ...n.slice(1).map((j, k) => `${dims[k + 1]!.text} - 1 - ${j}`)]),
    ),
    computed('labels[i] - 1'),
    computed('2 * i32(labels[i]) - i'),
    `(v -> ${over(n, dims, at({ ...a, name: 'v' }, 'labels[i]'))})(${padded})`,
  ]);
  return { text, type: { dims } };
};

/** Places from data inside loops that carry something. */
function gatheredInLoop(p: Picks, s: Scope): Made | undefined {
  const all = labelled(s, 1);
  if (all.length === 0) return undefined;
  const a = p.one(all);
  const [rows, count]: readonly Dim[] = s.sizes as [Dim, Dim];
  return p.one<Made>([
    {
      text: `fold h = ${a.name} for l: ${count!.text}. for i: ${rows!.text}. tanh(0.7 * h[i] + 0.4 * h[labels[l]] * ${a.name}[i])`,
      type: { dims: [rows!] },
    },
    {
      text: `scan c = 0.2 for l: ${count!.text}. 0.5 * c * ${a.name}[labels[l]] + sin(${a.name}[labels[l]])`,
      type: { dims: [count!] },
    },
  ]);
}

const atMaximum: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const b = p.one(ofRank(s, 1, 1).filter((x) => sameDim(x.type.dims[0]!, a.type.dims[0]!)));
  const op = p.one(['argmax', 'argmin']);
  const matrix = pickOne(p, s, 2, 2)!;
  const [x, y] = matrix.type.dims as [Dim, Dim];
  const pairs = `(i: ${x.text}, j: ${y.text}). ${matrix.name}[i, j]`;
  const text = p.one([
    `${a.name}[${op} i. ${b.name}[i]]`,
    `(for ${pairs} * 0.7)[${op} ${pairs}] * (mean i. ${a.name}[i])`,
  ]);
  return { text, type: { dims: [] } };
};

const clamped: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const [d, count] = [a.type.dims[0]!, s.sizes[1]!];
  const f = p.one(['clamp', 'wrap']);
  const at = (place: string) => `${a.name}[${f}(${place})]`;
  return p.one<Made>([
    { text: `for i: ${d.text}. ${at('2*i + 1')}`, type: a.type },
    { text: `for i: ${count.text}. ${at('3 * i32(labels[i]) - 2')}`, type: { dims: [count] } },
    { text: `for i: ${d.text}. ${at(`i32(floor(2.3 * ${a.name}[i] + 0.1171))`)}`, type: a.type },
  ]);
};

export const readConstructs: Readonly<Record<string, Construct>> = {
  flipped,
  padded,
  strided,
  windowed,
  circular,
  dilated,
  diagonal,
  gathered,
  gatheredInLoop,
  atMaximum,
  clamped,
};
