/**
 * A profile as a picture: one run as a band of coloured spans from left to right, and under it the
 * kernels that took longest, each a bar as long as its time, filled up to its share of the ceiling.
 */
import { cutText, element, type Svg, svgDocument, text } from './svg.ts';

export type Span = { readonly lane: number; readonly start: number; readonly end: number };

export type Bar = {
  readonly label: string;
  readonly note: string;
  readonly colour: string;
  /** In the unit of the picture. */
  readonly length: number;
  /** 0 to 1: how much of the bar is filled. */
  readonly share: number;
};

export type Timeline = {
  readonly title: string;
  readonly unit: string;
  /** `lane` is an index into `bars`; beyond them is the rest, in grey. */
  readonly spans: readonly Span[];
  readonly bars: readonly Bar[];
};

const width = 960;
const left = 24;
const right = width - 24;
const row = 30;
/** Where the bars begin, right of their texts. */
const barsFrom = left + 540;
const rest = '#c8c8c8';

export function timelineSvg({ title, unit, spans, bars }: Timeline): string {
  const end = Math.max(1e-9, ...spans.map((s) => s.end));
  const at = (t: number): number => left + ((right - left) * t) / end;
  const band = merged(spans, (right - left) / end).map((s) =>
    element('rect', {
      x: at(s.start),
      y: 44,
      width: Math.max(0.05, at(s.end) - at(s.start)),
      height: 46,
      fill: bars[s.lane]?.colour ?? rest,
    }),
  );
  const longest = Math.max(1e-9, ...bars.map((b) => b.length));
  const scale = (right - barsFrom) / longest;
  const rows = bars.flatMap((b, i): Svg[] => {
    const y = 132 + i * row;
    const size = b.length * scale;
    const bar = { x: barsFrom, y: y - 12, height: 16 };
    return [
      text(left, y, cutText(b.label, 40), { size: 12 }),
      element('rect', { ...bar, width: Math.max(1, size), fill: b.colour, 'fill-opacity': 0.3 }),
      element('rect', { ...bar, width: size * Math.min(1, b.share), fill: b.colour }),
      text(barsFrom - 10, y, b.note, { size: 11, anchor: 'end' }),
    ];
  });
  return svgDocument(width, 150 + bars.length * row, [
    text(left, 28, title, { size: 16 }),
    ...band,
    text(left, 107, '0', { size: 11, colour: '#666' }),
    text(right, 107, `${Number(end.toPrecision(3))} ${unit}`, {
      size: 11,
      anchor: 'end',
      colour: '#666',
    }),
    ...rows,
  ]);
}

/** Neighbours of one lane that are drawn without a gap between them become one. */
function merged(spans: readonly Span[], pixels: number): Span[] {
  const out: Span[] = [];
  for (const s of spans) {
    const last = out.at(-1);
    if (last && last.lane === s.lane && (s.start - last.end) * pixels < 0.1) {
      out[out.length - 1] = { ...last, end: s.end };
    } else out.push(s);
  }
  return out;
}
