/** Any text gives a module and diagnostics: no exception, no span outside of the text. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatText } from '../../dsl/format.ts';
import { parseModule } from '../../dsl/parse.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import type { Span } from '../../dsl/source.ts';
import { RESERVED, SIGNS } from '../../dsl/tokens.ts';
import { LANGUAGE } from './language-sample.ts';

const PRIVATE = /[\ue000-\uf8ff]/;

function survives(text: string): void {
  const { module, diagnostics } = parseModule('a.tn', text);
  const inside = ({ start, end }: Span) => 0 <= start && start <= end && end <= text.length;
  for (const d of diagnostics) {
    const spans = [d.span, ...(d.related ?? []).map((r) => r.span)];
    expect(spans.filter((s) => !inside(s))).toEqual([]);
    // The characters that stand for tokens are ours; a user never sees them.
    if (!PRIVATE.test(text)) expect(d.message).not.toMatch(PRIVATE);
    expect(d.message).not.toMatch(/undefined|\[object/);
  }
  expect(module.decls.every((d) => inside(d.span))).toBe(true);
  renderDiagnostics(diagnostics, new Map([['a.tn', text]]));
  const formatted = formatText('a.tn', text);
  if (diagnostics.length === 0) {
    expect(parseModule('a.tn', formatted.text!).diagnostics).toEqual([]);
  }
}

const WORDS = [
  ...RESERVED,
  ...SIGNS,
  ...[
    'x',
    'N',
    '1',
    '2.5',
    '"s"',
    '. ',
    '\n',
    '\n  ',
    '\n    ',
    '# c\n',
    '/// d\n',
    '_',
    'sum',
    'max',
  ],
  ...['\t', '\r\n', '\ufeff', 'é', '🙂', '\ud800', '"', '!', '$', '\u0000', '__proto__'],
];
const word = fc.constantFrom(...WORDS);

const { decls } = parseModule('a.tn', LANGUAGE).module;

describe('random edits of a valid program', () => {
  const edit = fc.record({
    at: fc.nat(),
    drop: fc.nat(6),
    add: fc.array(word, { maxLength: 2 }),
  });
  test('give a module and diagnostics', () => {
    const some = fc.nat(decls.length - 2);
    fc.assert(
      fc.property(some, fc.array(edit, { minLength: 1, maxLength: 4 }), (n, edits) => {
        let text = LANGUAGE.slice(decls[n]!.span.start, decls[n + 1]!.span.end);
        for (const { at, drop, add } of edits) {
          const from = at % text.length;
          text = `${text.slice(0, from)}${add.join(' ')}${text.slice(from + drop)} `;
        }
        survives(text);
      }),
      { numRuns: 1000 },
    );
  });

  test('one broken declaration hides no other', () => {
    fc.assert(
      fc.property(fc.nat(decls.length - 1), fc.nat(), word, (n, where, w) => {
        const { start, end } = decls[n]!.span;
        const at = start + 8 + (where % (end - start - 8));
        // Brackets, comments and new lines at the margin may reach over the end of the declaration.
        fc.pre(!/[\n#]/.test(w));
        const { module, diagnostics } = parseModule(
          'a.tn',
          `${LANGUAGE.slice(0, at)} ${w} ${LANGUAGE.slice(at)}`,
        );
        expect(module.decls.length + diagnostics.length).toBeGreaterThanOrEqual(decls.length);
        expect(module.decls.length).toBeGreaterThanOrEqual(decls.length - 1);
        expect(diagnostics.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });
});

test('random streams of words give a module and diagnostics', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.boolean(), (words, start) => {
      survives((start ? 'fn f(x: f32): f32 =\n  ' : '') + words.join(' '));
    }),
    { numRuns: 1000 },
  );
});

test('random characters give a module and diagnostics', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      survives(text);
      survives(`fn f(): f32 = ${text}`);
    }),
    { numRuns: 500 },
  );
});
