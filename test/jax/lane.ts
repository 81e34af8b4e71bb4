/**
 * The lane against JAX: `npm run fuzz -- --lane jax --python PYTHON --programs N --seed S`. Random programs,
 * each drawn once and printed in both languages; values and gradients are compared. PYTHON is one that can
 * import jax (`python3 -m venv DIR && DIR/bin/pip install jax`).
 *
 *   --device D,E     devices to run on (wasm, wasm2, webgpu, gpujs); the interpreter in f64 always
 *   --from K         programs K, K + 1, ... of the seed, so that runs of two ranges add up
 *   --state FILE     goes on from there, and writes there what was seen
 *   --record FILE    writes what agreed as data of recorded.test.ts
 *
 * Prints the first failures of each kind shrunk, the coverage of classes, the counts, and last
 * `N programs, F failures, seed S`; exits 1 on a failure.
 */
import { parseArgs } from 'node:util';
import { availableDevices } from '../../runtime/index.ts';
import { type LaneDevice, laneDevices, needed, openNamed } from '../compiled/devices.ts';
import { readState, type State, writeState } from '../gen/state.ts';
import { type Counts, count, noCounts, report } from './counts.ts';
import { type Asked, ask, type Fault, judged } from './judge.ts';
import { openOracle } from './oracle.ts';
import { programAt, type Random } from './program.ts';
import { Recorder } from './recorded.ts';
import { shrunk } from './shrink.ts';

const usage = `usage: npm run fuzz -- --lane jax --python PYTHON --programs N --seed S
         [--device D,E] [--from K] [--state FILE] [--record FILE]
`;

function refuse(message: string): never {
  process.stderr.write(`${message}\n${usage}`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    lane: { type: 'string' },
    python: { type: 'string' },
    programs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    device: { type: 'string', default: 'wasm' },
    state: { type: 'string' },
    record: { type: 'string' },
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
const python = values.python ?? refuse('--python says which Python can import jax');

async function namedDevices(): Promise<readonly LaneDevice[]> {
  const there = await availableDevices();
  return values.device.split(',').map((text) => {
    const name = laneDevices.find((d) => d === text);
    if (name === undefined) return refuse(`there is no device ${text}`);
    const a = there.get(needed(name))!;
    return a.ok ? name : refuse(`${name} cannot be had: ${a.reason}`);
  });
}

const show = (n: number, p: Random, f: Fault): string =>
  `FAIL ${f.kind}, program ${n} of seed ${seed}\n${f.detail}\nsizes ${JSON.stringify(p.sizes)}, inputs from seed ${p.seed}\n${p.tenon}\n${p.python}\n`;

function keptState(settings: string): State<Counts> | undefined {
  if (values.state === undefined) return undefined;
  try {
    return readState(values.state, settings);
  } catch (e) {
    return refuse(e instanceof Error ? e.message : String(e));
  }
}

/** Programs that the other side may be ahead by. */
const ahead = 6;
/** Faults of one kind that are shown, shrunk. */
const mostShown = 3;
const chunk = 100;

const devices = await openNamed(await namedDevices());
const oracle = openOracle(python);
const settings = JSON.stringify({ seed, from, device: values.device });
const kept = keptState(settings);
const counts: Counts = kept?.counts ?? noCounts();
const recorder = values.record === undefined ? undefined : new Recorder();
let next = kept?.next ?? from;
let sent = next;
const end = from + programs;
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});

const underWay: { readonly p: Random; readonly asked: Asked }[] = [];
const shown = new Map<string, number>();

async function showFault(n: number, p: Random, f: Fault): Promise<void> {
  const times = shown.get(f.group) ?? 0;
  shown.set(f.group, times + 1);
  if (times >= mostShown) return;
  const small = await shrunk({ devices, oracle }, seed, n, { program: p, fault: f });
  process.stdout.write(show(n, small.program, small.fault));
}

const save = (): void => {
  if (values.state !== undefined) writeState(values.state, { settings, next, counts });
};

const started = performance.now();
const begun = next;
while (next < end && !stopped) {
  while (sent < end && underWay.length < ahead) {
    const p = programAt(seed, sent++);
    underWay.push({ p, asked: ask(oracle, p) });
  }
  const { p, asked } = underWay.shift()!;
  const o = await judged(devices, asked);
  count(counts, next, p, o);
  if (o.k === 'fault') await showFault(next, p, o);
  if (o.k === 'fine' && o.atOnce) await recorder?.add(p, asked);
  next++;
  if ((next - from) % chunk !== 0 && next < end) continue;
  save();
  const rate = (next - begun) / ((performance.now() - started) / 1000);
  const left = Math.round((end - next) / rate);
  process.stderr.write(
    `${next - from} of ${programs}, ${counts.failures} failures, ${rate.toFixed(1)}/s, ${left} s left\n`,
  );
}
save();
if (values.record !== undefined) recorder?.write(values.record);
oracle.dispose();
for (const { device } of devices) device.dispose();
process.stdout.write(report(counts));
process.stdout.write(`${counts.programs} programs, ${counts.failures} failures, seed ${seed}\n`);
process.exitCode = stopped ? 130 : counts.failures > 0 ? 1 : 0;
