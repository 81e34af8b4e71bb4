/** The experiment commands as a user types them, at toy sizes on a few real pictures. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';
import { demoConfig, Folders, overrides } from './tiny.ts';

const folders = new Folders();
afterAll(() => folders[Symbol.dispose]());

const small = overrides({ 'data.limit': '40' }).flatMap(({ path, value }) => [
  '--set',
  `${path}=${value}`,
]);

async function tenon(
  args: readonly string[],
  onText?: (text: string, controller: AbortController) => void,
): Promise<{ code: number; out: string; err: string }> {
  const controller = new AbortController();
  let [out, err] = ['', ''];
  const code = await front(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
      onText?.(text, controller);
    },
    signal: controller.signal,
    terminal: false,
  });
  return { code, out, err };
}

const run = folders.path('run');
const train = (...more: string[]) => ['train', demoConfig, ...small, ...more];
let first: Awaited<ReturnType<typeof tenon>>;
beforeAll(async () => {
  first = await tenon(train('--out', run));
});

describe('tenon train', () => {
  it('reports losses beside the constant predictor and distances beside the untrained model', () => {
    expect(first.err).toContain('training the model');
    expect(first.code).toBe(0);
    expect(first.out).toMatch(/x \(pictures\) +\d\.\d{3} +\d\.\d{3}/);
    expect(first.out).toMatch(/trained \/ untrained +\d+\.\d{4}/);
  });

  it('does not write over a finished run', async () => {
    const again = await tenon(train('--out', run));
    expect(again.code).toBe(2);
    expect(again.err).toContain('holds a finished run');
    const resumed = await tenon(train('--out', run, '--resume'));
    expect(resumed.code).toBe(0);
    expect(resumed.err).toContain('is finished');
  });

  it('interrupted, keeps a checkpoint, exits with 130 and says how to go on; that works', async () => {
    const path = folders.path('interrupted');
    const stopped = await tenon(train('--out', path), (text, c) => {
      if (text.includes('training the model')) c.abort();
    });
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain('--resume');
    expect(stopped.err).toContain(`--out ${path}`);
    expect(existsSync(`${path}/report.json`)).toBe(false);
    const resumed = await tenon(train('--out', path, '--resume'));
    expect(resumed.code).toBe(0);
    const bytes = (p: string) => readFileSync(`${p}/checkpoint.safetensors`).toString('base64');
    expect(bytes(path)).toBe(bytes(run));
  });

  it('says in one sentence what it cannot read or write', async () => {
    const missing = await tenon(['train', folders.path('none.json')]);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('cannot read');
    writeFileSync(folders.path('file'), '');
    const blocked = await tenon(train('--out', folders.path('file/run')));
    expect(blocked.code).toBe(1);
    expect(blocked.err).toMatch(/error: cannot write .*: a part of the path is a file/);
    const typo = await tenon(['train', demoConfig, '--set', 'train.stesp=4']);
    expect(typo.code).toBe(2);
    expect(typo.err).toContain('Did you mean `steps`?');
  });
});

describe('what looks at a run', () => {
  it('samples a category into a picture and a file', async () => {
    const [png, file] = [folders.path('drawn.png'), folders.path('x.safetensors')];
    const args = ['sample', run, '--count', '2', '--category', 'flags', '--cfg', '2'];
    const { code, out, err } = await tenon([...args, '--out', png, '--save', file]);
    expect(err).toContain('sampling');
    expect(code).toBe(0);
    expect(out).toContain(png);
    expect(existsSync(png) && existsSync(file)).toBe(true);
    const wrong = await tenon(['sample', run, '--category', 'flegs']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('Flags');
  });

  it('measures it again to the same numbers', async () => {
    const { code, out } = await tenon(['eval', run, '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(readFileSync(`${run}/report.json`, 'utf8'));
    expect(JSON.parse(out)).toMatchObject({ heldOut: report.heldOut, frechet: report.frechet });
  });

  it('compares it with others, in a table and a plot', async () => {
    const png = folders.path('compare.png');
    const { code, out } = await tenon(['compare', run, run, '--out', png]);
    expect(code).toBe(0);
    expect(out.match(new RegExp(run, 'g'))).toHaveLength(2);
    expect(existsSync(png)).toBe(true);
    const none = await tenon(['compare', folders.path('nowhere')]);
    expect(none.code).toBe(2);
    expect(none.err).toContain('is no folder of a run');
  });
});
