/**
 * What two checkouts are compared in: a table of tasks. Each says how a turn of one side is taken and
 * gives its milliseconds; who takes turns, and what becomes of the times, is elsewhere (measure.ts).
 *
 * Runs are timed in two processes that live through all rounds. What is timed cold (compiling, and the
 * front end) has a fresh process for each turn: a second time is another thing.
 */
import { compare } from '../compare.ts';
import { median } from '../measure.ts';
import { type PeerProcess, startWorker } from '../process.ts';
import type { Workload } from '../workloads.ts';
import { askFront } from './ask-front.ts';
import { type Checkout, moduleOf } from './checkout.ts';
import type { FrontRequest } from './front.ts';
import type { Pair, Side } from './ratios.ts';

export type Group = 'run' | 'compile' | 'check' | 'parse';

export type Ready = {
  /** Largest difference between the results of the two, relative, where there are results. */
  readonly error?: number;
  turn(side: Side): Promise<number>;
  end(): Promise<void>;
};

export type Task = {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  /** Seconds that getting ready and one turn take, about: what is left is estimated from these. */
  readonly seconds: { readonly begin: number; readonly turn: number };
  /** Largest `error` that is still the same computation. */
  readonly tolerance: number;
  begin(pair: Pair<Checkout>): Promise<Ready>;
};

export type How = {
  readonly threads: number;
  readonly wide: boolean;
  readonly odd: boolean;
  /** Milliseconds of a turn of a run. */
  readonly budget: number;
};

/** Its message begins with the side that failed. */
export async function blaming<T>(side: Side, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (e) {
    throw new Error(`${side}: ${e instanceof Error ? e.message : e}`);
  }
}

const both = async <T>(make: (side: Side) => Promise<T>): Promise<Pair<T>> => ({
  this: await blaming('this', make('this')),
  that: await blaming('that', make('that')),
});

const start = (c: Checkout, how: How): PeerProcess =>
  startWorker(moduleOf(c, 'bench/worker'), how.wide);

async function opened(p: PeerProcess, workload: Workload, how: How) {
  const { threads, wide, odd } = how;
  return p.ask({ k: 'open', peer: 'tenon', workload, options: { threads, wide, odd } });
}

/** Milliseconds of a run on data that is there, results compared before anything is timed. */
function runs(w: Workload, how: How): Task {
  const run = Math.max(how.budget / 1000, w.flops / 1e11);
  return {
    ...{ id: w.id, title: w.title, group: 'run', tolerance: w.tolerance },
    seconds: { begin: 2 + 8 * run, turn: run },
    async begin(pair) {
      const processes = { this: start(pair.this, how), that: start(pair.that, how) };
      const end = async (): Promise<void> => {
        await Promise.all([processes.this.end(), processes.that.end()]);
      };
      try {
        const results = await both(async (side) => {
          await opened(processes[side], w, how);
          await processes[side].ask({ k: 'time', least: 1, budget: 0 });
          return (await processes[side].ask({ k: 'read' })).results!;
        });
        // Warm: engines compile again what runs often.
        await both((side) => processes[side].ask({ k: 'time', least: 2, budget: how.budget }));
        return {
          error: compare(results.this, results.that, w.compared),
          async turn(side) {
            const { times } = await processes[side].ask({
              ...{ k: 'time', least: 1, budget: how.budget },
            });
            return median(times!);
          },
          end,
        };
      } catch (e) {
        await end();
        throw e;
      }
    },
  };
}

/** What needs no more than a fresh process for each turn; the first one only warms the file cache. */
async function fresh(turn: (side: Side) => Promise<number>): Promise<Ready> {
  await both(turn);
  return { turn, end: async () => {} };
}

/** From source text to a function that can run. */
const compiles = (w: Workload, how: How): Task => ({
  ...{ id: `compile ${w.id}`, title: w.title, group: 'compile', tolerance: 0 },
  seconds: { begin: 3, turn: w.kind === 'step' ? 1.4 : 0.7 },
  begin: (pair) =>
    fresh(async (side) => {
      const process = start(pair[side], how);
      try {
        // Compiling does not wait for data, and then none needs to be made.
        return (await opened(process, { ...w, inputs: [] }, how)).compileMs!;
      } finally {
        await process.end();
      }
    }),
});

const front = (
  k: FrontRequest['k'],
  repetitions: number,
  seconds: number,
  texts: FrontRequest['texts'],
): Task => ({
  ...{ id: k, title: `${k} ${texts.size} programs`, group: k, tolerance: 0 },
  seconds: { begin: 2 * seconds, turn: seconds },
  begin: (pair) =>
    fresh(async (side) => {
      const { times, faulty } = await askFront(pair[side], { k, texts, repetitions });
      if (faulty.length > 0) throw new Error(`does not ${k}: ${faulty.join(', ')}`);
      return median(times);
    }),
});

/** The tasks that need texts. */
export const frontTasks = [{ id: 'check' }, { id: 'parse' }] as const;

/** All tasks, in the order of the rows; without texts, none that needs them. */
export function tasks(
  workloads: readonly Workload[],
  texts: FrontRequest['texts'] | undefined,
  how: How,
): readonly Task[] {
  return [
    ...workloads.map((w) => runs(w, how)),
    ...workloads
      .filter((w) => w.kind === 'blockGrad' || w.kind === 'step')
      .map((w) => compiles(w, how)),
    ...(texts ? [front('check', 3, 9, texts), front('parse', 5, 2, texts)] : []),
  ];
}
