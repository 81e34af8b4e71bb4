/**
 * The numbers that every peer is given: a hash of the index, so that JavaScript and Python make the
 * same bits without a file between them (peers/pytorch.py has the same five lines).
 *
 * The hash is the finaliser of MurmurHash3 (Austin Appleby, public domain).
 */

export type Input = {
  /** The leaf's name in the program: `x`, `p.attn.qkv.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly seed: number;
  /** Uniform in [mid - spread/2, mid + spread/2); with `below`, whole numbers under it. */
  readonly spread: number;
  readonly mid: number;
  readonly below?: number;
};

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const fill = (input: Input): Float32Array =>
  fillPart(input, 0, new Float32Array(sizeOf(input.shape)));

/** As many elements from `from` on as `out` has. */
export function fillPart(input: Input, from: number, out: Float32Array): Float32Array {
  const start = Math.imul(input.seed, 0x9e3779b9) + from;
  for (let i = 0; i < out.length; i++) {
    let h = (i + start) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    const unit = (h >>> 8) / 2 ** 24;
    out[i] =
      input.below === undefined
        ? input.mid + input.spread * (unit - 0.5)
        : Math.floor(unit * input.below);
  }
  return out;
}
