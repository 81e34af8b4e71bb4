/**
 * What the shaders of all kernel forms share: how buffers, values and loop axes read in WGSL, and the
 * frame around a body.
 *
 * All buffers are windows of `array<u32>` segments (memory.ts). The loops around a kernel are not in
 * its text: their values come in a uniform block, so a fold is one pipeline dispatched many times.
 * Workgroups are numbered over two dimensions, since one holds at most 65,535.
 *
 * Indices are i32 and wrap, as WGSL says of what is computed at run time; literals must fit. Words of a
 * segment, and so cells, threads and tiles, are fewer than 2^30, since a binding is less than 2^32
 * bytes; only what is summed over may be more, and its counters say how (long-reduction.ts).
 */
import type { Axis, Dtype, ReduceOp } from '../../core.ts';
import type { BufId, KExpr, Plan } from '../../plan.ts';
import { axisName, type Lang, type PrimNode } from '../nest-text.ts';
import { fromBits, wgslLiteral } from './literal.ts';
import type { GpuMemory } from './memory.ts';
import { helperTexts, wgslPrim } from './prims.ts';
import { type Accumulate, accumulates } from './reduce.ts';
import { isWide, wideRow } from './wide.ts';

export type Shader = {
  readonly code: string;
  /** Workgroups in x and y; none when there is nothing to do. */
  readonly groups: readonly [number, number];
};

/** Loops around a kernel whose values fit the uniform block. */
export const MOST_LOOPS = 16;

/** Workgroups of a dispatch in its first dimension, when there are more than fit. */
const FOLD = 65535;

/** The word of a buffer at an offset, as text. */
export type Word = (at: string) => string;

/** One shader in the making: the language, and the helpers it has asked for. */
export type Printer = {
  readonly plan: Plan;
  readonly lang: Lang;
  readonly find: (b: BufId) => Word;
  readonly reduce: Readonly<Record<ReduceOp, Accumulate>>;
  readonly need: (helper: string) => string;
  /**
   * The whole shader. `body` is run by every lane of `count` workgroups, as number `group`; `shared`
   * are declarations of workgroup memory.
   */
  readonly shader: (o: {
    readonly lanes: number;
    readonly count: number;
    readonly shared?: readonly string[];
    readonly body: readonly string[];
  }) => Shader;
};

/** `scratch` finds the buffers that live in a workgroup or a thread. */
export function printerFor(
  plan: Plan,
  memory: GpuMemory,
  loops: readonly Axis[],
  scratch: (b: BufId) => Word | undefined = () => undefined,
): Printer {
  const used = new Set<string>();
  let checks = false;
  const need = (h: string): string => {
    used.add(h);
    return h;
  };
  const find = (b: BufId): Word => {
    const own = scratch(b);
    if (own) return own;
    const { segment, offset } = memory.place(b);
    return (i) => `s${segment}[${offset === 0 ? i : `${offset}i + ${i}`}]`;
  };
  return {
    plan,
    lang: wgslLang(plan, find, need, () => {
      checks = true;
    }),
    find,
    reduce: accumulates(need),
    need,
    shader: ({ lanes, count, shared = [], body }) => {
      const code = [
        ...memory.segments.map(
          (_, s) => `@group(0) @binding(${s + 1}) var<storage, read_write> s${s}: array<u32>;`,
        ),
        `@group(0) @binding(0) var<uniform> loops: array<vec4<i32>, ${MOST_LOOPS / 4}>;`,
        ...shared,
        ...helperTexts(used),
        ...(checks ? [checkText(find(plan.checks!.fault)('0i'))] : []),
        `@compute @workgroup_size(${lanes})`,
        'fn main(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {',
        ...indent([
          count > FOLD ? `let group = at.y * ${FOLD}u + at.x;` : 'let group = at.x;',
          ...(count > FOLD ? [`if (group >= ${count}u) { return; }`] : []),
          ...loops.map((a, i) => `let ${axisName(a.id)} = loops[${i >> 2}][${i & 3}];`),
          ...body,
        ]),
        '}',
        '',
      ].join('\n');
      const groups: [number, number] =
        count <= FOLD ? [count, Math.min(count, 1)] : [FOLD, Math.ceil(count / FOLD)];
      return { code: fromBits(code) + code, groups };
    },
  };
}

/** Axis values from a row-major number, the last axis fastest. */
export function splitNumber(axes: readonly Axis[], number: string, unsigned = false): string[] {
  const u = unsigned ? 'u' : 'i';
  const out: string[] = [];
  let below = 1;
  [...axes].reverse().forEach((a, i) => {
    const above = below === 1 ? number : `(${number} / ${below}${u})`;
    // The first axis takes what is left: the number is in range.
    const value = i === axes.length - 1 ? above : `${above} % ${a.extent}${u}`;
    out.push(`let ${axisName(a.id)} = ${unsigned ? `i32(${value})` : value};`);
    below *= a.extent;
  });
  return out.reverse();
}

export const loopOpen = (a: Axis): string =>
  `for (var ${axisName(a.id)} = 0i; ${axisName(a.id)} < ${a.extent}i; ${axisName(a.id)}++) {`;

/** The value of a word, and the word of a value. Bool is 0 or 1. */
export const fromWord = (t: Dtype, w: string): string =>
  t === 'u32' ? w : t === 'bool' ? `(${w} != 0u)` : `bitcast<${t}>(${w})`;
export const toWord = (t: Dtype, v: string): string =>
  t === 'u32' ? v : t === 'bool' ? `select(0u, 1u, ${v})` : `bitcast<u32>(${v})`;

/** lo <= e < hi; a bound that every i32 keeps has no literal, and is left out. */
function within(e: string, lo: number, hi: number): string {
  if (hi <= lo || lo > 2147483647 || hi <= -2147483648) return 'false';
  const tests = [
    ...(lo > -2147483648 ? [`${e} >= ${wgslLiteral('i32', lo)}`] : []),
    ...(hi <= 2147483647 ? [`${e} < ${wgslLiteral('i32', hi)}`] : []),
  ];
  return tests.length === 0 ? 'true' : `(${tests.join(' && ')})`;
}

/** A value where it is in range, else 0, and the number of its site in the fault word. */
const checkText = (fault: string): string => `fn check(v: i32, extent: i32, site: u32) -> i32 {
  if (v >= 0i && v < extent) { return v; }
  ${fault} = site;
  return 0i;
}`;

/** `checking` is told when a text calls \`check\`. */
function wgslLang(
  plan: Plan,
  find: (b: BufId) => Word,
  need: (h: string) => string,
  checking: () => void,
): Lang {
  const prim = Object.fromEntries(
    Object.entries(wgslPrim).map(([op, row]) => [
      op,
      (a: readonly string[], node: PrimNode) =>
        isWide(node) ? wideRow(a, node, need) : row(a, node, need),
    ]),
  ) as unknown as Lang['prim'];
  return {
    prim,
    literal: wgslLiteral,
    // Sums and products of indices are taken modulo 2^32, and so may their constants be.
    int: (v) => wgslLiteral('i32', v | 0),
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
    within,
    checked: (e, { extent, site }) => {
      if (site === undefined) return `select(0i, ${e}, ${within(e, 0, extent)})`;
      checking();
      return `check(${e}, ${Math.min(extent, 2147483647)}i, ${site + 1}u)`;
    },
    both: (a, b) => `(${a} && ${b})`,
    fromIndex: (e) => e,
    toIndex: (e) => e,
    declare: (name, text) => `let ${name} = ${text};`,
    // Operations on literals alone are evaluated when the shader is made, where overflow and
    // division by zero are errors.
    named: (node, arg) =>
      isFixed(arg) && (node.op === 'idiv' || node.op === 'mod' || node.args.every(isFixed)),
  };
}

/** What a compiler of shaders sees as a constant. */
const isFixed = (e: KExpr): boolean =>
  e.k === 'const' || (e.k === 'index' && e.ix.terms.length === 0);

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
