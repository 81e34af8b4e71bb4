/**
 * Warnings: names that are never used, sizes that are never used.
 *
 * A name that begins with `_` is meant to be unused. Warnings never change what a program means.
 */
import { diagnostic } from '../errors.ts';
import type { Fn, SigParam } from './context.ts';

export function warnUnused(fn: Fn, params: readonly SigParam[]): void {
  for (const l of fn.locals.values()) {
    if (l.used || l.name.startsWith('_')) continue;
    fn.report(
      diagnostic('W0001', l.span, `the ${l.kind} \`${l.name}\` is never used`, {
        hint: `remove it, or call it \`_${l.name}\``,
      }),
    );
  }
  for (const p of params) {
    if (fn.usedSizes.has(p.name)) continue;
    fn.report(
      diagnostic('W0001', p.decl.name.span, `the ${p.kind} \`${p.name}\` is never used`, {
        hint: 'remove it from the brackets',
      }),
    );
  }
}
