/** The language at its best parses, and every construct becomes the node it should. */
import { describe, expect, test } from 'vitest';
import type { Decl, Expr } from '../../dsl/ast.ts';
import { parseModule } from '../../dsl/parse.ts';
import { LANGUAGE } from './language-sample.ts';

function decls(text: string): readonly Decl[] {
  const { module, diagnostics } = parseModule('a.tn', text);
  expect(diagnostics).toEqual([]);
  return module.decls;
}

function expr(text: string): Expr {
  const [decl] = decls(`let e: f32 =\n  ${text.replaceAll('\n', '\n  ')}`);
  if (decl?.k !== 'let') throw new Error('not a let');
  return decl.body;
}

/** An expression as an S-expression: enough to see its shape. */
function shape(e: Expr): string {
  const list = (...parts: (string | Expr)[]) =>
    `(${parts.map((p) => (typeof p === 'string' ? p : shape(p))).join(' ')})`;
  switch (e.k) {
    case 'num':
      return e.text;
    case 'bool':
      return String(e.value);
    case 'var':
    case 'size':
      return e.name;
    case 'unary':
      return list(e.op, e.arg);
    case 'binary':
      return list(e.op, e.left, e.right);
    case 'orElse':
      return list('??', e.read, e.fallback);
    case 'left':
    case 'right':
      return list(e.k, e.arg);
    case 'field':
      return list('.', e.target, e.label.text);
    case 'call':
      return list('call', e.fn, ...e.args.map((a) => a.value));
    case 'brackets':
      return list('at', e.target, ...e.args.map((a) => a.value));
    case 'tuple':
      return list('tuple', ...e.items);
    case 'array':
      return list('array', ...e.items.map((i) => i.value));
    case 'record':
      return list('record', ...e.fields.map((f) => f.value));
    case 'lambda':
      return list('lambda', e.params.map((p) => p.text).join(','), e.body);
    case 'let':
      return list('let', e.value, e.body);
    case 'for':
      return list('for', e.body);
    case 'reduce':
      return list(e.op, e.body);
    case 'reduceTree':
      return list(e.op, 'in', ...e.trees, e.body);
    case 'each':
      return list('each', ...e.trees, e.body);
    case 'fold':
    case 'scan':
      return list(e.k, e.init, e.body);
    case 'if':
      return list('if', e.cond, e.then, e.else);
  }
}

describe('programs', () => {
  test('the sample of the language parses without a diagnostic', () => {
    const names = decls(LANGUAGE).map((d) =>
      d.k === 'import'
        ? d.from
        : d.k === 'derivative' || d.k === 'checkGradient'
          ? d.of.text
          : d.name.text,
    );
    expect(names).toEqual([
      ...['Attention', 'Mlp', 'Block', 'Joint', 'linear', 'softmax', 'attention', 'patchify'],
      ...['block', 'trunk', 'jointLoss', 'step', 'euler', 'block', 'softmaxIsADistribution'],
    ]);
  });
});

describe('precedence', () => {
  test.each([
    ['a + b * c', '(+ a (* b c))'],
    ['a - b - c', '(- (- a b) c)'],
    ['a ^ b ^ c', '(^ a (^ b c))'],
    ['-a ^ 2', '(- (^ a 2))'],
    ['-a * b', '(* (- a) b)'],
    ['a ^ -b * c', '(* (^ a (- b)) c)'],
    ['- -a', '(- (- a))'],
    ['not a == b and c', '(and (not (== a b)) c)'],
    ['not not a', '(not (not a))'],
    ['a or b and c', '(or a (and b c))'],
    ['a < b and b < c', '(and (< a b) (< b c))'],
    ['x[i] ?? 0 ^ 2', '(^ (?? (at x i) 0) 2)'],
    ['x[i] ?? -1', '(?? (at x i) (- 1))'],
    ['left a + b', '(+ (left a) b)'],
    ['left right a', '(left (right a))'],
    ['1 + sum i. x[i] - mu', '(+ 1 (sum (- (at x i) mu)))'],
    ['-sum i. x[i] + y', '(- (sum (+ (at x i) y)))'],
    ['(sum i. x[i]) / n', '(/ (sum (at x i)) n)'],
  ])('%s', (text, want) => {
    expect(shape(expr(text))).toBe(want);
  });
});

describe('constructs', () => {
  test.each([
    ['max(a, b)', '(call max a b)'],
    ['max i. e', '(max e)'],
    ['max (i, j). e', '(max e)'],
    ['sum (i, j), k: 3. e', '(sum e)'],
    ['sum a in g. a^2', '(sum in g (^ a 2))'],
    ['sum a, b in f(x), g.h[0]. a*b', '(sum in (call f x) (at (. g h) 0) (* a b))'],
    ['each a, b in x, y. a', '(each x y a)'],
    ['p.mlp.0.weight[i]', '(at (. (. (. p mlp) 0) weight) i)'],
    ['1.5 + 1e-5 * 2', '(+ 1.5 (* 1e-5 2))'],
    ['attention[H = 4](p, rate = 1)', '(call (at attention 4) p 1)'],
    ['qkv[t, (0, h, e)]', '(at qkv t (tuple 0 h e))'],
    ['[cls, ..reg, ..patch]', '(array cls reg patch)'],
    ['{ x: 1, y }', '(record 1 y)'],
    ['{}', '(record)'],
    ['() -> 1', '(lambda  1)'],
    ['p -> loss(p)', '(lambda p (call loss p))'],
    ['(x, _) -> x', '(lambda x,_ x)'],
    ['fold h = x for l. f(h, l)', '(fold x (call f h l))'],
    ['scan { a, b: c } = x for l: N. c', '(scan x c)'],
    ['if a then b else if c then d else e', '(if a b (if c d e))'],
    ['x.for.let', '(. (. x for) let)'],
    ['f(1)(2)[3].a', '(. (at (call (call f 1) 2) 3) a)'],
    ['for k: 6, d: H*E. m[(k, d)]', '(for (at m (tuple k d)))'],
  ])('%s', (text, want) => {
    expect(shape(expr(text))).toBe(want);
  });
});

test('declarations of every kind', () => {
  const text = `import { linear, Linear } from "./nn.tn"

/// first line
///  second line
let beta: f32[10] = for i. f32(i)
derivative relu(x, dx) = if x > 0 then dx else 0
fn pad[H, S = 1](x: f32[S*H], k: key, f: (f32, S) -> f32 -> f32 = (a, b) -> c -> a): idx[K]
    where H % 2 == 0, K <= H = 1
type T[D, S] = { fixed pe: f32[D], 0: Block[D = 2*D][L], fixed: (S -> f32)[2] }
check gradient of pad where H == 2
check p[N](x: f32[N]) where N >= 1 = true
`;
  const [imp, beta, der, pad, type, gradient, check] = decls(text);
  expect(imp).toMatchObject({ from: './nn.tn', names: [{ text: 'linear' }, { text: 'Linear' }] });
  expect(beta).toMatchObject({ k: 'let', doc: 'first line\n second line' });
  expect(der).toMatchObject({ k: 'derivative', args: [{ text: 'x' }, { text: 'dx' }] });
  expect(pad).toMatchObject({
    params: [{ name: { text: 'H' } }, { name: { text: 'S' }, init: { k: 'nat', value: 1 } }],
    args: [{}, { type: { k: 'name', name: 'key' } }, { type: { k: 'fn' }, init: { k: 'lambda' } }],
    where: [{ op: '%', equals: { k: 'nat', value: 0 } }, { op: '<=' }],
  });
  expect(type).toMatchObject({
    body: {
      fields: [
        { fixed: true, label: { text: 'pe' } },
        { fixed: false, label: { text: '0' }, type: { k: 'brackets', base: { k: 'brackets' } } },
        { fixed: false, label: { text: 'fixed' }, type: { k: 'brackets', base: { k: 'fn' } } },
      ],
    },
  });
  expect(gradient).toMatchObject({ k: 'checkGradient', where: [{ op: '==' }] });
  expect(check).toMatchObject({ k: 'check', body: { k: 'bool', value: true } });
});

test('a broken declaration gives one diagnostic and hides no other', () => {
  const text =
    'fn a(): f32 = (1\nfn b(): f32 = 2 +\nfn c(): f32 = 3\nstray x y\n  z\nfn d(): f32 = 4\n';
  const { module, diagnostics } = parseModule('a.tn', text);
  expect(module.decls.map((d) => (d.k === 'fn' ? d.name.text : ''))).toEqual(['c', 'd']);
  expect(diagnostics.map((d) => d.code)).toEqual(['E0103', 'E0101', 'E0102']);
});

test('spans cover their text, whatever precedes them', () => {
  const text = '\ufeff# émoji 🙂\r\nfn f(x: f32): f32 =\r\n\t(x + y) * 2\r\n';
  const { module, diagnostics } = parseModule('a.tn', text);
  expect(diagnostics).toEqual([]);
  const [f] = module.decls;
  if (f?.k !== 'fn' || f.body.k !== 'binary') throw new Error('not a product');
  expect(text.slice(f.span.start, f.span.end)).toBe('fn f(x: f32): f32 =\r\n\t(x + y) * 2');
  expect(text.slice(f.body.span.start, f.body.span.end)).toBe('(x + y) * 2');
  expect(text.slice(f.body.left.span.start, f.body.left.span.end)).toBe('(x + y)');
  expect(module.comments.map((c) => c.text)).toEqual(['# émoji 🙂']);
});
