/** Where declarations and lets end, and what is refused before the grammar sees it. */
import { describe, expect, test } from 'vitest';
import type { Expr } from '../../dsl/ast.ts';
import { MAX_NESTING, MAX_TOKENS } from '../../dsl/layout.ts';
import { parseModule } from '../../dsl/parse.ts';
import { MAX_CHAIN } from '../../dsl/precedence.ts';
import { renderDiagnostics } from '../../dsl/render.ts';

function shown(text: string): string {
  return renderDiagnostics(parseModule('a.tn', text).diagnostics, new Map([['a.tn', text]]));
}

function code(text: string): string | undefined {
  return parseModule('a.tn', text).diagnostics[0]?.code;
}

/** The lets of the body, each with the text of its value. */
function lets(text: string): [string, string][] {
  const { module, diagnostics } = parseModule('a.tn', text);
  expect(diagnostics).toEqual([]);
  const [f] = module.decls;
  if (f?.k !== 'fn') throw new Error('not a function');
  const out: [string, string][] = [];
  const cut = (e: Expr) => text.slice(e.span.start, e.span.end).replace(/\s+/g, ' ');
  const walk = (e: Expr): void => {
    if (e.k !== 'let') return;
    out.push([e.pattern.k === 'name' ? e.pattern.name.text : '{}', cut(e.value)]);
    walk(e.value);
    walk(e.body);
  };
  walk(f.body);
  return out;
}

describe('a line at the column of an open let ends it', () => {
  test('deeper lines continue, brackets and branches do too', () => {
    expect(
      lets(`fn f(): f32 =
  let a = g(
  )
  let b = if c then
    1
  else
    2
  let c = x
    + y
  a`),
    ).toEqual([
      ['a', 'g( )'],
      ['b', 'if c then 1 else 2'],
      ['c', 'x + y'],
    ]);
  });

  test('lets in the value of a let', () => {
    expect(
      lets(`fn f(): f32 =
  let a =
    let b =
      let c = 1
      c
    b
  a`).map(([name]) => name),
    ).toEqual(['a', 'b', 'c']);
  });

  test('lets on the line of `then`, `else`, a dot or an arrow stand at their own column', () => {
    expect(
      code(`fn f(): f32 =
  if c then let a = 1
            a
  else for i. let b = 2
              b`),
    ).toBe(undefined);
  });

  test('a lambda with lets among arguments', () => {
    expect(
      code(`fn f(): f32 =
  let g = valueGrad(p ->
    let a = h(p)
    a * a, params)
  g.value`),
    ).toBe(undefined);
  });

  test('inside brackets, only the lets of these brackets end', () => {
    expect(
      code(`fn f(): f32 =
  let a = [
  1, 2,
  3
  ]
  a`),
    ).toBe(undefined);
    expect(
      code(`fn f(): f32 =
      let a = [
  1, 2,
  3]
      a`),
    ).toBe(undefined);
  });

  test('comments, blank lines and brackets in comments do not count', () => {
    expect(
      code(`fn f(): f32 =
  let a = 1 # (
# [ at the margin

  # {
  a`),
    ).toBe(undefined);
  });

  test('tabs count to the next eighth column', () => {
    expect(code('fn f(): f32 =\n\tlet a = 1\n        a')).toBe(undefined);
  });
});

describe('unfinished lets', () => {
  test('at the end of a declaration', () => {
    expect(shown('fn f(): f32 =\n  let a = 1\nfn g(): f32 = 2')).toMatchInlineSnapshot(`
      "a.tn:2:3: error[E0107]: No expression follows this \`let\`.
        2 |   let a = 1
          |   ^^^
        hint: Begin the next line, with the next \`let\` or the result, at exactly the column of this \`let\`."
    `);
  });
  test('a line further left', () => {
    expect(shown('fn f(): f32 =\n    let a = 1\n  a')).toMatchInlineSnapshot(`
      "a.tn:2:5: error[E0107]: No expression follows this \`let\`.
        2 |     let a = 1
          |     ^^^
        a.tn:3:3: this line stands to the left of the \`let\`
        3 |   a
          |   -
        hint: Begin the next line, with the next \`let\` or the result, at exactly the column of this \`let\`."
    `);
  });
  test('a line further right', () => {
    expect(shown('fn f(): f32 =\n  let a = 1\n   a')).toMatchInlineSnapshot(`
      "a.tn:2:3: error[E0107]: No expression follows this \`let\`.
        2 |   let a = 1
          |   ^^^
        a.tn:3:4: this line is indented more than the \`let\`, so it is part of its value
        3 |    a
          |    -
        hint: Begin the next line, with the next \`let\` or the result, at exactly the column of this \`let\`."
    `);
  });
  test('before a closing bracket', () => {
    expect(shown('fn f(): f32 = g(\n  let a = 1\n)')).toMatchInlineSnapshot(`
      "a.tn:2:3: error[E0107]: No expression follows this \`let\`.
        2 |   let a = 1
          |   ^^^
        a.tn:3:1: the block ends here
        3 | )
          | -
        hint: Begin the next line, with the next \`let\` or the result, at exactly the column of this \`let\`."
    `);
  });
});

describe('brackets', () => {
  test('one that is never closed is named where it was opened', () => {
    expect(shown('fn f(): f32 =\n  g(a, [1, 2)\n')).toMatchInlineSnapshot(`
      "a.tn:2:13: error[E0104]: Expected \`]\` to close \`[\`, found \`)\`.
        2 |   g(a, [1, 2)
          |             ^
        a.tn:2:8: this \`[\` was opened here
        2 |   g(a, [1, 2)
          |        -"
    `);
    expect(shown('fn f(): f32 =\n  g(a, [1, 2]\n\nfn h(): f32 = 1')).toMatchInlineSnapshot(`
      "a.tn:2:4: error[E0103]: This \`(\` is never closed.
        2 |   g(a, [1, 2]
          |    ^
        hint: Add the \`)\` that belongs to it."
    `);
  });
  test('one that closes nothing', () => {
    expect(shown('fn f(): f32 = a)')).toMatchInlineSnapshot(`
      "a.tn:1:16: error[E0104]: This \`)\` closes nothing.
        1 | fn f(): f32 = a)
          |                ^
        hint: Remove it, or add the \`(\` that belongs to it."
    `);
  });
});

describe('declarations', () => {
  test('begin in the first column; what is indented goes on', () => {
    expect(shown('  fn f(): f32 = 1')).toMatchInlineSnapshot(`
      "a.tn:1:3: error[E0102]: Expected a declaration, found \`fn\`.
        1 |   fn f(): f32 = 1
          |   ^^
        hint: Declarations begin in the first column."
    `);
    expect(shown('fn f(): f32 =\nx')).toMatchInlineSnapshot(`
      "a.tn:1:14: error[E0101]: Expected an expression, found the end of the declaration.
        1 | fn f(): f32 =
          |              ^
        hint: The declaration ends too early; the lines of a body are indented."
    `);
  });
  test('a doc comment before nothing', () => {
    expect(shown('fn f(): f32 =\n  1\n/// lost')).toMatchInlineSnapshot(`
      "a.tn:3:1: error[E0111]: This \`///\` comment stands before no declaration.
        3 | /// lost
          | ^^^^^^^^
        hint: Use \`#\` for other comments."
    `);
  });
  test('a doc comment inside a declaration', () => {
    expect(shown('fn f(): f32 =\n  /// lost\n  1')).toMatchInlineSnapshot(`
      "a.tn:2:3: error[E0101]: Expected an expression, found \`/// lost\`.
        2 |   /// lost
          |   ^^^^^^^^
        hint: Doc comments stand in the first column, before a declaration; use \`#\` here."
    `);
    expect(shown('fn f(): f32 =\n/// lost\n  1')).toMatchInlineSnapshot(`
      "a.tn:2:1: error[E0111]: This \`///\` comment stands before no declaration.
        2 | /// lost
          | ^^^^^^^^
        hint: Use \`#\` for other comments."
    `);
  });
});

describe('limits', () => {
  const nest: Record<string, (n: number) => string> = {
    brackets: (n) => '('.repeat(n) + ')'.repeat(n),
    parens: (n) => `${'('.repeat(n)}1${')'.repeat(n)}`,
    arrays: (n) => `${'['.repeat(n)}1${']'.repeat(n)}`,
    calls: (n) => `${'f(a, '.repeat(n)}1${')'.repeat(n)}`,
    reads: (n) => `${'x['.repeat(n)}1${']'.repeat(n)}`,
    records: (n) => `${'{ a: '.repeat(n)}1${' }'.repeat(n)}`,
    operands: (n) => `${'1 + ('.repeat(n)}1${') * 2'.repeat(n)}`,
    minus: (n) => `${'- '.repeat(n)}1`,
    not: (n) => `${'not '.repeat(n)}a`,
    left: (n) => `${'left '.repeat(n)}a`,
    binders: (n) => `${'for i, j. '.repeat(n)}1`,
    sums: (n) => `${'sum (i), j. '.repeat(n)}1`,
    each: (n) => `${'each a in b. '.repeat(n)}1`,
    folds: (n) => `${'fold a = '.repeat(n)}1${' for i. a'.repeat(n)}`,
    lambdas: (n) => `${'a -> '.repeat(n)}1`,
    branches: (n) => `${'if a then b else '.repeat(n)}1`,
    conditions: (n) => `${'if '.repeat(n)}a${' then b else c'.repeat(n)}`,
    power: (n) => `${'a ^ '.repeat(n)}1`,
    suffixes: (n) => `f${'(1)'.repeat(n)}`,
  };

  test.each(Object.keys(nest))('%s: 10,000 deep is refused, once', (name) => {
    const { diagnostics } = parseModule('a.tn', `let e: f32 =\n  ${nest[name]!(10_000)}`);
    expect(diagnostics.length).toBe(1);
    expect(['E0105', 'E0112']).toContain(diagnostics[0]?.code);
  });

  test.each(Object.keys(nest).filter((n) => n !== 'brackets'))('%s: 25 deep is well', (name) => {
    expect(code(`let e: f32 =\n  ${nest[name]!(25)}`)).toBe(undefined);
  });

  test('types nest no deeper either', () => {
    expect(code(`type T = ${'('.repeat(10_000)}f32${')'.repeat(10_000)}`)).toBe('E0105');
    expect(code(`type T = ${'f32 -> '.repeat(10_000)}f32`)).toBe('E0105');
    expect(code(`type T = f32${'[N]'.repeat(1_000)}`)).toBe('E0105');
    expect(code(`type T = f32[${'N + '.repeat(1_000)}1]`)).toBe('E0105');
  });

  test('long chains and long blocks', () => {
    expect(code(`let e: f32 = 1${' + 1'.repeat(MAX_CHAIN)}`)).toBe(undefined);
    expect(code(`let e: f32 = 1${' + 1'.repeat(MAX_CHAIN + 1)}`)).toBe('E0105');
    const block = (n: number) => `fn f(): f32 =\n${'  let a = 1\n'.repeat(n)}  a`;
    expect(code(block(400))).toBe(undefined);
    expect(code(block(600))).toBe('E0105');
    expect(parseModule('a.tn', block(600)).diagnostics[0]?.message).toContain('500 `let`s');
  });

  test('long lists are no deep nesting', () => {
    expect(code(`let e: f32 = [${'-1, '.repeat(MAX_NESTING * 3)}not a]`)).toBe(undefined);
    expect(code(`let e: f32 = [${'1, '.repeat(MAX_TOKENS)}1]`)).toBe('E0112');
  });
});
