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
 *
 * or against another checkout of itself, which has its packages installed (against/run.ts):
 *
 *   npm run bench -- --against DIR                  everything, after this checkout against itself
 *   npm run bench -- --against DIR --no-aa --rounds 5 --only step --only compile --json FILE
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { CommanderError } from 'commander';
import { UsageError } from './against/checkout.ts';
import { runAgainst } from './against/run.ts';
import { readReport, writeDocs } from './docs.ts';
import { measureRow, type Row } from './measure.ts';
import { type Options, readOptions } from './options.ts';
import { packagesOf } from './peers/openers.ts';
import { emptyProcess } from './process.ts';
import { absences, merged, type Report, reportText, rounded } from './report.ts';
import { type Variant, variants } from './variants.ts';
import { named, odd, select } from './workloads.ts';

const options = optionsOrExit();

const out = (text: string): void => void process.stdout.write(`${text}\n`);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (e) {
    if (!(e instanceof CommanderError)) throw e;
    process.exit(e.exitCode === 0 ? 0 : 2);
  }
}

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

async function againstPeers(file: string): Promise<void> {
  const measured = await measure();
  const old = options.merge && existsSync(file) ? readReport(file) : undefined;
  const report = old ? merged(old, measured) : measured;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, rounded, 1)}\n`);
  out(reportText(report));
  if (absences(measured).length > 0) process.exitCode = 1;
}

async function againstCheckout(dir: string): Promise<void> {
  try {
    if (!(await runAgainst(dir, options, out, note))) process.exitCode = 1;
  } catch (e) {
    if (!(e instanceof UsageError)) throw e;
    note(e.message);
    process.exitCode = 2;
  }
}

async function main(): Promise<void> {
  if (options.writeDocs) return writeDocs();
  if (options.against !== undefined) return againstCheckout(options.against);
  return againstPeers(options.json ?? 'bench/results/latest.json');
}

// An exit that is asked for takes the peers' processes along (process.ts).
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
await main();
