/**
 * The constructs of random programs: each row makes one binding of the language's own syntax from
 * what is live, well-typed by construction. Numbers stay near one: every row ends in a bounded map
 * or an average.
 *
 * Invariant: a row that cannot be used (no operand of its rank) gives undefined and is passed over.
 */
import { languageConstructs } from './constructs-language.ts';
import { loopConstructs } from './constructs-loops.ts';
import { readConstructs } from './constructs-reads.ts';
import type { Construct, Dim, Made, Picks, Scope } from './names.ts';
import { binders, factor, ofRank, over, pair, pickOne, read, sameDim } from './names.ts';

const smooth: readonly ((x: string, y: string) => string)[] = [
  (x, y) => `tanh(${x} + ${y})`,
  (x, y) => `sin(${x}) * cos(${y})`,
  (x, y) => `${x} * ${y} / (1 + ${y}^2)`,
  (x, y) => `exp(-(${x}^2)) - 0.5 * ${y}`,
  (x, y) => `0.3 * ${x} - erf(${y})`,
  (x, y) => `sqrt(1 + ${x}^2) / (2 + abs(${y} + 0.1234))`,
  (x, y) => `log(2 + ${x}^2) + 0.1 * ${y}`,
  (x, y) => `(1.5 + 0.3 * ${x}^2)^(0.4 * ${y}) - 2^${x} / 4`,
  (x, y) => `min(${x}, 0.7 * ${y} + 0.0917) - max(0.3 * ${y}, ${x} - 0.2113)`,
  (x, y) => `${x} * floor(3.1 * ${y} + 0.0571) - 0.2 * sign(${y}) + (1.7 + ${x}^2)^0.3`,
];

function pointwise(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s);
  if (two === undefined) return undefined;
  const [a, b] = two;
  const n = binders(a.type.dims);
  return {
    text: over(n, a.type.dims, p.one(smooth)(read(a, n), read(b, n))),
    type: a.type,
  };
}

function permuted(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 2);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  const order = [...n.keys()].reverse();
  const dims = order.map((k) => a.type.dims[k]!);
  return {
    text: over(
      order.map((k) => n[k]!),
      dims,
      read(a, n),
    ),
    type: { dims },
  };
}

function reduced(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 1);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  const k = p.below(n.length);
  const rest = n.filter((_, i) => i !== k);
  const dims = a.type.dims.filter((_, i) => i !== k);
  const body = p.one([
    (x: string) => `mean ${n[k]}. ${x}`,
    (x: string) => `0.3 * (sum ${n[k]}. ${x}^2)`,
    // Some of the iterations make no difference.
    (x: string) => `0.2 * (sum ${n[k]}, _: 3. ${x})`,
    (x: string) => `max ${n[k]}. ${x}`,
    (x: string) => `min ${n[k]}. ${x}`,
    (x: string) => `prod ${n[k]}. tanh(${x})`,
  ])(read(a, n));
  return { text: over(rest, dims, `(${body})`), type: { dims } };
}

function contracted(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 2, 2);
  if (a === undefined) return undefined;
  const [i, k] = a.type.dims as [Dim, Dim];
  const others = ofRank(s, 1, 2).filter((b) => sameDim(b.type.dims[0]!, k));
  if (others.length === 0) return undefined;
  const b = p.one(others);
  const j = b.type.dims[1];
  const dims = j === undefined ? [i] : [i, j];
  const y = j === undefined ? `${b.name}[k]` : `${b.name}[k, j]`;
  const text = over(
    ['i', 'j'].slice(0, dims.length),
    dims,
    `tanh(sum k: ${k.text}. ${a.name}[i, k] * ${y})`,
  );
  return { text, type: { dims } };
}

const product = (a: Dim, b: Dim): Dim => ({
  text: `${factor(a)}*${factor(b)}`,
  extent: a.extent * b.extent,
});

function merged(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 2, 2);
  if (a === undefined) return undefined;
  const [x, y] = a.type.dims as [Dim, Dim];
  if (x.extent * y.extent > 30) return undefined;
  return {
    text: `for (i: ${x.text}, j: ${y.text}). ${a.name}[i, j]`,
    type: { dims: [product(x, y)] },
  };
}

/** A merged dim read as a pair again, the factors in either order. */
function split(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 2, 2);
  if (a === undefined) return undefined;
  const [x, y] = a.type.dims as [Dim, Dim];
  if (x.extent * y.extent > 30) return undefined;
  const [u, v] = p.below(2) === 0 ? [x, y] : [y, x];
  const whole = `for (i: ${u.text}, j: ${v.text}). ${a.name}[${u === x ? 'i, j' : 'j, i'}]`;
  return {
    text: `(z -> for i: ${u.text}, j: ${v.text}. z[(i, j)])(${whole})`,
    type: { dims: [u, v] },
  };
}

function concatenated(p: Picks, s: Scope): Made | undefined {
  const all = ofRank(s, 1, 1);
  if (all.length === 0) return undefined;
  const [a, b] = [p.one(all), p.one(all)];
  const [x, y] = [a.type.dims[0]!, b.type.dims[0]!];
  if (x.extent + y.extent > 30) return undefined;
  const text = `for i: ${x.text} + ${y.text}. sin([..${a.name}, ..${b.name}][i])`;
  const count = s.sizes[1]!;
  return p.one<Made>([
    {
      text: `[0.25, ..${a.name}]`,
      type: { dims: [{ text: `1 + ${x.text}`, extent: 1 + x.extent }] },
    },
    { text, type: { dims: [{ text: `${x.text} + ${y.text}`, extent: x.extent + y.extent }] } },
    {
      text: `for i: ${count.text}. ([..${a.name}, ..${b.name}])[wrap(i32(labels[i]) + 2)]`,
      type: { dims: [count] },
    },
  ]);
}

/** Both sides of a concatenation. */
function sides(p: Picks, s: Scope): Made | undefined {
  const all = ofRank(s, 1, 1);
  if (all.length === 0) return undefined;
  const [a, b] = [p.one(all), p.one(all)];
  const [x, y] = [a.type.dims[0]!, b.type.dims[0]!];
  const side = p.below(2) === 0 ? { d: x, w: 'left' } : { d: y, w: 'right' };
  return {
    text: `(both -> for i: ${side.d.text}. both[${side.w} i])(([..${a.name}, ..${b.name}]))`,
    type: { dims: [side.d] },
  };
}

function rounded(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 0);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  return {
    text: over(n, a.type.dims, `${p.one(['f16', 'bf16'])}(${read(a, n)}) * 0.9`),
    type: a.type,
  };
}

/** A condition over a whole tensor, and one that folds with the sizes. */
function conditions(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s, 1);
  if (two === undefined || two[0].type.dims.length !== 1) return undefined;
  const [a, b] = two;
  const d = a.type.dims[0]!;
  const cond = p.one([
    `(any i. ${b.name}[i] > 0.5713)`,
    `(all i. ${b.name}[i] < 1.7131)`,
    `${d.text} > 2`,
  ]);
  return {
    text: `if ${cond} then (for i: ${d.text}. sin(${a.name}[i])) else (for i: ${d.text}. 0.5 * ${b.name}[i])`,
    type: a.type,
  };
}

function reverseProduct(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s, 1);
  if (two === undefined) return undefined;
  const [a, b] = two;
  const both = `r -> { u: each v, w in r.p, r.q. v * cos(w), s: sum v in r. sin(v) }`;
  const text = p.one([
    `vjp(x -> each v in x. v * cos(v), ${a.name}, ${b.name}).gradient`,
    `vjp(${both}, { p: ${a.name}, q: ${b.name} }, { u: ${b.name}, s: 0.2 }).gradient.q`,
  ]);
  return { text, type: a.type };
}

function selected(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s);
  if (two === undefined) return undefined;
  const [a, b] = two;
  const n = binders(a.type.dims);
  const onIndex = n.length > 0 && p.below(2) === 0;
  const cond = onIndex ? `f32(${n[0]}) < 1` : `${read(b, n)} > 0.3712`;
  const text = `if ${cond} then ${read(a, n)} * 0.7 else sin(${read(b, n)})`;
  return { text: over(n, a.type.dims, text), type: a.type };
}

function called(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  s.used.add('fns');
  const text = p.one([
    `soft(${a.name})`,
    `apply(x -> for i. x[i]^2 - 0.5 * x[i], ${a.name})`,
    `scaled(${a.name}, by = 0.4)`,
    `scaled(${a.name})`,
  ]);
  return { text, type: a.type };
}

function recorded(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s, 0);
  if (two === undefined) return undefined;
  const [a, b] = two;
  const text = p.one([
    `(each u, v in { a: ${a.name}, b: { c: ${b.name} } }, { a: ${b.name}, b: { c: ${a.name} } }. u * 0.5 - v).b.c`,
    `({ a: ${a.name}, b: ${b.name} }).a`,
  ]);
  return { text, type: a.type };
}

function treeSum(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s, 0);
  if (two === undefined) return undefined;
  const [a, b] = two;
  return {
    text: `${p.one(['mean', 'mean', 'max'])} v in { a: ${a.name}, b: { c: ${b.name} } }. sin(v)`,
    type: { dims: [] },
  };
}

function stopped(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 0);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  const x = read(a, n);
  return { text: over(n, a.type.dims, `${x} * stop(cos(${x}))`), type: a.type };
}

function checkpointed(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  return { text: `checkpoint(u -> each v in u. sin(v) * exp(-(v^2)), ${a.name})`, type: a.type };
}

function custom(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 0);
  if (a === undefined) return undefined;
  s.used.add('custom');
  const n = binders(a.type.dims);
  const text = p.one([
    over(n, a.type.dims, `cubed(${read(a, n)}) * 0.2`),
    n.length === 1 ? `spread(${a.name}, 0.3)` : `0.4 * ${a.name}`,
    `fold h = ${a.name} for l: 2. each v in h. 0.5 * sin(cubed(v))`,
  ]);
  return { text, type: a.type };
}

function drawn(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 1, 2);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  const counter = n.length === 1 ? n[0] : `(${n.join(', ')})`;
  const kind = p.one(['normal', 'uniform']);
  return {
    text: over(n, a.type.dims, `${read(a, n)} * ${kind}(split(seed, ${p.below(5)}), ${counter})`),
    type: a.type,
  };
}

function nestedGradient(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  return { text: `grad(x -> sum i. sin(x[i]) * x[i], ${a.name})`, type: a.type };
}

function forwardDerivative(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s, 1);
  if (two === undefined) return undefined;
  const [a, b] = two;
  return { text: `jvp(x -> each v in x. tanh(v), ${a.name}, ${b.name}).tangent`, type: a.type };
}

function wholeArithmetic(p: Picks, s: Scope): Made | undefined {
  const two = pair(p, s);
  if (two === undefined) return undefined;
  const [a, b] = two;
  const text = p.one([
    `0.5 * ${a.name} - ${b.name}`,
    `0 - ${a.name}`,
    `-(${a.name} - ${b.name}) / 2`,
  ]);
  return { text, type: a.type };
}

function indexNumbers(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const d = a.type.dims[0]!;
  return { text: `for i: ${d.text}. ${a.name}[i] * f32(i % 2) + f32(i) / ${d.text}`, type: a.type };
}

function partialRow(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 2, 2);
  if (a === undefined) return undefined;
  const [rows, cols] = a.type.dims as [Dim, Dim];
  return {
    text: `for i: ${rows.text}. each v in ${a.name}[i]. v * 0.9`,
    type: { dims: [rows, cols] },
  };
}

/** The branch that is not taken has no value there: no NaN of it may reach a derivative. */
function untaken(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 0);
  if (a === undefined) return undefined;
  const n = binders(a.type.dims);
  const x = read(a, n);
  const text = p.one([
    `if ${x} > 0.2137 then sqrt(${x} - 0.1) else 0.3 * ${x}`,
    `if ${x} < 0.6171 then 0.5 * ${x} else log(${x} - 0.2)`,
    // Used in two branches, of which neither may be taken.
    `(r -> (if ${x} > 0.2137 then r else 0.3) * (if ${x} > 0.5371 then 0.5 * r else ${x}))(sqrt(${x} - 0.1))`,
  ]);
  return { text: over(n, a.type.dims, text), type: a.type };
}

/** The same where what has no value is a statement of its own: a sum, or what needs fewer axes. */
function untakenParts(p: Picks, s: Scope): Made | undefined {
  const a = pickOne(p, s, 1, 1);
  if (a === undefined) return undefined;
  const b = p.one(ofRank(s, 1, 1));
  const [d, k] = [a.type.dims[0]!, b.type.dims[0]!];
  const x = `${a.name}[i]`;
  const sum = `sum k: ${k.text}. sqrt(${x}^2 - 0.04 + 0.001 * sin(${b.name}[k]))`;
  return p.one<Made>([
    {
      text: `for i: ${d.text}. (r -> (if ${x} > 0.4171 then 0.2 * r else 0.3) + (if ${x} < -0.6371 then 0.1 * r * ${x} else 0.2))(${sum})`,
      type: { dims: [d] },
    },
    {
      text: `(
    let r = for i: ${d.text}. ${sum}
    let u = for i: ${d.text}. if ${x} > 0.4171 then 0.2 * r[i] else 0.3
    let v = for i: ${d.text}. if ${x} < -0.6371 then 0.1 * r[i] * ${x} else 0.2
    for i. u[i] * v[i] + u[i])`,
      type: { dims: [d] },
    },
    {
      text: `for i: ${d.text}, k: ${k.text}. if ${x} > 0.2137 then sqrt(${x} - 0.1) * ${b.name}[k] else 0.3 * ${x}`,
      type: { dims: [d, k] },
    },
  ]);
}

export const constructs: Readonly<Record<string, Construct>> = {
  pointwise,
  permuted,
  reduced,
  contracted,
  merged,
  split,
  concatenated,
  sides,
  selected,
  called,
  recorded,
  treeSum,
  stopped,
  checkpointed,
  custom,
  drawn,
  nestedGradient,
  forwardDerivative,
  wholeArithmetic,
  indexNumbers,
  partialRow,
  rounded,
  conditions,
  reverseProduct,
  untaken,
  untakenParts,
  ...readConstructs,
  ...loopConstructs,
  ...languageConstructs,
};
