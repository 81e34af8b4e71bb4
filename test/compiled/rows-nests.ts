/**
 * Derivatives of derivatives, in both modes and to the third order, of functions that use values around
 * them: those that the outer derivatives move, too (perturbations that must not be confused). Functions
 * that are bound and called inside loops.
 */
import type { Picks } from '../gen/names.ts';
import { alike, block, bounded, type Row, vector } from './scope.ts';

/** A smooth number of those in scope, all of them. */
function smooth(p: Picks, names: readonly string[]): string {
  const [first, ...rest] = names;
  return rest.reduce(
    (e, x) =>
      p.one([
        `sin(${e} * ${x})`,
        `${e} * cos(${x})`,
        `tanh(${e} + 0.5 * ${x})`,
        `${e} / (1 + ${x}^2)`,
        `exp(-(${e}^2)) * ${x}`,
        `log(1.5 + ${e}^2) + 0.3 * ${x} * ${e}`,
        `(${e} + ${x})^3 / 8`,
      ]),
    p.one([first!, `sin(${first})`, `${first}^2`]),
  );
}

/** What nests are taken of, beside arithmetic: loops, choices, reductions, rules, functions of functions. */
const bodyOfNumber = (p: Picks, at: string, outer: readonly string[]): string => {
  const [a, b] = [smooth(p, [at, ...outer.filter((x) => x !== at)]), p.one(outer)];
  return p.one([
    a,
    a,
    `(fold c = ${at} for l: ${p.one(['2', '3'])}. sin(c * ${b}) + 0.2 * c)`,
    `(fold { c, e } = { c: ${at}, e: ${b} } for l: 3. { c: sin(e) * c, e: c + 0.3 * e }).e`,
    `(if ${at} > 0.1371 then ${a} else ${at}^2 * ${b})`,
    `max(sin(${at}), 0.3 * ${b} * ${at})`,
    `(sum l: 3. sin(${at} * f32(l + 1)) * ${b})`,
    `(prod l: 3. 1 + 0.3 * sin(${at} + f32(l) * ${b}))`,
    `(h -> h(${at}) * h(${b}))(v -> sin(v) * ${at})`,
    `cubed(${at} * ${b})`,
    `checkpoint(v -> sin(v) * v * ${b}, ${at})`,
    `(${a} * stop(cos(${at})))`,
  ]);
};

/** `order` operators around a function of one number; every inner one may use the variables outside. */
export function nestOfNumbers(
  p: Picks,
  order: number,
  outer: readonly string[],
  at: string,
): string {
  const z = `z${outer.length}`;
  if (order === 0) return bodyOfNumber(p, at, outer);
  const inner = nestOfNumbers(p, order - 1, [...outer, z], z);
  const f = `${z} -> ${p.one([inner, `sin(${inner})`, `${z} * ${inner}`])}`;
  const dir = p.one([...outer, '0.7', at]);
  return p.one([
    `grad(${f}, ${at})`,
    `jvp(${f}, ${at}, ${dir}).tangent`,
    `vjp(${f}, ${at}, ${dir}).gradient`,
    `valueGrad(${f}, ${at}).gradient`,
    `grad(q -> q * valueGrad(${f}, q).value, ${at})`,
    `(0.5 * valueGrad(${f}, ${at}).value + jvp(${f}, ${at}, ${dir}).tangent)`,
  ]);
}

/** The same of a vector: each level is a number of one. */
export function nestOfVectors(
  p: Picks,
  order: number,
  outer: readonly string[],
  at: string,
): string {
  const i = `i${outer.length}`;
  if (order === 0) {
    const other = p.one(outer);
    return p.one([
      `(sum ${i}. sin(${at}[${i}] * ${other}[${i}]))`,
      `(sum ${i}. ${at}[${i}]^2 * cos(${other}[${i}]))`,
      `(prod ${i}. 1 + 0.2 * sin(${at}[${i}] + ${other}[${i}]))`,
      `(fold c = 0.3 for ${i}: 2. sin(c * ${at}[0]) + (mean k. ${at}[k] * ${other}[k]))`,
      `sin((sum ${i}. ${at}[${i}]) * ${other}[0])`,
      `(max ${i}. sin(${at}[${i}]) * ${other}[${i}])`,
      `(mean ${i}. if ${at}[${i}] > 0.1371 then ${at}[${i}] * ${other}[0] else sin(${at}[${i}]))`,
      `(mean ${i}. (fold h = ${at} for l: 2. for i. sin(h[i] * ${other}[i]) + 0.2 * h[0])[${i}])`,
      `(mean ${i}. (fold { h, g } = { h: ${at}, g: ${other} } for l: 3. { h: g, g: each u, v in h, g. sin(u) * v }).g[${i}])`,
      `(sum ${i}. sin(${at}[${i}]) * (${at}[${i} - 1] ?? 0.3) * ${other}[wrap(i32(${i}) + 1)])`,
      `(mean ${i}. spread(${at}, ${other}[0])[${i}])`,
      `(mean ${i}. soft(${at})[${i}] * ${other}[${i}]^2)`,
    ]);
  }
  const z = `z${outer.length}`;
  const inner = nestOfVectors(p, order - 1, [...outer, z], z);
  const f = `${z} -> ${p.one([inner, `sin(${inner})`, `${z}[0] * ${inner}`])}`;
  const dir = p.one(outer);
  const mapped = `${z} -> for ${i}. sin(${z}[${i}] * ${dir}[${i}]) * ${inner}`;
  return p.one([
    `(sum ${i}. grad(${f}, ${at})[${i}] * ${dir}[${i}])`,
    `jvp(${f}, ${at}, ${dir}).tangent`,
    `(sum ${i}. vjp(${mapped}, ${at}, ${dir}).gradient[${i}])`,
    `(sum ${i}. jvp(${mapped}, ${at}, ${dir}).tangent[${i}] * ${at}[${i}])`,
    `(sum ${i}. vjp(${f}, ${at}, 0.4).gradient[${i}]^2)`,
  ]);
}

const numbers: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const order = p.one([2, 1, 3]);
  s.used.add('custom');
  const nest = nestOfNumbers(p, order, ['t', 'u'], 'x0');
  const body = block(
    `let x0 = ${a.name}[i]`,
    `let u = ${b.name}[${p.one(['i', '0'])}]`,
    `sin(0.3 * ${nest})`,
  );
  return { text: `for i: ${d.text}. ${body}`, type: { dims: [d] } };
};

const vectors: Row = (p, s) => {
  const few = s.bindings.filter((x) => x.type.dims.length === 1 && x.type.dims[0]!.extent <= 5);
  if (few.length === 0) return undefined;
  const a = p.one(few);
  const b = alike(p, s, a.type.dims[0]!);
  const order = p.one([1, 2, 1, 3]);
  for (const needed of ['custom', 'fns']) s.used.add(needed);
  const nest = nestOfVectors(p, order, [b.name, a.name], a.name);
  return { text: `sin(0.2 * ${nest})`, type: { dims: [] } };
};

/** Functions of what is around them, called in loops and as arguments. */
const closures: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  s.used.add('fns');
  const g = `let g: f32 -> f32 = v -> ${bounded(p, `v * ${p.one(['t', `${b.name}[0]`, `${a.name}[0]`])}`)}`;
  const last = p.one([
    `fold h = ${a.name} for l: ${p.one(['2', '3'])}. for i. g(h[i])`,
    `for i: ${d.text}. (fold c = ${a.name}[i] for l: 2. g(c + ${b.name}[i]))`,
    `for i: ${d.text}. grad(g, ${a.name}[i])`,
    `apply(x -> for i. g(x[i]) + ${b.name}[i], ${a.name})`,
    `for i: ${d.text}. apply(z -> g(g(z)), ${a.name}[i])`,
    `for i: ${d.text}. jvp(z -> g(z) * g(t), ${a.name}[i], ${b.name}[i]).tangent`,
    `fold h = ${a.name} for l: 2. each u, v in h, grad(z -> sum k. g(z[k] * h[k]), h). 0.7 * u - 0.1 * v`,
    `for i: ${d.text}. (if ${a.name}[i] > 0.1371 then g else z -> z * t)(${b.name}[i])`,
  ]);
  return { text: block(g, last), type: { dims: [d] } };
};

/** Of which nests of derivatives alone are made: their derivatives are those of their values. */
export const nestRows: Readonly<Record<string, Row>> = {
  'nested derivatives of numbers': numbers,
  'nested derivatives of vectors': vectors,
  'functions of active values': closures,
};
