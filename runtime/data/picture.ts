/**
 * One picture from a file to what a model takes: on white, averaged down, in [-1, 1]. Averaging is
 * over equal squares of the stored (gamma-encoded) values, as image-generation data sets do it; the
 * result depends on nothing but the pixels.
 */
import { TenonError } from '../errors.ts';
import type { RgbaImage } from '../io/png.ts';

/** [3, size, size] f32. Width and height must be equal multiples of `size`. */
export function toModelPicture(image: RgbaImage, size: number): Float32Array {
  const block = image.width / size;
  if (image.width !== image.height || !Number.isInteger(block)) {
    throw new TenonError(
      'format',
      `a ${image.width}x${image.height} picture cannot be averaged to ${size}x${size}`,
    );
  }
  const out = new Float32Array(3 * size * size);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        out[(c * size + y) * size + x] = blockMean(image, c, y * block, x * block, block);
      }
    }
  }
  return out;
}

/** Mean over one square of channel `c` on white, scaled to [-1, 1]. Sums are exact integers. */
function blockMean(image: RgbaImage, c: number, y0: number, x0: number, block: number): number {
  const { data, width } = image;
  let sum = 0;
  for (let y = y0; y < y0 + block; y++) {
    for (let x = x0; x < x0 + block; x++) {
      const p = (y * width + x) * 4;
      const alpha = data[p + 3]!;
      sum += data[p + c]! * alpha + 255 * (255 - alpha);
    }
  }
  return (2 * sum) / (255 * 255 * block * block) - 1;
}
