/**
 * Dead code of derivatives. Reverse mode leans on it: passes may emit what turns out to be unused,
 * and a saved value that nothing reads is not saved.
 */
import { usesOfBlock } from '../core/build.ts';
import type { Stmt, Var } from '../core.ts';
import { live } from '../passes/live.ts';

/** The statements that `wanted` needs; `wanted` grows by the outer variables they use. */
export function keepLive(body: readonly Stmt[], wanted: Set<Var>): readonly Stmt[] {
  const kept = live({ inputs: [], consts: [], body, outputs: [...wanted] }).body;
  for (const x of usesOfBlock(kept)) wanted.add(x);
  return kept;
}
