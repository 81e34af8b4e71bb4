/** The formatter: what it prints means the same, stays as it is, and keeps every comment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Module } from '../../dsl/ast.ts';
import { formatText } from '../../dsl/format.ts';
import { parseModule } from '../../dsl/parse.ts';
import { printModule, WIDTH } from '../../dsl/print.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import { bare, module } from './arbitrary-ast.ts';
import { LANGUAGE } from './language-sample.ts';

function parse(text: string): Module {
  const { module: m, diagnostics } = parseModule('a.tn', text);
  if (diagnostics.length > 0) {
    throw new Error(`${renderDiagnostics(diagnostics, new Map([['a.tn', text]]))}\n\n${text}`);
  }
  return m;
}

function format(text: string): string {
  parse(text);
  return formatText('a.tn', text).text!;
}

const body = (text: string) =>
  format(`fn f(): f32 =\n  let start = 0\n  ${text.replaceAll('\n', '\n  ')}\n`)
    .split('\n')
    .slice(2, -1)
    .map((l) => l.slice(2))
    .join('\n');

describe('properties', () => {
  test('parse(print(m)) = m, for random modules', () => {
    fc.assert(
      fc.property(module, (m) => {
        expect(bare(parse(printModule(m)))).toEqual(bare(m));
      }),
      { numRuns: 250 },
    );
  });

  test('printing again changes nothing', () => {
    fc.assert(
      fc.property(module, (m) => {
        const text = printModule(m);
        expect(format(text)).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  test('comments anywhere are kept, the program is the same, and a second time changes nothing', () => {
    const places = fc.array(fc.tuple(fc.nat(), fc.constantFrom('own', 'end', 'blank')), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(module, places, (m, where) => {
        const text = withComments(printModule(m), where);
        const once = format(text);
        expect(bare(parse(once))).toEqual(bare(m));
        expect(commentsIn(once)).toEqual(commentsIn(text));
        expect(format(once)).toBe(once);
      }),
      { numRuns: 250 },
    );
  });

  test('no line ends in white space', () => {
    fc.assert(
      fc.property(module, (m) => {
        expect(printModule(m)).not.toMatch(/[ \t]$/m);
      }),
      { numRuns: 200 },
    );
  });
});

/** Comments behind lines, or on lines of their own. */
function withComments(text: string, places: readonly (readonly [number, string])[]): string {
  const lines = text.split('\n');
  places.forEach(([n, how], i) => {
    const at = n % lines.length;
    if (how !== 'end')
      lines.splice(at, 0, `${' '.repeat(n % 5)}# ${i}${how === 'blank' ? '\n' : ''}`);
    else if (!lines[at]!.startsWith('///') && !lines[at]!.includes('#')) lines[at] += ` # ${i}`;
  });
  return lines.join('\n');
}

function commentsIn(text: string): string[] {
  return parse(text)
    .comments.map((c) => c.text)
    .sort();
}

describe('canonical layout', () => {
  test('the sample of the language is a fixed point, but for aligned `=` and one filled line', () => {
    const once = format(LANGUAGE);
    expect(format(once)).toBe(once);
    const unaligned = LANGUAGE.replace(/ +=/g, ' =');
    const changed = once.split('\n').filter((l) => !unaligned.split('\n').includes(l));
    expect(changed).toEqual([
      'fn jointLoss[C, R, H, W](v: (Joint, f32) -> Joint, data: Joint, noise: Joint, t: f32, lam: f32 = 1,',
      '    keep: f32 = 1): f32 =',
    ]);
    expect(Math.max(...once.split('\n').map((l) => l.length))).toBeLessThanOrEqual(WIDTH);
  });

  test.each([
    ['spaces around operators', 'a+b*-c^2', 'a + b * -c^2'],
    ['parentheses that do nothing go', '((a)*(b))+(c)', 'a * b + c'],
    ['a binder stands in parentheses unless it comes last', '(sum i. x[i])+1', '(sum i. x[i]) + 1'],
    ['and after a product', 'a * sum i. x[i]', 'a * (sum i. x[i])'],
    ['products are close in an index', 'x[2 * i + 1, H * w]', 'x[2*i + 1, H*w]'],
    ['and between sizes', '1 / (H * W)', '1 / (H*W)'],
    ['a fallback is set off', 'w * x[i] ?? 0', 'w * (x[i] ?? 0)'],
    ['fields of their own name', '{a:a,b : c}', '{ a, b: c }'],
    ['a number and a label', '(1).0', '(1).0'],
  ])('%s', (_, text, want) => {
    expect(body(text)).toBe(want);
  });

  test('lets inside brackets, lambdas and branches', () => {
    const text = ['f(p ->', '    let a = 1', '    a, if c then', '  let b = 2', '  b else 3)'].join(
      '\n',
    );
    expect(body(text)).toMatchInlineSnapshot(`
      "f(
        p ->
          let a = 1
          a,
        if c then
          let b = 2
          b
        else
          3
      )"
    `);
  });

  test('long expressions break at their weakest operators', () => {
    const long = 'some_long_name_of_a_value';
    expect(
      body(`let y = ${long} * ${long} + ${long} * ${long} - ${long} * ${long}\ny`),
    ).toMatchInlineSnapshot(`
        "let y =
          some_long_name_of_a_value * some_long_name_of_a_value
            + some_long_name_of_a_value * some_long_name_of_a_value
            - some_long_name_of_a_value * some_long_name_of_a_value
        y"
      `);
  });

  test('long heads are filled, lines after the first indented twice', () => {
    const names = Array.from({ length: 12 }, (_, i) => `longName${i}`);
    const args = names.map((n) => `${n}: f32[H*W]`).join(', ');
    const text = `import { ${names.slice(0, 8).join(', ')} } from "./somewhere.tn"
fn f[H, W](${args}): { some: f32[H*W], other: f32[H*W] } where H >= 1, W >= 1, H <= W, W % 2 == 0 = g()
`;
    expect(format(text)).toMatchInlineSnapshot(`
      "import { longName0, longName1, longName2, longName3, longName4, longName5, longName6, longName7 }
          from "./somewhere.tn"

      fn f[H, W](longName0: f32[H*W], longName1: f32[H*W], longName2: f32[H*W], longName3: f32[H*W],
          longName4: f32[H*W], longName5: f32[H*W], longName6: f32[H*W], longName7: f32[H*W],
          longName8: f32[H*W], longName9: f32[H*W], longName10: f32[H*W], longName11: f32[H*W]):
          { some: f32[H*W], other: f32[H*W] } where H >= 1, W >= 1, H <= W, W % 2 == 0 =
        g()
      "
    `);
  });

  test('single blank lines stay, more become one, and between declarations there is one', () => {
    const text =
      'fn f(): f32 =\n  let a = 1\n\n\n  let b = 2\n  a\nfn g(): f32 =\n  let a = 1\n  a\n';
    expect(format(text)).toBe(
      'fn f(): f32 =\n  let a = 1\n\n  let b = 2\n  a\n\nfn g(): f32 =\n  let a = 1\n  a\n',
    );
  });

  test('CRLF, tabs and a byte order mark are gone', () => {
    expect(format('\ufefffn f(): f32 =\r\n\tlet a = 1 # one\r\n\ta\r\n')).toBe(
      'fn f(): f32 =\n  let a = 1 # one\n  a\n',
    );
  });

  test('an empty module is empty', () => {
    expect(format('')).toBe('');
    expect(format('\n\n')).toBe('');
    expect(format('# only\n')).toBe('# only\n');
  });
});

test('comments stay with what they speak of', () => {
  const text = `# The head of the file.

# About f.
/// Doc of f.
fn f(
    a: f32, # the first
    # before the second
    b: f32): f32 =
  # before the let
  let x = a # behind the let

  # before the result
  g(x, # behind x
    b)
# About T.
type T = {
  # before the field
  a: f32, # behind the field
  b: f32
}
# the end
`;
  expect(format(text)).toMatchInlineSnapshot(`
    "# The head of the file.

    # About f.
    /// Doc of f.
    fn f(
      a: f32, # the first
      # before the second
      b: f32
    ): f32 =
      # before the let
      let x = a # behind the let

      # before the result
      g(
        x, # behind x
        b
      )

    # About T.
    type T = {
      # before the field
      a: f32, # behind the field
      b: f32
    }

    # the end
    "
  `);
});

test('a text with a syntax error is left alone', () => {
  expect(formatText('a.tn', 'fn f(): f32 = 1 +').diagnostics?.[0]?.code).toBe('E0101');
});

test('parentheses that say that a last term belongs to a reduction are kept, others are not', () => {
  expect(body('sum i. (x[i] - mu)')).toBe('sum i. (x[i] - mu)');
  expect(body('sum a in t. (a - mu)')).toBe('sum a in t. (a - mu)');
  expect(body('sum i. (x[i] - y[i])')).toBe('sum i. x[i] - y[i]');
  expect(body('sum i. (x[i] * mu)')).toBe('sum i. x[i] * mu');
});
