/** Frequent mistakes, each with the whole message that a newcomer sees. Reviewed one by one. */
import { expect, test } from 'vitest';
import { parseModule } from '../../dsl/parse.ts';
import { renderDiagnostics } from '../../dsl/render.ts';

function shown(text: string): string {
  return renderDiagnostics(parseModule('a.tn', text).diagnostics, new Map([['a.tn', text]]));
}

/** Mistakes in the body of a function, indented as it should be. */
const BODIES: Record<string, string> = {
  'the power operator of Python': 'x ** 2',
  'and of C': 'a && b',
  'not of C': '!a',
  'a semicolon': 'let a = 1; a',
  return: 'return x',
  'a lambda of Python': 'map(lambda y: y)',
  'an arrow of JavaScript': 'map(y => y)',
  'a for of Python': 'for i in N. x[i]',
  'a for of Rust': 'for i in x { i }',
  'a forgotten dot': 'for i x[i]',
  'a dot without a space': 'for i.x[i]',
  'a range with an equals sign': 'sum i = N. x[i]',
  'a range and a forgotten dot': 'sum i: N x[i]',
  'sum as a call': 'sum(i. x[i])',
  'sum over for': 'sum for i. x[i]',
  'a field with a space': 'x. y',
  'a walrus': 'let a := 1\n  a',
  'a comparison for a definition': 'let a == 1\n  a',
  'a definition without let': 'a = 1\n  a',
  'an uppercase value': 'let A = 1\n  A',
  'a word of the language as a name': 'let for = 1\n  2',
  'if without else': 'if a then b',
  'if without then': 'if a: b',
  elif: 'if a then b\n  elif c then d\n  else e',
  'an operator too many': 'a + * b',
  'an operator too few': 'a b',
  'two results': 'a\n  b',
  'an open end': 'a +',
  'a product of a number and a name': '2x',
  'a chain of comparisons': '0 < a < 1',
  'not after an operator': 'a * not b',
  'a function in a function': 'fn g(y: f32): f32 = y\n  g(x)',
  'a let in an expression': '1 + let a = 1',
  'a comment of C': 'x // the first one',
  'an empty index': 'x[]',
  'a text': '"text"',
  'a typographic minus': 'a − b',
  'a Greek letter': 'α * x',
  'a type in an expression': 'x: f32',
  'a matrix product': 'a @ b',
  'a question mark': 'c ? a : b',
  'a missing comma': 'f(a b)',
  'an operator at the column of a let': 'let a = b\n  + c\n  a',
  'a check without inputs': 'let a = 1\n  a\n\ncheck t = 1 > 0',
  'a line indented with a tab': 'let a = 1\n\tlet b = 2\n  a + b',
  'a word of the language among names': '(x, in) -> x',
  'a number beyond exact': '99999999999999999999',
  'a float beyond floats': '1e999',
  'a lambda whose parameters have types': 'let f = (a: f32) -> a\n  f(1)',
  'a let with parameters': 'let f(a) = a\n  f(1)',
};

test.each(Object.entries(BODIES))('%s', (_, body) => {
  expect(shown(`fn f(x: f32): f32 =\n  ${body}\n`)).toMatchSnapshot();
});

const DECLARATIONS: Record<string, string> = {
  def: 'def f(x):\n  return x\n',
  function: 'function f(x) { return x }\n',
  'an untyped parameter': 'fn f(x): f32 = x\n',
  'no result type': 'fn f(x: f32) = x\n',
  'an arrow before the result': 'fn f(x: f32) -> f32 = x\n',
  'no equals sign': 'fn f(x: f32): f32\n  x\n',
  braces: 'fn f(x: f32): f32 {\n  x\n}\n',
  'no parameter list': 'fn f: f32 = 1\n',
  'an uppercase function': 'fn F(x: f32): f32 = x\n',
  'a lowercase size': 'fn f[n](x: f32): f32 = x\n',
  'sizes before the type': 'fn f(x: [N]f32): f32 = 1\n',
  'a strict fact': 'fn f[N](): f32 where N < 3 = 1\n',
  'a remainder without its value': 'fn f[N](): f32 where N % 3 = 1\n',
  'a lowercase type': 'type point = { x: f32 }\n',
  'a top-level let without a type': 'let a = 1\n',
  'an import of Python': 'from nn import linear\n',
  'an import without braces': 'import linear from "./nn.tn"\n',
  'an import of a bare name': 'import { linear } from nn\n',
  'a text that does not end': 'import { linear } from "./nn.tn\n',
  'check gradient without of': 'check gradient f\n',
  'a body at the margin': 'fn f(): f32 =\nlet a: f32 = 1\n',
  'text at the margin': 'hello world\nand more\n',
  'a comment of C at the margin': '// comment\nfn f(): f32 = 1\n',
  'a struct': 'struct A { x: f32 }\n',
};

test.each(Object.entries(DECLARATIONS))('%s', (_, text) => {
  expect(shown(text)).toMatchSnapshot();
});
