/**
 * A plot of lines over steps: axes with round ticks, a legend above the frame where it covers
 * nothing. Points that are not finite break their line, so that a divergence is seen as a gap.
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { element, type Svg, svgDocument, text, textWidth } from './svg.ts';

export type Point = readonly [x: number, y: number];

export type Series = {
  /** A series without a label is left out of the legend. */
  readonly label: string;
  /** Any CSS colour. */
  readonly colour: string;
  readonly points: readonly Point[];
  /** `faint` for raw noise behind a smoothed line, `marked` for few points, `dashed` for levels. */
  readonly style: 'line' | 'faint' | 'marked' | 'dashed';
};

export type LinePlot = {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  readonly yScale?: 'linear' | 'log';
  readonly width?: number;
  readonly height?: number;
};

type Scale = {
  readonly at: (v: number) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
};

type Frame = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
};

export function linePlotSvg(plot: LinePlot): string {
  const { width = 800, height = 480, title, yScale = 'linear' } = plot;
  const frame: Frame = { left: 70, right: width - 24, top: 76, bottom: height - 56 };
  const series = plot.series.map((s) => ({ ...s, points: s.points.map(tidyFor(yScale)) }));
  const points = series.flatMap((s) => s.points).filter(isDrawn);
  const x = makeScale('linear', extent(points.map((p) => p[0])), frame.left, frame.right);
  const y = makeScale(yScale, extent(points.map((p) => p[1])), frame.bottom, frame.top);
  const columns = frame.right - frame.left;
  // Faint lines first: they lie behind.
  const inOrder = [...series].sort((a, b) => order(a) - order(b));
  return svgDocument(width, height, [
    text(frame.left, 28, title, { size: 17 }),
    ...legend(series, frame),
    ...axes(x, y, frame, plot),
    ...inOrder.flatMap((s) => drawSeries(s, thin(s.points, columns), x, y)),
    ...(points.length === 0 ? [noData(frame)] : []),
  ]);
}

const isDrawn = ([x, y]: Point): boolean => Number.isFinite(x) && Number.isFinite(y);

/** What cannot be drawn becomes NaN; the arithmetic of axes overflows near the ends of f64. */
function tidyFor(yScale: 'linear' | 'log'): (p: Point) => Point {
  const tidy = (v: number) => (Math.abs(v) < 1e-100 ? 0 : Math.abs(v) > 1e100 ? Number.NaN : v);
  return ([x, y]) => [tidy(x), yScale === 'log' && !(tidy(y) > 0) ? Number.NaN : tidy(y)];
}

const order = (s: Series): number => (s.style === 'faint' ? 0 : s.style === 'dashed' ? 1 : 2);

function noData({ left, right, top, bottom }: Frame): Svg {
  return text((left + right) / 2, (top + bottom) / 2, 'no data', {
    anchor: 'middle',
    colour: '#888',
  });
}

/** A range that is never empty, so that one point or a constant line has axes as well. */
function extent(values: readonly number[]): readonly [number, number] {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  }
  if (lo > hi) return [0, 1];
  if (hi - lo > 1e-12 * Math.max(Math.abs(lo), Math.abs(hi))) return [lo, hi];
  if (lo > 0) return [lo / 2, lo * 2];
  return lo < 0 ? [lo * 2, lo / 2] : [-1, 1];
}

function makeScale(
  kind: 'linear' | 'log',
  domain: readonly [number, number],
  from: number,
  to: number,
): Scale {
  const range = [from, to] as const;
  // Rounding a logarithmic axis outwards can add a whole empty decade.
  const scale =
    kind === 'log'
      ? scaleLog([domain[0] / 1.1, domain[1] * 1.1], range)
      : scaleLinear(domain, range).nice();
  const format = kind === 'log' ? scale.tickFormat(7, '~g') : scale.tickFormat(7);
  const ticks = scale.ticks(7).map((v) => ({ at: scale(v), label: format(v) }));
  return { at: (v) => scale(v), ticks };
}

function axes(x: Scale, y: Scale, frame: Frame, plot: LinePlot): Svg[] {
  const { left, right, top, bottom } = frame;
  const grid = (x1: number, y1: number, x2: number, y2: number): Svg =>
    element('line', { x1, y1, x2, y2, stroke: '#e4e4e4' });
  const middle = { anchor: 'middle', size: 12, colour: '#444' } as const;
  const centre = (top + bottom) / 2;
  return [
    ...x.ticks.map((t) => grid(t.at, top, t.at, bottom)),
    ...y.ticks.map((t) => grid(left, t.at, right, t.at)),
    ...x.ticks.map((t) => text(t.at, bottom + 19, t.label, middle)),
    ...y.ticks.map((t) => text(left - 8, t.at + 4, t.label, { ...middle, anchor: 'end' })),
    element('path', { d: `M${left},${top}V${bottom}H${right}`, fill: 'none', stroke: '#444' }),
    text((left + right) / 2, bottom + 42, plot.xLabel, { anchor: 'middle' }),
    text(20, centre, plot.yLabel, { anchor: 'middle', transform: `rotate(-90 20 ${centre})` }),
  ];
}

function strokeOf(s: Series): Record<string, string | number | undefined> {
  return {
    fill: 'none',
    stroke: s.colour,
    'stroke-width': s.style === 'faint' ? 1 : s.style === 'dashed' ? 1.3 : 2,
    'stroke-opacity': s.style === 'faint' ? 0.3 : undefined,
    'stroke-dasharray': s.style === 'dashed' ? '7 5' : undefined,
    'stroke-linejoin': 'round',
  };
}

function drawSeries(s: Series, points: readonly Point[], x: Scale, y: Scale): Svg[] {
  const path = line<Point>()
    .defined(isDrawn)
    .x((p) => x.at(p[0]))
    .y((p) => y.at(p[1]))
    .digits(2)([...points]);
  if (path === null) return [];
  const marks = s.style === 'marked' ? points.filter(isDrawn) : [];
  const dot = ([px, py]: Point): Svg =>
    element('circle', { cx: x.at(px), cy: y.at(py), r: 3.5, fill: s.colour, stroke: '#fff' });
  return [element('path', { d: path, ...strokeOf(s) }), ...marks.map(dot)];
}

/** In rows above the frame, as many to a row as fit. */
function legend(series: readonly Series[], frame: Frame): Svg[] {
  const out: Svg[] = [];
  let [left, top] = [frame.left, 50];
  for (const s of series.filter((one) => one.label !== '')) {
    const width = 34 + textWidth(s.label, 12) + 14;
    if (left > frame.left && left + width > frame.right) [left, top] = [frame.left, top + 17];
    const mark = { d: `M${left},${top - 4}h26`, ...strokeOf(s) };
    out.push(element('path', mark));
    if (s.style === 'marked') {
      out.push(element('circle', { cx: left + 13, cy: top - 4, r: 3.5, fill: s.colour }));
    }
    out.push(text(left + 32, top, s.label, { size: 12 }));
    left += width;
  }
  return out;
}

/** At most a low and a high point per pixel column: looks the same, and stays small. */
function thin(points: readonly Point[], columns: number): readonly Point[] {
  if (points.length <= 4 * columns) return points;
  const per = Math.ceil(points.length / columns);
  const out: Point[] = [];
  for (let from = 0; from < points.length; from += per) {
    const part = points.slice(from, from + per);
    const [first, ...rest] = part.filter((p) => Number.isFinite(p[1]));
    const kept = new Set(part.filter((p) => !Number.isFinite(p[1])).slice(0, 1));
    if (first !== undefined) {
      kept.add(rest.reduce((a, b) => (b[1] < a[1] ? b : a), first));
      kept.add(rest.reduce((a, b) => (b[1] > a[1] ? b : a), first));
    }
    out.push(...[...kept].sort((a, b) => a[0] - b[0]));
  }
  return out;
}
