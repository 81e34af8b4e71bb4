/**
 * Derivatives of the functions of models/, one test a function: forward mode against differences,
 * reverse against forward, for every parameter leaf. What takes or gives functions has no derivative
 * of its own; every such function must be reached from a verified instance in instances.tn.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { gradcheckFunction } from '../../runtime/gradcheck/check-function.ts';
import { load } from '../../runtime/index.ts';
import { checkedPlaces, reverseWork } from './work.ts';

const models = join(import.meta.dirname, '../../models');

export const modelFile = (name: string): string => join(models, `${name}.tn`);

export const instances = join(import.meta.dirname, 'instances.tn');

/** The least autoencoder of two levels that changes its width. */
export const smallVae = { G: 1, N0: 2, N1: 1, C: 1, H: 1, W: 1 };

const options = { runs: 20, seed: 1 };

/** How `gradcheckFunction` says that a function has to be checked through an instance. */
const higherOrder = /takes or gives functions/;

/** A test for each function of the file (or of those named). */
export async function verifies(
  path: string,
  only: readonly string[] = [],
  sizes: Record<string, number> = {},
): Promise<void> {
  const program = await load(path);
  const fns = program.functions.filter((f) => only.length === 0 || only.includes(f.name));
  expect(fns.length).toBeGreaterThanOrEqual(Math.max(1, only.length));
  it.each(fns.map((f) => [f.name, f] as const))('%s', (_, fn) => {
    const report = gradcheckFunction(program.typed, fn, { ...options, sizes });
    expect(report.leaves.filter((l) => l.problem !== undefined)).toEqual([]);
    expect(report.ok).toBe(true);
    if (report.skipped === undefined) expect(report.leaves.length).toBeGreaterThan(0);
    else if (higherOrder.test(report.skipped)) expect(takesFunctions(fn)).toBe(true);
    else expect(report.skipped).toMatch(/no f32/);
    if (report.skipped === undefined) {
      expect(reverseWork(program.typed, fn, sizes)).toBeLessThanOrEqual(1);
      expect(checkedPlaces(program.typed, fn, sizes)).toEqual([]);
    }
  });
}

export const takesFunctions = (fn: TFn): boolean =>
  [...fn.params.map((p) => p.type), fn.result].some((t) => JSON.stringify(t).includes('"k":"fn"'));

/** Every function that is called, directly or not, from those given. */
export function reached(program: TProgram, from: readonly TFn[]): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = from.map((f) => f.id);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    pending.push(...mentioned(program.fns.get(id)?.body));
  }
  return found;
}

function mentioned(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'k' in node && node.k === 'fn' && 'id' in node ? [String(node.id)] : [];
  return [...own, ...Object.values(node).flatMap(mentioned)];
}
