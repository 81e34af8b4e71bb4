import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { isTenonError } from '../../runtime/errors.ts';
import { decodePng, encodePng, type RgbaImage } from '../../runtime/io/png.ts';

const images: fc.Arbitrary<RgbaImage> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height * 4, maxLength: width * height * 4 })
      .map((data) => ({ width, height, data })),
  );

function chunk(type: string, body: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const out = Buffer.alloc(typed.length + 8);
  out.writeUInt32BE(body.length, 0);
  typed.copy(out, 4);
  out.writeUInt32BE(crc32(typed), typed.length + 4);
  return out;
}

type Made = {
  width: number;
  height: number;
  depth: number;
  type: number;
  raw: Uint8Array;
  interlaced?: boolean;
};

/** A PNG from unpacked rows (each with its filter byte), and any chunks in between. */
function pngOf(
  { width, height, depth, type, raw, interlaced }: Made,
  ...between: Buffer[]
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, interlaced ? 1 : 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [
    signature,
    chunk('IHDR', header),
    ...between,
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', new Uint8Array()),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

describe('round trip', () => {
  it('gives back every pixel', () => {
    fc.assert(
      fc.property(images, (image) => {
        expect(decodePng(encodePng(image))).toEqual(image);
      }),
    );
  });

  it('an interlaced picture is the same picture', () => {
    fc.assert(
      fc.property(images, (image) => {
        const bytes = encode({ ...image, channels: 4, depth: 8 }, { interlace: 'Adam7' });
        expect(decodePng(bytes)).toEqual(image);
      }),
    );
  });
});

/** Rows of pixels of a few bits, each packed and filtered in its own way. */
function packed(
  rows: readonly (readonly number[])[],
  bits: number,
  filters: readonly number[],
): number[] {
  let above: number[] = [];
  return rows.flatMap((row, r) => {
    const bytes: number[] = new Array(Math.ceil((row.length * bits) / 8)).fill(0);
    row.forEach((v, i) => {
      const at = i * bits;
      bytes[at >> 3]! |= v << (8 - bits - (at & 7));
    });
    const filter = filters[r % filters.length]!;
    const out = bytes.map((v, i) => {
      const [a, b, c] = [bytes[i - 1] ?? 0, above[i] ?? 0, above[i - 1] ?? 0];
      const near = [a, b, c].map((x) => Math.abs(a + b - c - x));
      const paeth = near[0]! <= Math.min(near[1]!, near[2]!) ? a : near[1]! <= near[2]! ? b : c;
      return (v - [0, a, b, (a + b) >> 1, paeth][filter]!) & 255;
    });
    above = bytes;
    return [filter, ...out];
  });
}

describe('interlaced pictures of few bits', () => {
  const starts = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  const drawn = fc
    .record({
      width: fc.integer({ min: 1, max: 19 }),
      height: fc.integer({ min: 1, max: 19 }),
      depth: fc.constantFrom(1, 2, 4),
      filters: fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }),
    })
    .chain((p) =>
      fc
        .array(fc.nat(2 ** p.depth - 1), {
          minLength: p.width * p.height,
          maxLength: p.width * p.height,
        })
        .map((pixels) => ({ ...p, pixels })),
    );

  it('are the same pictures', () => {
    fc.assert(
      fc.property(drawn, ({ width, height, depth, filters, pixels }) => {
        const at = (x: number, y: number): number => pixels[y * width + x]!;
        const range = (from: number, to: number, step: number): number[] =>
          Array.from(
            { length: Math.max(0, Math.ceil((to - from) / step)) },
            (_, i) => from + i * step,
          );
        const straight = range(0, height, 1).map((y) => range(0, width, 1).map((x) => at(x, y)));
        const passes = starts.flatMap(([x0, y0, dx, dy]) => {
          const columns = range(x0, width, dx);
          if (columns.length === 0) return [];
          return packed(
            range(y0, height, dy).map((y) => columns.map((x) => at(x, y))),
            depth,
            filters,
          );
        });
        const of = { width, height, depth, type: 0 };
        const raw = Uint8Array.from(packed(straight, depth, [0]));
        const want = decodePng(pngOf({ ...of, raw }));
        const got = decodePng(pngOf({ ...of, raw: Uint8Array.from(passes), interlaced: true }));
        expect(got).toEqual(want);
      }),
    );
  });

  it('with too few rows or a filter that does not exist are refused', () => {
    const of = { width: 3, height: 3, depth: 4, type: 0, interlaced: true };
    for (const raw of [Uint8Array.of(0, 16), Uint8Array.of(9, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]) {
      expect(() => decodePng(pngOf({ ...of, raw }))).toThrow(/too few pixels, or a filter/);
    }
  });
});

describe('every colour type becomes 8-bit RGBA', () => {
  const one = { width: 2, height: 1 };
  const transparent = (...values: number[]) =>
    chunk('tRNS', Uint8Array.from(values.flatMap((v) => [v >> 8, v & 255])));
  const cases: readonly [string, Uint8Array, readonly number[]][] = [
    [
      'grey',
      pngOf({ ...one, depth: 8, type: 0, raw: Uint8Array.of(0, 10, 20) }),
      [10, 10, 10, 255, 20, 20, 20, 255],
    ],
    [
      'grey, 1 bit',
      pngOf({ ...one, depth: 1, type: 0, raw: Uint8Array.of(0, 0b01000000) }),
      [0, 0, 0, 255, 255, 255, 255, 255],
    ],
    [
      'grey, 4 bits',
      pngOf({ ...one, depth: 4, type: 0, raw: Uint8Array.of(0, 0x1f) }),
      [17, 17, 17, 255, 255, 255, 255, 255],
    ],
    [
      'grey, 16 bits',
      pngOf({ ...one, depth: 16, type: 0, raw: Uint8Array.of(0, 255, 255, 1, 1) }),
      [255, 255, 255, 255, 1, 1, 1, 255],
    ],
    [
      'grey with a clear value',
      pngOf({ ...one, depth: 8, type: 0, raw: Uint8Array.of(0, 10, 20) }, transparent(20)),
      [10, 10, 10, 255, 20, 20, 20, 0],
    ],
    [
      'grey and alpha',
      pngOf({ ...one, depth: 8, type: 4, raw: Uint8Array.of(0, 10, 1, 20, 2) }),
      [10, 10, 10, 1, 20, 20, 20, 2],
    ],
    [
      'colour',
      pngOf({ ...one, depth: 8, type: 2, raw: Uint8Array.of(0, 1, 2, 3, 4, 5, 6) }),
      [1, 2, 3, 255, 4, 5, 6, 255],
    ],
    [
      'colour with a clear value',
      pngOf(
        { ...one, depth: 8, type: 2, raw: Uint8Array.of(0, 1, 2, 3, 4, 5, 6) },
        transparent(1, 2, 3),
      ),
      [1, 2, 3, 0, 4, 5, 6, 255],
    ],
    [
      'colour with a suggested palette',
      pngOf(
        { ...one, depth: 8, type: 2, raw: Uint8Array.of(0, 1, 2, 3, 4, 5, 6) },
        chunk('PLTE', Uint8Array.of(9, 9, 9)),
      ),
      [1, 2, 3, 255, 4, 5, 6, 255],
    ],
    [
      'palette',
      pngOf(
        { ...one, depth: 8, type: 3, raw: Uint8Array.of(0, 1, 0) },
        chunk('PLTE', Uint8Array.of(1, 2, 3, 4, 5, 6)),
      ),
      [4, 5, 6, 255, 1, 2, 3, 255],
    ],
    [
      'palette with alpha, 2 bits',
      pngOf(
        { ...one, depth: 2, type: 3, raw: Uint8Array.of(0, 0b01000000) },
        chunk('PLTE', Uint8Array.of(1, 2, 3, 4, 5, 6)),
        chunk('tRNS', Uint8Array.of(7)),
      ),
      [4, 5, 6, 255, 1, 2, 3, 7],
    ],
  ];
  for (const [name, bytes, expected] of cases) {
    it(name, () => expect([...decodePng(bytes).data]).toEqual(expected));
  }
});

function messageOf(bytes: Uint8Array): string {
  try {
    decodePng(bytes, 'p.png', { maxPixels: 1000 });
  } catch (e) {
    if (isTenonError(e) && e.code === 'format') return e.message;
    throw e;
  }
  return 'accepted';
}

describe('hostile pictures are refused with the reason', () => {
  const good = { width: 1, height: 1, depth: 8, type: 0, raw: Uint8Array.of(0, 7) };
  const cut = pngOf(good).slice(0, -4);
  const flipped = pngOf(good);
  flipped[20]! ^= 1;
  const cases: readonly [string, Uint8Array, RegExp][] = [
    ['no PNG', Uint8Array.of(1, 2, 3), /does not start as one/],
    ['cut short', cut, /ends too early/],
    ['a flipped bit', flipped, /checksum of chunk "IHDR"/],
    ['no pixels', pngOf({ ...good, width: 0 }), /no pixels/],
    [
      'too many pixels',
      pngOf({ ...good, width: 100, height: 11 }),
      /100x11 is more than 1000 pixels/,
    ],
    [
      'a size near 2^64 pixels',
      pngOf({ ...good, width: 2 ** 32 - 1, height: 2 ** 32 - 1 }),
      /more than 1000/,
    ],
    [
      'data that unpacks to megabytes',
      pngOf({ ...good, raw: new Uint8Array(1 << 22) }),
      /more than its pixels/,
    ],
    ['too little data', pngOf({ ...good, height: 3 }), /too few pixels/],
    ['an unknown colour type', pngOf({ ...good, type: 5 }), /colour type 5/],
    ['a palette without colours', pngOf({ ...good, type: 3 }), /usable PNG/],
    [
      'an index past the palette',
      pngOf({ ...good, type: 3 }, chunk('PLTE', Uint8Array.of(1, 2, 3))),
      /usable PNG/,
    ],
    ['a second header', pngOf(good, chunk('IHDR', new Uint8Array(13))), /two headers/],
  ];
  for (const [name, bytes, message] of cases) {
    it(name, () => expect(messageOf(bytes)).toMatch(message));
  }

  it('a compressed profile is never unpacked', () => {
    const bomb = Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(1 << 24))]);
    expect(messageOf(pngOf(good, chunk('iCCP', bomb)))).toBe('accepted');
  });

  it('fuzz: chunks with any contents and right checksums give a picture or a typed error', () => {
    const type = fc.constantFrom('PLTE', 'tRNS', 'IDAT', 'gAMA', 'iCCP', 'tEXt');
    const extra = fc.array(fc.tuple(type, fc.uint8Array({ maxLength: 12 })), { maxLength: 3 });
    const made = fc.record({
      width: fc.nat({ max: 5 }),
      height: fc.nat({ max: 5 }),
      depth: fc.constantFrom(1, 2, 4, 8, 16, 3),
      type: fc.nat({ max: 6 }),
      raw: fc.uint8Array({ maxLength: 60 }),
    });
    fc.assert(
      fc.property(made, extra, (m, chunks) => {
        messageOf(pngOf(m, ...chunks.map(([t, body]) => chunk(t, body))));
      }),
      { numRuns: 500 },
    );
  });
});

it('refuses to write a picture whose size does not match its bytes', () => {
  expect(() => encodePng({ width: 2, height: 2, data: new Uint8Array(15) })).toThrow(/15 bytes/);
});
