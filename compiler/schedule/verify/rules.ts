/**
 * What a plan must keep, as data: each row has a name, what it demands, and how a breach is seen. The
 * first table is about a plan as it stands, the second about one access of a word while it runs
 * (machine.ts shows each of them), the third about what there is at the end. No row knows how
 * scheduling came to its decisions: an order is right when every read finds what the core defines.
 */
import { sizeOf } from '../../core/build.ts';
import type { Core } from '../../core.ts';
import type { Buf, Kernel, Plan, Step } from '../../plan.ts';

/** A plan at any stage of scheduling: the last ones have offsets. */
export type Staged = Omit<Plan, 'offsets' | 'arenaWords'> &
  Partial<Pick<Plan, 'offsets' | 'arenaWords'>>;

export type Subject = {
  readonly core: Core;
  readonly plan: Staged;
  readonly donate: readonly (readonly [output: number, input: number])[];
};

export type Rule<T> = {
  readonly name: string;
  readonly says: string;
  /** What is wrong, if something is. */
  readonly breach: (x: T) => string | undefined | false;
};

export type Breach = { readonly rule: string; readonly what: string };

export const askAll = <T>(rules: readonly Rule<T>[], x: T): Breach[] =>
  rules.flatMap((r) => {
    const what = r.breach(x);
    return what === undefined || what === false ? [] : [{ rule: r.name, what }];
  });

// ---------------------------------------------------------------- as it stands

const alike = (b: Buf, t: Buf['t'], words: number): boolean =>
  b.t === t && (b.words === words || b.words === 0);

function eachKernelIn(
  steps: readonly Step[],
  f: (k: Kernel, around: readonly number[]) => void,
  around: readonly number[] = [],
): void {
  for (const s of steps) {
    if (s.k === 'kernel') f(s, around);
    else eachKernelIn(s.steps, f, [...around, s.axis.id]);
  }
}

function inKernels(plan: Staged, f: (k: Kernel, around: readonly number[]) => string | false) {
  let found: string | undefined;
  eachKernelIn(plan.steps, (k, around) => {
    const what = f(k, around);
    if (what !== false) found ??= `kernel ${k.id} \`${k.name}\`: ${what}`;
  });
  return found;
}

export const planRules: readonly Rule<Subject>[] = [
  {
    name: 'interface',
    says: 'inputs and outputs are those of the core, in its order, of its types and sizes',
    breach: ({ core, plan }) => {
      if (plan.inputs.length !== core.inputs.length) return `${plan.inputs.length} inputs`;
      if (plan.outputs.length !== core.outputs.length) return `${plan.outputs.length} outputs`;
      const differs = (v: Core['inputs'][number], b: number): boolean =>
        !alike(plan.bufs[b]!, v.t, sizeOf(v.shape));
      const bad =
        core.inputs.find((v, i) => differs(v, plan.inputs[i]!)) ??
        core.outputs.find((v, o) => differs(v, plan.outputs[o]!));
      return bad && `\`${bad.name}\` has another type or size`;
    },
  },
  {
    name: 'storage of outputs',
    says: 'an output is a buffer of its own, or that of the input which was donated to it',
    breach: ({ core, plan, donate }) => {
      const given = new Map(donate);
      const bad = plan.outputs.findIndex((b, o) => {
        const from = given.get(o);
        if (from !== undefined) return plan.inputs[from] !== b;
        return plan.bufs[b]!.kind !== 'output' || plan.outputs.indexOf(b) !== o;
      });
      return bad >= 0 && `\`${core.outputs[bad]!.name}\` is in buffer ${plan.outputs[bad]}`;
    },
  },
  {
    name: 'loops',
    says: 'a kernel names the loops around it, in their order',
    breach: ({ plan }) =>
      inKernels(
        plan,
        (k, around) =>
          k.loops.map((l) => l.id).join() !== around.join() &&
          `it names the loops [${k.loops.map((l) => l.id)}], around it are [${around}]`,
      ),
  },
  {
    name: 'bound axes',
    says: 'no axis is bound twice at one place, and a gathered kernel has no grid',
    breach: ({ plan }) =>
      inKernels(plan, (k, around) => {
        if (k.gathered && k.grid.length > 0) return 'it is gathered and has a grid';
        const twice = k.nests.some((n) => {
          const ids = [...around, ...[...k.grid, ...n.axes].map((a) => a.id)];
          return new Set(ids).size !== ids.length;
        });
        return twice && 'an axis of a nest is one of the grid or of a loop';
      }),
  },
  {
    name: 'arena',
    says: 'a temporary that has words has a place within the arena',
    breach: ({ plan }) => {
      if (!plan.offsets) return false;
      const used = new Set<number>();
      eachKernelIn(plan.steps, (k) => {
        for (const n of k.nests) used.add(n.store.buf);
      });
      const bad = plan.bufs.find((b) => {
        if (b.kind !== 'temp' || b.words === 0 || !used.has(b.id)) return false;
        const at = plan.offsets!.get(b.id);
        return at === undefined || at < 0 || at + b.words > plan.arenaWords!;
      });
      return (
        bad && `\`${bad.name}\` of ${bad.words} words has the place ${plan.offsets.get(bad.id)}`
      );
    },
  },
];

// ---------------------------------------------------------------- an access

/** Who touched a word: in which run of a kernel, in which cell, by which nest, at which point. */
export type Who = { run: number; cell: number; nest: number; point: number };

/** One access. `many` stands for more than one cell or point. */
export type Touch = {
  readonly how: 'read' | 'set' | 'add';
  readonly buf: Buf;
  readonly by: Who;
  /** The last to write the word, and those who read it since the kernel began. */
  readonly writer: Who;
  readonly reader: Who;
  /** Whether the word holds something of this buffer, and not of one that shares its place. */
  readonly holds: boolean;
  /** Whether the host keeps what is in the buffer. */
  readonly kept: boolean;
};

/** More than one cell or point. */
export const many = -1;

const sameCell = (a: Who, b: Who): boolean => a.run === b.run && a.cell === b.cell;
const scratch = (t: Touch): boolean => t.buf.kind === 'scratch';

export const touchRules: readonly Rule<Touch>[] = [
  {
    name: 'live',
    says: 'a word that is read or added to holds a value of its buffer',
    breach: (t) => t.how !== 'set' && !t.holds && 'nothing of this buffer is there',
  },
  {
    name: 'kept',
    says: 'constants and inputs that were not donated are not written',
    breach: (t) => t.how !== 'read' && t.kept && 'it is not to be written',
  },
  {
    name: 'cells apart',
    says: 'no cell of a kernel touches what another cell of the same run writes',
    breach: (t) => {
      if (scratch(t)) return false;
      if (t.writer.run === t.by.run && t.writer.cell !== t.by.cell) return 'another cell writes it';
      if (t.how === 'read') return false;
      return t.reader.run === t.by.run && t.reader.cell !== t.by.cell && 'another cell reads it';
    },
  },
  {
    name: 'points apart',
    says: 'no point of a nest reads what another point of it writes',
    breach: (t) => {
      const other = t.how === 'read' ? t.writer : t.reader;
      if (!sameCell(other, t.by) || other.nest !== t.by.nest) return false;
      return other.point !== t.by.point && 'another point of the nest touches it too';
    },
  },
  {
    name: 'written once',
    says: 'a run of a kernel writes a word once, or adds to it',
    breach: (t) => t.how === 'set' && sameCell(t.writer, t.by) && 'it is written again',
  },
];

// ---------------------------------------------------------------- at the end

/** An output when all has run. */
export type Result = {
  readonly name: string;
  readonly want: Float64Array;
  readonly got: Float64Array;
  readonly holds: (i: number) => boolean;
  /** Where a wrong value came from, as far as that is known. */
  readonly from: (i: number) => string;
};

export const resultRules: readonly Rule<Result>[] = [
  {
    name: 'results are there',
    says: 'every cell of an output was written',
    breach: (r) => {
      const at = r.want.findIndex((_, i) => !r.holds(i));
      return at >= 0 && `cell ${at} of \`${r.name}\` was not`;
    },
  },
  {
    name: 'values of the core',
    says: 'every cell of an output holds the value that the core defines',
    breach: (r) => {
      const at = r.want.findIndex((v, i) => r.holds(i) && v !== r.got[i]);
      return at >= 0 && `cell ${at} of \`${r.name}\` holds another, ${r.from(at)}`;
    },
  },
];
