/**
 * What a checker says of a text: this checkout's, or that of another one, to count what each of them
 * refuses.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Checked } from '../../dsl/index.ts';

export type Check = (sources: ReadonlyMap<string, string>, root: string) => Checked;

export type Verdict =
  | { readonly k: 'accepted'; readonly checked: Checked }
  | { readonly k: 'refused'; readonly codes: readonly string[]; readonly message: string }
  /** It threw, which it never may. */
  | { readonly k: 'broken'; readonly error: string };

/** `dsl/` of a checkout in TypeScript, or as it was built. */
export async function checkerOf(folder: string): Promise<Check> {
  const files = [join(folder, 'dsl/index.ts'), join(folder, 'dist/dsl/index.js')];
  const file = files.find((f) => existsSync(f));
  if (file === undefined) throw new Error(`there is no checker in ${folder}`);
  const module: { check: Check } = await import(pathToFileURL(file).href);
  return module.check;
}

export const file = 'p.tn';

export function verdictOf(check: Check, text: string): Verdict {
  try {
    const checked = check(new Map([[file, text]]), file);
    if (checked.program !== undefined) return { k: 'accepted', checked };
    const errors = checked.diagnostics.filter((d) => d.severity === 'error');
    const codes = [...new Set(errors.map((d) => d.code))].sort();
    return { k: 'refused', codes, message: errors[0]?.message ?? '' };
  } catch (e) {
    return { k: 'broken', error: e instanceof Error ? (e.stack ?? e.message) : String(e) };
  }
}
