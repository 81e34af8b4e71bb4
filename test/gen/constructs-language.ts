/**
 * The constructs of random programs that are about the language more than about numbers: products
 * and sums with their facts, sizes given and by default, records in all their forms, patterns and
 * local functions, whole numbers and bools, keys. Rows as in constructs.ts, which holds the table.
 *
 * Invariant: a row uses only smooth functions of f32, or numbers that no input changes.
 */
import type { Binding, Construct, Dim, Made, Picks, Scope } from './names.ts';
import { factor, pickOne } from './names.ts';

const largest = 30;

/** A vector of the scope with its dim. */
function vector(p: Picks, s: Scope): readonly [Binding, Dim] | undefined {
  const a = pickOne(p, s, 1, 1);
  return a === undefined ? undefined : [a, a.type.dims[0]!];
}

/** A row that needs one vector. */
const ofVector =
  (row: (a: Binding, d: Dim, p: Picks, s: Scope) => Made | undefined): Construct =>
  (p, s) => {
    const v = vector(p, s);
    return v === undefined ? undefined : row(v[0], v[1], p, s);
  };

/** A row that needs one matrix. */
const ofMatrix =
  (row: (a: Binding, d: readonly [Dim, Dim], p: Picks, s: Scope) => Made | undefined): Construct =>
  (p, s) => {
    const a = pickOne(p, s, 2, 2);
    if (a === undefined) return undefined;
    const [x, y] = a.type.dims as [Dim, Dim];
    return x.extent * y.extent > largest ? undefined : row(a, [x, y], p, s);
  };

const twice = (d: Dim): Dim => ({ text: `2*${factor(d)}`, extent: 2 * d.extent });
const doubled = (d: Dim): string => `for (i: 2, j: ${d.text}).`;

/** `attention[H](...)`: a size given by position, and one by name. */
const sizesGiven = ofMatrix((a, [x, y], _p, s) => {
  s.used.add('heads');
  const flat = (z: string) => `for (i: ${x.text}, j: ${y.text}). ${z}[i, j]`;
  const text = `heads[H = ${x.text}](${flat(`heads[${x.text}](${flat(a.name)})`)})`;
  return { text, type: { dims: [x, y] } };
});

/** Sizes by default, and given instead. */
const sizesByDefault = ofVector((a, d, p, s) => {
  s.used.add('window');
  if (2 * d.extent > largest || p.below(2) === 0) {
    return { text: `window(${a.name})`, type: { dims: [d] } };
  }
  const z = p.one(['', ', Z = 1']);
  const double = `${doubled(d)} ${a.name}[j] * (1 + f32(i))`;
  return { text: `window[H = ${d.text}, S = 2${z}](${double})`, type: { dims: [d] } };
});

/** `D % 2 == 0` and `K <= N`, shown by the caller. */
const factsShown = ofVector((a, d, p, s) => {
  if (2 * d.extent > largest) return undefined;
  s.used.add('evens');
  s.used.add('firstOf');
  const double = p.one([`${doubled(d)} ${a.name}[j] + 0.3 * f32(i)`, `[..${a.name}, ..${a.name}]`]);
  const text = p.one([
    `evens(firstOf[K = 2*${factor(d)}](${double}))`,
    `firstOf[K = ${d.text}]([..evens(${double}), 0.2])`,
  ]);
  return { text, type: { dims: [d] } };
});

/** `D % H == 0` gives rows of D/H elements. */
const quotientSize = ofVector((a, d, p, s) => {
  if (2 * d.extent > largest) return undefined;
  s.used.add('rowsOf');
  const double = `${doubled(d)} ${a.name}[j] + 0.3 * f32(i)`;
  return { text: `rowsOf[H = 2](${double})[${p.below(2)}]`, type: { dims: [d] } };
});

/** `x[i // 2] * f32(i % 2)` over twice the range, and places whose remainder keeps a digit. */
const quotients = ofVector((a, d, p) => {
  if (2 * d.extent > largest) return undefined;
  const two: Dim = { text: '2', extent: 2 };
  return p.one<Made>([
    {
      text: `for i: ${twice(d).text}. ${a.name}[i // 2] * (0.5 + f32(i % 2))`,
      type: { dims: [twice(d)] },
    },
    {
      text: `(v -> for i: ${d.text}, j: 2. v[(2*i + j + 2) % (${twice(d).text})])(
    for (i: ${d.text}, j: 2). ${a.name}[i] * (1 - 0.4 * f32(j)))`,
      type: { dims: [d, two] },
    },
  ]);
});

const tupleBinders = ofMatrix((a, [x, y], p) => {
  const text = p.one([
    `sum (i: ${x.text}, j: ${y.text}). 0.1 * ${a.name}[i, j]`,
    `mean (i: ${x.text}, j: ${y.text}). ${a.name}[i, j]`,
  ]);
  return { text, type: { dims: [] } };
});

/** Labels that are numbers: `mlp.0`. */
const numericLabels: Construct = (p, s) => {
  const a = pickOne(p, s, 0);
  if (a === undefined) return undefined;
  const made = `{ 0: ${a.name}, 1: { 2: ${a.name} } }`;
  return { text: `(r -> each u, v in r.0, r.1.2. u - 0.3 * v)(${made})`, type: a.type };
};

/** An array of records, read field by field or as a whole. */
const arrayOfRecords = ofVector((a, d, p) => {
  const read = p.one([
    'tanh(rs[i].u) * rs[i].v[1]',
    '(r -> sin(r.u) + r.v[0])(rs[i])',
    '(sum t in rs[i]. 0.2 * t)',
  ]);
  const made = `for i: ${d.text}. { u: ${a.name}[i], v: [0.3, ${a.name}[i]] }`;
  return { text: `(rs -> for i: ${d.text}. ${read})(${made})`, type: { dims: [d] } };
});

/** A fold over an array of records, which are layers. */
const layers = ofVector((a, d) => ({
  text: `(ps -> fold h = ${a.name} for l. for j. tanh(ps[l].scale * h[j] + ps[l].shift))(
    for i: ${d.text}. { scale: 0.7 * ${a.name}[i], shift: 0.1 })`,
  type: { dims: [d] },
}));

/** A leaf that `each` copies and reductions skip. */
const fixedLeaf = ofVector((a, d, p, s) => {
  s.used.add('fixed');
  const text = p.one([
    `damped({ w: ${a.name}, scale: for i: ${d.text}. 0.5 * ${a.name}[i] }).w`,
    `damped({ w: ${a.name}, scale: ${a.name} }).scale`,
  ]);
  return { text, type: { dims: [d] } };
});

/** A record type as a parameter, a function as a parameter. */
const generic = ofVector((a, d, p, s) => {
  s.used.add('fns');
  const r = `{ u: ${a.name}, v: 0.4 }`;
  const text = p.one([
    `apply(r -> { u: (for i. r.v * r.u[i]), v: r.v }, ${r}).u`,
    `apply(r -> each t in r. 0.5 * sin(t), ${r}).u`,
  ]);
  return { text, type: { dims: [d] } };
});

/** A block in parentheses: `let`s with a pattern, a function and a type. */
const block = ofVector((a, d) => {
  const lines = [
    `let { u, v: w } = { u: ${a.name}, v: 0.3 }`,
    'let g = (x, y) -> sin(x) * y',
    `let h: f32[${d.text}] = for i. g(u[i], 0.5)`,
    'for i. w * h[i] + g(0.2, u[i])',
  ];
  return { text: `(\n    ${lines.join('\n    ')})`, type: { dims: [d] } };
});

/** Arguments by default and by name. */
const argumentsNamed = ofVector((a, d, _p, s) => {
  s.used.add('fns');
  return { text: `scaled(scaled(${a.name}), by = 0.8)`, type: { dims: [d] } };
});

/** Functions with steps and edges, away from them. */
const edges = ofVector((a, d) => ({
  text: `for i: ${d.text}. (1.7 + ${a.name}[i]^2)^0.3 * max(floor(3.1 * ${a.name}[i] + 0.0571), min(sign(${a.name}[i]), 0.4))`,
  type: { dims: [d] },
}));

/** Every reduction that has a derivative. */
const reductions = ofVector((a) => ({
  text: `(prod i. tanh(${a.name}[i])) + (min i. ${a.name}[i]) - 0.3 * (mean i. ${a.name}[i])`,
  type: { dims: [] },
}));

/** i32 and u32 with their operators; no input changes them. */
const wholeNumbers = ofVector((a, d, p) => {
  const n = p.one(['3 * i - 1', '(i + 2)^2 // 3', '(5 - i) % 3', 'abs(i - 2)', 'min(i, 2)']);
  const u = p.one(['u32(i) * 2 + 1', 'i32(u32(i)) - 4']);
  return {
    text: `for i: ${d.text}. 0.1 * (f32(${n}) - f32(${u})) * ${a.name}[i]`,
    type: { dims: [d] },
  };
});

/** `and`, `or`, `not` and comparisons of indices. */
const logic = ofVector((a, d, p) => {
  const c = p.one([
    'i < j or not i >= 1',
    'i != j and i + j > 1',
    'i == j and not (i > 2 or j > 2)',
    '(all k: 2. i + k > j)',
    `(any k: ${d.text}. k == i and k == j)`,
  ]);
  return {
    text: `for i, j. if ${c} then ${a.name}[i] else 0.3 * ${a.name}[j]`,
    type: { dims: [d, d] },
  };
});

/** `f32` of a bool counts it as 1. */
const counted = ofVector((a, d) => ({
  text: `for i: ${d.text}. ${a.name}[i] * (sum j: ${d.text}. f32(j <= i)) / ${d.text}`,
  type: { dims: [d] },
}));

/** Elements one by one, and rows. */
const arrays = ofVector((a, d, p) => {
  const two: Dim = { text: '2', extent: 2 };
  return p.one<Made>([
    { text: `[sum i. 0.1 * ${a.name}[i], 0.4]`, type: { dims: [two] } },
    { text: `[${a.name}, each v in ${a.name}. 0.5 * v]`, type: { dims: [two, d] } },
    { text: `([[0.2, 0.4], [0.1, 0.3]])[1]`, type: { dims: [two] } },
  ]);
});

/** A random index, and a function that gives keys. */
const keys = ofVector((a, d, p) => {
  const text = p.one([
    `for i: ${d.text}. ${a.name}[randint(split(seed, 7), i)] * 0.9`,
    `(ks -> for i: ${d.text}. ${a.name}[i] * uniform(ks(i), 0))(i -> split(seed, i))`,
  ]);
  return { text, type: { dims: [d] } };
});

/** Draws and zeros in the form of a tree. */
const likeTrees = ofVector((a, d) => ({
  text: `each v, n, z in ${a.name}, normalLike(split(seed, 8), ${a.name}), zerosLike(${a.name}). v + 0.1 * n + z`,
  type: { dims: [d] },
}));

/** A scan that carries a record: one field stacked. */
const scannedRecord = ofVector((a, d) => ({
  text: `(cs -> for i: ${d.text}. cs[i].u * 0.5 + cs[wrap(2 * i32(labels[0]) + i)].v)(
    scan { u, v } = { u: 0.3, v: 0.1 } for l: ${d.text}. { u: sin(u + ${a.name}[l]), v: 0.5 * v + 0.1 * u })`,
  type: { dims: [d] },
}));

/** The value beside the gradient. */
const valueAndGradient = ofVector((a, d, p) => {
  const made = `valueGrad(x -> sum i. sin(x[i]), ${a.name})`;
  const text = p.one([
    `(r -> for i: ${d.text}. 0.1 * r.value + r.gradient[i])(${made})`,
    `(\n    let { value, gradient } = ${made}\n    for i. value * 0.1 + gradient[i])`,
  ]);
  return { text, type: { dims: [d] } };
});

/** Reads of part of a dimension, and of a row with a fallback. */
const reads = ofMatrix((a, [x, y], p) =>
  p.one<Made>([
    {
      text: `for i: ${x.text}. each v in (${a.name}[i - 1] ?? 0.2). 0.8 * v`,
      type: { dims: [x, y] },
    },
    {
      text: `for j: ${y.text}. sum i: ${x.text}. 0.2 * ${a.name}[i, ${y.text} - 1 - j]`,
      type: { dims: [y] },
    },
  ]),
);

/** A tuple in a tuple, whose ranges follow from the written form of the dimension. */
const nestedTuples = ofMatrix((a, [x, y], _p, s) => {
  if (2 * x.extent * y.extent > largest) return undefined;
  s.used.add('nested');
  return {
    text: `unnested[P = ${x.text}, Q = ${y.text}](nested(${a.name}))`,
    type: { dims: [y, x] },
  };
});

/** A size that is a product by a fact: `N == P*Q`. */
const productFact = ofMatrix((a, [x, y], _p, s) => {
  s.used.add('gridOf');
  const flat = `for (i: ${x.text}, j: ${y.text}). ${a.name}[i, j]`;
  return { text: `gridOf[P = ${x.text}, Q = ${y.text}](${flat})`, type: { dims: [x, y] } };
});

/** A function chosen by what no input changes: both are called. */
const chosenFunction = ofVector((a, d, p) => {
  const c = p.one([
    'split(seed, 1) == split(seed, i)',
    'uniform(split(seed, 9), i) < 0.5 and split(seed, 1) != split(seed, i)',
  ]);
  const lines = [`let f: f32 -> f32 = if ${c} then sin else v -> 0.5 * v`, `f(${a.name}[i])`];
  return { text: `for i: ${d.text}. (\n    ${lines.join('\n    ')})`, type: { dims: [d] } };
});

/** The diagonal of a matrix of second derivatives. */
const secondDerivative = ofVector((a, d) => {
  if (d.extent > 6) return undefined;
  const gradient = 'grad(y -> sum j. sin(y[j]) * y[0], x)';
  return {
    text: `for i: ${d.text}. 0.3 * grad(x -> ${gradient}[i], ${a.name})[i]`,
    type: { dims: [d] },
  };
});

/** A value of the module, made when it is compiled. */
const table = ofVector((a, d, _p, s) => {
  s.used.add('table');
  return { text: `for i: ${d.text}. ${a.name}[i] * table[(i + 2) % 4]`, type: { dims: [d] } };
});

export const languageConstructs: Readonly<Record<string, Construct>> = {
  sizesGiven,
  sizesByDefault,
  factsShown,
  quotientSize,
  quotients,
  tupleBinders,
  numericLabels,
  arrayOfRecords,
  layers,
  fixedLeaf,
  generic,
  block,
  argumentsNamed,
  edges,
  reductions,
  wholeNumbers,
  logic,
  counted,
  arrays,
  keys,
  likeTrees,
  scannedRecord,
  valueAndGradient,
  reads,
  nestedTuples,
  productFact,
  chosenFunction,
  secondDerivative,
  table,
};
