/** `tenon test FILE...`: run the `check` declarations, gradient checks among them. */
import { renderDiagnostic } from '../../dsl/render.ts';
import type { TCheck } from '../../dsl/typed.ts';
import { asProgramErrors, ProgramError } from '../api/program-error.ts';
import { isTenonError } from '../errors.ts';
import { gradcheckFunction } from '../gradcheck/check-function.ts';
import { checkProperty } from '../gradcheck/property.ts';
import { showPoint } from '../gradcheck/show.ts';
import { load, type Program } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { printReport } from './gradcheck.ts';
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
    const results: { file: string; name: string; ok: boolean }[] = [];
    for (const file of files) {
      const program = await load(file);
      for (const check of program.typed.checks) {
        if (check.file !== program.root) continue;
        const ok = attempt(io, program, check, settings, options.json ?? false);
        results.push({ file, name: check.name, ok });
      }
    }
    const failed = results.filter((r) => !r.ok).length;
    if (options.json) io.out(json({ checks: results, failed }));
    else io.out(`${results.length - failed} passed, ${failed} failed\n`);
    return failed > 0 ? exit.wrong : exit.ok;
  },
};

/** A check without inputs, or of what cannot be compiled, fails; the others are run all the same. */
function attempt(...[io, program, check, settings, quiet]: Parameters<typeof runCheck>): boolean {
  try {
    return runCheck(io, program, check, settings, quiet);
  } catch (e) {
    if (e instanceof ProgramError) reportDiagnostics(e.diagnostics, e.sources, io);
    else if (isTenonError(e) && e.code === 'usage') io.err(`  ${check.name}: ${e.message}\n`);
    else throw e;
    if (!quiet) io.out(`FAIL ${check.name}\n`);
    return false;
  }
}

function runCheck(
  io: Io,
  program: Program,
  check: TCheck,
  settings: Settings,
  quiet: boolean,
): boolean {
  settings.signal.throwIfAborted();
  if (check.what.k === 'gradient') {
    const fn = program.typed.fns.get(check.what.fn);
    if (fn === undefined) throw new Error(`no function ${check.what.fn}`);
    const { where } = check.what;
    const report = asProgramErrors(program.sources, fn, () =>
      gradcheckFunction(program.typed, fn, { ...settings, where }),
    );
    if (!quiet) {
      io.out(`${report.ok ? 'ok  ' : 'FAIL'} gradient of ${fn.name}\n`);
      if (!report.ok) printReport(io, program.sources, report);
    }
    return report.ok;
  }
  const property = check.what.fn;
  const result = asProgramErrors(program.sources, property, () =>
    checkProperty(program.typed, property, settings),
  );
  if (quiet) return result.ok;
  io.out(`${result.ok ? 'ok  ' : 'FAIL'} ${check.name} (${result.runs} inputs)\n`);
  if (!result.ok) {
    const d = {
      code: 'E0902',
      severity: 'error',
      span: check.span,
      message: `\`${check.name}\` does not hold.`,
    } as const;
    io.err(`${renderDiagnostic(d, program.sources)}\n${showPoint(result.point, '    ')}`);
  }
  return result.ok;
}
