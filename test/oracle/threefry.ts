/** Threefry-2x32 of twenty rounds, written from the paper (Salmon et al. 2011) and not from the compiler. */

type Words = readonly [number, number];

export function threefry([k0, k1]: Words, [c0, c1]: Words): Words {
  const keys = [k0, k1, 0x1bd11bda ^ k0 ^ k1];
  const turns = [13, 15, 26, 6, 17, 29, 16, 24];
  let [x, y] = [(c0 + k0) | 0, (c1 + k1) | 0];
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0;
    const by = turns[round % 8]!;
    y = ((y << by) | (y >>> (32 - by))) ^ x;
    if (round % 4 !== 3) continue;
    const n = (round + 1) / 4;
    x = (x + keys[n % 3]!) | 0;
    y = (y + keys[(n + 1) % 3]! + n) | 0;
  }
  return [x >>> 0, y >>> 0];
}

/** What a draw and a split count in: the second counter word. */
const [DRAW, SPLIT] = [0, 1];
const ulp = 2 ** -24;

export const drawn = (key: Words, n: number): Words => threefry(key, [n, DRAW]);
export const split = (key: Words, n: number): Words => threefry(key, [n, SPLIT]);

/** The top 24 bits of the first word, in [0, 1). */
export const uniform = (key: Words, n: number): number => (drawn(key, n)[0] >>> 8) * ulp;

/** Box & Muller 1958, with the first number in (0, 1]. */
export function normal(key: Words, n: number): number {
  const [a, b] = drawn(key, n).map((word) => word >>> 8) as [number, number];
  return Math.sqrt(-2 * Math.log((a + 1) * ulp)) * Math.cos(2 * Math.PI * b * ulp);
}
