/** `tenon gradcheck FILE [FUNCTION...]`: verify derivatives of every function and parameter leaf. */
import { placeOf, renderDiagnostic } from '../../dsl/render.ts';
import type { Sources, Span } from '../../dsl/source.ts';
import type { TFn } from '../../dsl/typed.ts';
import {
  type Failure,
  type FunctionReport,
  gradcheckFunction,
} from '../gradcheck/check-function.ts';
import { compareFunction, type DeviceReport } from '../gradcheck/compare-function.ts';
import { indexText, pointData, showPoint } from '../gradcheck/show.ts';
import { load, openDevice, TenonError } from '../index.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { collect, readSizes } from './inputs.ts';
import { interruptible } from './interrupt.ts';
import { exit, type Io, json, table } from './io.ts';
import { wholeOption } from './numbers.ts';

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
    const sizes = readSizes(options);
    requireKnown(fns, sizes);
    const settings = {
      runs: 20,
      seed: 1,
      ...wholeOption('runs', options.runs, 20, 1e6),
      ...wholeOption('seed', options.seed, 0, 2 ** 31 - 1),
      sizes,
      signal: io.signal,
    };
    const device =
      options.device === undefined ? undefined : await openDevice(deviceName(options.device));
    const reports: (FunctionReport & { readonly device?: DeviceReport })[] = [];
    try {
      for (const fn of fns) {
        const report = await interruptible(io.signal, () =>
          gradcheckFunction(program.typed, fn, settings),
        );
        if (!options.json) printReport(io, program.sources, report);
        const compared =
          device === undefined || report.domain === undefined
            ? undefined
            : await compareFunction(program.typed, fn, device, {
                ...settings,
                domain: report.domain,
              });
        if (compared === undefined) reports.push(report);
        else {
          reports.push({ ...report, device: compared, ok: report.ok && compared.ok });
          if (!options.json) printDevice(io, options.device!, compared);
        }
      }
    } finally {
      device?.dispose();
    }
    // Whoever names a function wants it verified; among all of them some cannot be.
    const named = names.length > 0;
    const failed = reports.filter((r) => !r.ok || (named && r.skipped !== undefined)).length;
    const skipped = reports.filter((r) => r.skipped !== undefined).length;
    if (options.json) {
      const functions = reports.map(({ device: on, ...r }) => ({
        ...reportData(program.sources, r),
        ...(on === undefined ? {} : { device: deviceData(on) }),
      }));
      io.out(json({ functions, failed, skipped }));
    } else {
      const verified = reports.filter((r) => r.ok && r.skipped === undefined).length;
      const wrong = reports.filter((r) => !r.ok).length;
      io.out(`${verified} verified, ${wrong} failed, ${skipped} skipped\n`);
    }
    return failed > 0 ? exit.wrong : exit.ok;
  },
};

/** A size that no function has is a slip of the pen, and would be given to nothing. */
function requireKnown(fns: readonly TFn[], sizes: Readonly<Record<string, number>>): void {
  const known = new Set(fns.flatMap((f) => f.sizes.map((s) => s.name)));
  const unknown = Object.keys(sizes).find((name) => !known.has(name));
  if (unknown === undefined) return;
  const all = [...known].join(', ');
  throw new TenonError('usage', `--size ${unknown}: no function here has a size ${unknown}`, {
    hint: known.size === 0 ? 'They have no sizes.' : `The sizes are ${all}.`,
  });
}

function printDevice(io: Io, name: string, d: DeviceReport): void {
  const text = `  ${name}: ${d.points} points  error ${d.error.toExponential(1)}  bound ${d.bound.toExponential(1)}`;
  io.out(`${text}  ${d.ok ? 'ok' : 'FAIL'}\n`);
  if (d.problem !== undefined) io.err(`  ${name}: ${d.problem}\n`);
  if (d.ok || d.problem !== undefined || d.point === undefined) return;
  const both = `${d.got} on ${name}, ${d.want} on the reference`;
  io.err(`  ${d.at}: ${both} (bound ${d.bound.toExponential(1)})\n  with the input:\n`);
  io.err(showPoint(d.point, '    '));
}

const share = (n: number, of: number): string => `${((100 * n) / of).toPrecision(2)} %`;

/** `w[0, 3]` of the element that is wrong alone, else the leaf. */
function wrongBy({ point, leaf, element }: Failure): string {
  const shape = point.leaves.find((l) => l.name === leaf)?.spec.shape ?? [];
  return element === undefined ? leaf : leaf + indexText(element, shape);
}

/** Its value, which may stand too far on in the leaf to be shown there. */
function elementText({ point, leaf, element }: Failure): string {
  const at = point.leaves.findIndex((l) => l.name === leaf);
  return element === undefined ? '' : ` = ${point.inputs[at]![element]}`;
}

export function printReport(io: Io, sources: Sources, r: FunctionReport): void {
  if (r.skipped !== undefined) {
    const sizes = (r.unsized ?? []).map((n) => `${n}=...`).join(',');
    const remedy = sizes === '' ? '' : `; give them: --size ${sizes}`;
    io.out(`${r.name}: skipped, ${r.skipped}${remedy}\n`);
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
  const f = r.failure;
  if (r.fault !== undefined) io.err(`${renderDiagnostic(r.fault, sources)}\n`);
  if (f === undefined) {
    for (const l of r.leaves) if (l.problem !== undefined) io.err(`  ${l.leaf}: ${l.problem}\n`);
    return;
  }
  io.err(`  wrong by ${wrongBy(f)}${elementText(f)}: ${f.message}\n`);
  io.err(`  smallest input found:\n${showPoint(f.point, '    ')}`);
  if (f.span === undefined) return;
  io.err(
    `${renderDiagnostic(
      {
        code: 'E0901',
        severity: 'error',
        span: f.span,
        message: `The derivative by \`${f.leaf}\` first disagrees here.`,
      },
      sources,
    )}\n`,
  );
}

/** A report without what only the program that made it can read. */
export function reportData(sources: Sources, r: FunctionReport) {
  const { failure: f, fault, ...given } = r;
  const place = (span: Span) => {
    return { file: span.file, ...placeOf(sources.get(span.file) ?? '', span.start) };
  };
  const { code, message } = fault ?? {};
  const rest =
    fault === undefined ? given : { ...given, fault: { code, message, ...place(fault.span) } };
  if (f === undefined) return rest;
  const { point, dx, span, ...failure } = f;
  return {
    ...rest,
    failure: {
      ...failure,
      wrongBy: wrongBy(f),
      input: pointData(point),
      direction: [...dx],
      ...(span === undefined ? {} : { place: place(span) }),
    },
  };
}

function deviceData({ point, ...d }: DeviceReport) {
  return { ...d, ...(point === undefined || d.ok ? {} : { input: pointData(point) }) };
}
