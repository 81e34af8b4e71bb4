/** The state of a long lane in a file: what was counted, and where an interrupted run goes on. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** `C`: counts as JSON holds them. */
export type State<C> = {
  /** What the counts are of: a run with other settings is another run. */
  readonly settings: string;
  readonly next: number;
  readonly counts: C;
};

export function readState<C>(path: string, settings: string): State<C> | undefined {
  if (!existsSync(path)) return undefined;
  const state: State<C> = JSON.parse(readFileSync(path, 'utf8'));
  if (state.settings !== settings) {
    throw new Error(`${path} is of a run with other settings: ${state.settings}`);
  }
  return state;
}

/** Whole or not at all. */
export function writeState<C>(path: string, state: State<C>): void {
  const next = `${path}.next`;
  writeFileSync(next, `${JSON.stringify(state, null, 1)}\n`);
  renameSync(next, path);
}
