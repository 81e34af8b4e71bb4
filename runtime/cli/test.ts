/** `tenon test FILE...`: run the `check` declarations, gradient checks among them. */
import type { TCheck } from '../../dsl/typed.ts';
import { asProgramErrors, oneLine, ProgramError } from '../api/program-error.ts';
import { gradcheckFunction } from '../gradcheck/check-function.ts';
import { checkProperty } from '../gradcheck/property.ts';
import { pointData, showPoint } from '../gradcheck/show.ts';
import { load, type Program } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { printReport, reportData } from './gradcheck.ts';
import { exit, type Io, json } from './io.ts';
import { wholeOption } from './numbers.ts';
import { reportDiagnostics } from './report.ts';

type Options = { readonly runs?: string; readonly seed?: string };
type Settings = { readonly runs: number; readonly seed: number; readonly signal: AbortSignal };

export const testCommand: CommandSpec<Options> = {
  usage: 'test <files...>',
  summary: 'run the check declarations of programs on generated inputs',
  options: (command) =>
    command
      .option('--runs <n>', 'inputs per check (100)')
      .option('--seed <n>', 'seed of the inputs (1)'),
  async run(io, files, options) {
    const settings: Settings = {
      runs: 100,
      seed: 1,
      ...wholeOption('runs', options.runs, 1, 1e6),
      ...wholeOption('seed', options.seed, 0, 2 ** 31 - 1),
      signal: io.signal,
    };
    const results: (Result & { readonly file: string })[] = [];
    for (const file of files) {
      const program = await load(file);
      for (const check of program.typed.checks) {
        if (check.file !== program.root) continue;
        const result = attempt(io, program, check, settings, options.json ?? false);
        results.push({ file, ...result });
      }
    }
    const failed = results.filter((r) => !r.ok).length;
    if (options.json) io.out(json({ checks: results, failed }));
    else io.out(`${results.length - failed} passed, ${failed} failed\n`);
    return failed > 0 ? exit.wrong : exit.ok;
  },
};

/** `problem`, `input` and `gradient` are for scripts; people have been told. */
type Result = {
  readonly name: string;
  readonly ok: boolean;
  readonly problem?: string;
  readonly input?: ReturnType<typeof pointData>;
  readonly gradient?: ReturnType<typeof reportData>;
};

/** A check of what cannot be compiled fails; the others are run all the same. */
function attempt(...[io, program, check, settings, quiet]: Parameters<typeof runCheck>): Result {
  try {
    return runCheck(io, program, check, settings, quiet);
  } catch (e) {
    if (!(e instanceof ProgramError)) throw e;
    reportDiagnostics(e.diagnostics, e.sources, io);
    if (!quiet) io.out(`FAIL ${check.name}\n`);
    return { name: check.name, ok: false, problem: oneLine(e.diagnostics[0]!, e.sources) };
  }
}

function runCheck(
  io: Io,
  program: Program,
  check: TCheck,
  settings: Settings,
  quiet: boolean,
): Result {
  settings.signal.throwIfAborted();
  const { what, name } = check;
  const reportCheck = (message: string) => {
    const d = { code: 'E0902', severity: 'error', span: check.span, message } as const;
    reportDiagnostics([d], program.sources, io);
  };
  if (what.k === 'gradient') {
    const fn = program.typed.fns.get(what.fn);
    if (fn === undefined) throw new Error(`no function ${what.fn}`);
    const report = asProgramErrors(program.sources, fn, () =>
      gradcheckFunction(program.typed, fn, { ...settings, where: what.where }),
    );
    // What could not be tried is not right.
    const ok = report.ok && report.skipped === undefined;
    if (!quiet) {
      io.out(`${ok ? 'ok  ' : 'FAIL'} gradient of ${fn.name}\n`);
      if (report.skipped !== undefined) reportCheck(`\`${name}\`: ${report.skipped}.`);
      else if (!ok) printReport(io, program.sources, report);
    }
    return { name, ok, ...(ok ? {} : { gradient: reportData(program.sources, report) }) };
  }
  const result = asProgramErrors(program.sources, what.fn, () =>
    checkProperty(program.typed, what.fn, settings),
  );
  if (!quiet) io.out(`${result.ok ? 'ok  ' : 'FAIL'} ${name} (${result.runs} inputs)\n`);
  if (result.ok) return { name, ok: true };
  const problem = 'point' in result ? 'it does not hold' : result.problem;
  const point = 'point' in result ? result.point : undefined;
  if (!quiet) {
    reportCheck(point === undefined ? `\`${name}\`: ${problem}.` : `\`${name}\` does not hold.`);
    if (point !== undefined) io.err(showPoint(point, '    '));
  }
  return { name, ok: false, problem, ...(point === undefined ? {} : { input: pointData(point) }) };
}
