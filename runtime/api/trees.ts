/**
 * From the leaves a function has to the trees a host reads: the inverse of gather.ts. Results are
 * nested records with arrays of records stacked; `stateDict` gives them item by item under the names
 * that a PyTorch state dict has.
 */
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import type { HostArray } from '../devices/device.ts';
import { itemName, overExtents, positions } from './leaves.ts';
import { type Dtype, elements, type Tensor, type Value } from './tensor.ts';

const dtypes: Record<LeafSpec['scalar'], Dtype> = {
  f32: 'f32',
  i32: 'i32',
  u32: 'u32',
  bool: 'bool',
  idx: 'i32',
  key: 'u32',
};

export type Leaf = { readonly spec: LeafSpec; readonly data: HostArray };

export const tensorOf = ({ spec, data }: Leaf): Tensor => ({
  dtype: dtypes[spec.scalar],
  shape: spec.shape,
  data,
});

/** The tree of some leaves whose first `from` labels are left out. */
export function unflatten(leaves: readonly Leaf[], from = 0): Value {
  const root: { [label: string]: Value } = {};
  for (const leaf of leaves) {
    const labels = leaf.spec.path.filter((s) => typeof s === 'string').slice(from);
    const value = leafValue(leaf);
    if (labels.length === 0) return value;
    let at = root;
    for (const label of labels.slice(0, -1)) {
      if (!Object.hasOwn(at, label)) define(at, label, {});
      at = at[label] as { [label: string]: Value };
    }
    define(at, labels.at(-1)!, value);
  }
  return root;
}

/** Labels are the user's, and may be named `__proto__`. */
function define(at: { [label: string]: Value }, label: string, value: Value): void {
  Object.defineProperty(at, label, { value, enumerable: true, writable: true, configurable: true });
}

function leafValue(leaf: Leaf): Value {
  if (leaf.spec.shape.length > 0) return tensorOf(leaf);
  const v = leaf.data[0]!;
  return leaf.spec.scalar === 'bool' ? v !== 0 : v;
}

/** Dotted names of single items -> tensors; the data are views of the stacked arrays. */
export function stateDict(leaves: readonly Leaf[], head = ''): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  for (const { spec, data } of leaves) {
    const extents = overExtents(spec.path);
    const shape = spec.shape.slice(extents.length);
    const size = elements(shape);
    let k = 0;
    for (const at of positions(extents)) {
      out.set(itemName(head, spec.path, at), {
        dtype: dtypes[spec.scalar],
        shape,
        data: data.subarray(k * size, ++k * size),
      });
    }
  }
  return out;
}
