/**
 * The constructs of random programs that are about what a loop carries: folds and scans of vectors and
 * records and keys, in each other, in a `for`, with derivatives inside. Rows as in constructs.ts,
 * which holds the table.
 *
 * Invariant: every carry stays bounded, whatever it starts from.
 */
import type { Construct, Dim } from './names.ts';
import { binders, over, pair, pickOne, read } from './names.ts';

const folded: Construct = (p, s) => {
  const two = pair(p, s, 1);
  if (two === undefined) return undefined;
  const [a, b] = two;
  const n = binders(a.type.dims);
  const step = over(
    n,
    a.type.dims,
    `tanh(${read({ ...a, name: 'h' }, n)} * 0.8 + 0.3 * ${read(b, n)})`,
  );
  return { text: `fold h = ${a.name} for l: ${p.one(['2', '3'])}. ${step}`, type: a.type };
};

/** Over the rows of a matrix, with a record as the carry. */
const foldedRows: Construct = (p, s) => {
  const a = pickOne(p, s, 2, 2);
  if (a === undefined) return undefined;
  const [rows, cols] = a.type.dims as [Dim, Dim];
  return {
    text: `(fold { u, v } = { u: for j: ${cols.text}. 0.1, v: 0.2 } for l: ${rows.text}.
    { u: for j: ${cols.text}. sin(u[j] + ${a.name}[l, j]) * v, v: tanh(v + (mean j. u[j])) }).u`,
    type: { dims: [cols] },
  };
};

/** A carry that is a number, and one that is a vector: its values are stacked. */
const scanned: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  const two: Dim = { text: '2', extent: 2 };
  return p.one([
    { text: `scan c = 0.3 for l: ${d.text}. 0.6 * c + sin(${a.name}[l])`, type: a.type },
    {
      text: `scan c = ${a.name} for l: 2. for i: ${d.text}. sin(c[i]) * (1 - 0.2 * f32(l)) + 0.1 * ${a.name}[i]`,
      type: { dims: [two, d] },
    },
  ]);
};

/** A fold inside a for is one fold over a batched carry. */
const batchedFold: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  return {
    text: `for i: ${d.text}. fold c = ${a.name}[i] for _: 3. cos(c) * 0.9 + 0.1`,
    type: a.type,
  };
};

/** A loop in a loop, whose inner one begins with what the outer one carries. */
const nestedLoops: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  const text = p.one([
    `fold h = ${a.name} for l: 2. fold g = h for m: 2. for i: ${d.text}. sin(g[i] + 0.2 * h[i] * f32(l + m))`,
    `fold h = ${a.name} for l: 2. scan c = h[0] for i: ${d.text}. 0.4 * c + cos(h[i])`,
    `fold h = ${a.name} for l: 2. checkpoint(u -> for i: ${d.text}. sin(u[i]) * (mean j. u[j]), h)`,
  ]);
  return { text, type: a.type };
};

/** Steps of gradient descent, and of a Newton iteration for a root. */
const descent: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  const text = p.one([
    `fold x = ${a.name} for l: 2. each u, g in x, grad(z -> sum i. sin(z[i]) * ${a.name}[i], x). 0.8 * u - 0.1 * g`,
    `for i: ${d.text}. fold r = 1.5 for _: 2. r - (r^2 - 2 - tanh(${a.name}[i])) / grad(z -> z^2 + 0.5, r)`,
  ]);
  return { text, type: a.type };
};

/** A walk: a key, a count, a choice or a place is carried beside the values. */
const walk: Construct = (p, s) => {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  const text = p.one([
    `(fold { h, k } = { h: ${a.name}, k: split(seed, ${p.below(5)}) } for l: 2.
    { h: for i: ${d.text}. 0.7 * sin(h[i]) + 0.3 * uniform(k, i), k: split(k, 1) }).h`,
    `(fold { h, n, on } = { h: ${a.name}, n: 0, on: true } for l: 3.
    { h: for i: ${d.text}. if on then sin(h[i]) else h[i] * 0.5 + 0.1 * f32(n), n: n + 2, on: n < 1 }).h`,
    `(fold { h, at } = { h: ${a.name}, at: labels[0] } for l: ${s.sizes[1]!.text}.
    { h: for i: ${d.text}. 0.6 * sin(h[i]) + (h[at - 1] ?? 0.2), at: labels[l] }).h`,
  ]);
  return { text, type: a.type };
};

export const loopConstructs: Readonly<Record<string, Construct>> = {
  folded,
  foldedRows,
  scanned,
  batchedFold,
  nestedLoops,
  descent,
  walk,
};
