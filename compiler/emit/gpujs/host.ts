/**
 * A kernel as a JavaScript function over typed arrays, for the kernels that gpu.js cannot run: those
 * that work on words of 32 bits or on integers of unknown size.
 *
 * Invariant: the scalar rules of core/scalar.ts with f32 results rounded once each, so random bits
 * and integers are exactly those of every other target. The text holds numbers, the names of
 * primitives and fixed words only.
 */
import { type Extents, extentsOf } from '../../core/ix.ts';
import { scalarRule } from '../../core/scalar.ts';
import type { Axis, Dtype, Prim, ReduceOp } from '../../core.ts';
import type { BufId, KExpr, Kernel, Plan } from '../../plan.ts';
import { axisName, type Lang, NestText, type PrimNode } from '../nest-text.ts';

export type HostWords = Float32Array | Int32Array | Uint32Array;

/** (buffers by id, loop values by axis id) */
export type HostKernel = (bufs: readonly HostWords[], loops: readonly number[]) => void;

const round = (t: Dtype, e: string): string => (t === 'f32' ? `f(${e})` : e);

function literal(v: number): string {
  if (Number.isNaN(v)) return 'NaN';
  if (!Number.isFinite(v)) return v > 0 ? 'Infinity' : '(-Infinity)';
  return v < 0 || Object.is(v, -0) ? `(-${-v})` : `${v}`;
}

const row =
  (op: Prim) =>
  (a: readonly string[], node: PrimNode): string =>
    round(node.t, `h.${op}([${a.join(', ')}], '${node.t}', '${node.args[0]!.t}')`);

const hostLang: Lang = {
  prim: Object.fromEntries(
    Object.keys(scalarRule).map((op) => [op, row(op as Prim)]),
  ) as unknown as Lang['prim'],
  literal: (t, v) => literal(t === 'f32' ? Math.fround(v) : v),
  int: literal,
  div: (e, by) => `Math.floor(${e} / ${by})`,
  mod: (e, by) => `${e} - Math.floor(${e} / ${by}) * ${by}`,
  load: (b, at) => `b${b}[${at}]`,
  guarded: (condition, load) => `(${condition} ? ${load} : 0)`,
  within: (e, lo, hi) => `${e} >= ${literal(lo)} && ${e} < ${literal(hi)}`,
  checked: (e, { extent, site }) =>
    site === undefined
      ? `(${e} >= 0 && ${e} < ${extent} ? ${e} : 0)`
      : `check(${e}, ${extent}, ${site + 1})`,
  both: (a, b) => `${a} && ${b}`,
  fromIndex: (e, fits) => (fits ? e : `(${e} | 0)`),
  toIndex: (e) => e,
  declare: (name, text) => `const ${name} = ${text};`,
  named: () => false,
};

const least = (t: Dtype): string =>
  literal(t === 'f32' ? -Infinity : t === 'i32' ? -2147483648 : 0);
const most = (t: Dtype): string =>
  literal(t === 'f32' ? Infinity : t === 'i32' ? 2147483647 : 4294967295);
const step = (op: Prim, t: Dtype, v: string): string =>
  `acc = ${round(t, `h.${op}([acc, ${v}], '${t}', '${t}')`)};`;
/** The first of equals, and the first NaN before them. */
const pick = (op: string, v: string, at: string): string =>
  `{ const c = ${v}; if (c ${op} best || (c !== c && best === best)) { best = c; acc = ${at}; } }`;

type Accumulate = {
  readonly start: (t: Dtype) => string;
  readonly step: (v: string, at: string, t: Dtype) => string;
};
const plain = (init: (t: Dtype) => string, op: Prim): Accumulate => ({
  start: (t) => `let acc = ${init(t)};`,
  step: (v, _at, t) => step(op, t, v),
});

/** Reals in f64, rounded when they are stored: however many terms there are. */
const wide = (init: (t: Dtype) => string, op: Prim, sign: string): Accumulate => ({
  start: (t) => `let acc = ${init(t)};`,
  step: (v, _at, t) => (t === 'f32' ? `acc = acc ${sign} ${v};` : step(op, t, v)),
});

const accumulate: Readonly<Record<ReduceOp, Accumulate>> = {
  sum: wide(() => '0', 'add', '+'),
  prod: wide(() => '1', 'mul', '*'),
  max: plain(least, 'max'),
  min: plain(most, 'min'),
  all: plain(() => '1', 'and'),
  any: plain(() => '0', 'or'),
  argmax: {
    start: (t) => `let acc = 0, best = ${least(t)};`,
    step: (v, at) => pick('>', v, at),
  },
  argmin: {
    start: (t) => `let acc = 0, best = ${most(t)};`,
    step: (v, at) => pick('<', v, at),
  },
};

export function hostText(plan: Plan, k: Kernel, loops: readonly Axis[]): string {
  const n = k.nests[0]!;
  const axes = [...k.grid, ...n.axes];
  const extents: Extents = extentsOf(loops, axes, n.red);
  const roots: KExpr[] = [n.body, ...n.store.at.dyn.map((d) => d.e)];
  const text = new NestText(hostLang, [...axes, ...n.red], extents, roots);
  const depth = axes.length;
  const open = (a: Axis): string =>
    `for (let ${axisName(a.id)} = 0; ${axisName(a.id)} < ${a.extent}; ${axisName(a.id)}++) {`;
  const inner: string[] = [];
  let value = 'acc';
  if (n.op === null) value = text.expr(n.body, depth);
  else {
    const acc = accumulate[n.op];
    inner.push(acc.start(n.body.t));
    if (n.red.every((a) => a.extent > 0)) {
      const v = text.expr(n.body, depth + n.red.length);
      n.red.forEach((a, i) => {
        inner.push(open(a), ...text.at[depth + i + 1]!);
      });
      inner.push(acc.step(v, axisName(n.red[0]!.id), n.body.t), '}'.repeat(n.red.length));
    }
  }
  const at = text.kix(n.store.at, depth);
  const guard = n.store.guard.length > 0 ? `if (${text.guards(n.store.guard, depth)}) ` : '';
  // A typed array rounds and wraps what is stored.
  const put = (place: string): string =>
    `b${n.store.buf}[${place}] ${n.store.mode === 'add' ? '+=' : '='} ${value};`;
  const holds = text.holds(n.store.at, depth);
  const store = holds ? `{ const at = ${at}; if (${holds}) ${put('at')} }` : put(at);
  inner.push(`${guard}${store}`);
  const lines = [...text.at[0]!];
  axes.forEach((a, i) => {
    lines.push(open(a), ...text.at[i + 1]!);
  });
  lines.push(...inner, '}'.repeat(axes.length));
  const used = new Set<BufId>([n.store.buf]);
  for (const m of lines.join('\n').matchAll(/\bb(\d+)\[/g)) used.add(Number(m[1]));
  return [
    "'use strict';",
    ...loops.map((a) => `const ${axisName(a.id)} = loops[${a.id}];`),
    ...[...used].map((b) => `const b${b} = bufs[${b}];`),
    ...(plan.checks ? [noteFault(plan.checks.fault)] : []),
    ...(plan.bufs[n.store.buf]!.words === 0 ? [] : lines),
  ].join('\n');
}

/** `check`: a value where it is in range, else 0, and the number of its site in the fault word. */
const noteFault = (fault: BufId): string =>
  `const check = (e, extent, site) => e >= 0 && e < extent ? e : ((bufs[${fault}][0] = site), 0);`;

export function hostKernel(text: string): HostKernel {
  const make = new Function('h', 'f', 'bufs', 'loops', text);
  return (bufs, loops) => make(scalarRule, Math.fround, bufs, loops);
}
