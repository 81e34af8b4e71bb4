import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePng, type RgbaImage } from '../../runtime/io/png.ts';
import { featureColours, featureRange } from '../../runtime/plot/feature-colours.ts';
import { linePlotSvg } from '../../runtime/plot/line-plot.ts';
import { lossPlotSvg, movingMean } from '../../runtime/plot/loss-plot.ts';
import { svgToPng, writeDrawing } from '../../runtime/plot/rasterise.ts';
import { sampleGridSvg } from '../../runtime/plot/sample-grid.ts';

const draw = async (svg: string): Promise<RgbaImage> => decodePng(await svgToPng(svg));
const colourAt = (image: RgbaImage, x: number, y: number): number[] => [
  ...image.data.subarray((y * image.width + x) * 4, (y * image.width + x) * 4 + 3),
];

/** How many pixels are closer to this colour than to white or black. */
function countColour(image: RgbaImage, [r, g, b]: readonly [number, number, number]): number {
  let n = 0;
  for (let p = 0; p < image.data.length; p += 4) {
    const near = (v: number, w: number) => Math.abs(image.data[p + v]! - w) < 40;
    if (near(0, r) && near(1, g) && near(2, b)) n++;
  }
  return n;
}

describe('line plots', () => {
  const plot = { title: 't', xLabel: 'step', yLabel: 'loss' } as const;

  it('are as large as asked, and show the line and the text', async () => {
    const points = Array.from({ length: 50 }, (_, i) => [i, i] as const);
    const series = [{ label: 'a', colour: '#ff0000', points, style: 'line' }] as const;
    const image = await draw(linePlotSvg({ ...plot, series, width: 400, height: 300 }));
    expect([image.width, image.height]).toEqual([400, 300]);
    expect(countColour(image, [255, 0, 0])).toBeGreaterThan(300);
    const bare = await draw(linePlotSvg({ ...plot, title: '', series, width: 400, height: 300 }));
    expect(countColour(image, [34, 34, 34])).toBeGreaterThan(countColour(bare, [34, 34, 34]));
  });

  it('put a rising line from the lower left to the upper right', () => {
    const points = [
      [0, 0],
      [10, 10],
    ] as const;
    const series = [{ label: 'a', colour: 'red', points, style: 'line' }] as const;
    expect(linePlotSvg({ ...plot, series, width: 400, height: 300 })).toContain('M70,244L376,76');
  });

  it('any points give a drawing that can be rasterised', async () => {
    const value = fc.oneof(fc.double(), fc.double({ min: -1e3, max: 1e3 }), fc.constant(0));
    const oneSeries = fc.record({
      label: fc.string({ unit: 'binary' }),
      colour: fc.constantFrom('red', '#00f'),
      points: fc.array(fc.tuple(value, value), { maxLength: 12 }),
      style: fc.constantFrom('line', 'faint', 'marked', 'dashed'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(oneSeries, { maxLength: 4 }),
        fc.constantFrom('linear', 'log'),
        fc.string({ unit: 'binary' }),
        async (series, yScale, title) => {
          const svg = linePlotSvg({ ...plot, title, series, yScale, width: 200, height: 150 });
          expect(svg).not.toMatch(/NaN|Infinity/);
          expect((await draw(svg)).width).toBe(200);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a long series keeps its peaks and its gaps, in few points', () => {
    const long = Array.from({ length: 100_000 }, (_, i) => {
      return [i, i === 51_234 ? 99 : i === 70_000 ? Number.NaN : 1] as const;
    });
    const series = [{ label: 'a', colour: 'red', points: long, style: 'line' }] as const;
    const svg = linePlotSvg({ ...plot, series });
    expect(svg.length).toBeLessThan(50_000);
    const path = svg.split('<path').find((p) => p.includes('stroke="red"') && p.length > 3000)!;
    expect(path.match(/M/g)).toHaveLength(2);
    const heights = [...path.matchAll(/[,V](\d+(\.\d+)?)/g)].map((m) => Number(m[1]));
    expect(Math.min(...heights)).toBeLessThan(90);
  });
});

describe('the loss plot', () => {
  it('names every line and writes both files', async () => {
    const losses = [1, 2, 3].map((step) => ({ step, x: 2 / step, z: 3 / step }));
    const svg = lossPlotSvg({ train: losses, validation: losses, constant: { x: 1, z: 2 } });
    for (const name of ['x (pictures), train', 'z (features), held out', 'x, constant predictor']) {
      expect(svg).toContain(`>${name}<`);
    }
    const folder = fs.mkdtempSync(join(tmpdir(), 'tenon-plot-'));
    await writeDrawing(join(folder, 'loss.png'), svg, 2);
    expect(fs.readdirSync(folder).sort()).toEqual(['loss.png', 'loss.svg']);
    expect(decodePng(fs.readFileSync(join(folder, 'loss.png'))).width).toBe(1600);
    fs.rmSync(folder, { recursive: true });
  });

  it('the moving mean stays within its window and starts anew after a gap', () => {
    const at = (values: number[]) =>
      movingMean(values.map((v, i) => [i, v] as const)).map((p) => p[1]);
    expect(at([1, 2, 3])).toEqual([1, 2, 3]);
    const forty = Array.from({ length: 40 }, (_, i) => i);
    expect(at(forty)[39]).toBe(38.5);
    expect(at([...forty.slice(0, 20), Number.NaN, ...forty.slice(21)]).slice(19, 23)).toEqual([
      18.5,
      Number.NaN,
      21,
      21.5,
    ]);
  });
});

describe('the sample grid', () => {
  const red = Float32Array.from({ length: 12 }, (_, i) => (i < 4 ? 1 : -1));
  const ramp = Float32Array.from([-1, 1, 0, 0, -1, 1, 0, 0, -1, 1, 0, 0]);

  it('shows exact, enlarged pixels, pictures above their features', async () => {
    const pictures = Float32Array.from([...red, ...ramp]);
    const features = Float32Array.from([1, 1, -1, -1, -1, 1]);
    const svg = sampleGridSvg({
      title: '',
      pictures,
      size: 2,
      columns: 2,
      features,
      featureSize: 1,
    });
    const image = await draw(svg);
    // Margins 14 and 40, head 6: the first picture is 8 x 8 pixels at (14, 46).
    for (const [x, y] of [
      [14, 46],
      [21, 53],
    ] as const) {
      expect(colourAt(image, x, y)).toEqual([255, 0, 0]);
    }
    expect(colourAt(image, 13, 46)).toEqual([255, 255, 255]);
    expect(colourAt(image, 22, 46)).toEqual([255, 255, 255]);
    // The second one: black beside white, grey below, with hard edges between.
    const row = Array.from({ length: 8 }, (_, i) => colourAt(image, 28 + i, 46)[0]);
    expect(row).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
    expect(colourAt(image, 28, 50)).toEqual([128, 128, 128]);
    expect(colourAt(image, 14, 56)).toEqual([255, 255, 0]);
    expect(colourAt(image, 35, 63)).toEqual([0, 0, 255]);
  });

  it('what is not finite stands out', async () => {
    const pictures = red.map((v, i) => (i === 0 ? Number.NaN : v));
    const image = await draw(sampleGridSvg({ title: '', pictures, size: 2, columns: 1 }));
    expect(colourAt(image, 14, 46)).toEqual([255, 0, 255]);
  });

  it('captions are escaped and shortened', () => {
    const captions = ['<script>alert(1)</script> and much more'];
    const svg = sampleGridSvg({ title: 'a & b', pictures: red, size: 2, columns: 1, captions });
    expect(svg).toContain('a &amp; b');
    expect(svg).not.toContain('<script');
    expect(svg).toContain('…');
  });

  it('refuses what does not fit', () => {
    const grid = { title: '', pictures: red, size: 2, columns: 1 };
    expect(() => sampleGridSvg({ ...grid, pictures: red.slice(1) })).toThrow(/11 values/);
    expect(() => sampleGridSvg({ ...grid, features: red, featureSize: 1 })).toThrow(/not as many/);
    expect(() =>
      sampleGridSvg({ ...grid, enlarge: 1, features: new Float32Array(27), featureSize: 3 }),
    ).toThrow(/does not divide/);
  });
});

describe('feature colours', () => {
  it('stay in range and use it, whatever the scale of the features', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        (channels, scale) => {
          const layout = { count: 3, channels, size: 4 };
          const z = Float32Array.from({ length: 48 * channels }, (_, i) => scale * Math.sin(i * i));
          const out = featureColours(z, layout);
          expect(out.length).toBe(3 * 48);
          expect(Math.max(...out)).toBe(1);
          expect(Math.min(...out)).toBe(-1);
        },
      ),
    );
  });

  it('keep the range of the reference set', () => {
    const layout = { count: 1, channels: 3, size: 2 };
    const reference = Float32Array.from([0, 1, 2, 4, 0, 1, 2, 4, 0, 1, 2, 4]);
    const range = featureRange(reference, layout);
    expect(range).toEqual([
      [0, 4],
      [0, 4],
      [0, 4],
    ]);
    const shown = featureColours(new Float32Array(12).fill(2), layout, range);
    expect([...shown]).toEqual(new Array(12).fill(0));
  });
});
