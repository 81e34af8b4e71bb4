import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeRows } from '../../runtime/data/dataset.ts';
import { loadEmoji } from '../../runtime/data/emoji.ts';
import { toModelPicture } from '../../runtime/data/picture.ts';
import { encodePng, type RgbaImage } from '../../runtime/io/png.ts';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'tenon-emoji-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

/** A package with these entries, each with a picture of one colour. */
function fakePackage(entries: readonly object[], version = '1.2.3'): string {
  const dir = join(folder, 'package');
  fs.mkdirSync(join(dir, 'img/google/64'), { recursive: true });
  fs.writeFileSync(join(dir, 'package.json'), JSON.stringify({ version }));
  fs.writeFileSync(join(dir, 'emoji.json'), JSON.stringify(entries));
  const data = new Uint8Array(64 * 64 * 4).fill(255);
  for (let p = 0; p < 64 * 64; p++) data[p * 4] = 0;
  const png = encodePng({ width: 64, height: 64, data });
  for (const name of ['a', 'b']) fs.writeFileSync(join(dir, `img/google/64/${name}.png`), png);
  return dir;
}

const entry = (name: string, category: string, more: object = {}) => ({
  image: `${name}.png`,
  short_name: name,
  category,
  has_img_google: true,
  ...more,
});

describe('the installed package', () => {
  it('has the base emoji, in range, every class used, and the same again from the cache', () => {
    const cacheDir = join(folder, 'cache');
    const set = loadEmoji({ cacheDir });
    expect(set.origin).toBe('package');
    expect(set.labels.length).toBe(1906);
    expect(set.images.length).toBe(1906 * 3 * 16 * 16);
    expect(set.classes).toHaveLength(9);
    expect(set.classes).not.toContain('Component');
    expect(new Set(set.labels).size).toBe(9);
    expect(set.images.every((v) => v >= -1 && v <= 1)).toBe(true);
    // A picture known by eye: the red heart is red in the middle and white in the corner.
    const { images } = takeRows(set, Int32Array.of(set.names.indexOf('heart')));
    const at = (c: number, y: number, x: number) => images[(c * 16 + y) * 16 + x]!;
    expect(at(0, 8, 8)).toBeGreaterThan(0.5);
    expect(at(2, 8, 8)).toBeLessThan(0);
    expect([at(0, 0, 0), at(1, 0, 0), at(2, 0, 0)]).toEqual([1, 1, 1]);

    const again = loadEmoji({ cacheDir });
    expect(again).toEqual({ ...set, origin: 'cache' });
  });
});

describe('reading', () => {
  it('leaves out components and pictures that are not there, and keeps the order of classes', () => {
    const entries = [
      entry('b', 'Zoo'),
      entry('skin', 'Component'),
      entry('gone', 'Zoo', { has_img_google: false }),
      entry('a', 'Air'),
    ];
    const set = loadEmoji({ packageDir: fakePackage(entries) });
    expect(set.names).toEqual(['b', 'a']);
    expect(set.classes).toEqual(['Zoo', 'Air']);
    expect([...set.labels]).toEqual([0, 1]);
  });

  it('makes a broken cache again, and one of another version', () => {
    const cacheDir = join(folder, 'cache');
    const packageDir = fakePackage([entry('a', 'Air')]);
    loadEmoji({ packageDir, cacheDir });
    const [file] = fs.readdirSync(cacheDir);
    expect(file).toBe('emoji-google-1.2.3-16px-v1.safetensors');
    fs.truncateSync(join(cacheDir, file!), 100);
    expect(loadEmoji({ packageDir, cacheDir }).origin).toBe('package');
    expect(loadEmoji({ packageDir, cacheDir }).origin).toBe('cache');
    fakePackage([entry('a', 'Air')], '1.2.4');
    expect(loadEmoji({ packageDir, cacheDir }).origin).toBe('package');
  });

  it('goes without a cache that cannot be written', () => {
    fs.writeFileSync(join(folder, 'file'), '');
    const packageDir = fakePackage([entry('a', 'Air')]);
    expect(loadEmoji({ packageDir, cacheDir: join(folder, 'file') }).origin).toBe('package');
  });

  it('can be interrupted and reports how far it is', () => {
    const packageDir = fakePackage([entry('a', 'Air'), entry('b', 'Air')]);
    const seen: string[] = [];
    loadEmoji({ packageDir, onProgress: (done, total) => seen.push(`${done}/${total}`) });
    expect(seen).toEqual(['1/2', '2/2']);
    expect(() => loadEmoji({ packageDir, signal: AbortSignal.abort() })).toThrow(/interrupted/);
  });
});

describe('a package that is broken is one clear error', () => {
  it('missing files', () => {
    expect(() => loadEmoji({ packageDir: join(folder, 'none') })).toThrow(
      /cannot read .*no such file/,
    );
    const packageDir = fakePackage([entry('c', 'Air')]);
    expect(() => loadEmoji({ packageDir })).toThrow(/c\.png: there is no such file/);
  });
  it('a table that is not one', () => {
    const packageDir = fakePackage([]);
    expect(() => loadEmoji({ packageDir })).toThrow(/lists no pictures/);
    fs.writeFileSync(join(packageDir, 'emoji.json'), '{"a":');
    expect(() => loadEmoji({ packageDir })).toThrow(/it is not JSON/);
    fs.writeFileSync(join(packageDir, 'emoji.json'), '[null]');
    expect(() => loadEmoji({ packageDir })).toThrow(/entry 0 has no usable name/);
  });
  it('a picture name that leaves the package', () => {
    const packageDir = fakePackage([entry('../../../../x', 'Air')]);
    expect(() => loadEmoji({ packageDir })).toThrow(/entry 0 has no usable name/);
  });
  it('a picture that is none, or of another size', () => {
    const packageDir = fakePackage([entry('a', 'Air')]);
    const file = join(packageDir, 'img/google/64/a.png');
    fs.writeFileSync(file, 'no png');
    expect(() => loadEmoji({ packageDir })).toThrow(/a\.png is not a usable PNG/);
    fs.writeFileSync(file, encodePng({ width: 20, height: 20, data: new Uint8Array(1600) }));
    expect(() => loadEmoji({ packageDir })).toThrow(/20x20 picture cannot be averaged to 16x16/);
  });
});

describe('toModelPicture', () => {
  const image: fc.Arbitrary<RgbaImage> = fc
    .uint8Array({ minLength: 256, maxLength: 256 })
    .map((data) => ({ width: 8, height: 8, data }));

  it('averages what is seen on white (against the plain definition)', () => {
    fc.assert(
      fc.property(image, (img) => {
        const out = toModelPicture(img, 2);
        for (let c = 0; c < 3; c++) {
          for (const [by, bx] of [
            [0, 0],
            [0, 1],
            [1, 0],
            [1, 1],
          ] as const) {
            let mean = 0;
            for (let y = by * 4; y < by * 4 + 4; y++) {
              for (let x = bx * 4; x < bx * 4 + 4; x++) {
                const p = (y * 8 + x) * 4;
                const alpha = img.data[p + 3]! / 255;
                mean += ((img.data[p + c]! / 255) * alpha + (1 - alpha)) / 16;
              }
            }
            expect(out[(c * 2 + by) * 2 + bx]).toBeCloseTo(2 * mean - 1, 5);
          }
        }
      }),
    );
  });

  it('clear is white and black is -1, exactly', () => {
    const clear = { width: 4, height: 4, data: new Uint8Array(64) };
    expect([...toModelPicture(clear, 2)]).toEqual(new Array(12).fill(1));
    const black = { ...clear, data: clear.data.map((_, i) => (i % 4 === 3 ? 255 : 0)) };
    expect([...toModelPicture(black, 2)]).toEqual(new Array(12).fill(-1));
  });
});

it('takeRows refuses an index that does not exist', () => {
  const set = loadEmoji({ packageDir: fakePackage([entry('a', 'Air')]) });
  expect(() => takeRows(set, Int32Array.of(1))).toThrow('example 1 of 1 does not exist');
});
