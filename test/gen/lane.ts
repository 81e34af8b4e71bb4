/**
 * The long lane: `npm run fuzz -- --programs N --seed S`. Every program through the passes and its
 * derivatives, every tenth to the second order, every fourth on wasm at larger sizes. Prints the
 * coverage of constructs, the first failure of every chunk shrunk, and last
 * `N programs, F failures, seed S`; exits 1 on a failure.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { openDevice } from '../../runtime/devices/registry.ts';
import { checkProgram } from './check-program.ts';
import { coverageOf, coverageTable, type Used } from './coverage.ts';
import { agreesOn, enlarged } from './on-target.ts';
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

type Depth = { readonly second: boolean; readonly target: boolean };

const device = await openDevice('wasm');
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
    const depth = { second: seen.length % 10 === 0, target: seen.length % 4 === 0 };
    if ((await fault(p, depth)) === undefined) continue;
    if (failures++ === before) process.stdout.write(await shrunk(parameters, depth, p));
  }
  const rate = seen.length / ((performance.now() - started) / 1000);
  const left = Math.round((programs - seen.length) / rate);
  process.stderr.write(`${seen.length} of ${programs}, ${failures} failures, ${left} s left\n`);
}
device.dispose();
process.stdout.write(coverageTable(coverageOf(seen)));
process.stdout.write(`${programs} programs, ${failures} failures, seed ${seed}\n`);
process.exitCode = failures > 0 ? 1 : 0;

async function fault(p: RandomProgram, depth: Depth): Promise<string | undefined> {
  try {
    checkProgram(p, { derivatives: true, second: depth.second });
    if (depth.target) await agreesOn(device, enlarged(p));
    return undefined;
  } catch (e) {
    if (!(e instanceof Error)) return `${e}`;
    // Only a fault that was looked for shows the program itself.
    return e.name === 'ProgramFault' ? e.message : `${e.stack}\n${p.text}`;
  }
}

/** The first failure of a chunk, shrunk. */
async function shrunk(
  parameters: { numRuns: number; seed: number },
  depth: Depth,
  found: RandomProgram,
): Promise<string> {
  const outcome = await fc.check(
    fc.asyncProperty(randomProgram, async (p) => (await fault(p, depth)) === undefined),
    parameters,
  );
  const p = outcome.counterexample?.[0] ?? found;
  const why = (await fault(p, depth)) ?? (await fault(found, depth)) ?? 'it holds when run again';
  return `FAIL ${why}\nsizes ${JSON.stringify(p.sizes)}, inputs from seed ${p.seed}\n`;
}
