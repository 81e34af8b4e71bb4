/**
 * What goes into a program and what comes out of it, as the host sees it: tensors by value, in trees
 * of records. Input is liberal (plain numbers, nested arrays, any typed array of the right kind),
 * output has one form.
 *
 * Invariant: a `Tensor` is row-major and `data.length` is the product of `shape`.
 */
import type { Stored as Dtype } from '../../compiler/core.ts';
import type { HostArray } from '../devices/device.ts';

export type { Dtype, HostArray };

/** f32 -> Float32Array (Float64Array from the reference), i32 and bool -> Int32Array, u32 -> Uint32Array. */
export type Tensor = {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: HostArray;
};

/** A result: a scalar as a number or boolean, a tensor, or a record of these. Arrays of records come stacked. */
export type Value = number | boolean | Tensor | { readonly [label: string]: Value };

export type AnyArray =
  | HostArray
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | BigInt64Array
  | BigUint64Array;

export type Nested = readonly (number | boolean | bigint | Nested)[];

/**
 * One leaf as given. A typed array without a shape is taken row-major; a key may be one integer, its
 * seed; a number or nested array fits every dtype that can hold its values.
 */
export type LeafInput =
  | number
  | boolean
  | bigint
  | AnyArray
  | { readonly shape: readonly number[]; readonly data: AnyArray }
  | LazyLeaf
  | Nested;

/** A leaf that is read only when it is written to the device: a large checkpoint, tensor by tensor. */
export type LazyLeaf = {
  readonly shape: readonly number[];
  read(): AnyArray;
  /**
   * Its elements `from` to `to` (exclusive), row-major. Where there is this, it is used instead of
   * `read`, and a leaf of any size passes through little memory: an array that was given is done with
   * when the next part is asked for, so all parts, of all leaves, may be in one.
   */
  part?(from: number, to: number): AnyArray;
};

/**
 * Inputs by parameter: nested records; arrays for arrays of records (or one stacked leaf in their
 * place); a Map at any level holds leaves by dotted path, such as a state dict.
 */
export type Tree =
  | LeafInput
  | { readonly [label: string]: Tree }
  | readonly Tree[]
  | ReadonlyMap<string, LeafInput>;

export type Inputs = { readonly [parameter: string]: Tree } | ReadonlyMap<string, Tree>;

export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const showShape = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

export function isShaped(
  v: unknown,
): v is { readonly shape: readonly number[]; readonly data: AnyArray } {
  if (typeof v !== 'object' || v === null || !('shape' in v) || !('data' in v)) return false;
  return Array.isArray(v.shape) && isTypedArray(v.data);
}

export function isLazy(v: unknown): v is LazyLeaf {
  if (typeof v !== 'object' || v === null || !('shape' in v) || !('read' in v)) return false;
  return Array.isArray(v.shape) && typeof v.read === 'function';
}

export function isTypedArray(v: unknown): v is AnyArray {
  return ArrayBuffer.isView(v) && !(v instanceof DataView);
}

/** An array of numbers, or of such arrays: data, not an array of records. */
export function isNested(v: unknown): v is Nested {
  if (!Array.isArray(v)) return false;
  return v.every((x) => ['number', 'boolean', 'bigint'].includes(typeof x) || isNested(x));
}
