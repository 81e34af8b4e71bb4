/**
 * Functions with derivatives of their own: pointwise, in folds, under every operator of derivatives, inside
 * other rules, of records and whole numbers; with functions as arguments that use values around them.
 */
import { factor, type Picks } from '../gen/names.ts';
import { alike, block, type Row, vector } from './scope.ts';

/** A number by way of a rule. */
const ruled = (p: Picks, x: string, u: string): string =>
  p.one([
    `gate(${x}, ${u})`,
    `half(${x})`,
    `steep(${x})`,
    `steep(${x}, by = ${u})`,
    `ident(${x}) * ${u}`,
    `ident({ a: ${x}, b: ${u} }).a`,
    `gate(half(${x}), steep(${u}))`,
    `half(gate(${u}, ${x}))`,
    `ident(ident(sin(${x})))`,
  ]);

const rules: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  s.used.add('rules');
  const [x, u] = [`${a.name}[i]`, p.one([`${b.name}[i]`, 't'])];
  const r = ruled(p, x, u);
  const text = p.one([
    `for i: ${d.text}. sin(${r})`,
    `fold h = ${a.name} for l: ${p.one(['2', '3'])}. for i. 0.6 * sin(${ruled(p, 'h[i]', u)})`,
    `for i: ${d.text}. (fold c = ${x} for l: 2. 0.5 * sin(${ruled(p, 'c', u)}))`,
    `each v in leaned(${a.name}, ${p.one(['n', 'd', '2'])}). 0.5 * sin(v)`,
    `for i: ${d.text}. if ${x} > 0.1371 then ${r} else stop(${r})`,
    `for i: ${d.text}. tanh((sum k. ${ruled(p, `${a.name}[k]`, u)}) / ${factor(d)})`,
    `checkpoint(z -> for i: ${d.text}. sin(${ruled(p, 'z[i]', u)}), ${a.name})`,
    `for i: ${d.text}. ${x} * f32(ident(n) % 3) + sin(${r})`,
  ]);
  return { text, type: { dims: [d] } };
};

/** Rules under operators, to the second order. */
const ruledDerivatives: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  s.used.add('rules');
  const x = `${a.name}[i]`;
  const u = p.one([`${b.name}[i]`, 't', '0.7']);
  const f = `z -> ${p.one(['sin', 'tanh', ''])}(${ruled(p, 'z', u)})`;
  const text = p.one([
    `grad(${f}, ${x})`,
    `jvp(${f}, ${x}, ${b.name}[i]).tangent`,
    `vjp(${f}, ${x}, ${b.name}[i]).gradient`,
    `grad(q -> grad(${f}, q), ${x})`,
    `jvp(q -> grad(${f}, q), ${x}, ${b.name}[i]).tangent`,
    `grad(q -> jvp(${f}, q, ${p.one(['q', '0.7', `${b.name}[i]`])}).tangent, ${x})`,
    `grad(half, ${x})`,
    `grad(q -> grad(half, q) * t, ${x})`,
    `valueGrad(${f}, ${x}).value`,
    `jvp(ident, ${x}, ${b.name}[i]).tangent`,
  ]);
  return { text: `for i: ${d.text}. 0.4 * sin(${text})`, type: { dims: [d] } };
};

/** Functions that use values around them, given to functions with rules. */
const captured: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  s.used.add('through');
  const by = p.one(['t', `${b.name}[0]`, `${a.name}[0]`, '0.7', `${b.name}[i]`]);
  const g = `z -> ${p.one([`z * ${by}`, `sin(z * ${by})`, `sin(z) + ${by}`, `tanh(${by} - z) * ${by}`, 'sin(z)'])}`;
  const x = p.one([`${a.name}[i]`, `${a.name}[i]`, '0.7', 't']);
  const whole = `z -> (sum k. sin(z[k]) * ${p.one([`${b.name}[k]`, 't', '0.3'])}) / ${factor(d)}`;
  const text = p.one([
    `for i: ${d.text}. through(${g}, ${x})`,
    `for i: ${d.text}. through(${g}, through(sin, ${x}))`,
    `for i: ${d.text}. along(${whole}, ${a.name}) * 0.5`,
    `mapped(${g.replaceAll('[i]', '[0]')}, ${a.name})`,
    `fold h = ${a.name} for l: 2. for i. sin(through(${g}, h[i]))`,
    `for i: ${d.text}. grad(q -> through(z -> z * q, q), ${x})`,
    `for i: ${d.text}. jvp(q -> through(z -> sin(z) * q, ${by}), ${x}, 0.6).tangent`,
    `for i: ${d.text}. grad(q -> through(${g}, q), ${x})`,
  ]);
  return { text: block(`let r = ${text}`, 'for i. sin(r[i])'), type: { dims: [d] } };
};

export const ruleRows: Readonly<Record<string, Row>> = {
  'functions with rules': rules,
  'derivatives of rules': ruledDerivatives,
  'functions given to rules': captured,
};
