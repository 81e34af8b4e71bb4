/** `tenon run FILE FUNCTION`: one function, once. */

import { type Found, tracingDevice } from '../devices/trace.ts';
import { load, saveCheckpoint, TenonError } from '../index.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { CommandInputs, collect, type InputOptions, readSizes } from './inputs.ts';
import { exit, json, table } from './io.ts';
import { reportDiagnostics } from './report.ts';
import { summary } from './results.ts';
import { nonFiniteData, reportNonFinite } from './trace.ts';

type Options = InputOptions & {
  readonly grad?: string;
  readonly out?: string;
  readonly device: string;
  readonly seed?: string;
  readonly finite?: boolean;
  readonly traceNan?: boolean;
  readonly verify?: boolean;
};

export const runCommand: CommandSpec<Options> = {
  usage: 'run <file> <function>',
  summary: 'run one function on data from files and the command line',
  options(command) {
    command
      .option(
        '--in <NAME=FILE[#TENSOR]>',
        'a parameter from a safetensors or PyTorch file',
        collect,
      )
      .option('--arg <NAME=VALUE>', 'a number, a boolean, or the seed of a key', collect)
      .option('--size <N=4>', 'a size that the inputs do not tell', collect)
      .option('--grad <NAME,...>', 'also the gradient by these parameters')
      .option('--out <FILE>', 'write the results to a safetensors file')
      .option('--device <D>', 'wasm, webgpu, gpujs or reference', 'wasm')
      .option('--seed <N>', 'the seed of every key that is not given')
      .option('--trace-nan', 'where the first value that is not finite is made; runs slowly')
      .option('--verify', 'hold what was scheduled against the program first; for small sizes')
      .option('--finite', 'refuse NaN and infinities in the inputs');
  },
  async run(io, args, options) {
    const [file, name] = args as [string, string];
    const program = await load(file);
    if (options.verbose) reportDiagnostics(program.warnings, program.sources, io);
    if (options.verify && (options.traceNan || options.device === 'reference')) {
      throw new TenonError('usage', '--verify is about what is scheduled, and here nothing is', {
        hint: 'The reference and --trace-nan run the program as it is written.',
      });
    }
    let found: Found | undefined;
    const tell = (f: Found): void => {
      found = f;
      if (!options.json) reportNonFinite(io, program.sources, f);
    };
    await using f = program.function(name, {
      device: options.traceNan ? tracingDevice(tell) : deviceName(options.device),
      sizes: readSizes(options),
      verify: options.verify ?? false,
      grad: options.grad?.split(',').filter((n) => n !== '') ?? [],
    });
    using inputs = new CommandInputs(options);
    if (options.verbose) io.err(`running ${name} on ${options.device}\n`);
    const started = performance.now();
    const { tensors: results } = await f.call(inputs.values, {
      signal: io.signal,
      ...(options.finite ? { finite: true } : {}),
      ...(options.seed === undefined ? {} : { seed: seedOf(options.seed) }),
    });
    if (options.verbose) {
      io.err(`${name} on ${options.device}: ${Math.round(performance.now() - started)} ms\n`);
    }
    if (options.out !== undefined) {
      await saveCheckpoint(options.out, results, { metadata: { source: `${file} ${name}` } });
    }
    const written = options.out === undefined ? {} : { file: options.out };
    if (options.json) {
      const rows = [...results].map(([n, t]) => summary(n, t));
      const notFinite =
        found === undefined ? {} : { notFinite: nonFiniteData(program.sources, found) };
      io.out(json({ ...written, results: rows, ...notFinite }));
    } else if (options.out !== undefined) {
      io.out(`${results.size} tensors written to ${options.out}\n`);
    } else {
      const rows = [...results].map(([n, t]) => {
        const s = summary(n, t);
        return [n, `${t.dtype}[${t.shape.join(', ')}]`, s.text];
      });
      io.out(table(rows));
    }
    // Whoever looks for it and finds it has a program or data that is wrong.
    return found === undefined ? exit.ok : exit.wrong;
  },
};

function seedOf(text: string): number {
  const n = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(n)) return n;
  throw new TenonError('usage', `--seed ${text}: a seed is a whole number`);
}
