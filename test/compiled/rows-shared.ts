/**
 * Values that are read in two places, of which one has no derivative: under stop, floor or sign, in a
 * comparison, in an index, or in a branch that is not taken; and auxiliary results beside them. Asking
 * for a gradient may change none of them.
 */
import { factor, type Picks } from '../gen/names.ts';
import { alike, block, bounded, type Row, vector } from './scope.ts';

/** Somewhere in `x`, with no derivative: v is shared. */
const still = (p: Picks, v: string): string =>
  p.one([
    `stop(${v})`,
    `2 * stop(${v})`,
    `floor(3.1 * ${v} + 0.0571)`,
    `stop(sin(${v}) * ${v})`,
    `round(2.7 * ${v} + 0.0313)`,
    `sign(${v} - 0.1371)`,
    `f32(i32(4.3 * ${v} + 0.0127))`,
    `f32(${v} > 0.2137)`,
    `ceil(1.9 * ${v} - 0.0471)`,
    `floor(2.3 * stop(${v}) + 0.0171)`,
  ]);

const condition = (p: Picks, x: string, v: string): string =>
  p.one([
    `${x} > 0`,
    `${x} < 0.3173`,
    `${v} > 0.2137`,
    `${x} > -0.4171 and ${v} < 0.7731`,
    `not ${x} > 0.1237`,
  ]);

const sharedNumber: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const x = `${a.name}[${p.one(['0', `${d.text} - 1`])}]`;
  const v = bounded(p, p.one([x, 't', `${x} * t`]));
  const c = condition(p, p.one([x, 't']), 'v');
  const [yes, no] = p.below(2) === 0 ? [`v * t`, still(p, 'v')] : [still(p, 'v'), 'sin(v)'];
  const tail = p.one(['', ` + 0.1 * ${still(p, 'v')}`, ` * ${still(p, 'v')}`]);
  return {
    text: block(`let v = ${v}`, `(if ${c} then ${yes} else ${no})${tail}`),
    type: { dims: [] },
  };
};

const sharedVector: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const [x, z] = [`${a.name}[i]`, `${b.name}[i]`];
  const v = bounded(
    p,
    p.one([x, `${x} * ${z}`, `${x} + ${z}`, `(sum k. ${a.name}[k] * ${b.name}[i]) / ${factor(d)}`]),
  );
  const c = condition(p, p.one([x, z]), 'v[i]');
  const [yes, no] =
    p.below(2) === 0 ? ['v[i]', still(p, 'v[i]')] : [still(p, 'v[i]'), `v[i] * ${z}`];
  const rest = p.one([
    `for i. if ${c} then ${yes} else ${no}`,
    `for i. (if ${c} then ${yes} else ${no}) + 0.2 * ${still(p, 'v[i]')}`,
    `for i. if ${c} then v[i] else ${a.name}[clamp(i32(floor(3.7 * v[i] + 0.0379)))]`,
    `for i. if ${c} then ${b.name}[wrap(i32(5.3 * v[i] + 0.0271))] else ${z}`,
    `for i. if (any k. v[k] > 0.5139) then v[i] else ${still(p, 'v[i]')}`,
    `for i. if ${c} then (sum k. v[k]) / ${factor(d)} else ${still(p, 'v[i]')}`,
  ]);
  return { text: block(`let v = for i: ${d.text}. ${v}`, rest), type: { dims: [d] } };
};

/** What one branch of a fold uses, and what another place of its body reads without a derivative. */
const sharedInFold: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const v = bounded(p, `h[i] + 0.3 * ${a.name}[i]`);
  const c = condition(p, p.one(['h[i]', `${a.name}[i]`]), 'v[i]');
  const steps = p.one(['1', '2', '3', '4']);
  const lines = [
    `let v = for i: ${d.text}. ${v}`,
    `for i. 0.7 * (if ${c} then v[i] else ${still(p, 'v[i]')})`,
  ];
  return { text: `fold h = ${a.name} for l: ${steps}. ${block(...lines)}`, type: { dims: [d] } };
};

/** Used by two branches of which neither may be taken, and by a sum. */
const sharedBranches: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const x = `${a.name}[i]`;
  const parts = [
    `let r = for i: ${d.text}. ${bounded(p, x)}`,
    `let q = for i: ${d.text}. ${bounded(p, `r[i] * ${b.name}[i]`)}`,
    `let u = for i: ${d.text}. if ${x} > 0.1371 then r[i] else ${p.one([`${b.name}[i]`, still(p, 'q[i]')])}`,
    `let z = for i: ${d.text}. if ${b.name}[i] < -0.2371 then q[i] * ${x} else ${p.one(['0.2', still(p, 'r[i]')])}`,
    p.one([
      'for i. u[i] * z[i]',
      `for i. u[i] + z[i] * ${still(p, 'r[i]')}`,
      'for i. (sum k. q[k]) * 0.1 + u[i] - z[i]',
    ]),
  ];
  return { text: block(...parts), type: { dims: [d] } };
};

export const sharedRows: Readonly<Record<string, Row>> = {
  'shared number, no derivative': sharedNumber,
  'shared vector, no derivative': sharedVector,
  'shared in a fold, no derivative': sharedInFold,
  'shared by branches': sharedBranches,
};
