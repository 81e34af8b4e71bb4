/** `tenon cost FILE [FUNCTION]`: operations, bytes and memory of a function, without running it. */

import { missingSizes, refuseUnknownSizes } from '../api/inspect.ts';
import { type CostReport, cost, load, type Program, type SourceLine } from '../index.ts';
import { cutText } from '../plot/svg.ts';
import { bytes, flops } from './amounts.ts';
import type { CommandSpec } from './front.ts';
import { collect, names, readSizes } from './inputs.ts';
import { exit, type Io, json, table } from './io.ts';

type Options = {
  readonly size?: readonly string[];
  readonly grad?: string | true;
  readonly donate?: string;
  readonly kernels?: boolean;
};

export const costCommand: CommandSpec<Options> = {
  usage: 'cost <file> [function]',
  summary: 'operations, bytes moved and memory by source line, without running',
  options(command) {
    command
      .option(
        '--size <N=4>',
        'a size of the function; all that have no default are needed',
        collect,
      )
      .option('--grad [NAME,...]', 'of the differentiated program, by some or all parameters')
      .option('--donate <NAME,...>', 'parameters that the results of the same name take over')
      .option('--kernels', 'also a row for each kernel');
  },
  async run(io, [file = '', name], options) {
    const program = await load(file);
    const settings = {
      sizes: readSizes(options),
      grad: options.grad === true ? true : names(options.grad),
      donate: names(options.donate),
    } as const;
    if (name === undefined) {
      const rows = program.functions.map((f) => overview(program, f.name, settings));
      if (options.json)
        io.out(json(Object.fromEntries(rows.map((r) => [r.name, r.report ?? r.why]))));
      else printOverview(io, rows);
      return exit.ok;
    }
    refuseUnknownSizes(program, name, settings.sizes);
    const report = cost(program, name, settings);
    if (options.json) io.out(json(report));
    else print(io, report, options.kernels ?? false);
    return exit.ok;
  },
};

type Overview = { readonly name: string; readonly report?: CostReport; readonly why?: string };

/** A function that cannot be costed so is told about and stops no other. */
function overview(program: Program, name: string, settings: Parameters<typeof cost>[2]): Overview {
  const missing = missingSizes(program, name, settings?.sizes ?? {});
  if (missing.length > 0)
    return { name, why: `needs --size ${missing.map((s) => `${s}=...`).join(',')}` };
  try {
    return { name, report: cost(program, name, settings) };
  } catch (e) {
    return { name, why: e instanceof Error ? e.message.split('\n')[0]! : String(e) };
  }
}

function printOverview(io: Io, rows: readonly Overview[]): void {
  const head = ['function', 'kernels', 'operations', 'read', 'written', 'arena'];
  io.out(
    table([
      head,
      ...rows.map(({ name, report: r, why }) =>
        r === undefined
          ? [name, '-', '-', '-', '-', '-', why ?? '']
          : [
              name,
              String(runs(r)),
              flops(r.flops),
              bytes(r.read),
              bytes(r.written),
              bytes(r.memory.arena),
            ],
      ),
    ]),
  );
}

const runs = (r: CostReport): number => r.kernels.reduce((n, k) => n + k.runs, 0);

export const place = (l: SourceLine | undefined): string =>
  l === undefined ? '(compiler)' : `${l.file}:${l.line}`;

function print(io: Io, r: CostReport, kernels: boolean): void {
  const head = ['operations', 'read', 'written', 'kernels', 'line'];
  io.out(
    table([
      head,
      ...r.lines.map((l) => [
        flops(l.flops),
        bytes(l.read),
        bytes(l.written),
        String(l.kernels),
        `${place(l.at)}  ${cutText(l.at?.text ?? '', 60)}`,
      ]),
      [flops(r.flops), bytes(r.read), bytes(r.written), String(r.kernels.length), 'in all'],
    ]),
  );
  if (kernels) {
    io.out('\n');
    io.out(
      table([
        ['kernel', 'form', 'runs', 'operations', 'read', 'written', 'lines'],
        ...r.kernels.map((k) => [
          `${k.id} ${cutText(k.name, 32)}`,
          k.form,
          String(k.runs),
          flops(k.flops),
          bytes(k.read),
          bytes(k.written),
          k.lines.map(place).join(' '),
        ]),
      ]),
    );
  }
  const { memory: m } = r;
  io.out('\n');
  io.out(
    table([
      ['kernels started', String(runs(r))],
      ['inputs', bytes(m.inputs)],
      ['outputs', bytes(m.outputs)],
      ['constants', bytes(m.constants)],
      ['arena', `${bytes(m.arena)} (live at once: ${bytes(m.peak)})`],
      ...(m.saved === undefined ? [] : [['saved for backward', bytes(m.saved)]]),
    ]),
  );
}
