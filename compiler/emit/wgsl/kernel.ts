/**
 * A kernel of one nest as a WGSL compute shader, the plain way that is right for every such kernel:
 * one thread per cell of its output, the reduction as serial loops. A nest that adds has one thread
 * per cell of the grid, since its axes may meet in one cell.
 *
 * All buffers are windows of `array<u32>` segments (memory.ts). The loops around a kernel are not in
 * its text: their values come in a uniform block, so a fold is one pipeline dispatched many times.
 * Thread numbers are folded over two dimensions, since one holds at most 65,535 workgroups.
 */
import { type Extents, extentsOf } from '../../core/ix.ts';
import type { Axis, Dtype } from '../../core.ts';
import type { BufId, KExpr, Kernel, KNest, Plan } from '../../plan.ts';
import { axisName, type Lang, NestText, type PrimNode } from '../nest-text.ts';
import { fromBits, wgslLiteral } from './literal.ts';
import type { GpuMemory } from './memory.ts';
import { helperTexts, wgslPrim } from './prims.ts';
import { accumulates } from './reduce.ts';

export const WORKGROUP = 64;
/** Workgroups of a dispatch in its first dimension, when there are more than fit. */
export const FOLD = 65535;

export type WgslKernel = {
  readonly code: string;
  /** Workgroups in x and y; none when there is nothing to do. */
  readonly groups: readonly [number, number];
};

/** The word of a buffer at an offset, as text. */
type Word = (at: string) => string;

export function wgslKernel(
  plan: Plan,
  memory: GpuMemory,
  k: Kernel,
  loops: readonly Axis[],
): WgslKernel {
  const nest = k.nests[0]!;
  const sets = nest.store.mode === 'set';
  const threads = sets ? [...k.grid, ...nest.axes] : k.grid;
  const serial = sets ? [] : nest.axes;
  const total = threads.reduce((n, a) => n * a.extent, 1);
  const used = new Set<string>();
  const need = (h: string): string => {
    used.add(h);
    return h;
  };
  const find = (b: BufId): Word => windowOf(memory, b);
  const printer: Printer = {
    plan,
    lang: wgslLang(plan, find, need),
    find,
    reduce: accumulates(need),
  };
  const extents = extentsOf(loops, k.grid, nest.axes, nest.red);
  const body = nestLines(printer, nest, serial, extents);
  const code = [
    ...memory.segments.map(
      (_, s) => `@group(0) @binding(${s + 1}) var<storage, read_write> s${s}: array<u32>;`,
    ),
    `@group(0) @binding(0) var<uniform> loops: array<vec4<i32>, 4>;`,
    ...helperTexts(used),
    `@compute @workgroup_size(${WORKGROUP})`,
    'fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {',
    ...indent([
      `let thread = (group.y * ${FOLD}u + group.x) * ${WORKGROUP}u + lane;`,
      `if (thread >= ${total}u) { return; }`,
      ...loops.map((a, i) => `let ${axisName(a.id)} = loops[${i >> 2}][${i & 3}];`),
      ...splitThread(threads),
      ...body,
    ]),
    '}',
    '',
  ].join('\n');
  const groups = Math.ceil(total / WORKGROUP);
  return {
    code: fromBits(code) + code,
    groups: groups <= FOLD ? [groups, groups === 0 ? 0 : 1] : [FOLD, Math.ceil(groups / FOLD)],
  };
}

/** Axis values from the thread number, the last axis fastest. */
function splitThread(axes: readonly Axis[]): string[] {
  const out: string[] = [];
  let below = 1;
  for (const a of [...axes].reverse()) {
    const above = below === 1 ? 'thread' : `(thread / ${below}u)`;
    out.push(`let ${axisName(a.id)} = i32(${above} % ${a.extent}u);`);
    below *= a.extent;
  }
  return out.reverse();
}

/** How the text finds a buffer. */
function windowOf(memory: GpuMemory, b: BufId): Word {
  const { segment, offset } = memory.place(b);
  return (i) => `s${segment}[${offset === 0 ? i : `${offset}i + ${i}`}]`;
}

// ---------------------------------------------------------------- values and words

const fromWord = (t: Dtype, w: string): string =>
  t === 'u32' ? w : t === 'bool' ? `(${w} != 0u)` : `bitcast<${t}>(${w})`;
const toWord = (t: Dtype, v: string): string =>
  t === 'u32' ? v : t === 'bool' ? `select(0u, 1u, ${v})` : `bitcast<u32>(${v})`;

function wgslLang(plan: Plan, find: (b: BufId) => Word, need: (h: string) => string): Lang {
  const prim = Object.fromEntries(
    Object.entries(wgslPrim).map(([op, row]) => [
      op,
      (a: readonly string[], node: PrimNode) => row(a, node, need),
    ]),
  ) as unknown as Lang['prim'];
  return {
    prim,
    literal: wgslLiteral,
    int: (v) => (v < 0 ? `(${v}i)` : `${v}i`),
    div: (e, by, lo, hi) => {
      if (lo >= 0) return hi < by ? '0i' : `${e} / ${by}i`;
      return `${need('floor_div')}(${e}, ${by}i)`;
    },
    mod: (e, by, lo, hi) => {
      if (lo >= 0) return hi < by ? e : `${e} % ${by}i`;
      return `${need('floor_mod')}(${e}, ${by}i)`;
    },
    load: (b, at) => fromWord(plan.bufs[b]!.t, find(b)(at)),
    guarded: (condition, load, t) => `select(${wgslLiteral(t, 0)}, ${load}, ${condition})`,
    within: (e, lo, hi) => `(${e} >= ${lo}i && ${e} < ${hi}i)`,
    both: (a, b) => `(${a} && ${b})`,
    fromIndex: (e) => e,
    toIndex: (e) => e,
    declare: (name, text) => `let ${name} = ${text};`,
    // Operations on literals alone are evaluated when the shader is made, where overflow and
    // division by zero are errors.
    named: (node, arg) =>
      arg.k === 'const' &&
      (node.op === 'idiv' || node.op === 'mod' || node.args.every((a) => a.k === 'const')),
  };
}

// ---------------------------------------------------------------- nests

const loopOpen = (a: Axis): string =>
  `for (var ${axisName(a.id)} = 0i; ${axisName(a.id)} < ${a.extent}i; ${axisName(a.id)}++) {`;

type Printer = {
  readonly plan: Plan;
  readonly lang: Lang;
  readonly find: (b: BufId) => Word;
  readonly reduce: ReturnType<typeof accumulates>;
};

function nestLines(p: Printer, n: KNest, serial: readonly Axis[], extents: Extents): string[] {
  if (serial.some((a) => a.extent === 0)) return [];
  const roots: KExpr[] = [n.body, ...n.store.at.dyn.map((d) => d.e)];
  const text = new NestText(p.lang, [...serial, ...n.red], extents, roots);
  const outer = serial.length;
  const inner: string[] = [];
  let result = 'acc';
  if (n.op === null) result = text.expr(n.body, outer);
  else {
    const acc = p.reduce[n.op];
    inner.push(...acc.start(n.body.t));
    // An empty reduction must not compute what stands inside or before its loops.
    if (n.red.every((a) => a.extent > 0)) {
      const value = text.expr(n.body, outer + n.red.length);
      n.red.forEach((a, i) => {
        inner.push(loopOpen(a), ...text.at[outer + i + 1]!);
      });
      inner.push(...acc.step(value, axisName(n.red[0]!.id), n.body.t), ...n.red.map(() => '}'));
    }
  }
  const t = p.plan.bufs[n.store.buf]!.t;
  const cell = p.find(n.store.buf)(text.kix(n.store.at, outer));
  const guard = n.store.guard.length > 0 ? text.guards(n.store.guard, outer) : '';
  const sum = n.store.mode === 'add' ? `${fromWord(t, cell)} + ${result}` : result;
  const store = `${cell} = ${toWord(t, sum)};`;
  inner.push(guard ? `if (${guard}) { ${store} }` : store);
  const lines: string[] = [...text.at[0]!];
  serial.forEach((a, i) => {
    lines.push(loopOpen(a), ...text.at[i + 1]!);
  });
  lines.push(...inner, ...serial.map(() => '}'));
  return lines;
}

/** Indents by the braces that are open. */
function indent(lines: readonly string[]): string[] {
  let depth = 1;
  return lines.map((l) => {
    if (l.startsWith('}')) depth--;
    const out = '  '.repeat(depth) + l;
    if (l.endsWith('{')) depth++;
    return out;
  });
}
