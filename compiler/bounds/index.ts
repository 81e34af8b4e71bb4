/**
 * A plan that is right on machines of 32 bits: index arithmetic exact, every access shown to be in range
 * or checked when it runs. The last step of scheduling, for all targets alike.
 *
 * What the type checker proves, it proves of whole numbers without bound; here it is proved again, of
 * the numbers that machines compute and of nothing but the plan. Note [Two proofs] in docs/internals.md.
 */

import type { Span } from '../../dsl/source.ts';
import type { Axis } from '../core.ts';
import type { Buf, BufId, CheckSite, Kernel, Plan, Step } from '../plan.ts';
import { aroundOf, BufferRanges } from './buffers.ts';
import { boundNest, type Surroundings } from './nest.ts';
import { MOST_WORDS, refuseLongLoops, tooManyWords } from './refuse.ts';

/** Accesses by what became of them; `data` are those whose place data decides, among them. */
export type Report = {
  readonly shown: number;
  readonly shownData: number;
  readonly checked: number;
  readonly checkedData: number;
};

/** @throws CompileError (E0802, E0806) for what cannot be counted. */
export function bounded(plan: Plan): Plan {
  return bounds(plan).plan;
}

/** The same with counts, for tests and tools. */
export function bounds(plan: Plan): { readonly plan: Plan; readonly report: Report } {
  for (const b of plan.bufs) if (b.words > MOST_WORDS) throw tooManyWords(b.name, b.words);
  const report = { shown: 0, shownData: 0, checked: 0, checkedData: 0 };
  const sites = new Sites(plan.checks?.sites);
  const surroundings: Surroundings = {
    bufs: plan.bufs,
    range: new BufferRanges(plan).of,
    site: (span, what) => sites.number({ span, what }),
    count: (data, checked) => {
      report[checked ? 'checked' : 'shown']++;
      if (data) report[checked ? 'checkedData' : 'shownData']++;
    },
  };
  const kernel = (k: Kernel, loops: readonly Axis[]): Kernel => {
    const around = aroundOf(k, loops);
    const nests = k.nests.map((n) => {
      refuseLongLoops([...around, ...n.axes, ...n.red], n.spans[0]);
      return boundNest(n, around, surroundings);
    });
    return nests.every((n, i) => n === k.nests[i]) ? k : { ...k, nests };
  };
  const step = (s: Step, loops: readonly Axis[]): Step =>
    s.k === 'kernel'
      ? kernel(s, loops)
      : { ...s, steps: s.steps.map((t) => step(t, [...loops, s.axis])) };
  const steps = plan.steps.map((s) => step(s, []));
  return { plan: withChecks({ ...plan, steps }, sites.all), report };
}

function withChecks(plan: Plan, sites: readonly CheckSite[]): Plan {
  if (sites.length === 0) return plan;
  const known = plan.checks?.fault;
  if (known !== undefined) return { ...plan, checks: { fault: known, sites } };
  const id: BufId = plan.bufs.length;
  const fault: Buf = { id, name: 'fault', t: 'i32', words: 1, kind: 'output' };
  return { ...plan, bufs: [...plan.bufs, fault], checks: { fault: id, sites } };
}

/** Sites by number: what one nest does to one buffer is said once. */
class Sites {
  readonly all: CheckSite[];
  readonly #known = new Map<string, number>();

  constructor(before: readonly CheckSite[] = []) {
    this.all = [...before];
    for (const [i, s] of this.all.entries()) this.#known.set(keyOf(s), i);
  }

  number(s: CheckSite): number {
    const key = keyOf(s);
    const n = this.#known.get(key) ?? this.all.push(s) - 1;
    this.#known.set(key, n);
    return n;
  }
}

const keyOf = ({ span, what }: CheckSite): string => `${placeText(span)} ${what}`;
const placeText = (s: Span | undefined): string => (s ? `${s.file}:${s.start}-${s.end}` : '');
