/** `tenon test FILE...`: run the `check` declarations, gradient checks among them. */
import { renderDiagnostic } from '../../dsl/render.ts';
import type { Diagnostic } from '../../dsl/source.ts';
import type { TCheck } from '../../dsl/typed.ts';
import { type FunctionReport, gradcheckFunction } from '../gradcheck/check-function.ts';
import { checkProperty, type PropertyResult } from '../gradcheck/property.ts';
import { pointData, showPoint } from '../gradcheck/show.ts';
import { load, type Program } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { printReport, reportData } from './gradcheck.ts';
import { interruptible } from './interrupt.ts';
import { exit, type Io, json } from './io.ts';
import { wholeOption } from './numbers.ts';

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
        const result = await runCheck(io, program, check, settings, options.json ?? false);
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

async function runCheck(
  io: Io,
  program: Program,
  check: TCheck,
  settings: Settings,
  quiet: boolean,
): Promise<Result> {
  const { signal } = settings;
  const { what, name } = check;
  if (what.k === 'gradient') {
    const fn = program.typed.fns.get(what.fn);
    if (fn === undefined) throw new Error(`no function ${what.fn}`);
    const report = await interruptible(signal, () =>
      gradcheckFunction(program.typed, fn, { ...settings, where: what.where }),
    );
    // What could not be tried is not right.
    const ok = report.ok && report.skipped === undefined;
    if (!quiet) {
      io.out(`${ok ? 'ok  ' : 'FAIL'} ${name}\n`);
      const d = untried(check, report);
      if (d !== undefined) io.err(`${renderDiagnostic(d, program.sources)}\n`);
      else if (!ok) printReport(io, program.sources, report);
    }
    return { name, ok, ...(ok ? {} : { gradient: reportData(program.sources, report) }) };
  }
  const result = await interruptible(signal, () => checkProperty(program.typed, what.fn, settings));
  if (!quiet) io.out(`${result.ok ? 'ok  ' : 'FAIL'} ${name} (${result.runs} inputs)\n`);
  if (result.ok) return { name, ok: true };
  const point = 'point' in result ? result.point : undefined;
  const d = whyNot(check, result);
  if (!quiet) {
    io.err(`${renderDiagnostic(d, program.sources)}\n`);
    if (point !== undefined) io.err(showPoint(point, '    '));
  }
  const input = point === undefined ? {} : { input: pointData(point) };
  return { name, ok: false, problem: d.message, ...input };
}

/** Why a gradient was tried at no point. */
function untried(check: TCheck, { fault, skipped }: FunctionReport): Diagnostic | undefined {
  return fault ?? (skipped === undefined ? undefined : failed(check, `: ${skipped}`));
}

function whyNot(check: TCheck, result: PropertyResult & { readonly ok: false }): Diagnostic {
  if ('fault' in result) return result.fault;
  return failed(check, 'point' in result ? ' does not hold' : `: ${result.problem}`);
}

function failed({ name, span }: TCheck, what: string): Diagnostic {
  return { code: 'E0902', severity: 'error', span, message: `\`${name}\`${what}.` };
}
