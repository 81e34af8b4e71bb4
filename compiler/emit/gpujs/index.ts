/**
 * A plan for gpu.js: stretches of kernels that gpu.js runs as one pipeline, and between them kernels
 * that run on the host (see analysis.ts for which, and why).
 *
 * A loop is part of a pipeline when all of its kernels are and its unrolled length is bounded (a
 * pipeline records every call); else the host steps through it.
 */
import type { Axis } from '../../core.ts';
import type { BufId, Kernel, Plan, Step } from '../../plan.ts';
import { splitKernels } from '../split.ts';
import { Analysis } from './analysis.ts';
import { hostText } from './host.ts';
import { type GpuJsKernel, gpujsKernel } from './kernel.ts';

/** Calls that one pipeline may record. */
const MOST_CALLS = 4096;

export type Call =
  | { readonly k: 'call'; readonly kernel: GpuJsKernel }
  | {
      readonly k: 'loop';
      readonly axis: Axis;
      readonly rev: boolean;
      readonly calls: readonly Call[];
    };

export type Item =
  | {
      readonly k: 'pipe';
      readonly calls: readonly Call[];
      /** Loops around the pipe. */
      readonly loops: readonly Axis[];
      /** Buffers whose contents go in, and those that come out. */
      readonly takes: readonly BufId[];
      readonly gives: readonly BufId[];
    }
  | { readonly k: 'host'; readonly text: string; readonly why: string; readonly buf: BufId }
  | {
      readonly k: 'loop';
      readonly axis: Axis;
      readonly rev: boolean;
      readonly items: readonly Item[];
    };

export type GpuJsProgram = { readonly plan: Plan; readonly items: readonly Item[] };

export type GpuJsOptions = {
  /** Arrays that a kernel may read, `old` and loop axes included; WebGPU binds few. */
  readonly maxArrays: number;
};

export function gpujsProgram(given: Plan, options: GpuJsOptions): GpuJsProgram {
  const plan = splitKernels(given);
  const analysis = new Analysis(plan);
  const made = new Map<Kernel, GpuJsKernel | string | undefined>();
  const make = (k: Kernel, loops: readonly Axis[]): GpuJsKernel | string | undefined => {
    if (!made.has(k)) {
      const why = analysis.whyHost(k, loops);
      const kernel = why === undefined ? gpujsKernel(plan, k, loops) : undefined;
      const many = kernel && kernel.args.length > options.maxArrays;
      made.set(k, many ? `it reads ${kernel.args.length} arrays` : (why ?? kernel));
    }
    return made.get(k);
  };

  /** The calls of a step, when gpu.js can run all of it. */
  const callsOf = (s: Step, loops: readonly Axis[]): Call[] | undefined => {
    if (s.k === 'kernel') {
      const kernel = make(s, loops);
      if (typeof kernel === 'string') return undefined;
      return kernel && kernel.words > 0 ? [{ k: 'call', kernel }] : [];
    }
    if (s.axis.extent === 0) return [];
    const calls: Call[] = [];
    for (const t of s.steps) {
      const c = callsOf(t, [...loops, s.axis]);
      if (!c) return undefined;
      calls.push(...c);
    }
    const loop: Call = { k: 'loop', axis: s.axis, rev: s.rev, calls };
    return lengthOf([loop]) <= MOST_CALLS ? [loop] : undefined;
  };

  const itemsOf = (steps: readonly Step[], loops: readonly Axis[]): Item[] => {
    const items: Item[] = [];
    let calls: Call[] = [];
    const flush = (): void => {
      if (calls.length > 0) items.push({ k: 'pipe', calls, loops, takes: [], gives: [] });
      calls = [];
    };
    for (const s of steps) {
      const c = callsOf(s, loops);
      if (c) {
        if (lengthOf([...calls, ...c]) > MOST_CALLS) flush();
        calls.push(...c);
        continue;
      }
      flush();
      if (s.k === 'kernel') {
        const why = make(s, loops) as string;
        const text = hostText(plan, s, loops);
        items.push({ k: 'host', text, why, buf: s.nests[0]!.store.buf });
      } else {
        const inner = itemsOf(s.steps, [...loops, s.axis]);
        items.push({ k: 'loop', axis: s.axis, rev: s.rev, items: inner });
      }
    }
    flush();
    return items;
  };
  return { plan, items: withTraffic(plan, itemsOf(plan.steps, [])) };
}

const lengthOf = (calls: readonly Call[]): number =>
  calls.reduce((n, c) => n + (c.k === 'call' ? 1 : c.axis.extent * (lengthOf(c.calls) + 1)), 0);

// ---------------------------------------------------------------- what crosses to the host

type Traffic = { readonly reads: Set<BufId>; readonly writes: Set<BufId> };

/** What a pipe reads before it has written all of it, and what it writes. */
function trafficOf(calls: readonly Call[]): Traffic {
  const out: Traffic = { reads: new Set(), writes: new Set() };
  const walk = (list: readonly Call[]): void => {
    for (const c of list) {
      if (c.k === 'loop') {
        walk(c.calls);
        continue;
      }
      const { args, buf } = c.kernel;
      for (const a of args) {
        const b = a.k === 'buf' ? a.buf : a.k === 'old' ? buf : undefined;
        if (b !== undefined && !out.writes.has(b)) out.reads.add(b);
      }
      out.writes.add(buf);
    }
  };
  walk(calls);
  return out;
}

/** A pipe gives what anything outside of it, or its own next time, may read. */
function withTraffic(plan: Plan, items: readonly Item[]): Item[] {
  const readers = new Map<BufId, number>();
  const note = (b: BufId): void => {
    readers.set(b, (readers.get(b) ?? 0) + 1);
  };
  for (const b of [...plan.outputs, ...plan.inputs]) note(b);
  const scan = (list: readonly Item[]): void => {
    for (const i of list) {
      if (i.k === 'loop') scan(i.items);
      else if (i.k === 'pipe') trafficOf(i.calls).reads.forEach(note);
      else for (const m of i.text.matchAll(/bufs\[(\d+)\]/g)) note(Number(m[1]));
    }
  };
  scan(items);
  const fill = (list: readonly Item[]): Item[] =>
    list.map((i): Item => {
      if (i.k === 'loop') return { ...i, items: fill(i.items) };
      if (i.k === 'host') return i;
      const { reads, writes } = trafficOf(i.calls);
      return { ...i, takes: [...reads], gives: [...writes].filter((b) => readers.has(b)) };
    });
  return fill(items);
}

// ---------------------------------------------------------------- as text

/** Every kernel function in order, for people. */
export function emitGpuJs(plan: Plan): string {
  const out: string[] = [];
  const calls = (list: readonly Call[], indent: string): void => {
    for (const c of list) {
      if (c.k === 'call') {
        out.push(`${indent}// b${c.kernel.buf}: ${c.kernel.words} words`);
        out.push(...c.kernel.source.split('\n').map((l) => indent + l));
      } else {
        out.push(`${indent}// loop a${c.axis.id}: ${c.axis.extent}${c.rev ? ', down' : ''}`);
        calls(c.calls, `${indent}  `);
      }
    }
  };
  const walk = (list: readonly Item[], indent: string): void => {
    for (const i of list) {
      if (i.k === 'pipe') {
        const names = (l: readonly BufId[]): string => l.map((b) => `b${b}`).join(' ') || 'nothing';
        out.push(`${indent}// pipeline: takes ${names(i.takes)}, gives ${names(i.gives)}`);
        calls(i.calls, indent);
      } else if (i.k === 'host') {
        out.push(`${indent}// b${i.buf} on the host: ${i.why}`);
      } else {
        out.push(`${indent}// loop a${i.axis.id}: ${i.axis.extent}${i.rev ? ', down' : ''}`);
        walk(i.items, `${indent}  `);
      }
    }
  };
  walk(gpujsProgram(plan, { maxArrays: Infinity }).items, '');
  return `${out.join('\n')}\n`;
}
