/**
 * Peers that write x W, and not W x, hold their weights [in, out]. They are given them so, and their
 * gradients are turned back before they are compared; neither is part of any time.
 */
import { fill, type Input } from './fill.ts';

export function transpose(x: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[j * rows + i] = x[i * columns + j]!;
  return out;
}

const isWeight = (i: Input): boolean => i.name.startsWith('p.') && i.shape.length === 2;

/** The data and shape of an input as these peers hold it. */
export function inOut(i: Input): {
  readonly data: Float32Array;
  readonly shape: readonly number[];
} {
  const data = fill(i);
  if (!isWeight(i)) return { data, shape: i.shape };
  const [O, I] = i.shape as [number, number];
  return { data: transpose(data, O, I), shape: [I, O] };
}

/** A gradient by such an input, in the program's layout. */
export function outIn(i: Input, gradient: Float32Array): Float32Array {
  if (!isWeight(i)) return gradient;
  const [O, I] = i.shape as [number, number];
  return transpose(gradient, I, O);
}
