/**
 * What loops carry: parts of a whole, views of it, what no step reads, what is only handed on, swapped
 * or rotated fields, carries that begin as the same tensor or as an input; even and odd numbers of steps,
 * none and one among them.
 */
import { type Dim, factor, type Picks } from '../gen/names.ts';
import { alike, block, bounded, type Row, vector } from './scope.ts';

const steps = (p: Picks): string => p.one(['2', '1', '4', '3', '0', '5', '6', '7', 'A', 'B']);

/** Without an end of its own for a body that goes on to the right. */
const sumOf = (a: Dim, b: Dim): Dim => ({
  text: `${a.text} + ${b.text}`,
  extent: a.extent + b.extent,
});

/** A carry made of two parts, which steps read or not. */
const parts: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const [z, e] = vector(p, s);
  const whole = sumOf(d, e);
  if (whole.extent > 140) return undefined;
  const made = p.one([
    ['p', 'q', `for i: ${whole.text}. (p[i] ?? 0) + (q[i - ${d.text}] ?? 0)`],
    ['p', 'q', '[..p, ..q]'],
    ['p', 'q', '[..(for i. sin(p[i])), ..q]'],
  ] as const);
  const first = p.one([
    `for i: ${d.text}. k[i] * 0.5`,
    `for i: ${d.text}. max j. max(k[i], ${z.name}[j])`,
    `for i: ${d.text}. (sum j. abs(k[i] - ${z.name}[j])) / ${factor(e)}`,
    `for i: ${d.text}. sin(k[i] + f32(l))`,
    `for i: ${d.text}. y[left i] * 0.5 + k[i]`,
    `for i: ${d.text}. 0.3 * y[${whole.text} - 1 - i]`,
  ]);
  const second = p.one([
    `for j: ${e.text}. sum i. abs(k[i] - ${z.name}[j]) / ${factor(d)}`,
    `for j: ${e.text}. min i. sin(k[i]) * ${z.name}[j]`,
    `for j: ${e.text}. (sum i. sin(k[i] + ${z.name}[j])) / ${factor(d)}`,
    `for j: ${e.text}. cos(${z.name}[j] + 0.3 * k[0])`,
    `for j: ${e.text}. 0.6 * y[right j] + 0.1`,
    `for j: ${e.text}. ${z.name}[j]`,
  ]);
  const next = p.one(['for i. k[i] * 0.9 + 0.1', 'k', `for i. tanh(k[i] + ${z.name}[0])`, 'p']);
  const body = block(`let p = ${first}`, `let q = ${second}`, `{ y: ${made[2]}, k: ${next} }`);
  const init = p.one([
    `for i: ${whole.text}. 1.0`,
    `[..${a.name}, ..${z.name}]`,
    `for i: ${whole.text}. 0.1 * f32(i)`,
  ]);
  // A part is declared by the sum that it is of, so that left and right are known.
  const start = `let start: f32[${factor(d)} + ${factor(e)}] = ${init}`;
  const loop = `let s = fold { y, k } = { y: start, k: ${a.name} } for l: ${steps(p)}. ${body}`;
  const last = p.one([
    `for i: ${whole.text}. s.y[i]`,
    `for i: ${whole.text}. sin(s.y[i]) + 0.1 * s.k[0]`,
    's.y',
  ]);
  return { text: block(start, loop, last), type: { dims: [whole] } };
};

/** Views of what is carried. */
const views: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const view = p
    .one([
      `for i. h[${d.text} - 1 - i]`,
      'for i: D. h[wrap(i + 1)]',
      'for i: D. h[i - i // 2]',
      'for i: D. h[0]',
      'for i: D. h[i - 1] ?? 0.2',
      'for i: D. h[i + 1] ?? h[0]',
      `for i: D. 0.5 * h[i // 2] + 0.3 * ${b.name}[i]`,
      `for i: D. sin(h[${d.text} - 1 - i]) + 0.2 * h[i]`,
      'for i: D. h[labels[0] % 1]',
    ])
    .replace('D', d.text);
  const loop =
    p.below(3) === 0
      ? `(scan h = ${a.name} for l: 3. ${view})[${p.below(3)}]`
      : `fold h = ${a.name} for l: ${steps(p)}. ${view}`;
  return { text: loop, type: { dims: [d] } };
};

/** Fields that change places, and some that only wait. */
const swapped: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const [b, c] = [alike(p, s, d), alike(p, s, d)];
  const fn = (x: string): string =>
    p.one([x, x, `(for i. ${bounded(p, `${x}[i]`)})`, `(for i. 0.8 * ${x}[i])`]);
  const next = p.one([
    `{ u: v, v: u, w: w }`,
    `{ u: v, v: w, w: u }`,
    `{ u: w, v: u, w: v }`,
    `{ u: ${fn('v')}, v: ${fn('u')}, w: ${fn('w')} }`,
    `{ u: ${fn('v')}, v: ${fn('w')}, w: ${fn('u')} }`,
    `{ u: u, v: ${fn('u')}, w: v }`,
    `{ u: v, v: v, w: ${fn('w')} }`,
    `{ u: for i. 0.5 * (u[i] + v[i]), v: u, w: v }`,
    `{ u: for i. sin(u[i] * w[i]), v: w, w: for i. cos(v[i]) }`,
  ]);
  const init = p.one([
    `{ u: ${a.name}, v: ${b.name}, w: ${c.name} }`,
    `{ u: ${a.name}, v: ${a.name}, w: ${a.name} }`,
    `{ u: ${a.name}, v: for i: ${d.text}. 0.5, w: ${a.name} }`,
  ]);
  const last = p.one([
    `for i: ${d.text}. s.u[i] + 2 * s.v[i] - 0.5 * s.w[i]`,
    's.u',
    's.v',
    's.w',
    `for i: ${d.text}. s.v[i] * ${a.name}[i]`,
  ]);
  return {
    text: block(`let s = fold { u, v, w } = ${init} for l: ${steps(p)}. ${next}`, last),
    type: { dims: [d] },
  };
};

/** What is carried and not read by any step, or read by another field only. */
const blind: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const y = p.one([
    `for i: ${d.text}. ${b.name}[i] * f32(l % 3)`,
    `for i: ${d.text}. k[i]`,
    `for i: ${d.text}. k[i] * 0.5 + f32(l)`,
    'k',
    `${b.name}`,
  ]);
  const k = p.one([
    'for i. 0.9 * k[i] + 0.1',
    'k',
    'for i. sin(k[i])',
    `for i. k[i] + 0.1 * ${b.name}[l // 4 % 1]`,
    b.name,
  ]);
  const n = p.one(['n + 1', 'n', 'l', '0']);
  const loop = `let s = fold { y, k, n } = { y: ${p.one([a.name, b.name, `for i: ${d.text}. 1.0`])}, k: ${a.name}, n: ${p.one(['0', '1'])} } for l: ${steps(p)}. { y: ${y}, k: ${k}, n: i32(${n}) }`;
  const last = p.one([
    `for i: ${d.text}. s.y[i] + s.k[i] * f32(s.n % 3)`,
    's.y',
    's.k',
    `for i: ${d.text}. s.y[i]`,
  ]);
  return { text: block(loop, last), type: { dims: [d] } };
};

/** A matrix whose rows, columns or corners are carried on. */
const carriedMatrix: Row = (p, s) => {
  const all = s.bindings.filter(
    (x) => x.type.dims.length === 2 && x.type.dims[0]!.extent * x.type.dims[1]!.extent <= 400,
  );
  if (all.length === 0) return undefined;
  const a = p.one(all);
  const [r, c] = a.type.dims as [Dim, Dim];
  const next = p
    .one([
      `for i: R, j: C. h[R - 1 - i, j]`,
      `for i: R, j: C. h[i, C - 1 - j] * 0.9`,
      `for i: R, j: C. (h[i - 1, j] ?? 0.3)`,
      `for i: R, j: C. (h[i, j + 1] ?? h[i, 0])`,
      `for i: R, j: C. tanh((sum k: R. h[k, j]) / (1 + R) + h[i, 0])`,
      `for i: R, j: C. h[wrap(i + l), j]`,
      `for i: R. (if i < 1 then h[R - 1] else h[clamp(i32(i) - 1)])`,
      `for i: R, j: C. if i == j then h[i, j] else 0.5 * h[i, clamp(i32(j) - 1)]`,
    ])
    .replaceAll(/\b[RC]\b/g, (x) => `(${x === 'R' ? r.text : c.text})`);
  return { text: `fold h = ${a.name} for l: ${steps(p)}. ${next}`, type: { dims: [r, c] } };
};

export const carryRows: Readonly<Record<string, Row>> = {
  'parts as carries': parts,
  'views as carries': views,
  'swapped carries': swapped,
  'blind carries': blind,
  'carried matrices': carriedMatrix,
};
