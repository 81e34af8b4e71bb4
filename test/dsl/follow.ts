/**
 * Following hints: a fault of sizes or ranges whose hint says what to add or write comes with the
 * edits, and after them it is gone and the text still parses.
 */
import { expect } from 'vitest';
import { check } from '../../dsl/index.ts';
import type { Diagnostic } from '../../dsl/source.ts';

/** The texts after the edits of a hint. */
function edited(d: Diagnostic, texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const out = new Map(texts);
  for (const { span, text } of d.fix!.toReversed()) {
    const t = out.get(span.file)!;
    out.set(span.file, t.slice(0, span.start) + text + t.slice(span.end));
  }
  return out;
}

/** Where a place is after the edits: what is inserted at it stands before it. */
function moved(d: Diagnostic): string {
  const { file, start } = d.span;
  const before = d.fix!.filter((e) => e.span.file === file && e.span.end <= start);
  const shift = before.reduce((n, e) => n + e.text.length - (e.span.end - e.span.start), 0);
  return `${file}:${start + shift}`;
}

/** A choice that only the user can make: `f[N = ...](...)`. */
const hole = /= \.\.\.|`randint\[K\]|`for h: H, p: P\.`/;

/**
 * The hint of a fault of sizes or ranges that says what to add or write comes with the edits, and after
 * them the fault is gone and the text still parses.
 */
export function follow(d: Diagnostic, texts: ReadonlyMap<string, string>, root: string): void {
  if (!/^E0[56]/.test(d.code) || !/\b(add|write)\b/i.test(d.hint ?? '') || hole.test(d.hint!))
    return;
  expect(d.fix, `the edit of: ${d.hint}`).toBeDefined();
  const after = edited(d, texts);
  const found = check(after, root).diagnostics;
  const at = (x: Diagnostic) => `${x.span.file}:${x.span.start}`;
  const still = found.filter(
    (x) => /^E01/.test(x.code) || (x.code === d.code && at(x) === moved(d)),
  );
  expect(still, [...after.values()].join('\n')).toEqual([]);
}
