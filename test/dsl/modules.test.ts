/** From one file to all the files that it needs. */
import { expect, test } from 'vitest';
import { check } from '../../dsl/index.ts';
import { loadModules, resolveImport } from '../../dsl/modules.ts';
import { renderDiagnostics } from '../../dsl/render.ts';

function load(files: Record<string, string>, root = 'main.tn') {
  const loaded = loadModules(root, new Map(Object.entries(files)));
  return { ...loaded, shown: renderDiagnostics(loaded.diagnostics, loaded.sources) };
}

test('dependencies come first, each once, the root last', () => {
  const { modules, shown, root } = load({
    './main.tn': 'import { a } from "./lib/a.tn"\nimport { b } from "lib/b.tn"\n',
    'lib/a.tn': 'import { b } from "./b.tn"\nfn a(): f32 = b()',
    'lib/b.tn': 'import { C } from "../c.tn"\nfn b(): f32 = 1',
    'c.tn': 'type C = f32',
  });
  expect(shown).toBe('');
  expect([...modules.keys()]).toEqual(['c.tn', 'lib/b.tn', 'lib/a.tn', 'main.tn']);
  expect(root).toBe('main.tn');
});

test('a missing module', () => {
  const { shown } = load({ 'main.tn': 'import { a } from "./nm.tn"', 'nn.tn': 'fn a(): f32 = 1' });
  expect(shown).toMatchInlineSnapshot(`
    "main.tn:1:19: error[E0201]: Module "./nm.tn" not found.
      1 | import { a } from "./nm.tn"
        |                   ^^^^^^^^^
      hint: Did you mean \`nn.tn\`?"
  `);
});

test('a missing root', () => {
  expect(load({}).shown).toBe('main.tn: error[E0201]: Module "main.tn" not found.');
});

test('modules in a circle are named in order, once', () => {
  const { shown, modules } = load({
    'main.tn': 'import { a } from "./a.tn"\nfn main(): f32 = 1',
    'a.tn': 'import { b } from "./b.tn"\nfn a(): f32 = 1',
    'b.tn': 'import { a } from "./a.tn"\nfn b(): f32 = 1',
  });
  expect(shown).toMatchInlineSnapshot(`
    "b.tn:1:19: error[E0202]: Modules import each other in a circle: a.tn -> b.tn -> a.tn.
      1 | import { a } from "./a.tn"
        |                   ^^^^^^^^
      hint: Move what both need into a third module."
  `);
  expect([...modules.keys()]).toEqual(['b.tn', 'a.tn', 'main.tn']);
});

test('a module that imports itself', () => {
  expect(load({ 'main.tn': 'import { a } from "./main.tn"' }).shown).toContain(
    'circle: main.tn -> main.tn.',
  );
});

test('a name that the module does not declare', () => {
  const { shown } = load({
    'main.tn': 'import { Linear, linaer } from "./nn.tn"',
    'nn.tn': 'type Linear = f32\nfn linear(): f32 = 1',
  });
  expect(shown).toMatchInlineSnapshot(`
    "main.tn:1:18: error[E0203]: Module "nn.tn" declares no \`linaer\`.
      1 | import { Linear, linaer } from "./nn.tn"
        |                  ^^^^^^
      hint: Did you mean \`linear\`?"
  `);
});

test('a name that is built in, or that the module itself imports', () => {
  const { diagnostics } = load({
    'main.tn': 'import { exp, two } from "./nn.tn"',
    'nn.tn': 'import { two } from "./base.tn"\nfn f(): f32 = two()',
    'base.tn': 'fn two(): f32 = 2',
  });
  expect(diagnostics.map((d) => d.hint)).toEqual([
    '`exp` is built in and needs no import.',
    'That module imports it from "base.tn": import it from there, too.',
  ]);
});

test('one error per cause: what a broken import would have brought is not missing', () => {
  const errors = (text: string) =>
    check(
      new Map([
        ['main.tn', text],
        ['nn.tn', 'fn two(): f32 = 2\ntype T = { a: f32 }'],
      ]),
      'main.tn',
    ).diagnostics.map((d) => `${d.code} ${d.span.start}`);
  const use = '\nfn f(t: T): f32 = t.a + two() + three()\n';
  expect(errors(`import { two, T as _u } from "./nn.tn"${use}`)).toEqual(['E0101 16', 'E0301 71']);
  expect(errors(`import {\n  T,\n  two from "./nn.tn"${use}`)[0]).toBe('E0103 7');
  expect(errors(`from "./nn.tn" import T, two${use}`)).toEqual(['E0102 0', 'E0301 61']);
  expect(errors(`import { two, two, T, sin } from "./nn.tn"${use}`)).toEqual([
    'E0303 14',
    'E0203 22',
    'E0301 75',
  ]);
});

test('one error per cause: no unknown names from a module that is broken itself', () => {
  const { diagnostics } = load({
    'main.tn': 'import { f } from "./nn.tn"',
    'nn.tn': 'fn f(): f32 = (1',
  });
  expect(diagnostics.map((d) => d.code)).toEqual(['E0103']);
});

test('a loader that throws is a diagnostic', () => {
  const { diagnostics } = loadModules('a.tn', () => {
    throw new Error('EACCES: permission denied');
  });
  expect(diagnostics.map((d) => d.message)).toEqual([
    'Module "a.tn" cannot be read: EACCES: permission denied',
  ]);
});

test('imports are relative to the importing file', () => {
  expect(resolveImport('models/redi.tn', './nn.tn')).toBe('models/nn.tn');
  expect(resolveImport('models/redi.tn', '../lib//./nn.tn')).toBe('lib/nn.tn');
  expect(resolveImport('redi.tn', '../nn.tn')).toBe('../nn.tn');
  expect(resolveImport('/abs/redi.tn', './nn.tn')).toBe('/abs/nn.tn');
});
