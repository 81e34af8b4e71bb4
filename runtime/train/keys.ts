/**
 * Random keys of a run: every use has its own stream, and every step of a stream its own key, which
 * follows from the seed and the step alone. So a run that resumes draws what it would have drawn.
 *
 * Invariant: different (stream, n) give different keys; n is below 2^24.
 */

const streams = {
  encoderInit: 0,
  encoderStep: 1,
  init: 2,
  step: 3,
  heldOut: 4,
  sample: 5,
  grid: 6,
} as const;

export type Stream = keyof typeof streams;

export function keyOf(seed: number, stream: Stream, n = 0): Uint32Array {
  return Uint32Array.of(streams[stream] * 2 ** 24 + n, seed);
}
