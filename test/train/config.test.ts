/** Configs: what is refused, with which words, and what overrides change. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../runtime/index.ts';
import { checkConfig, differences, readConfig } from '../../runtime/train/config.ts';
import { keyOf } from '../../runtime/train/keys.ts';
import { loadPrograms } from '../../runtime/train/programs.ts';
import { claim, runFolder, standing, writeConfig } from '../../runtime/train/run-folder.ts';
import { demoConfig, Folders, tinyConfig } from './tiny.ts';

const folders = new Folders();
afterAll(() => folders[Symbol.dispose]());

const set = (path: string, value: string) => readConfig(demoConfig, [{ path, value }]);

describe('a config', () => {
  it('of the demo is valid', () => {
    expect(readConfig(demoConfig).name).toBe('emoji');
  });

  it('with settings that do not exist is refused, with what may be meant, all at once', () => {
    const { rate: _, ...train } = tinyConfig().train;
    const wrong = { ...tinyConfig(), train: { ...train, rat: 1, steps: 1.5 }, colour: 'red' };
    expect(() => checkConfig(wrong, 'my.json')).toThrowErrorMatchingInlineSnapshot(`
      [TenonError: my.json is no config of an experiment:
        there is no setting colour
        there is no setting train.rat. Did you mean \`rate\`?
        train.steps must be a whole number from 1 to 16777216, not 1.5
        train.rate is missing]
    `);
  });

  it('may be overridden by path, with values of the right kind', () => {
    expect(set('train.steps', '7').train.steps).toBe(7);
    expect(set('device', 'reference').device).toBe('reference');
    expect(() => set('train.stesp', '7')).toThrow('the config has no setting train.stesp');
    expect(() => set('train.steps.x', '7')).toThrow('no setting train.steps.x');
    expect(() => set('train.steps', 'many')).toThrow('train.steps must be a whole number');
    expect(() => set('device', 'wsam')).toThrow('Did you mean `wasm`?');
    expect(() => set('train', '7')).toThrow('train must be an object');
    expect(() => set('__proto__.x', '7')).toThrow('no setting __proto__.x');
  });

  it('with sizes that do not fit each other is refused', () => {
    expect(() => set('model.patch', '5')).toThrow('model.patch must divide data.size, 16, not 5');
    expect(() => set('encoder.heads', '7')).toThrow('encoder.heads must divide encoder.width');
    expect(() => set('name', '../x')).toThrow('name must be usable as that of a folder');
  });

  it('that cannot be read or is no JSON is one clear error', () => {
    expect(() => readConfig(folders.path('none.json'))).toThrow('there is no such file');
    writeFileSync(folders.path('bad.json'), '{ "name": ');
    expect(() => readConfig(folders.path('bad.json'))).toThrow('bad.json is not JSON');
  });

  it('differs from another in the settings that differ', () => {
    const other = readConfig(demoConfig, [{ path: 'train.rate', value: '0.5' }]);
    expect(differences(readConfig(demoConfig), other)).toEqual(['train.rate']);
  });
});

describe('the folder of a run', () => {
  it('is taken when it is free, numbered when a finished run is there, refused otherwise', () => {
    const path = folders.path('run');
    expect(claim(path, 'new', true).path).toBe(path);
    expect(() => claim(path, 'resume', true)).toThrow('there is no run');
    writeConfig(runFolder(path), tinyConfig());
    expect(standing(runFolder(path))).toBe('unfinished');
    expect(() => claim(path, 'new', true)).toThrow('was interrupted');
    expect(claim(path, 'resume', true).path).toBe(path);
    writeFileSync(runFolder(path).file.report, '{}');
    expect(claim(path, 'new', true).path).toBe(`${path}-2`);
    expect(() => claim(path, 'new', false)).toThrow('holds a finished run');
    expect(claim(path, 'force', false).path).toBe(path);
    expect(standing(runFolder(path))).toBe('absent');
  });

  it('is never that of something else', () => {
    const path = folders.path('other');
    mkdirSync(path);
    writeFileSync(`${path}/thesis.tex`, 'x');
    expect(() => claim(path, 'new', true)).toThrow('holds other files');
    expect(() => claim(path, 'force', true)).toThrow('holds other files');
  });
});

describe('keys and rates', () => {
  it('differ for every use and every step', () => {
    const keys = (['init', 'step', 'sample'] as const).flatMap((stream) =>
      [0, 1, 2].map((n) => keyOf(5, stream, n).join()),
    );
    expect(new Set(keys).size).toBe(9);
  });

  it('rise during warm-up and fall to the final rate, as the program says', async () => {
    const { joint } = await loadPrograms(readConfig(demoConfig), demoConfig);
    const rate = Math.fround(0.3);
    for (const [warmup, steps, finalRate] of [
      [0, 1, 0],
      [0, 21, 0.25],
      [20, 21, 0],
      [7, 200, 1],
      [30, 12, 0.5],
    ] as const) {
      await using f = joint.function('rates', { device: 'wasm', sizes: { N: steps } });
      const all = ((await f.call({ rate, warmup, finalRate })).out as Tensor).data;
      const rising = Math.min(warmup, steps);
      for (let n = 0; n < rising; n++) expect(all[n]!).toBeCloseTo((rate * (n + 1)) / warmup, 6);
      for (let n = rising + 1; n < steps; n++) expect(all[n]!).toBeLessThanOrEqual(all[n - 1]!);
      if (warmup >= steps) continue;
      expect(all[warmup]!).toBeCloseTo(rate, 6);
      const left = (1 - Math.cos(Math.PI / (steps - warmup))) / 2;
      expect(all[steps - 1]!).toBeCloseTo(
        warmup === steps - 1 ? rate : rate * (finalRate + (1 - finalRate) * left),
        6,
      );
    }
  });
});
