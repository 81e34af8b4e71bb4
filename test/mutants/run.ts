/**
 * `npm run mutants`: each seeded bug in a copy of the sources, type-checked, then hunted by kill.ts.
 * A row per mutant with the test that killed it, last `N killed, M survived, K invalid`; exits 1
 * unless all are killed. `--only TEXT` takes those whose rule or name holds the text.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { mutants } from './mutants.ts';
import type { Mutant } from './row.ts';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const chosen = mutants.filter((m) => `${m.rule} ${m.name}`.includes(values.only));

type Verdict = { readonly k: 'killed' | 'survived' | 'invalid'; readonly by: string };

/** One copy of the tree for each worker; a mutant is put in and taken out again. */
function copyTree(): string {
  const at = mkdtempSync(join(tmpdir(), 'tenon-mutants-'));
  const own = (path: string) => !path.endsWith('node_modules');
  for (const folder of ['dsl', 'compiler', 'runtime', 'test', 'models', 'examples', 'bench']) {
    cpSync(join(root, folder), join(at, folder), { recursive: true, filter: own });
  }
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(at, file));
  symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'));
  return at;
}

function run(at: string, args: readonly string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: at, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (s) => (out += s));
    child.on('close', (code) => done({ code, out }));
  });
}

async function hunt(at: string, m: Mutant): Promise<Verdict> {
  const path = join(at, m.file);
  const before = readFileSync(path, 'utf8');
  const places = before.split(m.find).length - 1;
  if (places !== 1) return { k: 'invalid', by: `its text stands ${places} times in ${m.file}` };
  writeFileSync(
    path,
    before.replace(m.find, () => m.replace),
  );
  try {
    const types = await run(at, [
      join(at, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.json',
      '--incremental',
      '--tsBuildInfoFile',
      join(at, 'types.tsbuildinfo'),
    ]);
    if (types.code !== 0) {
      const fault =
        types.out.split('\n').find((l) => l.includes('error')) ?? types.out.slice(0, 200);
      // Names that are no longer used are no type errors.
      if (!/TS6133|TS6196|TS6192/.test(fault)) return { k: 'invalid', by: fault };
    }
    return await tested(at, m.lane);
  } finally {
    writeFileSync(path, before);
  }
}

async function tested(at: string, lane = ''): Promise<Verdict> {
  const { out } = await run(at, ['test/mutants/kill.ts', lane]);
  const line = out.split('\n').find((l) => /^(KILLED|CRASHED|SURVIVED)/.test(l));
  if (line === undefined) return { k: 'invalid', by: out.slice(0, 200).replaceAll('\n', ' ') };
  if (line.startsWith('SURVIVED')) return { k: 'survived', by: '' };
  const by = line.replace(/^\w+ /, '');
  return { k: line.startsWith('KILLED') ? 'killed' : 'invalid', by };
}

/** A test that fails without a mutant kills nothing. */
async function sound(): Promise<boolean> {
  const at = copyTree();
  try {
    for (const lane of new Set(chosen.map((m) => m.lane))) {
      const v = await tested(at, lane);
      if (v.k === 'survived') continue;
      process.stdout.write(`without a mutant: ${v.k}  [${v.by}]\n`);
      return false;
    }
    return true;
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}

if (!(await sound())) process.exit(1);

const verdicts = new Map<Mutant, Verdict>();
const queue = [...chosen];
const workers = Math.max(1, Math.min(2, availableParallelism(), queue.length));
await Promise.all(
  Array.from({ length: workers }, async () => {
    const at = copyTree();
    try {
      for (let m = queue.shift(); m !== undefined; m = queue.shift()) {
        const v = await hunt(at, m);
        verdicts.set(m, v);
        process.stdout.write(`${v.k.padEnd(8)}  ${m.rule}: ${m.name}  [${v.by}]\n`);
      }
    } finally {
      rmSync(at, { recursive: true, force: true });
    }
  }),
);
const count = (k: Verdict['k']): number => [...verdicts.values()].filter((v) => v.k === k).length;
const [killed, survived, invalid] = [count('killed'), count('survived'), count('invalid')];
process.stdout.write(`${killed} killed, ${survived} survived, ${invalid} invalid\n`);
process.exitCode = survived + invalid > 0 || killed === 0 ? 1 : 0;
