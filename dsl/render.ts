/**
 * Diagnostics -> text for people:
 *
 *   nn.tn:3:9: error[E0101]: Expected `.` and a space, found `x`.
 *     3 |   for i x[i]
 *       |         ^
 *     hint: The names of `for` end with a dot and a space: `for i. ...`.
 *
 * Lines and columns count from 1; a column is a code point, and a byte order mark is none. The source
 * line is shown with tabs as spaces and control characters made harmless, so that the underline
 * stands under its text in any terminal; long lines are cut around the place.
 */
import type { Diagnostic, Sources, Span } from './source.ts';

export type Place = { readonly line: number; readonly column: number };

/** Line and column, both from 1, of an offset. */
export function placeOf(text: string, offset: number): Place {
  const { start, line } = lineAt(text, offset);
  return { line, column: [...text.slice(start, offset)].length + 1 };
}

export function renderDiagnostics(list: readonly Diagnostic[], sources: Sources): string {
  return list.map((d) => renderDiagnostic(d, sources)).join('\n\n');
}

export function renderDiagnostic(d: Diagnostic, sources: Sources): string {
  const head = `${header(d.span, sources)}: ${d.severity}[${d.code}]: ${harmless(d.message)}`;
  const out = [head, ...excerpt(d.span, sources, '^')];
  for (const r of d.related ?? []) {
    out.push(`  ${header(r.span, sources)}: ${harmless(r.message)}`);
    out.push(...excerpt(r.span, sources, '-'));
  }
  if (d.hint !== undefined) out.push(`  hint: ${harmless(d.hint)}`);
  return out.join('\n');
}

function header({ file, start }: Span, sources: Sources): string {
  const text = sources.get(file);
  if (text === undefined) return harmless(file);
  const { line, column } = placeOf(text, start);
  return `${harmless(file)}:${line}:${column}`;
}

/** The first line of the span, and its underline. */
function excerpt(span: Span, sources: Sources, mark: string): string[] {
  const text = sources.get(span.file);
  if (text === undefined) return [];
  const { start, line } = lineAt(text, span.start);
  const newline = text.indexOf('\n', start);
  const stop = newline < 0 ? text.length : newline;
  const end = text[stop - 1] === '\r' ? stop - 1 : stop;

  const window = show(text.slice(start, end), span.start - start, span.end - start);

  const number = String(line);
  const gutter = ' '.repeat(number.length);
  return [
    `  ${number} | ${window.text}`.trimEnd(),
    `  ${gutter} | ${' '.repeat(window.from)}${mark.repeat(window.to - window.from)}`,
  ];
}

function lineAt(text: string, offset: number): { start: number; line: number } {
  const at = Math.min(offset, text.length);
  let start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  for (;;) {
    const newline = text.indexOf('\n', start);
    if (newline < 0 || newline >= at) return { start: Math.min(start, at), line };
    start = newline + 1;
    line++;
  }
}

// ---------------------------------------------------------------- terminal cells

const TAB = 8;
/** Cells of a long line that are shown, and how many of them before the place. */
const SHOWN = 140;
const BEFORE = 40;
const DOTS = '...';

/** A line as it is shown, with the cells of the text between two offsets; cut where it is long. */
function show(
  line: string,
  start: number,
  end: number,
): { text: string; from: number; to: number } {
  const chars: { shown: string; cell: number }[] = [];
  let cell = 0;
  let offset = 0;
  let from: number | undefined;
  let to: number | undefined;
  for (const char of line) {
    if (from === undefined && offset + char.length > start) from = cell;
    if (to === undefined && offset >= end) to = cell;
    const shown = char === '\t' ? ' '.repeat(TAB - (cell % TAB)) : harmless(char);
    chars.push({ shown, cell });
    cell += char === '\t' ? shown.length : widthOf(shown);
    offset += char.length;
  }
  from ??= cell;
  to = Math.max(to ?? cell, from + 1);
  if (cell <= SHOWN) return { text: chars.map((c) => c.shown).join(''), from, to };

  const left = Math.max(0, Math.min(from - BEFORE, cell - SHOWN));
  const right = left + SHOWN;
  const inside = chars.filter((c) => c.cell >= left && c.cell < right);
  const head = left > 0 ? DOTS : '';
  const shift = head.length - (inside[0]?.cell ?? left);
  return {
    text: head + inside.map((c) => c.shown).join('') + (right < cell ? DOTS : ''),
    from: from + shift,
    to: Math.min(to, right) + shift,
  };
}

/** 2 for the wide characters of East Asian scripts and emoji, 0 for marks that combine. */
function widthOf(char: string): number {
  if (/^(\p{M}|[\u200b-\u200f])$/u.test(char)) return 0;
  return /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u.test(
    char,
  )
    ? 2
    : 1;
}

/** Control characters, and the marks that turn the direction of text, cannot reach a terminal. */
function harmless(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu, '\ufffd');
}
