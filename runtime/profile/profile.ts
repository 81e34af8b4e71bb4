/**
 * Measured time by kernel, beside what the kernel's cost says it had to do: its rate, and the share
 * of what the machine can do that this is (see ceiling.ts). Contractions are measured against the
 * peak of arithmetic, everything else against a pass over memory.
 */
import type { Plan } from '../../compiler/plan.ts';
import type { Sources } from '../../dsl/source.ts';
import { type CostReport, costReport, type KernelRow } from '../api/cost.ts';
import type { Call } from '../devices/wasm-profile.ts';
import type { Ceiling } from './ceiling.ts';

export type KernelProfile = KernelRow & {
  /** Of all its calls in one run: the median over runs, in milliseconds. */
  readonly ms: number;
  /** Of the sum over kernels, from 0 to 1. */
  readonly part: number;
  /** 10^9 operations, and 10^9 bytes, a second. */
  readonly gflops: number;
  readonly gbps: number;
  /** Of the ceiling for its form; above 1 where the data were in cache already. */
  readonly share: number;
};

export type Profile = {
  readonly cost: CostReport;
  readonly ceiling: Ceiling;
  readonly runs: number;
  /** Sum over kernels of their median times. */
  readonly ms: number;
  /** Longest first. */
  readonly kernels: readonly KernelProfile[];
  /** Calls of the last run, for a picture. */
  readonly calls: readonly Call[];
};

export function profileOf(
  plan: Plan,
  sources: Sources,
  runs: readonly (readonly Call[])[],
  ceiling: Ceiling,
): Profile {
  const cost = costReport(plan, sources);
  const times = new Map(cost.kernels.map((k) => [k.id, runs.map((calls) => total(calls, k.id))]));
  const ms = cost.kernels.reduce((n, k) => n + median(times.get(k.id)!), 0);
  const kernels = cost.kernels.map((k): KernelProfile => {
    const own = median(times.get(k.id)!);
    const per = (n: number): number => (own > 0 ? n / own / 1e6 : 0);
    const gflops = per(k.flops);
    const gbps = per(k.read + k.written);
    const share =
      k.form === 'contraction' || k.form === 'group'
        ? gflops / ceiling.gflops
        : gbps / ceiling.gbps;
    return { ...k, ms: own, part: ms > 0 ? own / ms : 0, gflops, gbps, share };
  });
  return {
    cost,
    ceiling,
    runs: runs.length,
    ms,
    kernels: kernels.sort((a, b) => b.ms - a.ms),
    calls: runs.at(-1) ?? [],
  };
}

const total = (calls: readonly Call[], kernel: number): number =>
  calls.reduce((n, c) => n + (c.kernel === kernel ? c.end - c.start : 0), 0);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? 0 : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
