/**
 * The long lane: `npm run fuzz -- --programs N --seed S`. Prints the coverage of constructs, every
 * failing program shrunk, and last `N programs, F failures, seed S`; exits 1 on a failure.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { checkProgram } from './check-program.ts';
import { coverageOf, coverageTable, type Used } from './coverage.ts';
import { type RandomProgram, randomProgram } from './program.ts';

const { values } = parseArgs({
  options: {
    programs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
});
const programs = Number(values.programs);
const seed = Number(values.seed);
if (!Number.isSafeInteger(programs) || programs < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run fuzz -- --programs N --seed S\n');
  process.exit(2);
}

const chunk = 200;
const started = performance.now();
const seen: Used[] = [];
let failures = 0;
for (let done = 0; done < programs; done += chunk) {
  const numRuns = Math.min(chunk, programs - done);
  const parameters = { numRuns, seed: seed + done };
  const before = failures;
  for (const p of fc.sample(randomProgram, parameters)) {
    seen.push({ used: p.used, live: p.live });
    // Every tenth to the second order.
    if (holds(p, seen.length % 10 === 0)) continue;
    if (failures++ === before) process.stdout.write(shrunk(parameters, p));
  }
  const rate = seen.length / ((performance.now() - started) / 1000);
  const left = Math.round((programs - seen.length) / rate);
  process.stderr.write(`${seen.length} of ${programs}, ${failures} failures, ${left} s left\n`);
}
process.stdout.write(coverageTable(coverageOf(seen)));
process.stdout.write(`${programs} programs, ${failures} failures, seed ${seed}\n`);
process.exitCode = failures > 0 ? 1 : 0;

function fault(p: RandomProgram, second: boolean): string | undefined {
  try {
    checkProgram(p, { derivatives: true, second });
    return undefined;
  } catch (e) {
    return e instanceof Error
      ? `${e.message}\n${e.name === 'ProgramFault' ? '' : e.stack}`
      : `${e}`;
  }
}

function holds(p: RandomProgram, second: boolean): boolean {
  return fault(p, second) === undefined;
}

/** The first failure of a chunk, shrunk. */
function shrunk(parameters: { numRuns: number; seed: number }, found: RandomProgram): string {
  const outcome = fc.check(
    fc.property(randomProgram, (p) => holds(p, true)),
    parameters,
  );
  const p = outcome.counterexample?.[0] ?? found;
  const why = fault(p, true) ?? fault(found, false) ?? 'it holds when run again';
  return `FAIL ${why}\nsizes ${JSON.stringify(p.sizes)}, inputs from seed ${p.seed}\n`;
}
