/**
 * The leaves of a type: where each tensor of a parameter or result sits in its tree, and under which
 * names a host may give it. Sizes stay symbolic here, because the host infers them from leaves.
 *
 * Invariant: leaves come in the order elaboration gives them (fields in the order of the type), so
 * that leaf i of a parameter is input slot base + i of the core program.
 */
import type { LeafSpec, PathStep } from '../../compiler/elaborate/interface.ts';
import type { Size, Type } from '../../dsl/typed.ts';
import { TenonError } from '../errors.ts';

export type SymbolicStep = string | { readonly over: Size };

export type SymbolicLeaf = {
  readonly path: readonly SymbolicStep[];
  /** Extents of the stored array, stacked ones first; a key has a last extent of 2. */
  readonly dims: readonly Size[];
  readonly scalar: LeafSpec['scalar'];
  readonly bound?: Size;
  readonly fixed: boolean;
};

const two: Size = [{ c: 2, v: [] }];

/** @throws TenonError (`usage`) for a type that holds functions: no host can give one. */
export function leavesOf(type: Type, what: string): SymbolicLeaf[] {
  const out: SymbolicLeaf[] = [];
  const walk = (
    t: Type,
    path: readonly SymbolicStep[],
    dims: readonly Size[],
    fixed: boolean,
  ): void => {
    switch (t.k) {
      case 'scalar':
        out.push({ path, dims: t.s === 'key' ? [...dims, two] : dims, scalar: t.s, fixed });
        return;
      case 'idx':
        out.push({ path, dims, scalar: 'idx', bound: t.size, fixed });
        return;
      case 'tensor': {
        const own = t.dims.map((d) => d.size);
        const steps = t.elem.k === 'record' ? own.map((over) => ({ over })) : [];
        walk(t.elem, [...path, ...steps], [...dims, ...own], fixed);
        return;
      }
      case 'record':
        for (const f of t.fields) walk(f.type, [...path, f.label], dims, fixed || f.fixed);
        return;
      case 'fn':
      case 'var':
        throw new TenonError(
          'usage',
          `${what} is ${t.k === 'fn' ? 'a function' : `of any type (${t.name})`}; a host can only call functions whose parameters and results are data`,
          { hint: 'Write a function that names what it passes, and call that.' },
        );
      default:
        t satisfies never;
    }
  };
  walk(type, [], [], false);
  return out;
}

type AnyStep = SymbolicStep | PathStep;
const isLabel = (s: AnyStep): s is string => typeof s === 'string';

/** `p.blocks.attn.weight`: the name of the stored array, items of arrays of records stacked. */
export function stackedName(head: string, path: readonly AnyStep[]): string {
  return [head, ...path.filter(isLabel)].filter((s) => s !== '').join('.');
}

/** `p.blocks.3.attn.weight`: the name of one item, as in a state dict. */
export function itemName(head: string, path: readonly AnyStep[], at: readonly number[]): string {
  let k = 0;
  return [head, ...path.map((s) => (isLabel(s) ? s : String(at[k++])))]
    .filter((s) => s !== '')
    .join('.');
}

/** Every item position of a leaf, row-major; one empty position when it is not stacked. */
export function* positions(extents: readonly number[]): Generator<number[]> {
  const [n, ...rest] = extents;
  if (n === undefined) {
    yield [];
    return;
  }
  for (let i = 0; i < n; i++) for (const p of positions(rest)) yield [i, ...p];
}

export const overExtents = (path: readonly PathStep[]): number[] =>
  path.filter((s): s is { over: number } => !isLabel(s)).map((s) => s.over);

/** The item position that `name` gives of this leaf, or undefined when it is not an item of it. */
export function matchItem(
  head: string,
  path: readonly AnyStep[],
  name: readonly string[],
): number[] | undefined {
  const at: number[] = [];
  const whole: readonly AnyStep[] = head === '' ? path : [head, ...path];
  if (whole.length !== name.length) return undefined;
  for (const [i, step] of whole.entries()) {
    const part = name[i]!;
    if (isLabel(step)) {
      if (step !== part) return undefined;
    } else if (/^(0|[1-9]\d{0,8})$/.test(part)) at.push(Number(part));
    else return undefined;
  }
  return at;
}
