/**
 * One run on the devices against the exact interpreter: every number of the result, and the gradient in
 * one direction.
 *
 * Invariant: numbers are equal where the interpreter says that f32 arithmetic is exact; elsewhere they
 * are as near as rounding lets them. What depends on how whole numbers are drawn is not compared.
 */
import type { HostArray } from '../../runtime/devices/device.ts';
import { leavesAt, numberOf } from './inputs.ts';
import type { Fn, Type } from './tree.ts';
import type { Run } from './truth.ts';
import type { Real, Value } from './value.ts';

/** Parameters to differentiate by: trees of nothing but f32. */
export const gradParams = (fn: Fn): readonly string[] =>
  fn.params.filter((p) => p.init === undefined && allF32(p.type)).map((p) => p.name);

const allF32 = (t: Type): boolean =>
  t.k === 'tensor'
    ? allF32(t.of)
    : t.k === 'record'
      ? t.fields.every((f) => allF32(f.type)) && t.fields.some((f) => !f.fixed)
      : t.k === 'scalar' && t.of === 'f32';

/** What is wrong with these outputs; undefined when nothing is. */
export function difference(fn: Fn, run: Run, outputs: readonly HostArray[]): string | undefined {
  const [first, ...others] = run.results;
  const { meter } = first!;
  // f32 ends there, and what comes of it is anything.
  if (run.results.some((r) => !(r.meter.peak <= 1e30))) return undefined;
  const leaves = run.results.map((r) => leavesAt(r.value, fn.result, run.sizes));
  for (const [i, leaf] of leaves[0]!.entries()) {
    const given = outputs[i];
    const name = ['out', ...leaf.path].join('.');
    if (given?.length !== leaf.values.length) {
      return `${name} has ${given?.length} elements, not ${leaf.values.length}`;
    }
    for (const [n, v] of leaf.values.entries()) {
      const right = numberOf(v);
      if (others.some((_, k) => numberOf(leaves[k + 1]![i]!.values[n]!) !== right)) continue;
      const got = given[n]!;
      const slack = v.k === 'real' ? Math.max(meter.slack, 1e-6 * Math.abs(right)) : 0;
      if (Math.abs(got - right) <= (meter.slack === 0 ? 0 : slack)) continue;
      return `${name}, element ${n}: ${got}, and it is ${right}`;
    }
  }
  return undefined;
}

/** The loss: the result, or its first field. */
function lossOf(v: Value): Real | undefined {
  if (v.k === 'real') return v;
  if (v.k === 'record') return lossOf([...v.fields.values()][0]!.value);
  return undefined;
}

/** What is wrong with the gradient, the outputs after those of the result. */
export function slopeDifference(
  fn: Fn,
  run: Run,
  outputs: readonly HostArray[],
  by: readonly string[],
): string | undefined {
  const right = run.results.map((r) => lossOf(r.value));
  const loss = right[0];
  if (loss === undefined || right.some((x) => x?.v !== loss.v || x.d !== loss.d)) return undefined;
  const slope = loss.d;
  // At a tie of a maximum there is more than one gradient.
  if (run.results.some((r) => r.meter.tied || !(r.meter.peak <= 1e30))) return undefined;
  let at = leavesAt(run.results[0]!.value, fn.result, run.sizes).length;
  let [sum, terms] = [0, 0];
  for (const [i, p] of fn.params.entries()) {
    if (!by.includes(p.name)) continue;
    for (const leaf of leavesAt(run.inputs[i]!, p.type, run.sizes)) {
      if (leaf.fixed) continue;
      const g = outputs[at++];
      if (g?.length !== leaf.values.length) return `grad.${p.name} has ${g?.length} elements`;
      leaf.values.forEach((v, n) => {
        const term = v.k === 'real' ? v.d * g[n]! : 0;
        sum += term;
        terms += Math.abs(term);
      });
    }
  }
  const slack = 1e-6 * (1 + terms + Math.abs(slope));
  if (Math.abs(sum - slope) <= slack * (run.results[0]!.meter.slack === 0 ? 1 : 20))
    return undefined;
  return `the gradient gives ${sum} in a direction in which the loss changes by ${slope}`;
}
