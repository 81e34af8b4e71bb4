/**
 * The long lane of the language: `npm run robust -- --edits 20000 --streams 2000 --programs 5000
 * --mutants 1000 --seed S`. Hostile texts give a program or diagnostics within two seconds of work; random
 * programs are accepted and read nothing out of range, and so do their mutants. Prints how often each
 * construct occurs and last `N texts, P programs, M mutants, F failures, seed S`; exits 1 on a failure.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { interpret } from '../../compiler/core/interpret.ts';
import { featureShares } from '../gen/features.ts';
import { type RandomProgram, randomProgram } from '../gen/program.ts';
import { elaborated, inputsOf } from '../gen/run.ts';
import { assertSurvives, choices, editedPrograms, tokenStreams } from './hostile.ts';
import { mutate, runIfAccepted } from './mutants.ts';

const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '20000' },
    streams: { type: 'string', default: '2000' },
    programs: { type: 'string', default: '5000' },
    mutants: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
});
const { edits, streams, programs, mutants, seed } = Object.fromEntries(
  Object.entries(values).map(([name, v]) => [name, Number(v)]),
) as Record<keyof typeof values, number>;

let failures = 0;
let slowest = 0;
let accepted = 0;

/** Seconds of this process's own work: others may be busy on the machine. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Runs one case; `limit` in seconds. */
function attempt(run: () => void, limit = Number.POSITIVE_INFINITY, text = ''): void {
  const start = spent();
  try {
    run();
  } catch (e) {
    failures += 1;
    process.stdout.write(`FAIL ${e instanceof Error ? `${e.stack}` : e}\n${text}\n`);
  }
  const seconds = spent() - start;
  slowest = Math.max(slowest, seconds);
  if (seconds <= limit) return;
  failures += 1;
  process.stdout.write(`FAIL ${seconds.toFixed(1)} s for\n${text}\n`);
}

function report(what: string, count: number): void {
  process.stdout.write(
    `${count} ${what}: ${accepted} accepted, the slowest took ${slowest.toFixed(2)} s\n`,
  );
  accepted = 0;
  slowest = 0;
}

const survive = (text: string): void =>
  attempt(
    () => {
      if (assertSurvives(text).ok) accepted += 1;
    },
    2,
    text,
  );

for (const text of editedPrograms(edits, seed)) survive(text);
report('edits of valid programs', edits);
for (const text of tokenStreams(streams, seed)) survive(text);
report('streams of tokens', streams);

const chunk = 500;
const seen: RandomProgram[] = [];
for (let done = 0; done < programs; done += chunk) {
  const numRuns = Math.min(chunk, programs - done);
  for (const p of fc.sample(randomProgram, { numRuns, seed: seed + done })) {
    seen.push(p);
    attempt(() => {
      const e = elaborated(p);
      const out = interpret(e.core, inputsOf(e, p.seed));
      if (!out.every((y) => y.every(Number.isFinite))) throw new Error(`not finite\n${p.text}`);
      accepted += 1;
    });
  }
}
report('random programs, checked and run', programs);

const c = choices(seed);
for (let done = 0; done < mutants; done += chunk) {
  const numRuns = Math.min(chunk, mutants - done);
  for (const p of fc.sample(randomProgram, { numRuns, seed: seed + 1_000_000 + done })) {
    const text = mutate(p.text, c);
    attempt(
      () => {
        if (runIfAccepted(text, p)) accepted += 1;
      },
      Number.POSITIVE_INFINITY,
      text,
    );
  }
}
report('mutants', mutants);

if (seen.length > 0) {
  const rows = [...featureShares(seen)].sort((a, b) => b[1] - a[1]);
  for (const [name, share] of rows) {
    process.stdout.write(`  ${name.padEnd(26)} ${(100 * share).toFixed(1).padStart(5)} %\n`);
  }
}
process.stdout.write(
  `${edits + streams} texts, ${programs} programs, ${mutants} mutants, ${failures} failures, seed ${seed}\n`,
);
process.exitCode = failures > 0 ? 1 : 0;
