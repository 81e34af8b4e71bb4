/**
 * One row: every variant opens the workload in a process of its own, shows that it computes the same,
 * and then they take turns, round after round, so that a slow minute of the machine is slow for all.
 * A time is the median over rounds of the median within a turn.
 */
import { compare } from './compare.ts';
import { type PeerProcess, start } from './process.ts';
import type { Variant } from './variants.ts';
import type { Workload } from './workloads.ts';

export type Cell = {
  readonly variant: string;
  /** Median milliseconds; absent when the peer cannot do it or failed. */
  readonly ms?: number;
  readonly best?: number;
  readonly compileMs?: number;
  /** The first run, which may compile too. */
  readonly firstMs?: number;
  /** Peak resident bytes of the process beyond an empty one, up to the end of its first run. */
  readonly memory?: number;
  /** Of these, what the compiled computation holds for its data. */
  readonly bytes?: number;
  /** Largest error against Tenon, relative to the largest element of its tensor. */
  readonly error?: number;
  /** Why there is no time. */
  readonly why?: string;
};

export type Row = {
  readonly workload: string;
  readonly title: string;
  readonly cells: readonly Cell[];
};

export type Effort = {
  readonly rounds: number;
  /** Milliseconds of each variant's turn. */
  readonly budget: number;
  readonly odd: boolean;
};

type Live = {
  readonly variant: Variant;
  readonly process: PeerProcess;
  readonly cell: Cell;
  readonly medians: number[];
  readonly best: number[];
  memory: number;
};

export const median = (a: readonly number[]): number => {
  const s = [...a].sort((x, y) => x - y);
  const mid = s.length >> 1;
  return s.length % 2 ? s[mid]! : (s[mid - 1]! + s[mid]!) / 2;
};

export async function measureRow(
  w: Workload,
  variants: readonly Variant[],
  effort: Effort,
  empty: (v: Variant) => number,
  note: (text: string) => void,
): Promise<Row> {
  const done: Cell[] = [];
  const live: Live[] = [];
  let reference: ReadonlyMap<string, Float32Array> | undefined;
  for (const variant of variants) {
    note(`${w.id} ${variant.title}`);
    const process = await start(variant);
    const drop = async (why: string): Promise<void> => {
      done.push({ variant: variant.id, why });
      await process.end();
    };
    try {
      const { threads, wide } = variant;
      const options = { threads, wide, odd: effort.odd };
      const opened = await process.ask({ k: 'open', peer: variant.peer, workload: w, options });
      if (opened.absent) {
        await drop('absent');
        continue;
      }
      const first = await process.ask({ k: 'time', least: 1, budget: 0 });
      const { results } = await process.ask({ k: 'read' });
      reference ??= results!;
      const error = results!.size > 0 ? compare(results!, reference, w.compared) : undefined;
      if (error !== undefined && !(error <= w.tolerance)) {
        await drop(`its result differs by ${error.toExponential(1)}`);
        continue;
      }
      // Warm: engines compile again what runs often.
      await process.ask({ k: 'time', least: 2, budget: effort.budget });
      const cell: Cell = {
        variant: variant.id,
        compileMs: opened.compileMs,
        bytes: opened.bytes,
        firstMs: first.times![0]!,
        error,
      };
      // Before results were read, whose copies would count.
      live.push({ variant, process, cell, medians: [], best: [], memory: first.memory });
    } catch (e) {
      await drop(e instanceof Error ? e.message : String(e));
    }
  }
  for (let round = 0; round < effort.rounds; round++) {
    note(`${w.id} round ${round + 1}`);
    for (const l of live) {
      const { times } = await l.process.ask({ k: 'time', least: 1, budget: effort.budget });
      l.medians.push(median(times!));
      l.best.push(Math.min(...times!));
    }
  }
  for (const l of live) {
    await l.process.end();
    const memory = l.memory === 0 ? undefined : l.memory - empty(l.variant);
    done.push({ ...l.cell, ms: median(l.medians), best: Math.min(...l.best), memory });
  }
  const cells = variants.map((v) => done.find((c) => c.variant === v.id)!);
  return { workload: w.id, title: w.title, cells };
}
