/**
 * The compiled lane: `npm run fuzz -- --lane compiled --programs N --seed S`. Random programs of what
 * compilers take for granted; no derivative, pass, schedule or emitter may change a value.
 *
 *   --device D,E     devices to run on (reference, wasm, wasm2, webgpu, gpujs); wasm2 is wasm on two threads,
 *                    however little work there is
 *   --from K         programs K, K + 1, ... of the seed, so that runs of two ranges add up
 *   --nests          nests of derivatives alone, to the third order, against differences too
 *   --state FILE     goes on from there, and writes there what was seen
 *
 * Prints the first failures of each kind in every chunk shrunk (those of the same rows once), the coverage of classes, the counts, and last
 * `N programs, F failures, seed S`; exits 1 on a failure.
 */
import { parseArgs } from 'node:util';
import { availableDevices } from '../../runtime/index.ts';
import { readState, type State, writeState } from '../gen/state.ts';
import { type Counts, count, noCounts, report } from './counts.ts';
import { type LaneDevice, laneDevices, needed, openNamed } from './devices.ts';
import { type Fault, type Judge, judged } from './judge.ts';
import { type Draw, programAt, type Random } from './program.ts';
import { shrunk } from './shrink.ts';

const usage = `usage: npm run fuzz -- --lane compiled --programs N --seed S
         [--device D,E] [--from K] [--nests] [--state FILE]
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
    device: { type: 'string', default: 'wasm,wasm2' },
    nests: { type: 'boolean', default: false },
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

const chunk = 100;

async function namedDevices(): Promise<readonly LaneDevice[]> {
  const there = await availableDevices();
  return values.device.split(',').map((text) => {
    const name = laneDevices.find((d) => d === text);
    if (name === undefined) return refuse(`there is no device ${text}`);
    const a = there.get(needed(name))!;
    return a.ok ? name : refuse(`${name} cannot be had: ${a.reason}`);
  });
}

const show = (n: number, { program: p, fault: f }: { program: Random; fault: Fault }): string =>
  `FAIL ${f.kind}, program ${n} of seed ${seed}\n${f.detail}\nsizes ${JSON.stringify(p.sizes)}, inputs from seed ${p.seed}${p.graded ? ', with gradients' : ''}${
    p.donate.length === 0 ? '' : `, donated ${JSON.stringify(p.donate)}`
  }\n${p.text}\n`;

function keptState(settings: string): State<Counts> | undefined {
  if (values.state === undefined) return undefined;
  try {
    return readState(values.state, settings);
  } catch (e) {
    return refuse(e instanceof Error ? e.message : String(e));
  }
}

const draw: Draw = values.nests ? 'nests' : 'all';
const devices = await openNamed(await namedDevices());
const judge: Judge = { devices, differences: values.nests };
const settings = JSON.stringify({ seed, from, device: values.device, draw });
const kept = keptState(settings);
const counts: Counts = kept?.counts ?? noCounts();
let next = kept?.next ?? from;
const end = from + programs;
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});

/** What was shown: a kind with the rows of its smallest program. */
const shown = new Set<string>();
let shownHere = new Map<string, number>();
/** Of one kind, in a chunk: faults of another cause may hide behind the first. */
const mostShown = 1;

async function showFault(n: number, program: Random, fault: Fault): Promise<void> {
  const times = shownHere.get(fault.group) ?? 0;
  shownHere.set(fault.group, times + 1);
  if (times >= mostShown) return;
  const small = await shrunk(judge, draw, seed, n, { program, fault });
  const signature = [small.fault.group, ...[...small.program.used].sort()].join();
  if (shown.has(signature)) return;
  shown.add(signature);
  process.stdout.write(show(n, small));
}

const started = performance.now();
const begun = next;
while (next < end && !stopped) {
  const p = programAt(seed, next, draw);
  const o = await judged(judge, p);
  count(counts, next, p, o);
  if (o.k === 'fault') await showFault(next, p, o);
  next++;
  if ((next - from) % chunk !== 0 && next < end) continue;
  shownHere = new Map();
  if (values.state !== undefined) writeState(values.state, { settings, next, counts });
  const rate = (next - begun) / ((performance.now() - started) / 1000);
  const left = Math.round((end - next) / rate);
  process.stderr.write(
    `${next - from} of ${programs}, ${counts.failures} failures, ${rate.toFixed(0)}/s, ${left} s left\n`,
  );
}
if (values.state !== undefined) writeState(values.state, { settings, next, counts });
for (const { device } of devices) device.dispose();
if (counts.programs > 0) process.stdout.write(report(counts, draw));
process.stdout.write(`${counts.programs} programs, ${counts.failures} failures, seed ${seed}\n`);
process.exitCode = stopped ? 130 : counts.failures > 0 ? 1 : 0;
