/** What a user sees of a diagnostic: the right line and column, and a mark under the right text. */
import { describe, expect, test } from 'vitest';
import { diagnostic } from '../../dsl/errors.ts';
import { parseModule } from '../../dsl/parse.ts';
import { placeOf, renderDiagnostic, renderDiagnostics } from '../../dsl/render.ts';

function rendered(text: string, file = 'a.tn'): string {
  return renderDiagnostics(parseModule(file, text).diagnostics, new Map([[file, text]]));
}

/** The first `word` of the text, underlined. */
function underline(text: string, word: string): string {
  const start = text.indexOf(word);
  const d = diagnostic('E0101', { file: 'a.tn', start, end: start + word.length }, 'Here.');
  return renderDiagnostic(d, new Map([['a.tn', text]]));
}

test('a message, the line underlined, and a hint', () => {
  expect(rendered('fn f[N](x: f32[N]): f32[N] =\n  for i x[i]\n')).toMatchInlineSnapshot(`
    "a.tn:2:9: error[E0101]: Expected \`.\` and a space, found \`x\`.
      2 |   for i x[i]
        |         ^
      hint: The names of \`for\` end with a dot and a space: \`for i. ...\`."
  `);
});

test('related places, in other files too', () => {
  const d = diagnostic('E0202', { file: 'b.tn', start: 0, end: 6 }, 'Circle.', {
    related: [{ span: { file: 'a.tn', start: 8, end: 14 }, message: 'imported here' }],
  });
  const sources = new Map([
    ['a.tn', 'import {\nimport }'],
    ['b.tn', 'import'],
  ]);
  expect(renderDiagnostic(d, sources)).toMatchInlineSnapshot(`
    "b.tn:1:1: error[E0202]: Circle.
      1 | import
        | ^^^^^^
      a.tn:1:9: imported here
      1 | import {
        |         -"
  `);
});

describe('columns', () => {
  test('a byte order mark is no column', () => {
    expect(underline('\ufefffn f', 'f')).toBe('a.tn:1:1: error[E0101]: Here.\n  1 | fn f\n    | ^');
  });
  test('CRLF ends a line and is not shown', () => {
    expect(underline('one\r\ntwo x\r\n', 'x')).toBe(
      'a.tn:2:5: error[E0101]: Here.\n  2 | two x\n    |     ^',
    );
  });
  test('a tab is one column and reaches to the next eighth cell', () => {
    expect(underline('a\tb x', 'x')).toBe(
      'a.tn:1:5: error[E0101]: Here.\n  1 | a       b x\n    |           ^',
    );
  });
  test('code points count once; wide ones take two cells', () => {
    expect(underline('é🙂 x', 'x')).toBe('a.tn:1:4: error[E0101]: Here.\n  1 | é🙂 x\n    |     ^');
  });
  test('the end of the text', () => {
    expect(placeOf('ab\n', 3)).toEqual({ line: 2, column: 1 });
    expect(underline('ab', '')).toContain('a.tn:1:1');
  });
  test('a span over lines is marked to the end of its first', () => {
    expect(underline('f(a,\n  b)', '(a,\n  b)')).toContain('  1 | f(a,\n    |  ^^^');
  });
});

test('a long line is cut around the place', () => {
  const out = underline(`${'a '.repeat(300)}HERE${' b'.repeat(300)}`, 'HERE').split('\n');
  expect(out[0]).toContain('a.tn:1:601');
  expect(out[1]!.length).toBeLessThan(160);
  expect(out[1]!.slice(out[2]!.indexOf('^'), out[2]!.lastIndexOf('^') + 1)).toBe('HERE');
});

test('control characters of a source reach no terminal', () => {
  const out = rendered('fn f(): f32 = \u001b[31m \u202e x');
  expect(out).not.toContain('\u001b');
  expect(out).not.toContain('\u202e');
  expect(out).toContain('\ufffd');
});

test('a source that the host does not have is named without a line', () => {
  const d = diagnostic('E0201', { file: 'c.tn', start: 0, end: 0 }, 'Module "c.tn" not found.');
  expect(renderDiagnostic(d, new Map())).toBe('c.tn: error[E0201]: Module "c.tn" not found.');
});
