/**
 * Random draws of the exact interpreter: Threefry-2x32 of twenty rounds (Salmon et al. 2011), written
 * from the paper, numbered by counters of more than 32 bits.
 *
 * Invariant: the counter's low 32 bits are the first word; the second is what is drawn for (0 a draw,
 * 1 a split) and twice the rest of the counter.
 */
import type { Key } from './value.ts';

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
const parity = 0x1bd11bda;

export function threefry([k0, k1]: Key, [c0, c1]: Key): Key {
  const schedule = [k0, k1, parity ^ k0 ^ k1];
  let [x, y] = [(c0 + k0) | 0, (c1 + k1) | 0];
  for (let group = 0; group < 5; group++) {
    for (let round = 0; round < 4; round++) {
      const by = rotations[(4 * group + round) % 8]!;
      x = (x + y) | 0;
      y = ((y << by) | (y >>> (32 - by))) ^ x;
    }
    x = (x + schedule[(group + 1) % 3]!) | 0;
    y = (y + schedule[(group + 2) % 3]! + group + 1) | 0;
  }
  return [x >>> 0, y >>> 0];
}

const word = (x: bigint): number => Number(BigInt.asUintN(32, x));

const numbered = (key: Key, counter: bigint, domain: bigint): Key =>
  threefry(key, [word(counter), word(domain + 2n * (counter >> 32n))]);

export const drawnWords = (key: Key, counter: bigint): Key => numbered(key, counter, 0n);
export const splitKey = (key: Key, counter: bigint): Key => numbered(key, counter, 1n);

const ulp = 2 ** -24;

/** The top 24 bits of the first word, in [0, 1). */
export const uniform = (key: Key, counter: bigint): number =>
  (drawnWords(key, counter)[0] >>> 8) * ulp;

/** Box and Muller 1958, with the first number in (0, 1]. */
export function normal(key: Key, counter: bigint): number {
  const [a, b] = drawnWords(key, counter).map((w) => w >>> 8) as [number, number];
  return Math.sqrt(-2 * Math.log((a + 1) * ulp)) * Math.cos(2 * Math.PI * b * ulp);
}

/**
 * A whole number below `size`. How the bits become one is the language's own affair: what a program
 * gives must not depend on it, so each trial draws in its own way; the ends, the middle and any.
 */
export type Below = (key: Key, counter: bigint, size: bigint) => bigint;

const mixed =
  (salt: number): Below =>
  (key, counter, size) =>
    BigInt(drawnWords([key[0] ^ salt, key[1]], counter)[1]) % size;

export const trials: readonly Below[] = [
  mixed(0),
  () => 0n,
  (_key, _counter, size) => size - 1n,
  (_key, _counter, size) => size / 2n,
  // So many that they agree by chance in no campaign.
  ...Array.from({ length: 16 }, (_, n) => mixed(n + 1)),
];
