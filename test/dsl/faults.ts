/**
 * Faulty programs with the faults marked: `▸` stands right before each token that a diagnostic must
 * begin at, and nowhere else may one begin. So a case says where, that every cause is found, and
 * that no cause is reported twice; the messages are in the snapshot.
 *
 * Several files are separated by lines `--- name.tn`; the last one is the root.
 */
import { describe, expect, test } from 'vitest';
import { check } from '../../dsl/index.ts';
import { placeOf } from '../../dsl/render.ts';
import type { Diagnostic } from '../../dsl/source.ts';
import { follow } from './follow.ts';

const MARK = '▸';

type Marked = { readonly file: string; readonly text: string; readonly marks: readonly number[] };

function unmark(file: string, marked: string): Marked {
  const marks: number[] = [];
  let text = '';
  for (const part of marked.split(MARK)) {
    if (text !== '' || marks.length > 0 || marked.startsWith(MARK)) marks.push(text.length);
    text += part;
  }
  // The first part precedes the first mark; a text that begins with a mark has an empty one.
  return { file, text, marks: marked.startsWith(MARK) ? marks.slice(1) : marks };
}

function filesOf(program: string): Marked[] {
  const parts = program.split(/^--- (.+)\n/m);
  if (parts.length === 1) return [unmark('main.tn', program)];
  const out: Marked[] = [];
  for (let i = 1; i < parts.length; i += 2) out.push(unmark(parts[i]!, parts[i + 1]!));
  return out;
}

function place(d: { span: Diagnostic['span'] }, texts: ReadonlyMap<string, string>): string {
  const { line, column } = placeOf(texts.get(d.span.file) ?? '', d.span.start);
  return `${d.span.file}:${line}:${column}`;
}

function shown(d: Diagnostic, texts: ReadonlyMap<string, string>): string {
  const related = (d.related ?? []).map((r) => `\n  ${place(r, texts)} ${r.message}`).join('');
  const hint = d.hint === undefined ? '' : `\n  hint: ${d.hint}`;
  return `${place(d, texts)} ${d.code} ${d.message}${hint}${related}`;
}

/** One test per program: refused at every mark and nowhere else, with these messages. */
export function refuses(kind: string, programs: Readonly<Record<string, string>>): void {
  describe(kind, () => {
    test.each(Object.entries(programs))('%s', (_, program) => {
      const files = filesOf(program);
      const texts = new Map(files.map((f) => [f.file, f.text]));
      const { diagnostics, program: typed } = check(texts, files.at(-1)!.file);
      const expected = files.flatMap((f) => {
        return f.marks.map((at) => {
          const { line, column } = placeOf(f.text, at);
          return `${f.file}:${line}:${column}`;
        });
      });
      const found = diagnostics.map((d) => place(d, texts));
      expect(found.toSorted()).toEqual(expected.toSorted());
      const wrong = diagnostics.some((d) => d.severity === 'error');
      expect(typed === undefined).toBe(wrong);
      expect(diagnostics.map((d) => shown(d, texts)).join('\n')).toMatchSnapshot();
      for (const d of diagnostics) follow(d, texts, files.at(-1)!.file);
    });
  });
}
