/**
 * What a function costs at given sizes, without running it: operations, bytes moved and memory, by
 * source line and by kernel. The counts are the compiler's (schedule/cost.ts); here they get their
 * lines and names.
 *
 * Invariant: the rows of `lines` and those of `kernels` each add up to the totals exactly. What a line
 * was fused into stands at the line that the result comes from.
 */

import type { Plan, Step } from '../../compiler/plan.ts';
import { type Cost, costOf, type Form, heldAcross } from '../../compiler/schedule/cost.ts';
import { placeOf } from '../../dsl/render.ts';
import type { Sources, Span } from '../../dsl/source.ts';
import { type InspectOptions, inspect } from './inspect.ts';
import type { Program } from './program.ts';

export type { Cost, Form };

/** A line of a source file; `line` counts from 1. */
export type SourceLine = { readonly file: string; readonly line: number; readonly text: string };

export type KernelRow = Cost & {
  readonly id: number;
  readonly name: string;
  readonly form: Form;
  readonly runs: number;
  /** Every line that is in it, the one that its result comes from first. */
  readonly lines: readonly SourceLine[];
};

export type LineRow = Cost & {
  /** Absent: what the compiler added, such as copies of results. */
  readonly at?: SourceLine;
  /** Kernels that compute something of this line. */
  readonly kernels: number;
};

export type CostReport = Cost & {
  readonly kernels: readonly KernelRow[];
  /** By file and line. */
  readonly lines: readonly LineRow[];
  /** Bytes. `saved` are the temporaries that backward still reads once the loss is known. */
  readonly memory: {
    readonly inputs: number;
    readonly outputs: number;
    readonly constants: number;
    readonly arena: number;
    readonly peak: number;
    readonly saved?: number;
  };
};

/** @throws TenonError (`usage`), ProgramError. */
export function cost(program: Program, name: string, options: InspectOptions = {}): CostReport {
  const { compiled, grads } = inspect(program, name, 'cost', options);
  const plan = compiled.plan({ resident: true });
  const report = costReport(plan, program.sources);
  if (grads.length === 0) return report;
  const saved = heldAcross(plan, positionOf(plan, plan.outputs[0]!));
  return { ...report, memory: { ...report.memory, saved } };
}

export function costReport(plan: Plan, sources: Sources): CostReport {
  const { kernels, memory, flops, read, written } = costOf(plan);
  const lineOf = lineFinder(sources);
  const rows = new Map<string, { row: LineRow; seen: Set<number> }>();
  for (const k of kernels) {
    for (const n of k.nests) {
      const at = n.nest.spans[0] && lineOf(n.nest.spans[0]);
      const key = at ? `${at.file}:${at.line}` : '';
      const { row, seen } = rows.get(key) ?? {
        row: { ...(at ? { at } : {}), flops: 0, read: 0, written: 0, kernels: 0 },
        seen: new Set<number>(),
      };
      seen.add(k.kernel.id);
      const added: LineRow = {
        ...row,
        flops: row.flops + n.flops,
        read: row.read + n.read,
        written: row.written + n.written,
        kernels: seen.size,
      };
      rows.set(key, { row: added, seen });
    }
  }
  return {
    flops,
    read,
    written,
    memory,
    kernels: kernels.map((k) => ({
      id: k.kernel.id,
      name: k.kernel.name,
      form: k.form,
      runs: k.runs,
      flops: k.flops,
      read: k.read,
      written: k.written,
      lines: linesOf(k.kernel.nests.flatMap((n) => n.spans).map(lineOf)),
    })),
    lines: [...rows.values()].map((r) => r.row).sort(inSource),
  };
}

function inSource(a: LineRow, b: LineRow): number {
  if (!a.at || !b.at) return Number(b.at !== undefined) - Number(a.at !== undefined);
  if (a.at.file !== b.at.file) return a.at.file < b.at.file ? -1 : 1;
  return a.at.line - b.at.line;
}

function linesOf(all: readonly SourceLine[]): SourceLine[] {
  const by = new Map(all.map((l) => [`${l.file}:${l.line}`, l]));
  return [...by.values()];
}

function lineFinder(sources: Sources): (span: Span) => SourceLine {
  const known = new Map<string, SourceLine>();
  return ({ file, start }) => {
    const key = `${file}:${start}`;
    const text = sources.get(file) ?? '';
    const { line } = placeOf(text, start);
    const found = known.get(key) ?? {
      file,
      line,
      text: text.split(/\r?\n/)[line - 1]?.trim() ?? '',
    };
    known.set(key, found);
    return found;
  };
}

/** The place, in program order, of the last kernel that writes a buffer. */
function positionOf(plan: Plan, buf: number): number {
  let at = 0;
  let found = 0;
  const walk = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.k === 'loop') walk(s.steps);
      else {
        if (s.nests.some((n) => n.store.buf === buf)) found = at;
        at++;
      }
    }
  };
  walk(plan.steps);
  return found;
}
