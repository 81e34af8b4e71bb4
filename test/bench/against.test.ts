/**
 * Two checkouts compared in miniature: this one from its sources, in processes of its own, against
 * itself and against folders that stand in for a checkout which does something else.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Checkout, openCheckout } from '../../bench/against/checkout.ts';
import { measure } from '../../bench/against/measure.ts';
import { progress } from '../../bench/against/progress.ts';
import { compared, comparisonText } from '../../bench/against/report.ts';
import { tasks } from '../../bench/against/tasks.ts';
import { commonTexts } from '../../bench/against/texts.ts';
import { tiny } from '../../bench/workloads.ts';

const root = resolve(import.meta.dirname, '../..');
const own: Checkout = { root, built: root, ending: 'ts' };
const how = { threads: 1, wide: false, odd: false, budget: 1 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenon-against-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function other(files: Readonly<Record<string, string>>): Checkout {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { root: folder, built: folder, ending: 'js' };
}

const program = new Map([['a.tn', 'fn id(x: f32): f32 = x\n']]);
const everything = tasks(tiny, program, how);
const task = (id: string) => everything.find((t) => t.id === id)!;
const untold = (): void => {};

test.each([
  ['W2', 3],
  ['compile W6', 1],
  ['check', 1],
  ['parse', 2],
])('%s: a checkout agrees with itself, and both have a time in every round', async (id, rounds) => {
  const row = await measure(task(id), { this: own, that: own }, rounds, untold);
  expect(row.why).toBeUndefined();
  expect(row.error ?? 0).toBe(0);
  for (const times of Object.values(row.times!)) {
    expect(times).toHaveLength(rounds);
    for (const t of times) expect(t).toBeGreaterThan(0);
  }
});

const worker = (results: string): string => `process.on('message', (m) => process.send(
  m.k === 'read' ? { results: new Map([['out', ${results}]]) } : { times: [1] }));`;

test.each([
  ['other numbers', 'new Float32Array(37)', /^results differ by 1\.0e\+0 \(tolerance 0\.0001\)$/],
  ['NaN', 'new Float32Array(37).fill(NaN)', /^results differ by Infinity/],
  ['none', 'undefined', /^results differ by Infinity/],
])('results that are %s leave a row without times', async (_, results, why) => {
  const wrong = other({ 'bench/worker.js': worker(results) });
  const row = await measure(task('W2'), { this: wrong, that: own }, 1, untold);
  expect(row.why).toMatch(why);
  expect(row.times).toBeUndefined();
});

test('a checkout that fails is named, with its own words', async () => {
  const that = other({
    'bench/worker.js': "process.on('message', () => process.send({ error: 'no such function' }))",
    'dsl/index.js': 'exports.check = () => ({ program: undefined });',
    'dsl/parse.js': 'exports.parseModule = () => { throw new Error("no parser"); };',
  });
  const why = async (id: string) =>
    (await measure(task(id), { this: own, that }, 1, untold)).why?.split('\n')[0];
  expect(await why('W2')).toBe('that: no such function');
  expect(await why('compile W6')).toBe('that: no such function');
  expect(await why('check')).toBe('that: does not check: a.tn');
  expect(await why('parse')).toBe('that: Error: no parser');
});

test('both read the programs of this checkout, or else of the one that knows less', async () => {
  const knows = (names: string): Checkout =>
    other({
      'models/old.tn': 'old',
      'dsl/index.js': `exports.check = (texts, file) =>
        ({ program: ${names}.test(file) ? {} : undefined });`,
      'dsl/parse.js': 'exports.parseModule = () => ({ diagnostics: [] });',
    });
  const all = await commonTexts({ this: own, that: knows('/./') });
  expect([all.from, all.unknown, all.texts.has('models/sit.tn')]).toEqual(['this', [], true]);
  const some = await commonTexts({ this: own, that: knows('/^(?!models.sit)/') });
  expect([some.from, some.unknown]).toEqual(['that', ['models/sit.tn']]);
  expect([...some.texts]).toEqual([['models/old.tn', 'old']]);
});

test('a folder that cannot be measured is refused in a sentence that says what to do', async () => {
  const refused = (dir: string) => openCheckout(dir).catch((e: Error) => e.message);
  expect(await refused(join(folder, 'x'))).toBe(`${join(folder, 'x')} does not exist.`);
  other({ file: '', 'package.json': '{"name":"other"}' });
  expect(await refused(join(folder, 'file'))).toMatch(/is not a folder\.$/);
  expect(await refused(folder)).toMatch(/is not a checkout of tenon/);
  other({ 'package.json': '{"name":"tenon"}' });
  expect(await refused(folder)).toMatch(/has no bench\/worker\.ts/);
  other({ 'bench/worker.ts': '', 'bench/tsconfig.build.json': '{}' });
  expect(await refused(folder)).toMatch(/is not installed: run npm install there\.$/);
  other({ 'node_modules/typescript/bin/tsc': 'process.exit(2)' });
  expect(await refused(folder)).toMatch(/does not compile: run npx tsc/);
});

test('the report: rows, what has no time and why, the mean of each group, that of runs last', () => {
  const row = (id: string, group: 'run' | 'check', ratio: number) => ({
    ...{ id, title: id, group },
    summary: { this: 2 * ratio, that: 2, ratio, low: ratio - 0.1, high: ratio + 0.1 },
  });
  const failed = { id: 'W4', title: '', group: 'run' as const, why: 'that: gone\n    at x' };
  const rows = [row('W2', 'run', 0.5), row('W3', 'run', 2), failed, row('check', 'check', 0.9)];
  expect(comparisonText(compared(rows), 'that')).toBe(
    [
      '       this, ms  that, ms  this/that  lower quartile  upper quartile',
      'W2         1.00      2.00      0.500           0.400           0.600',
      'W3         4.00      2.00      2.000           1.900           2.100',
      'check      1.80      2.00      0.900           0.800           1.000',
      'W4: that: gone',
      'geometric mean of check: 0.900',
      'geometric mean of W2, W3: 1.000',
    ].join('\n'),
  );
});

test('what is left is told at the pace of what is done, and not at every step', () => {
  const told: string[] = [];
  let now = 0;
  const took = progress(
    100,
    (text) => told.push(text),
    () => now,
  );
  for (const [at, seconds] of [
    [20_000, 10],
    [21_000, 10],
    [60_000, 10],
  ] as const) {
    now = at;
    took(seconds, `at ${at}`);
  }
  expect(told).toEqual(['at 20000, about 3 min 00 s left', 'at 60000, about 2 min 20 s left']);
});
