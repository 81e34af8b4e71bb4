/**
 * V8's revectorizer, which joins neighbouring 128-bit operations of a Wasm module into 256-bit ones:
 * off by default in V8, twice as fast for contractions. The command line owns its process, so it may
 * switch the flag on; the library never does. It must be on before the first module is compiled, and
 * holds for worker threads as well.
 *
 * Invariant: results do not depend on it, only speed does.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import v8 from 'node:v8';
import { startedWide, wideFlag } from '../devices/wasm.ts';

/** The option of every command that leaves it off. */
export const narrowOption = '--no-wide';

/** Why the flag is of no use here; undefined where it is. */
export function noUseOfWide(): string | undefined {
  const major = Number.parseInt(process.versions.node, 10);
  if (process.arch !== 'x64') return `V8 has it for x64 alone; this is ${process.arch}`;
  if (major < 24) return `it gains nothing before Node 24; this is ${process.versions.node}`;
  if (!hasAvx2()) return 'this processor is not known to have AVX2';
  return undefined;
}

/** Linux tells; nothing that other systems tell a program without tools of their own is as sure. */
function hasAvx2(): boolean {
  try {
    return /^flags\s*:.*\bavx2\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}

/** Call before anything is compiled. */
export function switchWide(argv: readonly string[]): void {
  if (argv.includes(narrowOption)) {
    if (!startedWide()) return;
    v8.setFlagsFromString(wideFlag.replace('--', '--no-'));
    process.execArgv = process.execArgv.filter((a) => a !== wideFlag);
  } else if (!startedWide() && noUseOfWide() === undefined) {
    v8.setFlagsFromString(wideFlag);
    // As if the process had been started with it: this is where the Wasm device looks.
    process.execArgv = [...process.execArgv, wideFlag];
  }
}

export type WideReport = {
  readonly on: boolean;
  /** Why it is off, or could not be measured. */
  readonly note?: string;
  /** GFLOP/s of a small contraction on one thread, in processes of their own. */
  readonly without?: number;
  readonly with?: number;
};

/** What the flag is and what it gives, measured both ways one after the other (about a second). */
export async function reportWide(): Promise<WideReport> {
  const on = startedWide();
  const note = noUseOfWide();
  if (note !== undefined) return { on, note };
  try {
    return { on, without: await measured([]), with: await measured([wideFlag]) };
  } catch (e) {
    return { on, note: `could not be measured: ${e instanceof Error ? e.message : String(e)}` };
  }
}

async function measured(flags: readonly string[]): Promise<number> {
  // Beside this file, and compiled or not as this one is.
  const probe = import.meta.url.replace(/[^/]*(\.[cm]?[jt]s)$/, 'wide-probe$1');
  const own = process.execArgv.filter((a) => a !== wideFlag);
  const args = [...own, ...flags, fileURLToPath(probe)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}
