/**
 * A grid of small pictures, each enlarged by a whole number without smoothing, with a row of
 * feature pictures under each row if there are any. The grid is one embedded PNG of exact pixels;
 * title and captions are text around it.
 */
import { TenonError } from '../errors.ts';
import { encodePng } from '../io/png.ts';
import { element, type Svg, svgDocument, text, textWidth } from './svg.ts';

export type SampleGrid = {
  readonly title: string;
  /** [count, 3, size, size] in [-1, 1], channels first. */
  readonly pictures: Float32Array;
  readonly size: number;
  readonly columns: number;
  /** [count, 3, featureSize, featureSize] in [-1, 1]; featureSize divides size x enlarge. */
  readonly features?: Float32Array;
  readonly featureSize?: number;
  /** One above each picture, shortened to fit. */
  readonly captions?: readonly string[];
  readonly enlarge?: number;
};

type Canvas = { readonly width: number; readonly height: number; readonly data: Uint8Array };

const gap = 6;
const captionHeight = 15;

export function sampleGridSvg(grid: SampleGrid): string {
  const { size, columns, enlarge = 4, featureSize = size, captions } = grid;
  const count = countOf(grid.pictures, size, 'pictures');
  if (grid.features !== undefined && countOf(grid.features, featureSize, 'features') !== count) {
    throw new TenonError('usage', `there are not as many feature pictures as pictures (${count})`);
  }
  const cell = size * enlarge;
  const featureScale = cell / featureSize;
  if (!Number.isInteger(featureScale) || columns < 1) {
    throw new TenonError('usage', `${featureSize} does not divide ${cell}, or there is no column`);
  }
  const kinds = grid.features === undefined ? 1 : 2;
  const head = captions === undefined ? gap : captionHeight + gap;
  const rowHeight = head + kinds * cell + (kinds - 1) * 2;
  const rows = Math.ceil(count / columns);
  const canvas = blank(columns * (cell + gap) - gap, Math.max(1, rows * rowHeight));
  const labels: Svg[] = [];
  const margin = { left: 14, top: 40 };
  for (let n = 0; n < count; n++) {
    const x = (n % columns) * (cell + gap);
    const y = Math.floor(n / columns) * rowHeight + head;
    paint(canvas, x, y, pixelsOf(grid.pictures, n, size), size, enlarge);
    if (grid.features !== undefined) {
      const pixels = pixelsOf(grid.features, n, featureSize);
      paint(canvas, x, y + cell + 2, pixels, featureSize, featureScale);
    }
    const caption = captions?.[n];
    if (caption !== undefined) {
      const at = [margin.left + x + cell / 2, margin.top + y - 4] as const;
      labels.push(
        text(...at, shorten(caption, cell), { size: 9, anchor: 'middle', colour: '#444' }),
      );
    }
  }
  const png = Buffer.from(encodePng(canvas)).toString('base64');
  const image = element('image', {
    x: margin.left,
    y: margin.top,
    width: canvas.width,
    height: canvas.height,
    'image-rendering': 'pixelated',
    href: `data:image/png;base64,${png}`,
  });
  const title = text(margin.left, 27, grid.title, { size: 15 });
  const width = Math.max(canvas.width, Math.ceil(textWidth(grid.title, 15))) + 2 * margin.left;
  return svgDocument(width, canvas.height + margin.top + 14, [title, image, ...labels]);
}

function countOf(values: Float32Array, size: number, what: string): number {
  const n = values.length / (3 * size * size);
  if (Number.isInteger(n)) return n;
  throw new TenonError('usage', `${values.length} values are no ${what} of [3, ${size}, ${size}]`);
}

function pixelsOf(values: Float32Array, n: number, size: number): Float32Array {
  const row = 3 * size * size;
  return values.subarray(n * row, (n + 1) * row);
}

function shorten(caption: string, width: number): string {
  const room = Math.max(1, Math.floor(width / textWidth('x', 9)));
  return caption.length <= room ? caption : `${caption.slice(0, room - 1)}…`;
}

function blank(width: number, height: number): Canvas {
  return { width, height, data: new Uint8Array(width * height * 4).fill(255) };
}

/** Nearest neighbour; what is not finite is magenta, since black would look like a picture. */
function paint(
  canvas: Canvas,
  x0: number,
  y0: number,
  pixels: Float32Array,
  size: number,
  scale: number,
): void {
  const area = size * size;
  for (let y = 0; y < size * scale; y++) {
    for (let x = 0; x < size * scale; x++) {
      const i = Math.floor(y / scale) * size + Math.floor(x / scale);
      const rgb = [pixels[i]!, pixels[area + i]!, pixels[2 * area + i]!];
      const to = ((y0 + y) * canvas.width + x0 + x) * 4;
      canvas.data.set(rgb.every(Number.isFinite) ? rgb.map(toByte) : [255, 0, 255], to);
    }
  }
}

const toByte = (v: number): number => Math.round((Math.max(-1, Math.min(1, v)) + 1) * 127.5);
