/**
 * Run inside a mutated copy: property and differential tests from fast to slow; the first that fails
 * is printed as `KILLED test: why`. No snapshots, and a crash is not a kill.
 */

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { sizeOf } from '../../compiler/core/build.ts';
import type { Core } from '../../compiler/core.ts';
import { check } from '../../dsl/index.ts';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { onDevice } from '../../runtime/gradcheck/device.ts';
import { checkProperty } from '../../runtime/gradcheck/property.ts';
import { checkProgram } from '../gen/check-program.ts';
import { agreesOn, enlarged } from '../gen/on-target.ts';
import { type RandomProgram, randomProgram } from '../gen/program.ts';
import { ProgramFault } from '../gen/run.ts';
import { judged } from '../proof/judge.ts';
import { programAt } from '../proof/program.ts';
import { coreOf } from '../schedule/chains.ts';
import { borders, chains, packed, specials } from './emitters-lane.ts';
import { runGolden } from './golden-lane.ts';
import { groups } from './groups-lane.ts';
import { meanings } from './meanings.ts';
import { numbers } from './numbers-lane.ts';
import { plans } from './plans-lane.ts';
import { reductions } from './reductions-lane.ts';
import { refusals } from './refusals.ts';
import { rulesAndValues } from './rules-lane.ts';

/** `long`: for the mutants that name it. */
type Lane = {
  readonly name: string;
  readonly run: () => Promise<void> | void;
  readonly long?: boolean;
};

const sample = (numRuns: number, seed: number) => fc.sample(randomProgram, { numRuns, seed });

async function targets(name: DeviceName, programs: readonly RandomProgram[]): Promise<void> {
  const device = await openDevice(name);
  for (const p of programs) await agreesOn(device, p);
  device.dispose();
}

/** Division and remainder of whole numbers of either sign, divisors constant and not. */
const whole = `fn main[N](x: i32[N], y: i32[N]): { q: i32[N], r: i32[N], s: i32[N], t: i32[N] } =
  { q: for i. x[i] // y[i], r: for i. x[i] % y[i], s: for i. x[i] // 3, t: for i. x[i] % 3 }
`;

async function wholeNumbers(name: DeviceName): Promise<void> {
  const core = coreOf(whole, { N: 40 });
  const x = Float64Array.from({ length: 40 }, (_, i) => i - 20);
  const y = Float64Array.from({ length: 40 }, (_, i) => [3, -2, 7, -5][i % 4]!);
  const device = await openDevice(name);
  const run = await onDevice(device, core);
  const v = await run.compare([x, y]);
  run.dispose();
  device.dispose();
  if (!v.ok) throw new ProgramFault(`whole numbers on ${name} are off by ${v.error}`);
}

/** Sums of several chunks of a tile, at sizes that leave something over. */
const product = (): Core =>
  coreOf(
    'fn main[M, N, K](x: f32[M, K], y: f32[K, N]): f32[M, N] = for i, j. sum k. x[i, k] * y[k, j]',
    { M: 21, N: 35, K: 45 },
  );

/** The adjoint of a padded value that is read at places from data. */
const gathered = (): Core =>
  coreOf(
    `fn main[A, B, C](w: f32[A, C], labels: idx[A][B]): f32 where A >= 1 =
  let before = for i: A, j: C. (w[i - 1, j] ?? 0)
  sum i: B, j: C. sin(before[labels[i], j])
`,
    { A: 5, B: 7, C: 3 },
    ['w'],
  );

async function one(name: DeviceName, core: Core): Promise<void> {
  const inputs = core.inputs.map((x, n) =>
    Float64Array.from({ length: sizeOf(x.shape) }, (_, i) =>
      x.t === 'f32' ? Math.sin(3 * i + n) : (2 * i) % 5,
    ),
  );
  const device = await openDevice(name);
  const run = await onDevice(device, core);
  const v = await run.compare(inputs);
  run.dispose();
  device.dispose();
  if (!v.ok) throw new ProgramFault(`it is off by ${v.error} on ${name}`);
}

/** Random programs that the checker accepts, at all small sizes in the exact interpreter. */
async function proofsHold(programs: number): Promise<void> {
  for (let n = 0; n < programs; n++) {
    const p = programAt(31, n);
    const o = await judged({ check, devices: [] }, p, { faultsOnly: true });
    if (o.k === 'fault') throw new ProgramFault(`${o.group}, program ${n}`);
  }
}

const lanes: readonly Lane[] = [
  { name: 'faults are refused, right programs are not', run: refusals },
  { name: 'programs mean what they say', run: meanings },
  { name: 'proofs hold', run: () => proofsHold(6000), long: true },
  { name: 'rules and values', run: rulesAndValues },
  { name: 'plans do what their programs say', run: plans },
  {
    name: 'derivatives of random programs',
    run: () => {
      for (const p of sample(200, 71)) checkProgram(p, { derivatives: true });
    },
  },
  {
    name: 'second derivatives of random programs',
    run: () => {
      for (const p of sample(12, 81)) checkProgram(p, { derivatives: true, second: true });
    },
  },
  { name: 'wasm against the reference', run: () => targets('wasm', sample(80, 61)) },
  {
    name: 'wasm against the reference, larger sizes',
    run: () => targets('wasm', sample(40, 62).map(enlarged)),
  },
  { name: 'whole numbers on wasm', run: () => wholeNumbers('wasm') },
  { name: 'padded values at places from data on wasm', run: () => one('wasm', gathered()) },
  { name: 'reductions on wasm', run: () => reductions('wasm', 71) },
  { name: 'products and attention in groups', run: groups },
  { name: 'operands at quotients and remainders on wasm', run: packed },
  { name: 'programs at the borders on wasm', run: () => borders('wasm') },
  {
    name: 'special numbers on wasm',
    run: () => specials('wasm', ['on lanes', 'on single cells', 'of a number and a literal']),
  },
  {
    name: 'check declarations of models',
    run: () => {
      const sources = new Map(
        readdirSync('models')
          .filter((f) => f.endsWith('.tn'))
          .map((f) => [`models/${f}`, readFileSync(`models/${f}`, 'utf8')]),
      );
      for (const file of ['models/nn.tn', 'models/sit.tn', 'models/resize.tn']) {
        const { program } = check(sources, file);
        if (program === undefined) throw new ProgramFault(`${file} is refused`);
        for (const c of program.checks) {
          if (c.what.k !== 'property') continue;
          const r = checkProperty(program, c.what.fn, { runs: 30, seed: 1 });
          if (!r.ok) throw new ProgramFault(`${c.name} does not hold`);
        }
      }
    },
  },
  { name: 'numbers at the borders on reference', run: () => numbers('reference') },
  { name: 'numbers at the borders on wasm', run: () => numbers('wasm') },
  { name: 'numbers at the borders on gpujs', run: () => numbers('gpujs') },
  { name: 'golden values on the reference', run: () => runGolden('reference') },
  { name: 'golden values on wasm', run: () => runGolden('wasm') },
  { name: 'whole numbers on webgpu', run: () => wholeNumbers('webgpu') },
  { name: 'programs at the borders on webgpu', run: () => borders('webgpu') },
  {
    name: 'special numbers on webgpu',
    run: () => specials('webgpu', ['on lanes', 'of a literal']),
  },
  { name: 'reductions on webgpu', run: () => reductions('webgpu', 1500) },
  { name: 'products on webgpu', run: () => one('webgpu', product()) },
  { name: 'webgpu against the reference', run: () => targets('webgpu', sample(12, 61)) },
  {
    name: 'webgpu against the reference, larger sizes',
    run: () => targets('webgpu', sample(12, 62).map(enlarged)),
  },
  { name: 'whole numbers on gpujs', run: () => wholeNumbers('gpujs') },
  { name: 'chains of integers on gpujs', run: () => chains('gpujs', 400) },
  {
    name: 'special numbers on gpujs',
    run: () => specials('gpujs', ['on lanes', 'of a literal']),
  },
  { name: 'reductions on gpujs', run: () => reductions('gpujs', 71) },
  { name: 'gpujs against the reference', run: () => targets('gpujs', sample(40, 61)) },
];

const crash =
  /TypeError|RangeError|ReferenceError|RuntimeError|is not a function|Maximum call stack/;
const [only = ''] = process.argv.slice(2);
for (const lane of lanes.filter((l) => (only === '' ? l.long !== true : l.name === only))) {
  try {
    await lane.run();
  } catch (e) {
    const why = e instanceof Error ? `${e.name}: ${e.message}` : String(e);
    const first = why.split('\n')[0]!.slice(0, 140);
    process.stdout.write(`${crash.test(why) ? 'CRASHED' : 'KILLED'} ${lane.name} | ${first}\n`);
    process.exit(0);
  }
}
process.stdout.write('SURVIVED\n');
process.exit(0);
