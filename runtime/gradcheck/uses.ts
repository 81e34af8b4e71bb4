/** Which functions a function is verified through: what takes functions has no derivative of its own. */
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { instantiate } from './instantiate.ts';

/** The name of a function that can be verified and uses `fn`, directly or through others. */
export function verifiedThrough(program: TProgram, fn: TFn): string | undefined {
  for (const other of program.fns.values()) {
    if (instantiate(other) !== undefined && reaches(program, other, fn.id)) return other.name;
  }
  return undefined;
}

function reaches(program: TProgram, from: TFn, id: string): boolean {
  const seen = new Set<string>();
  const pending = [from.id];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next === id) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    pending.push(...mentioned(program.fns.get(next)));
  }
  return false;
}

/** Ids of the functions that stand anywhere in a typed tree. */
function mentioned(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'k' in node && node.k === 'fn' && 'id' in node ? [String(node.id)] : [];
  return [...own, ...Object.values(node).flatMap(mentioned)];
}
