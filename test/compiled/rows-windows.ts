/**
 * Windows inside folds: what a step reads begins at the step, and cells that no step reads hold numbers at
 * which the function has no derivative (0 under a root).
 */
import { type Dim, factor } from '../gen/names.ts';
import { alike, block, type Row, vector } from './scope.ts';

const windows: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const [b, e] = vector(p, s);
  const [steps, room] = [p.one([4, 2, 3, 1, 5]), p.one([2, 0, 1, 3])];
  const stride = p.one([1, 1, 2]);
  const size: Dim = {
    text: `${d.text} + ${e.text} + ${stride * steps + room}`,
    extent: d.extent + e.extent + stride * steps + room,
  };
  if (size.extent > 90) return undefined;
  // The cells that are read, by either loop below, are those before `end`.
  const end = `${d.text} + ${e.text} + ${stride * (steps - 1)} - 1`;
  const cell = `${a.name}[0] - ${a.name}[0]`;
  const made = `let z = for i: ${size.text}. if i32(i) < ${end} then 1.3 + sin(${a.name}[wrap(i32(i))]) else ${cell}`;
  const l = stride === 1 ? 'l' : '2 * l';
  const f = p
    .one(['sqrt(R)', 'log(R)', 'R^0.5', '1 / R', 'sin(R)', 'R^1.5'])
    .replace('R', `z[i + k + ${l}]`);
  const scaled = p.one([f, `${f} * ${b.name}[k]`, `${b.name}[k] * ${f}`]);
  const sum = `(sum i: ${d.text}, k: ${e.text}. ${scaled}) / (${factor(d)} * ${factor(e)})`;
  const row = `(sum k: ${e.text}. ${scaled}) / ${factor(e)}`;
  const loop = p.one([
    `fold s = 0.0 for l: ${steps}. 0.5 * s + ${sum}`,
    `fold s = 0.2 for l: ${steps}. sin(s) * 0.3 + ${sum}`,
    `mean i. (fold h = ${a.name} for l: ${steps}. for i. 0.5 * h[i] + ${row})[i]`,
    `sum l: ${steps}. ${sum}`,
    `mean l. (scan s = 0.1 for l: ${steps}. 0.3 * s + ${sum})[l]`,
  ]);
  return { text: block(made, `sin(${loop})`), type: { dims: [] } };
};

/** A convolution in a fold: what is carried is read through the window. */
const convolved: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const [k, at] = p.one([
    ['3', 'i + k - 1'],
    ['2', 'i + k'],
    ['2', 'i - k'],
    ['3', '2 * i + k - 1'],
    ['5', 'i + k - l'],
    ['3', 'i - l + k'],
  ] as const);
  const read = `(h[${at}] ?? ${p.one(['0', '0.2', `${b.name}[i]`, 'h[0]'])})`;
  const body = `for i. sin((sum k: ${k}. ${read} * ${b.name}[${p.one(['i', 'k % 1'])}]) / ${k})`;
  return {
    text: `fold h = ${a.name} for l: ${p.one(['3', '2', '1', '4'])}. ${body}`,
    type: { dims: [d] },
  };
};

export const windowRows: Readonly<Record<string, Row>> = {
  'windows in folds': windows,
  'convolutions in folds': convolved,
};
