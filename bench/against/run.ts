/**
 * npm run bench -- --against DIR: this checkout and another one, row by row.
 *
 * First this checkout is compared with itself in just the same way: what that shows as a difference is
 * noise, and a reader sees how much there is of it today. Nothing here judges; only what does not run,
 * or computes something else, is a failure.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Options } from '../options.ts';
import { rounded } from '../report.ts';
import { named, odd, select } from '../workloads.ts';
import { type Checkout, openCheckout, UsageError } from './checkout.ts';
import { measure, type Row } from './measure.ts';
import { progress } from './progress.ts';
import type { Pair } from './ratios.ts';
import { type Comparison, compared, comparisonText } from './report.ts';
import { frontTasks, type Task, tasks } from './tasks.ts';
import { commonTexts, type Texts } from './texts.ts';

type Print = (text: string) => void;

const here = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Whether everything ran and agreed.
 * @throws UsageError when the folder cannot be measured.
 */
export async function runAgainst(dir: string, o: Options, out: Print, note: Print) {
  const pair = { this: await openCheckout(here), that: await openCheckout(dir) };
  const texts = select(frontTasks, o.only).length > 0 ? await commonTexts(pair) : undefined;
  const how = { ...o, wide: o.revectorize };
  const asked = select(tasks(o.odd ? odd : named, texts?.texts, how), o.only);
  if (asked.length === 0) throw new UsageError(`No row begins with ${o.only.join(' or ')}.`);
  out(setting(pair, texts, o));
  const took = progress(total(asked, o.rounds) * (o.aa ? 2 : 1), note);
  const compareAll = async (p: Pair<Checkout>, name: string): Promise<Comparison> => {
    const rows: Row[] = [];
    for (const task of asked)
      rows.push(await measure(task, p, o.rounds, (s, what) => took(s, `${name}, ${what}`)));
    return compared(rows);
  };
  let aa: Comparison | undefined;
  if (o.aa) {
    aa = await compareAll({ this: pair.this, that: pair.this }, 'against itself');
    out(`\nThis checkout against itself\n${comparisonText(aa, 'itself')}`);
  }
  const against = await compareAll(pair, 'against that');
  out(`\nThis checkout against that one\n${comparisonText(against, 'that')}`);
  if (o.json !== undefined) {
    mkdirSync(dirname(o.json), { recursive: true });
    const data = { ...about(pair, texts, o), aa, against };
    writeFileSync(o.json, `${JSON.stringify(data, rounded, 1)}\n`);
  }
  return [...(aa?.rows ?? []), ...against.rows].every((r) => r.why === undefined);
}

/** Seconds that one comparison is expected to take. */
const total = (all: readonly Task[], rounds: number): number =>
  all.reduce((sum, { seconds }) => sum + seconds.begin + 2 * rounds * seconds.turn, 0);

function about({ this: a, that: b }: Pair<Checkout>, texts: Texts | undefined, o: Options) {
  const { threads, revectorize, odd, rounds, budget } = o;
  const commits = { this: a.commit, that: b.commit };
  const how = { threads, revectorize, odd, rounds, budget };
  const read = texts && { from: texts.from, unknown: texts.unknown };
  return { node: process.version, commits, ...how, texts: read };
}

function setting(pair: Pair<Checkout>, texts: Texts | undefined, o: Options): string {
  const commit = (c: Checkout): string => c.commit ?? 'no commit';
  return [
    `this: ${commit(pair.this)}, that: ${commit(pair.that)}`,
    `Node ${process.version}, ${o.threads} threads, ${o.rounds} rounds`,
    ...(texts ? [whose(texts)] : []),
  ].join('\n');
}

const whose = ({ from, unknown }: Texts): string =>
  `check and parse read the programs of ${from} checkout` +
  (from === 'this' ? '' : `, under which this one's do not check: ${unknown.join(', ')}`);
