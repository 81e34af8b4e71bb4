/**
 * A value as the type that is written for it: where an integer is stored it is one of 32 bits, where an
 * index is needed it is one, where a shape is declared it has it.
 *
 * Invariant: what conforms has the labels and the `fixed` marks of its type. Of the rows of an empty
 * tensor nothing is known, and nothing is asked.
 */
import { type Sizes, sizeAt } from './exact-sizes.ts';
import { Outside } from './outside.ts';
import { printSize, printType } from './print.ts';
import type { Size, Type } from './tree.ts';
import { bad, stored, tensor, type Value } from './value.ts';

export function conform(v: Value, t: Type, sizes: Sizes, where: string): Value {
  const misfit = (): never => bad(`${v.k} for ${printType(t)} in ${where}`);
  switch (t.k) {
    case 'var':
      return v.k === 'int' ? stored(v) : v;
    case 'scalar': {
      if (v.k === 'int') return v.t === t.of ? stored(v) : misfit();
      const kinds = { f32: 'real', i32: 'int', u32: 'int', bool: 'bool', key: 'key' } as const;
      return v.k === kinds[t.of] ? v : misfit();
    }
    case 'idx':
      return v.k === 'int' ? indexBelow(v.x, t.size, sizes, where) : misfit();
    case 'tensor':
      return rows(
        v,
        t.dims.map((d) => ({ d, n: sizeAt(d, sizes, where) })),
        (x) => conform(x, t.of, sizes, where),
        where,
      );
    case 'record': {
      if (v.k !== 'record') return misfit();
      const fields = t.fields.map(({ label, type, fixed }) => {
        const of = v.fields.get(label)?.value ?? misfit();
        return [label, { value: conform(of, type, sizes, where), fixed }] as const;
      });
      return { k: 'record', fields: new Map(fields) };
    }
    case 'fn': {
      if (v.k !== 'fn') return misfit();
      const { call } = v;
      return {
        k: 'fn',
        call: (args) => {
          const given = args.map((a, i) => argument(a, t.params[i]!, sizes, where));
          return argument(call(given), t.result, sizes, where);
        },
      };
    }
  }
}

/** An integer passes through a function value as what it is over the whole numbers. */
const argument = (v: Value, t: Type, sizes: Sizes, where: string): Value =>
  t.k === 'scalar' && v.k === 'int' ? v : conform(v, t, sizes, where);

function indexBelow(x: bigint, size: Size, sizes: Sizes, where: string): Value {
  const below = sizeAt(size, sizes, where);
  if (x < 0n || x >= below) {
    throw new Outside('idx', `${x} for an idx[${printSize(size)}] with ${below}`, where);
  }
  return { k: 'int', t: 'i32', x, w: x };
}

/** What a value says of the size `name`, which stands alone in its type. */
export function extentIn(v: Value | undefined, t: Type, name: string): bigint | undefined {
  if (v?.k === 'tensor' && t.k === 'tensor') return extentOfRows(v, t.dims, t.of, name);
  if (v?.k !== 'record' || t.k !== 'record') return undefined;
  const own = t.fields.map((f) => extentIn(v.fields.get(f.label)?.value, f.type, name));
  return own.find((n) => n !== undefined);
}

function extentOfRows(
  v: Value | undefined,
  dims: readonly Size[],
  of: Type,
  name: string,
): bigint | undefined {
  const [first, ...rest] = dims;
  if (first === undefined) return extentIn(v, of, name);
  if (v?.k !== 'tensor') return undefined;
  if (first.k === 'name' && first.name === name) return BigInt(v.items.length);
  return extentOfRows(v.items[0], rest, of, name);
}

type Dim = { readonly d: Size; readonly n: bigint };

function rows(v: Value, dims: readonly Dim[], item: (v: Value) => Value, where: string): Value {
  const [first, ...rest] = dims;
  if (first === undefined) return item(v);
  if (v.k !== 'tensor') return bad(`${v.k} for a tensor in ${where}`);
  const { d, n } = first;
  if (BigInt(v.items.length) !== n) {
    const what = `${v.items.length} elements for the dimension ${printSize(d)} = ${n}`;
    throw new Outside('shape', what, where);
  }
  return tensor(v.items.map((x) => rows(x, rest, item, where)));
}
