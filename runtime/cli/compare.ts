/** `tenon compare RUN...`: runs side by side, as a table and as one plot of their held-out losses. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { TenonError } from '../index.ts';
import { linePlotSvg, type Point, type Series } from '../plot/line-plot.ts';
import { writeDrawing } from '../plot/rasterise.ts';
import {
  type Curves,
  type Report,
  readCurves,
  readJson,
  readRunConfig,
  runFolder,
} from '../train/index.ts';
import type { CommandSpec } from './front.ts';
import { exit, json, table } from './io.ts';
import { fixed } from './train.ts';

type Row = {
  readonly run: string;
  readonly seed: number;
  readonly curves: Curves;
  /** Absent while a run is not finished. */
  readonly report?: Report;
};

/** Dark enough on white, and told apart by most eyes (after Okabe & Ito). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

export const compareCommand: CommandSpec<{ readonly out?: string }> = {
  usage: 'compare <run...>',
  summary: 'a table and a plot of several runs',
  options(command) {
    command.option('--out <FILE>', 'the plot, as .png and .svg', 'compare.png');
  },
  async run(io, args, options) {
    const rows = args.map(readRow);
    const out = options.out ?? 'compare.png';
    await writeDrawing(out, plot(rows));
    if (options.json) {
      io.out(
        json(rows.map(({ run, report, curves }) => ({ run, report, heldOut: curves.heldOut }))),
      );
      return exit.ok;
    }
    const head = ['run', 'seed', 'steps', 'parameters', 'x', 'z', 'Frechet', '/ untrained'];
    io.out(table([head, ...rows.map(cells)]));
    io.out(`\n${out.replace(/\.(svg|png)$/, '')}.png\n`);
    return exit.ok;
  },
};

function readRow(path: string): Row {
  const folder = runFolder(path);
  const { seed } = readRunConfig(folder);
  if (!existsSync(folder.file.metrics)) {
    throw new TenonError('usage', `${path} has no losses yet`);
  }
  const curves = readCurves(folder.file.metrics);
  const done = existsSync(folder.file.report);
  return {
    run: path,
    seed,
    curves,
    ...(done ? { report: readJson(folder.file.report) as Report } : {}),
  };
}

function cells({ run, seed, curves, report }: Row): string[] {
  const last = curves.heldOut.at(-1);
  const steps = `${last?.step ?? 0}${report === undefined ? ' (not finished)' : ''}`;
  return [
    run,
    String(seed),
    steps,
    report === undefined ? '' : String(report.parameters),
    last === undefined ? '' : fixed(last.x),
    last === undefined ? '' : fixed(last.z),
    report === undefined ? '' : fixed(report.frechet.trained),
    report === undefined ? '' : report.frechet.ratio.toFixed(4),
  ];
}

function plot(rows: readonly Row[]): string {
  const series = rows.flatMap(({ run, curves }, i): Series[] => {
    const colour = colours[i % colours.length]!;
    const of = (name: 'x' | 'z'): Point[] => curves.heldOut.map((h) => [h.step, h[name]]);
    const name = basename(run);
    return [
      { label: `${name}, x`, colour, points: of('x'), style: 'marked' },
      { label: `${name}, z`, colour, points: of('z'), style: 'dashed' },
    ];
  });
  return linePlotSvg({
    title: 'Held-out velocity loss',
    xLabel: 'step',
    yLabel: 'mean squared error',
    series,
  });
}
