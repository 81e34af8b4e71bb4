/**
 * npm run bench: Tenon against its ceiling and its peers.
 *
 *   npm install --prefix bench                      the peers (PyTorch: apt python3-torch)
 *   npm run bench                                   everything
 *   npm run bench -- --only W5 --only W6            some rows
 *   npm run bench -- --peer tenon --peer torch      some columns (by the start of their names)
 *   npm run bench -- --odd                          renamed functions, sizes that nothing divides
 *   npm run bench -- --threads 1 --no-revectorize   as said
 *   npm run bench -- --json FILE                    where the result goes as data
 *   npm run bench -- --only W5 --json FILE --merge  renew some rows of FILE
 *   npm run bench -- --write-docs                   docs/performance.md from the committed results
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { readReport, writeDocs } from './docs.ts';
import { measureRow, type Row } from './measure.ts';
import { packagesOf } from './peers/openers.ts';
import { emptyProcess } from './process.ts';
import { absences, merged, type Report, reportText } from './report.ts';
import { type Variant, variants } from './variants.ts';
import { named, odd, select } from './workloads.ts';

const list = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const options = new Command('bench')
  .option('--only <row>', 'only rows whose name starts so; may be repeated', list, [])
  .option('--peer <name>', 'only columns whose name starts so; may be repeated', list, [])
  .option('--odd', 'renamed functions and odd sizes', false)
  .option('--threads <n>', 'threads of every peer that has them', (v) => Number(v), 2)
  .option('--no-revectorize', "without V8's revectorizer")
  .option('--peers-revectorize', "V8's revectorizer for the peers in JavaScript as well", false)
  .option('--rounds <n>', 'turns that each peer gets', (v) => Number(v), 7)
  .option('--budget <ms>', 'length of a turn', (v) => Number(v), 300)
  .option('--json <file>', 'write the result there', 'bench/results/latest.json')
  .option('--merge', 'keep the rows of that file that are not measured now', false)
  .option('--write-docs', 'measure nothing; renew docs/performance.md', false)
  .parse()
  .opts<{
    only: readonly string[];
    peer: readonly string[];
    odd: boolean;
    threads: number;
    revectorize: boolean;
    peersRevectorize: boolean;
    rounds: number;
    budget: number;
    json: string;
    merge: boolean;
    writeDocs: boolean;
  }>();

const out = (text: string): void => void process.stdout.write(`${text}\n`);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** Why a peer cannot be measured here, in one line. */
function missing(v: Variant): string | undefined {
  if (v.peer === 'torch') {
    try {
      execFileSync('/usr/bin/python3', ['-c', 'import torch'], { stdio: 'ignore' });
      return undefined;
    } catch {
      return 'PyTorch: apt-get install python3-torch libopenblas0-openmp';
    }
  }
  const require = createRequire(import.meta.url);
  const absent = packagesOf[v.peer]!.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  return absent.length === 0 ? undefined : `${absent.join(', ')}: npm install --prefix bench`;
}

/** Five digits are more than the clock knows. */
const rounded = (_: string, v: unknown): unknown =>
  typeof v === 'number' && !Number.isInteger(v) ? Number(v.toPrecision(5)) : v;

async function measure(): Promise<Report> {
  const asked = variants(options.threads, options.revectorize, options.peersRevectorize).filter(
    (v) =>
      options.peer.length === 0 ||
      options.peer.some((p) => v.id.toLowerCase().startsWith(p.toLowerCase())),
  );
  const reasons = new Map(asked.map((v) => [v, missing(v)]));
  for (const reason of new Set(reasons.values())) if (reason) out(`absent, ${reason}`);
  const present = asked.filter((v) => reasons.get(v) === undefined);
  const empty = { node: await emptyProcess('node'), python: await emptyProcess('python') };
  const effort = { rounds: options.rounds, budget: options.budget, odd: options.odd };
  const workloads = select(options.odd ? odd : named, options.only);
  const rows: Row[] = [];
  for (const w of workloads) {
    const bare = (v: Variant): number => (v.peer === 'torch' ? empty.python : empty.node);
    rows.push(await measureRow(w, present, effort, bare, note));
  }
  const { threads, revectorize } = options;
  const work = Object.fromEntries(workloads.map((w) => [w.id, { flops: w.flops, bytes: w.bytes }]));
  return {
    odd: options.odd,
    threads,
    revectorize,
    node: process.version,
    variants: present,
    rows,
    work,
  };
}

async function main(): Promise<void> {
  if (options.writeDocs) return writeDocs();
  const measured = await measure();
  const old = options.merge && existsSync(options.json) ? readReport(options.json) : undefined;
  const report = old ? merged(old, measured) : measured;
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify(report, rounded, 1)}\n`);
  out(reportText(report));
  if (absences(measured).length > 0) process.exitCode = 1;
}

await main();
