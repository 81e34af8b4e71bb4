/**
 * Whole experiments at toy sizes: the same seed gives the same bits, an interrupted run that goes on
 * ends where an uninterrupted one does, and damage is refused before anything is written.
 */
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isTenonError } from '../../runtime/errors.ts';
import { readJsonl } from '../../runtime/io/jsonl.ts';
import { SafetensorsFile } from '../../runtime/io/safetensors-file.ts';
import {
  evaluateRun,
  openRun,
  type Progress,
  runFolder,
  sampleRun,
} from '../../runtime/train/index.ts';
import { drawnPictures, Folders, runTiny } from './tiny.ts';

const folders = new Folders();
afterAll(() => folders[Symbol.dispose]());

const whole = folders.path('whole');
/** Interrupted after the second of six steps; tests work on copies. */
const partial = folders.path('partial');
beforeAll(async () => {
  await runTiny(whole);
  await interrupted(partial, atStep('train', 2));
});

function copyOfPartial(name: string): string {
  const path = folders.path(name);
  cpSync(partial, path, { recursive: true });
  return path;
}

const bytes = (path: string, name: string): string =>
  readFileSync(`${path}/${name}`).toString('base64');

/** Everything but the report, which holds times. */
const same = [
  'checkpoint.safetensors',
  'model.safetensors',
  'encoder.safetensors',
  'features.safetensors',
  'metrics.jsonl',
  'samples.svg',
  'loss.png',
];

/** Fires the signal when an event passes the test. */
async function interrupted(
  path: string,
  when: (e: Progress) => boolean,
  resume = false,
): Promise<void> {
  const controller = new AbortController();
  const error = await runTiny(path, {
    resume,
    signal: controller.signal,
    onProgress: (e) => {
      if (when(e)) controller.abort();
    },
  }).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(isTenonError(error) && error.code).toBe('aborted');
}

function atStep(stage: string, n: number) {
  return (e: Progress): boolean => e.k === 'step' && e.stage === stage && e.done === n;
}

describe('an experiment', () => {
  it('leaves every file of a run, the whole training state among them', () => {
    expect(readdirSync(whole).sort()).toEqual([
      'checkpoint.safetensors',
      'config.json',
      'encoder.safetensors',
      'features.safetensors',
      'loss.png',
      'loss.svg',
      'metrics.jsonl',
      'model.safetensors',
      'programs.json',
      'report.json',
      'samples.png',
      'samples.svg',
    ]);
    using checkpoint = SafetensorsFile.open(`${whole}/checkpoint.safetensors`);
    const names = [...checkpoint.tensors.keys()];
    for (const part of ['params', 'ema', 'moments.m', 'moments.v']) {
      expect(names).toContain(`${part}.blocks.0.attn.qkv.weight`);
    }
    expect(checkpoint.read('step').data[0]).toBe(6);
    expect(checkpoint.metadata).toMatchObject({ step: '6', seed: '1' });
    using model = SafetensorsFile.open(`${whole}/model.safetensors`);
    expect([...model.tensors.keys()]).toContain('blocks.0.adaLN_modulation.1.weight');
  });

  it('records every step once, and held-out losses at the steps that were asked for', () => {
    const records = readJsonl(`${whole}/metrics.jsonl`);
    const steps = (stage: string) =>
      records.filter((r) => r['stage'] === stage && 'loss' in r).map((r) => r['step']);
    expect(steps('encoder')).toEqual([1, 2, 3, 4]);
    expect(steps('train')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(records.filter((r) => 'heldOut' in r).map((r) => r['step'])).toEqual([0, 4, 6]);
  });

  it('gives the same bits for the same seed', async () => {
    const again = folders.path('again');
    const report = await runTiny(again);
    for (const name of same) expect(bytes(again, name), name).toBe(bytes(whole, name));
    const first = JSON.parse(readFileSync(`${whole}/report.json`, 'utf8'));
    expect({ ...report, seconds: null }).toEqual({ ...first, seconds: null });
  });

  it('gives other bits for another seed', async () => {
    const other = folders.path('other');
    await runTiny(other, { settings: { seed: '2' } });
    expect(bytes(other, 'checkpoint.safetensors')).not.toBe(bytes(whole, 'checkpoint.safetensors'));
  });

  it('interrupted in every stage and resumed, ends with the bits of an uninterrupted run', async () => {
    const path = folders.path('resumed');
    await interrupted(path, atStep('encoder', 3));
    await interrupted(path, atStep('train', 3), true);
    await interrupted(path, atStep('train', 5), true);
    await interrupted(path, (e) => e.k === 'stage' && e.stage === 'evaluate', true);
    expect(existsSync(`${path}/report.json`)).toBe(false);
    await runTiny(path, { resume: true });
    for (const name of same) expect(bytes(path, name), name).toBe(bytes(whole, name));
  });

  it('killed between two checkpoints, does the lost steps again and records them once', async () => {
    const path = copyOfPartial('killed');
    const line = `${JSON.stringify({ stage: 'train', step: 3, loss: 99 })}\n{"stage":"tr`;
    writeFileSync(`${path}/metrics.jsonl`, line, { flag: 'a' });
    await runTiny(path, { resume: true });
    for (const name of same) expect(bytes(path, name), name).toBe(bytes(whole, name));
  });

  it('goes on only with the config it began with', async () => {
    const path = copyOfPartial('changed');
    await expect(
      runTiny(path, { resume: true, settings: { 'train.rate': '0.5' } }),
    ).rejects.toThrow('began with another train.rate');
  });

  it('refuses a checkpoint that was cut short, and leaves it as it is', async () => {
    const path = copyOfPartial('cut');
    truncateSync(`${path}/checkpoint.safetensors`, 3000);
    const before = bytes(path, 'checkpoint.safetensors');
    const error = await runTiny(path, { resume: true }).catch((e: unknown) => e);
    expect(isTenonError(error) && error.code).toBe('format');
    expect((error as Error).message).toContain('checkpoint.safetensors');
    expect(bytes(path, 'checkpoint.safetensors')).toBe(before);
  });

  it('says that a checkpoint is gone rather than starting anew', async () => {
    const path = folders.path('gone');
    cpSync(whole, path, { recursive: true });
    rmSync(`${path}/checkpoint.safetensors`);
    rmSync(`${path}/report.json`);
    const error = await runTiny(path, { resume: true }).catch((e: unknown) => e);
    expect((error as Error).message).toMatch(/checkpoint\.safetensors is missing/);
    expect(existsSync(`${path}/checkpoint.safetensors`)).toBe(false);
  });

  it('refuses the checkpoint of another model', async () => {
    const path = copyOfPartial('swapped');
    writeFileSync(`${path}/checkpoint.safetensors`, readFileSync(`${whole}/encoder.safetensors`));
    await expect(runTiny(path, { resume: true })).rejects.toThrow('is no checkpoint of this run');
  });

  it('opened again, samples and measures as its report says', async () => {
    const folder = runFolder(whole);
    const report = JSON.parse(readFileSync(`${whole}/report.json`, 'utf8'));
    await using run = await openRun(folder, {});
    const { heldOut, frechet } = await evaluateRun(folder, run, drawnPictures());
    expect(heldOut).toEqual(report.heldOut);
    expect(frechet).toEqual(report.frechet);
    const { x, z } = await sampleRun(run, Int32Array.of(0, 2));
    expect([x.length, z.length]).toEqual([2 * 3 * 16, 2 * 2 * 16]);
    expect([...x, ...z].every(Number.isFinite)).toBe(true);
  });
});
