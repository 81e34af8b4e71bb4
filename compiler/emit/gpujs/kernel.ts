/**
 * A kernel of one nest as the source of a gpu.js kernel function.
 *
 * A gpu.js kernel computes every word of one array, and can write nowhere else. So the function is
 * asked for word t: the digits of t give the axes (digits.ts), words that the nest does not reach
 * keep their old value, and what is summed into a word is summed there, in the plan's order.
 * Arguments: `old`, `b<id>` per buffer read, `l<id>` per loop axis (an array of one word, so that one
 * kernel serves all steps), `k` for numbers that cannot be written.
 *
 * Invariant: axes are copied into floats as each loop starts, so all arithmetic is f32.
 */
import { type Extents, extentsOf } from '../../core/ix.ts';
import type { Axis, AxisId, ReduceOp } from '../../core.ts';
import type { BufId, KExpr, Kernel, KNest, Plan } from '../../plan.ts';
import { cascade, type Declares } from '../cascade.ts';
import { axisName, type Lang, NestText } from '../nest-text.ts';
import { type Inverse, inverseOf } from './digits.ts';
import { floorBy, gpujsPrim, gpuNumber, repeats } from './prims.ts';

export type Arg =
  | { readonly k: 'old' }
  | { readonly k: 'buf'; readonly buf: BufId }
  | { readonly k: 'loop'; readonly axis: AxisId }
  | { readonly k: 'specials' };

export type GpuJsKernel = {
  readonly source: string;
  readonly args: readonly Arg[];
  readonly buf: BufId;
  readonly words: number;
};

const gpujsLang: Lang = {
  prim: gpujsPrim,
  literal: (t, v) => (t === 'f32' ? gpuNumber(v) : v < 0 ? `(${v})` : `${v}`),
  int: (v) => (v < 0 ? `(${v})` : `${v}`),
  div: (e, by) => floorBy(e, by),
  mod: (e, by, lo, hi) => (lo >= 0 && hi < by ? e : `${e} - ${floorBy(e, by)} * ${by}`),
  load: (b, at) => `b${b}[${at}]`,
  guarded: (condition, load) => `(${condition} ? ${load} : 0)`,
  within: (e, lo, hi) => `${e} >= ${lo} && ${e} < ${hi}`,
  checked: () => {
    throw new Error('a checked place has no gpu.js form');
  },
  both: (a, b) => `${a} && ${b}`,
  fromIndex: (e) => e,
  toIndex: (e) => e,
  declare: (name, text) => `const ${name} = ${text};`,
  named: (node, arg) =>
    repeats.has(node.op) || (arg.k === 'const' && node.args.every((a) => a.k === 'const')),
};

type Accumulate = { readonly start: string[]; readonly step: (v: string, at: string) => string[] };
const plain = (init: string, next: (v: string) => string): Accumulate => ({
  start: [`let acc = ${init};`],
  step: (v) => [`acc = ${next(v)};`],
});
const extreme = (op: string, worst: number): Accumulate => ({
  start: [`let acc = ${gpuNumber(worst)};`],
  step: (v) => [
    `const c = ${v};`,
    `if (acc == acc) {`,
    `if (c != c || c ${op} acc) {`,
    'acc = c;',
    '}',
    '}',
  ],
});
const pick = (op: string, worst: number): Accumulate => ({
  start: ['let acc = 0;', `let best = ${gpuNumber(worst)};`],
  // The first NaN is the place, as it is the value of an extreme.
  step: (v, at) => [
    `const c = ${v};`,
    'if (best == best) {',
    `if (c != c || c ${op} best) {`,
    'best = c;',
    `acc = ${at};`,
    '}',
    '}',
  ],
});

const declares: Declares = {
  real: (name) => `let ${name} = 0;`,
  count: (name) => `let ${name} = 0;`,
  whole: String,
  zero: '0',
};

const accumulate: Readonly<Record<ReduceOp, Accumulate>> = {
  sum: plain('0', (v) => `acc + ${v}`),
  prod: plain('1', (v) => `acc * ${v}`),
  max: extreme('>', -Infinity),
  min: extreme('<', Infinity),
  all: plain('1', (v) => `acc * ${v}`),
  any: plain('0', (v) => `(acc + ${v} > 0 ? 1 : 0)`),
  argmax: pick('>', -Infinity),
  argmin: pick('<', Infinity),
};

export function gpujsKernel(
  plan: Plan,
  k: Kernel,
  loops: readonly Axis[],
): GpuJsKernel | undefined {
  const n = k.nests[0]!;
  const own = [...k.grid, ...n.axes];
  if (own.some((a) => a.extent === 0)) return undefined;
  const { words } = plan.bufs[n.store.buf]!;
  const extents = extentsOf(loops, own, n.red);
  const inverse = inverseOf(n, own, words);
  const body = inverse ? byDigits(n, own, inverse, extents) : bySearch(n, own, extents);
  const keeps = !inverse?.total;
  const head = [
    'const t = this.thread.x;',
    ...loops.map((a) => `const ${axisName(a.id)} = l${a.id}[0];`),
    keeps ? 'let out = old[t];' : 'let out = 0;',
  ];
  const text = [...head, ...body, 'return out;'];
  const all = text.join('\n');
  const reads = new Set<BufId>();
  for (const m of all.matchAll(/\bb(\d+)\[/g)) reads.add(Number(m[1]));
  const args: Arg[] = [
    ...(keeps ? [{ k: 'old' as const }] : []),
    ...[...reads].map((buf) => ({ k: 'buf' as const, buf })),
    ...loops.map((a) => ({ k: 'loop' as const, axis: a.id })),
    ...(/\bk\[/.test(all) ? [{ k: 'specials' as const }] : []),
  ];
  const source = [`function (${args.map(argName).join(', ')}) {`, ...indent(text), '}'].join('\n');
  return { source, args, buf: n.store.buf, words };
}

export function argName(a: Arg): string {
  switch (a.k) {
    case 'old':
      return 'old';
    case 'buf':
      return `b${a.buf}`;
    case 'loop':
      return `l${a.axis}`;
    case 'specials':
      return 'k';
  }
}

const open = (a: Axis): string[] => [
  `for (let n${a.id} = 0; n${a.id} < ${a.extent}; n${a.id}++) {`,
  `const ${axisName(a.id)} = n${a.id};`,
];

/** Axes from the digits of t; the axes that are no digit are run through. */
function byDigits(n: KNest, own: readonly Axis[], inverse: Inverse, extents: Extents): string[] {
  const bound = new Set(inverse.digits.flatMap((d) => (d.is.k === 'axis' ? [d.is.id] : [])));
  const single = own.filter((a) => a.extent === 1 && !bound.has(a.id));
  const serial = own.filter((a) => a.extent > 1 && !bound.has(a.id));
  const values = inverse.digits.flatMap((d) => (d.is.k === 'value' ? [d.is.e] : []));
  const text = new NestText(gpujsLang, [...serial, ...n.red], extents, [n.body, ...values]);
  const lines: string[] = single.map((a) => `const ${axisName(a.id)} = 0;`);
  const base = text.ix(inverse.base, 0);
  lines.push(...text.at[0]!.splice(0), `const r0 = t - ${base};`);
  const inside: string[] = [];
  const hits: string[] = [];
  inverse.digits.forEach((d, i) => {
    const last = i === inverse.digits.length - 1 && d.stride === 1;
    lines.push(last ? `const d${i} = r${i};` : `const d${i} = ${floorBy(`r${i}`, d.stride)};`);
    if (!last) lines.push(`const r${i + 1} = r${i} - d${i} * ${d.stride};`);
    inside.push(`d${i} >= 0 && d${i} < ${d.extent}`);
    const digit = d.reversed ? `${d.extent - 1} - d${i}` : `d${i}`;
    if (d.is.k === 'axis') lines.push(`const ${axisName(d.is.id)} = ${digit};`);
    else hits.push(`${text.expr(d.is.e, serial.length)} == ${digit}`);
  });
  const last = inverse.digits.at(-1);
  if (last?.stride !== 1) inside.push(`r${inverse.digits.length} == 0`);
  const nest = nestLines(n, serial, text, hits);
  if (inverse.total) return [...lines, ...nest];
  return [...lines, `if (${inside.join(' && ')}) {`, ...nest, '}'];
}

/** All axes run through; the store is taken where its offset is t. */
function bySearch(n: KNest, own: readonly Axis[], extents: Extents): string[] {
  const roots: KExpr[] = [n.body, ...n.store.at.dyn.map((d) => d.e)];
  const text = new NestText(gpujsLang, [...own, ...n.red], extents, roots);
  return nestLines(n, own, text, [`${text.kix(n.store.at, own.length)} == t`]);
}

/** The loops over what is left, and the value into `out` where every hit holds. */
function nestLines(
  n: KNest,
  serial: readonly Axis[],
  text: NestText,
  hits: readonly string[],
): string[] {
  const outer = serial.length;
  const conditions = [...hits];
  if (n.store.guard.length > 0) conditions.push(text.guards(n.store.guard, outer));
  const inner: string[] = [];
  let value = 'acc';
  if (n.op === null) value = text.expr(n.body, outer);
  else {
    const acc = accumulate[n.op];
    const terms = n.red.reduce((all, a) => all * a.extent, 1);
    const long = cascade(n.op, n.body.t, terms, declares);
    inner.push(...acc.start, ...long.start);
    if (n.red.every((a) => a.extent > 0)) {
      const v = text.expr(n.body, outer + n.red.length);
      n.red.forEach((a, i) => {
        inner.push(...open(a), ...text.at[outer + i + 1]!);
      });
      const step = acc.step(v, axisName(n.red[0]!.id));
      inner.push(...step, ...long.step, ...n.red.map(() => '}'), ...long.end);
    }
  }
  inner.push(`out = ${n.store.mode === 'add' ? `out + ${value}` : value};`);
  const lines: string[] = [...text.at[0]!];
  serial.forEach((a, i) => {
    lines.push(...open(a), ...text.at[i + 1]!);
  });
  if (conditions.length > 0) lines.push(`if (${conditions.join(' && ')}) {`, ...inner, '}');
  else lines.push(...inner);
  return [...lines, ...serial.map(() => '}')];
}

function indent(lines: readonly string[]): string[] {
  let depth = 1;
  return lines.map((l) => {
    if (l.startsWith('}')) depth--;
    const out = '  '.repeat(depth) + l;
    if (l.endsWith('{')) depth++;
    return out;
  });
}
