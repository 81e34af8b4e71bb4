/** The drawings of a run: its losses, and samples with their features as colours. */
import { type JsonRecord, readJsonl } from '../io/jsonl.ts';
import { featureColours } from '../plot/feature-colours.ts';
import { linePlotSvg, type Point, type Series } from '../plot/line-plot.ts';
import { movingMean } from '../plot/loss-plot.ts';
import { sampleGridSvg } from '../plot/sample-grid.ts';
import type { Context } from './context.ts';
import type { Shown } from './features.ts';
import type { HeldOutLoss } from './progress.ts';
import type { Samples } from './sampling.ts';

export type Curves = {
  readonly train: readonly Point[];
  readonly heldOut: readonly (HeldOutLoss & { readonly step: number })[];
};

/** The losses of joint training that a metrics file holds. */
export function readCurves(metrics: string): Curves {
  const records = readJsonl(metrics).filter((r) => r['stage'] === 'train');
  const number = (v: unknown): number => (typeof v === 'number' ? v : Number.NaN);
  return {
    train: records.flatMap((r) => ('loss' in r ? [[number(r['step']), number(r['loss'])]] : [])),
    heldOut: records.flatMap((r) => {
      const h = r['heldOut'] as JsonRecord | undefined;
      if (h === undefined) return [];
      const at = (name: keyof HeldOutLoss): number => number(h[name]);
      return [
        {
          step: number(r['step']),
          x: at('x'),
          z: at('z'),
          constantX: at('constantX'),
          constantZ: at('constantZ'),
        },
      ];
    }),
  };
}

export function lossSvg({ train, heldOut }: Curves): string {
  const of = (name: keyof HeldOutLoss): Point[] => heldOut.map((h) => [h.step, h[name]]);
  const series: Series[] = [
    { label: 'x + z, training batch', colour: '#888888', points: movingMean(train), style: 'line' },
    { label: '', colour: '#888888', points: train, style: 'faint' },
    { label: 'x (pictures), held out', colour: '#0b3d91', points: of('x'), style: 'marked' },
    { label: 'z (features), held out', colour: '#a3430b', points: of('z'), style: 'marked' },
    { label: 'x, constant predictor', colour: '#0b3d91', points: of('constantX'), style: 'dashed' },
    { label: 'z, constant predictor', colour: '#a3430b', points: of('constantZ'), style: 'dashed' },
  ];
  return linePlotSvg({
    title: 'Velocity loss',
    xLabel: 'step',
    yLabel: 'mean squared error',
    series,
  });
}

export function samplesSvg(
  { config }: Context,
  { x, z, labels }: Samples,
  { classes, range }: Shown,
): string {
  const { size } = config.data;
  const { cfg, repGuidance, steps, perCategory } = config.sample;
  const layout = { count: labels.length, channels: config.encoder.rank, size };
  return sampleGridSvg({
    title: `${config.name}: samples and their features; ${steps} Euler steps, guidance ${cfg} and ${repGuidance}`,
    pictures: x,
    size,
    columns: columnsFor(labels.length, perCategory),
    features: featureColours(z, layout, range),
    captions: Array.from(labels, (l) => classes[l]!),
  });
}

/** Whole categories in a row, about twelve pictures wide. */
const columnsFor = (count: number, each: number): number =>
  Math.min(count, each * Math.max(1, Math.floor(12 / each)));
