/**
 * The table as a picture: a line for each workload, a mark for each peer at its time over Tenon's, on a
 * logarithmic axis. Right of 1 is slower than Tenon.
 */
import { scaleLog } from 'd3-scale';
import { element, type Svg, svgDocument, text, textWidth } from '../runtime/plot/svg.ts';
import { cellOf, digits, type Report } from './report.ts';

/** Colours that colour-blind readers tell apart (Okabe and Ito 2008). */
const colours: Readonly<Record<string, string>> = {
  tenon: '#000000',
  ceiling: '#999999',
  torch: '#d55e00',
  ortNode: '#e69f00',
  ortWeb: '#56b4e9',
  jax: '#009e73',
  tfjs: '#cc79a7',
};

const WIDTH = 860;
const LINE = 34;
const LEFT = 250;
const RIGHT = 836;
const TOP = 92;

export function reportSvg(r: Report): string {
  const shown = r.variants.filter((v) => v.id in colours);
  const lines = r.rows.flatMap((row) => {
    const ours = cellOf(row, 'tenon')?.ms;
    if (ours === undefined) return [];
    const marks = shown.flatMap((v) => {
      const ms = cellOf(row, v.id)?.ms;
      return ms === undefined ? [] : [{ id: v.id, ratio: ms / ours }];
    });
    return [{ row, ours, marks }];
  });
  const ratios = lines.flatMap((l) => l.marks.map((m) => m.ratio));
  const domain = [Math.min(...ratios, 0.5) / 1.15, Math.max(...ratios, 2) * 1.15];
  const x = scaleLog(domain, [LEFT, RIGHT]);
  const bottom = TOP + LINE * lines.length;
  const format = x.tickFormat(8, '~g');
  const ticks = x.ticks(8).flatMap((t): Svg[] => {
    const at = x(t);
    const label = format(t);
    const line = { x1: at, x2: at, y1: TOP - 8, y2: bottom, stroke: t === 1 ? '#444' : '#e8e8e8' };
    const style = { anchor: 'middle', size: 12, colour: '#444' } as const;
    return [element('line', line), ...(label ? [text(at, bottom + 18, label, style)] : [])];
  });
  const body = lines.flatMap(({ row, ours, marks }, i): Svg[] => {
    const y = TOP + LINE * (i + 0.5);
    return [
      text(LEFT - 14, y + 5, `${row.workload}, ${digits(ours)} ms`, { anchor: 'end' }),
      element('line', { x1: LEFT, x2: RIGHT, y1: y, y2: y, stroke: '#eee' }),
      ...marks.map((m) =>
        element('circle', { cx: x(m.ratio), cy: y, r: 6, fill: colours[m.id], stroke: '#fff' }),
      ),
    ];
  });
  return svgDocument(WIDTH, bottom + 56, [
    text(24, 30, `Time over Tenon's, ${r.threads} threads: right of 1 is slower`, { size: 17 }),
    ...legend(shown),
    ...ticks,
    ...body,
    text((LEFT + RIGHT) / 2, bottom + 42, "their time / Tenon's", { anchor: 'middle' }),
  ]);
}

function legend(shown: Report['variants']): Svg[] {
  let left = 30;
  return shown.flatMap((v) => {
    const at = left;
    left += 26 + textWidth(v.title, 12);
    return [
      element('circle', { cx: at, cy: 57, r: 6, fill: colours[v.id] }),
      text(at + 11, 61, v.title, { size: 12 }),
    ];
  });
}
