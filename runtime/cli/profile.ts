/** `tenon profile FILE FUNCTION`: measured time by kernel, with its lines and its share of the ceiling. */
import type { Plan } from '../../compiler/plan.ts';
import { wasmDevice } from '../devices/wasm.ts';
import { type Call, profilingDevice } from '../devices/wasm-profile.ts';
import { type Instance, load, openDevice, type Program, TenonError } from '../index.ts';
import { writeDrawing } from '../plot/rasterise.ts';
import { cutText } from '../plot/svg.ts';
import { timelineSvg } from '../plot/timeline.ts';
import { measureCeiling } from '../profile/ceiling.ts';
import { type KernelProfile, type Profile, profileOf } from '../profile/profile.ts';
import { randomInputs } from '../profile/random-inputs.ts';
import { bytes, duration, flops } from './amounts.ts';
import { place } from './cost.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { CommandInputs, collect, type InputOptions, names, readSizes } from './inputs.ts';
import { type Common, exit, type Io, json, table } from './io.ts';
import { wholeOption } from './numbers.ts';

type Options = InputOptions &
  Common & {
    readonly grad?: string;
    readonly donate?: string;
    readonly device: string;
    readonly runs?: string;
    readonly plot?: string;
  };

export const profileCommand: CommandSpec<Options> = {
  usage: 'profile <file> <function>',
  summary: 'measured time by kernel, its source lines and its share of the ceiling',
  options(command) {
    command
      .option('--in <NAME=FILE[#TENSOR]>', 'a parameter from a file; random without', collect)
      .option('--arg <NAME=VALUE>', 'a number, a boolean, or the seed of a key', collect)
      .option('--size <N=4>', 'a size that the inputs do not tell', collect)
      .option('--grad <NAME,...>', 'with the gradient by these parameters')
      .option('--donate <NAME,...>', 'parameters that the results of the same name take over')
      .option('--device <D>', 'wasm by kernel; other devices as a whole', 'wasm')
      .option('--runs <n>', 'runs to take the median of (5)')
      .option('--plot <FILE>', 'also a picture, as .png and .svg');
  },
  async run(io, args, options) {
    const [file, name] = args as [string, string];
    const program = await load(file);
    const { runs } = { runs: 5, ...wholeOption('runs', options.runs, 1, 1000) };
    if (deviceName(options.device) !== 'wasm') return whole(io, program, name, options, runs);
    let plan: Plan | undefined;
    let measured: (readonly Call[])[] = [];
    const device = profilingDevice({
      prepared: (p) => {
        plan = p;
      },
      ran: (calls) => void measured.push(calls),
    });
    await using f = program.function(name, { ...settings(options), device });
    const instance = await prepared(f, options);
    await warm(instance, io.signal);
    measured = [];
    for (let r = 0; r < runs; r++) await instance.run({ signal: io.signal });
    if (options.verbose) io.err('measuring the ceiling\n');
    const ceiling = await measureCeiling(wasmDevice({ threads: 1 }));
    const profile = profileOf(plan!, program.sources, measured, ceiling);
    if (options.plot !== undefined) {
      await writeDrawing(options.plot, drawing(profile, `${file} ${name}`), 2);
    }
    if (options.json) io.out(json(profile));
    else print(io, profile);
    return exit.ok;
  },
};

const settings = (o: Options) => ({
  sizes: readSizes(o),
  grad: names(o.grad),
  donate: names(o.donate),
});

/** With what is given written, and everything else random. */
async function prepared(f: ReturnType<Program['function']>, options: Options): Promise<Instance> {
  using inputs = new CommandInputs(options);
  const instance = await f.prepare({ inputs: inputs.values });
  instance.write(randomInputs(instance.params, instance.written));
  return instance;
}

/** Until the engine's optimising compiler has had its time, but at least twice. */
async function warm(instance: Instance, signal: AbortSignal): Promise<void> {
  const end = performance.now() + 500;
  for (let runs = 0; runs < 2 || performance.now() < end; runs++) await instance.run({ signal });
}

/** A device that shows no kernels: how long a run takes. */
async function whole(
  io: Io,
  program: Program,
  name: string,
  options: Options,
  runs: number,
): Promise<number> {
  const device = await openDevice(deviceName(options.device));
  try {
    await using f = program.function(name, { ...settings(options), device });
    const instance = await prepared(f, options);
    await instance.run({ signal: io.signal });
    const times: number[] = [];
    for (let r = 0; r < runs; r++) {
      const start = performance.now();
      await instance.run({ signal: io.signal });
      times.push(performance.now() - start);
    }
    const ms = times.sort((a, b) => a - b)[times.length >> 1]!;
    const why = 'its kernels run as one submission and are not timed apart';
    if (options.plot !== undefined) {
      throw new TenonError('usage', `there is no picture of ${options.device}: ${why}`, {
        hint: 'Leave --plot out, or profile on wasm.',
      });
    }
    if (options.json) io.out(json({ device: options.device, runs, ms }));
    else io.out(`${name} on ${options.device}: ${duration(ms)} a run, ${why}\n`);
    return exit.ok;
  } finally {
    device.dispose();
  }
}

const rate = (k: KernelProfile): string =>
  k.form === 'contraction' || k.form === 'group'
    ? `${k.gflops.toFixed(1)} GFLOP/s`
    : `${k.gbps.toFixed(1)} GB/s`;
const percent = (v: number): string => `${(100 * v).toFixed(v < 0.0995 ? 1 : 0)} %`;

function print(io: Io, p: Profile): void {
  io.out(
    table([
      ['time', 'part', 'rate', 'of ceiling', 'kernel', 'runs', 'lines'],
      ...p.kernels.map((k) => [
        duration(k.ms),
        percent(k.part),
        rate(k),
        percent(k.share),
        `${k.form} ${k.id} ${cutText(k.name, 28)}`,
        String(k.runs),
        k.lines.map(place).join(' ') || place(undefined),
      ]),
    ]),
  );
  const { ceiling: c, cost } = p;
  const all = `${flops(cost.flops)}, ${bytes(cost.read + cost.written)} moved`;
  io.out(`\n${duration(p.ms)} a run on one thread (median of ${p.runs}): ${all}\n`);
  io.out(
    `ceiling: contractions ${c.gflops.toFixed(0)} GFLOP/s, memory ${c.gbps.toFixed(1)} GB/s (measured now)\n`,
  );
}

/** Told apart by most eyes (after Okabe & Ito), then again. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const drawn = 18;

function drawing(p: Profile, title: string): string {
  const shown = p.kernels.slice(0, drawn);
  const lane = new Map(shown.map((k, i) => [k.id, i]));
  return timelineSvg({
    title: `${title}: ${duration(p.ms)} on one thread; filled: share of the ceiling`,
    unit: 'ms',
    spans: p.calls.map((c) => ({ ...c, lane: lane.get(c.kernel) ?? drawn })),
    bars: shown.map((k, i) => ({
      label: `${k.form} ${k.name}  ${place(k.lines[0])}`,
      note: `${duration(k.ms)}  ${percent(k.part)}  ${rate(k)}  ${percent(k.share)} of ceiling`,
      colour: colours[i % colours.length]!,
      length: k.ms,
      share: k.share,
    })),
  });
}
