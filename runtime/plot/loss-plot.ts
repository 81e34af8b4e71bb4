/**
 * The losses of a joint training run: pictures (x) and features (z), each with the raw training
 * loss, its moving mean, the held-out loss and what the best constant predictor reaches.
 */
import { linePlotSvg, type Point, type Series } from './line-plot.ts';

export type LossAt = { readonly step: number; readonly x: number; readonly z: number };

export type LossHistory = {
  readonly train: readonly LossAt[];
  readonly validation: readonly LossAt[];
  /** Held-out loss of the best constant predictor. */
  readonly constant?: { readonly x: number; readonly z: number };
};

export type LossPlotOptions = { readonly title?: string; readonly yScale?: 'linear' | 'log' };

const groups = [
  { key: 'x', name: 'x (pictures)', train: '#4c90d9', validation: '#0b3d91' },
  { key: 'z', name: 'z (features)', train: '#e8963a', validation: '#a3430b' },
] as const;

export function lossPlotSvg(history: LossHistory, options: LossPlotOptions = {}): string {
  const series = groups.flatMap(({ key, name, train, validation }): Series[] => {
    const points = history.train.map((r): Point => [r.step, r[key]]);
    const held = history.validation.map((r): Point => [r.step, r[key]]);
    const all: Series[] = [
      { label: `${name}, train`, colour: train, points: movingMean(points), style: 'line' },
      { label: `${name}, held out`, colour: validation, points: held, style: 'marked' },
    ];
    const level = history.constant?.[key];
    const ends = steps(history);
    if (level !== undefined && ends !== undefined) {
      const flat = ends.map((s): Point => [s, level]);
      all.push({
        label: `${key}, constant predictor`,
        colour: validation,
        points: flat,
        style: 'dashed',
      });
    }
    return all;
  });
  const raw = groups.map(
    ({ key, train }): Series => ({
      label: '',
      colour: train,
      points: history.train.map((r): Point => [r.step, r[key]]),
      style: 'faint',
    }),
  );
  return linePlotSvg({
    title: options.title ?? 'Velocity loss',
    xLabel: 'step',
    yLabel: 'mean squared error',
    series: [...series, ...raw],
    yScale: options.yScale ?? 'linear',
  });
}

function steps({ train, validation }: LossHistory): readonly [number, number] | undefined {
  const all = [...train, ...validation].map((r) => r.step);
  if (all.length === 0) return undefined;
  return [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
}

/** Mean over a window that ends here: a twentieth of the points. A gap starts it anew. */
export function movingMean(points: readonly Point[]): Point[] {
  const window = Math.max(1, Math.round(points.length / 20));
  const recent: number[] = [];
  return points.map(([step, value]): Point => {
    if (!Number.isFinite(value)) recent.length = 0;
    recent.push(value);
    if (recent.length > window || !Number.isFinite(recent[0]!)) recent.shift();
    const sum = recent.reduce((a, b) => a + b, 0);
    return [step, recent.length === 0 ? Number.NaN : sum / recent.length];
  });
}
