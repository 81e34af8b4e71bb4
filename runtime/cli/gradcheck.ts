/** `tenon gradcheck FILE [FUNCTION...]`: verify derivatives of every function and parameter leaf. */
import { renderDiagnostic } from '../../dsl/render.ts';
import type { Sources } from '../../dsl/source.ts';
import type { TFn } from '../../dsl/typed.ts';
import { asProgramErrors, ProgramError } from '../api/program-error.ts';
import {
  compareFunction,
  type DeviceReport,
  type Failure,
  type FunctionReport,
  type GradcheckOptions,
  gradcheckFunction,
} from '../gradcheck/check-function.ts';
import { showPoint } from '../gradcheck/show.ts';
import { load, openDevice, type Program } from '../index.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { collect, readSizes } from './inputs.ts';
import { exit, type Io, json, table } from './io.ts';
import { wholeOption } from './numbers.ts';
import { reportDiagnostics } from './report.ts';

type Options = {
  readonly size?: readonly string[];
  readonly runs?: string;
  readonly seed?: string;
  readonly device?: string;
};

export const gradcheckCommand: CommandSpec<Options> = {
  usage: 'gradcheck <file> [functions...]',
  summary: 'verify derivatives: forward against f64 differences, reverse against forward',
  options: (command) =>
    command
      .option('--size <N=4>', 'a size that is given and not drawn', collect)
      .option('--device <D>', 'also compare the function and its gradient on this device')
      .option('--runs <n>', 'points per parameter leaf, at least 20 (20)')
      .option('--seed <n>', 'seed of the points (1)'),
  async run(io, [file = '', ...names], options) {
    const program = await load(file);
    const fns: readonly TFn[] =
      names.length > 0 ? names.map((n) => program.find(n)) : program.functions;
    const settings = {
      runs: 20,
      seed: 1,
      ...wholeOption('runs', options.runs, 20, 1e6),
      ...wholeOption('seed', options.seed, 0, 2 ** 31 - 1),
      sizes: readSizes(options),
      signal: io.signal,
    };
    const device =
      options.device === undefined ? undefined : await openDevice(deviceName(options.device));
    const reports: (FunctionReport & { readonly device?: DeviceReport })[] = [];
    try {
      for (const fn of fns) {
        const report = verified(io, program, fn, settings);
        if (!options.json) printReport(io, program.sources, report);
        const compared =
          device === undefined || report.skipped !== undefined || report.leaves.length === 0
            ? undefined
            : await compareFunction(program.typed, fn, device, settings);
        if (compared === undefined) reports.push(report);
        else {
          reports.push({ ...report, device: compared, ok: report.ok && compared.ok });
          if (!options.json) printDevice(io, options.device!, compared);
        }
      }
    } finally {
      device?.dispose();
    }
    const failed = reports.filter((r) => !r.ok).length;
    const skipped = reports.filter((r) => r.skipped !== undefined).length;
    if (options.json) io.out(json({ functions: reports, failed, skipped }));
    else {
      const checked = reports.length - skipped;
      io.out(`${checked - failed} verified, ${failed} failed, ${skipped} skipped\n`);
    }
    return failed > 0 ? exit.wrong : exit.ok;
  },
};

/** The report of one function; one that cannot be compiled fails, and the others are verified. */
function verified(io: Io, program: Program, fn: TFn, settings: GradcheckOptions): FunctionReport {
  try {
    return asProgramErrors(program.sources, fn, () =>
      gradcheckFunction(program.typed, fn, settings),
    );
  } catch (e) {
    if (!(e instanceof ProgramError)) throw e;
    reportDiagnostics(e.diagnostics, e.sources, io);
    return { name: fn.name, id: fn.id, leaves: [], ok: false };
  }
}

function printDevice(io: Io, name: string, d: DeviceReport): void {
  const text = `  ${name}: ${d.points} points  error ${d.error.toExponential(1)}  bound ${d.bound.toExponential(1)}`;
  io.out(`${text}  ${d.ok ? 'ok' : 'FAIL'}\n`);
  if (!d.ok && d.point !== undefined) io.err(showPoint(d.point, '    '));
}

const share = (n: number, of: number): string => `${((100 * n) / of).toPrecision(2)} %`;

/** `[0, 3]` of the element of the leaf. */
function place({ point, leaf, element = 0 }: Failure): string {
  const shape = point.leaves.find((l) => l.name === leaf)?.spec.shape ?? [];
  let rest = element;
  const at = shape.toReversed().map((n) => {
    const i = rest % n;
    rest = Math.floor(rest / n);
    return i;
  });
  return at.length === 0 ? '' : `[${at.reverse().join(', ')}]`;
}

export function printReport(io: Io, sources: Sources, r: FunctionReport): void {
  if (r.skipped !== undefined) {
    io.out(`${r.name}: skipped, ${r.skipped}\n`);
    return;
  }
  io.out(`${r.name}${r.domain === undefined ? '' : `  on [${r.domain.lo}, ${r.domain.hi}]`}\n`);
  io.out(
    table(
      r.leaves.map((l) => [
        `  ${l.leaf}`,
        `${l.accepted} points`,
        l.estimated > 0 ? `${share(l.estimated, l.cells)} estimated` : '',
        l.unused ? 'not used' : l.resampled > 0 ? `${l.resampled} drawn again` : '',
        `error ${l.worst.error.toExponential(1)}`,
        `bound ${l.worst.bound.toExponential(1)}`,
        l.problem === undefined ? 'ok' : 'FAIL',
      ]),
    ),
  );
  for (const l of r.leaves) if (l.problem !== undefined) io.err(`  ${l.leaf}: ${l.problem}\n`);
  if (r.failure === undefined) return;
  io.err(`  smallest input found:\n${showPoint(r.failure.point, '    ')}`);
  if (r.failure.element !== undefined) {
    io.err(`  wrong by ${r.failure.leaf}${place(r.failure)}\n`);
  }
  if (r.failure.span === undefined) return;
  io.err(
    `${renderDiagnostic(
      {
        code: 'E0901',
        severity: 'error',
        span: r.failure.span,
        message: `The derivative by \`${r.failure.leaf}\` first disagrees here.`,
      },
      sources,
    )}\n`,
  );
}
