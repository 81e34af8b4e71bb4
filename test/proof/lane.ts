/**
 * The proof lane: `npm run fuzz -- --lane proof --programs N --seed S`. Random programs at the border of
 * what can be proved; what the checker accepts must be in range at all sizes and give the exact values
 * on every device; of what it refuses it is counted how much was fine.
 *
 *   --device D,E     devices to run on (reference, wasm, webgpu, gpujs)
 *   --from K         programs K, K + 1, ... of the seed, so that runs of two ranges add up
 *   --checker DIR    verdicts of another checkout; nothing is run then
 *   --state FILE     goes on from there, and writes there what was seen
 *
 * Prints the first failure of each kind in every chunk shrunk, the coverage of constructs, the counts,
 * and last `N programs, F failures, seed S`; exits 1 on a failure.
 */
import { parseArgs } from 'node:util';
import { check as ownCheck } from '../../dsl/index.ts';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, deviceNames, openDevice } from '../../runtime/index.ts';
import { readState, type State, writeState } from '../gen/state.ts';
import { type Counts, count, noCounts } from './counts.ts';
import { type Fault, type Judge, judged } from './judge.ts';
import { programAt, type Random } from './program.ts';
import { report } from './report.ts';
import { shrunk } from './shrink.ts';
import { checkerOf } from './verdict.ts';

const usage = `usage: npm run fuzz -- --lane proof --programs N --seed S
         [--device D,E] [--from K] [--checker DIR] [--state FILE]
`;

function refuse(message: string): never {
  process.stderr.write(`${message}\n${usage}`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    lane: { type: 'string' },
    programs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    device: { type: 'string', default: 'reference,wasm' },
    checker: { type: 'string' },
    state: { type: 'string' },
  },
});
const [programs, seed, from] = [values.programs, values.seed, values.from].map(Number) as [
  number,
  number,
  number,
];
if (![programs, seed, from].every((n) => Number.isSafeInteger(n) && n >= 0) || programs < 1) {
  refuse('programs, seed and from are whole numbers');
}

const chunk = 500;

async function judge(): Promise<Judge> {
  if (values.checker !== undefined) {
    return { check: await checkerOf(values.checker), devices: [] };
  }
  const names = values.device.split(',');
  const there = await availableDevices();
  for (const name of names) {
    if (!(deviceNames as readonly string[]).includes(name)) refuse(`there is no device ${name}`);
    const a = there.get(name as DeviceName);
    if (a?.ok === false) refuse(`${name} cannot be had: ${a.reason}`);
  }
  const devices = await Promise.all(names.map((name) => openDevice(name as DeviceName)));
  return { check: ownCheck, devices };
}

const show = (n: number, p: Random, f: Fault): string =>
  `FAIL ${f.kind}, program ${n} of seed ${seed}\n${f.detail}\n${p.text}\n`;

function keptState(): State<Counts> | undefined {
  if (values.state === undefined) return undefined;
  try {
    return readState(values.state, settings);
  } catch (e) {
    return refuse(e instanceof Error ? e.message : String(e));
  }
}

const j = await judge();
const settings = JSON.stringify({ seed, from, device: values.device, checker: values.checker });
const kept = keptState();
const counts: Counts = kept?.counts ?? noCounts();
let next = kept?.next ?? from;
const end = from + programs;
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});

const save = (): void => {
  if (values.state !== undefined) writeState(values.state, { settings, next, counts });
};

const started = performance.now();
const begun = next;
/** Kinds that were shown in this chunk. */
let shownKinds = new Set<string>();
while (next < end && !stopped) {
  const p = programAt(seed, next);
  const depth = { gradients: next % 2 === 0 };
  const o = await judged(j, p, depth);
  count(counts, next, p, o);
  if (o.k === 'fault' && !shownKinds.has(o.kind)) {
    shownKinds.add(o.kind);
    const small = await shrunk(j, depth, seed, next, { program: p, fault: o });
    process.stdout.write(show(next, small.program, small.fault));
  }
  next++;
  if ((next - from) % chunk !== 0 && next < end) continue;
  shownKinds = new Set();
  save();
  const rate = (next - begun) / ((performance.now() - started) / 1000);
  const left = Math.round((end - next) / rate);
  process.stderr.write(
    `${next - from} of ${programs}, ${counts.failures} failures, ${rate.toFixed(0)}/s, ${left} s left\n`,
  );
}
save();
for (const d of j.devices) d.dispose();
if (counts.programs > 0) process.stdout.write(report(counts));
process.stdout.write(`${counts.programs} programs, ${counts.failures} failures, seed ${seed}\n`);
process.exitCode = stopped ? 130 : counts.failures > 0 ? 1 : 0;
