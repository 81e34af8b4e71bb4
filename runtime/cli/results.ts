/** Results for people. */
import type { Tensor } from '../index.ts';

export type Summary = {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  /** How many elements are NaN or infinite, when there are any. */
  readonly notFinite?: number;
  /** All of them, of a small tensor. */
  readonly values?: readonly (number | string)[];
  readonly text: string;
};

const smallEnough = 16;
const listedInJson = 4096;

export function summary(name: string, { dtype, shape, data }: Tensor): Summary {
  const base = { name, dtype, shape };
  if (data.length === 0) return { ...base, values: [], text: 'empty' };
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let notFinite = 0;
  for (const v of data) {
    if (!Number.isFinite(v)) notFinite++;
    else {
      min = Math.min(min, v);
      max = Math.max(max, v);
      sum += v;
    }
  }
  const finite = data.length - notFinite;
  const stats = finite === 0 ? {} : { min, max, mean: sum / finite };
  // JSON has no NaN: those values are written as words.
  const values =
    data.length > listedInJson
      ? {}
      : { values: Array.from(data, (v) => (Number.isFinite(v) ? v : String(v))) };
  const bad = notFinite === 0 ? '' : `  ${notFinite} not finite`;
  const text =
    data.length <= smallEnough
      ? Array.from(data, (v) => show(v, dtype)).join(' ')
      : `min ${show(min)}  max ${show(max)}  mean ${show(sum / finite)}${bad}`;
  return { ...base, ...stats, ...(notFinite === 0 ? {} : { notFinite }), ...values, text };
}

function show(v: number, dtype: Tensor['dtype'] = 'f32'): string {
  if (dtype === 'bool') return v === 0 ? 'false' : 'true';
  return Number.isInteger(v) ? String(v) : String(Number(v.toPrecision(7)));
}
