/**
 * From the trees a host gives to the leaves a function has. Nested records, arrays of records,
 * stacked leaves and flat state-dict names all become one map of dotted names; each leaf then finds
 * itself whole or item by item.
 *
 * Invariant: nothing that was given is ignored: a name that fits no leaf is an error, and all such
 * names are listed at once.
 */
import { TenonError } from '../errors.ts';
import { matchItem, type SymbolicLeaf, stackedName } from './leaves.ts';
import {
  type Inputs,
  isLazy,
  isNested,
  isShaped,
  isTypedArray,
  type LeafInput,
  type Tree,
} from './tensor.ts';

/** Dotted name -> value. @throws TenonError (`input`) for values that are no tree. */
export function flatten(inputs: Inputs): Map<string, LeafInput> {
  const out = new Map<string, LeafInput>();
  const put = (name: string, v: LeafInput): void => {
    if (out.has(name)) {
      throw new TenonError('input', `${name} is given twice`, { place: { leaf: name } });
    }
    out.set(name, v);
  };
  const walk = (name: string, v: Tree): void => {
    const under = (label: string): string => (name === '' ? label : `${name}.${label}`);
    if (typeof v === 'number' || typeof v === 'boolean' || typeof v === 'bigint') put(name, v);
    else if (isTypedArray(v) || isShaped(v) || isLazy(v) || isNested(v)) put(name, v);
    else if (v instanceof Map) for (const [k, x] of v) walk(under(String(k)), x);
    else if (Array.isArray(v)) for (const [i, x] of v.entries()) walk(under(String(i)), x);
    else if (isPlainRecord(v)) for (const [k, x] of Object.entries(v)) walk(under(k), x);
    else {
      const what = v === null ? 'null' : typeof v === 'object' ? 'an object of a class' : typeof v;
      throw new TenonError('input', `${name || 'the inputs'} should be data and is ${what}`, {
        hint: 'Give numbers, typed arrays, {shape, data}, records of these, or a Map of them.',
        ...(name === '' ? {} : { place: { leaf: name } }),
      });
    }
  };
  walk('', inputs as Tree);
  return out;
}

function isPlainRecord(v: unknown): v is Record<string, Tree> {
  if (typeof v !== 'object' || v === null) return false;
  const proto = Object.getPrototypeOf(v);
  return proto === null || proto === Object.prototype;
}

/** How one leaf was given. */
export type Given =
  | { readonly k: 'whole'; readonly value: LeafInput }
  | { readonly k: 'items'; readonly items: readonly { at: readonly number[]; value: LeafInput }[] };

export type Param = {
  readonly name: string;
  readonly leaves: readonly SymbolicLeaf[];
};

/** Per parameter, per leaf; undefined where nothing was given. */
export type Gathered = ReadonlyMap<string, readonly (Given | undefined)[]>;

/** @throws TenonError (`input`) that lists every name which fits no leaf. */
export function gather(params: readonly Param[], flat: ReadonlyMap<string, LeafInput>): Gathered {
  const left = new Map([...flat].map(([name, value]) => [name, { value, parts: name.split('.') }]));
  const out = new Map<string, (Given | undefined)[]>();
  for (const p of params) {
    const candidates = [...left].filter(([, g]) => g.parts[0] === p.name);
    out.set(
      p.name,
      p.leaves.map((leaf) => {
        const whole = left.get(stackedName(p.name, leaf.path));
        if (leaf.path.some((s) => typeof s !== 'string')) {
          const items: { at: number[]; value: LeafInput }[] = [];
          for (const [name, g] of candidates) {
            const at = left.has(name) ? matchItem(p.name, leaf.path, g.parts) : undefined;
            if (at === undefined) continue;
            items.push({ at, value: g.value });
            left.delete(name);
          }
          if (items.length > 0) return { k: 'items', items };
        }
        if (whole === undefined) return undefined;
        left.delete(stackedName(p.name, leaf.path));
        return { k: 'whole', value: whole.value };
      }),
    );
  }
  if (left.size > 0) throw extra([...left.keys()], params);
  return out;
}

function extra(names: readonly string[], params: readonly Param[]): TenonError {
  const known = new Set(params.map((p) => p.name));
  const unknown = names.find((n) => !known.has(n.split('.')[0]!));
  const list = listed(names);
  const bare = params.find(
    (p) => p.leaves[0]?.path.length === 0 && names[0]!.startsWith(`${p.name}.`),
  );
  const hint =
    bare !== undefined
      ? `${bare.name} is a single value, not a record.`
      : unknown === undefined
        ? `Its leaves are ${listed(params.filter((p) => names.some((n) => n === p.name || n.startsWith(`${p.name}.`))).flatMap((p) => p.leaves.map((l) => stackedName(p.name, l.path))))}.`
        : `The parameters are ${params.map((p) => p.name).join(', ') || 'none'}.`;
  return new TenonError(
    'input',
    names.length === 1
      ? `${list} is given but is no leaf of a parameter`
      : `no parameter has the leaves ${list}`,
    { hint, place: { leaf: names[0]! } },
  );
}

/** Up to a dozen names, then a count. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

/**
 * Names of leaves that nothing was given for, of the parameters in `present`; a large parameter that
 * is missing altogether is named as a whole.
 */
export function missingLeaves(
  params: readonly Param[],
  gathered: Gathered,
  present: ReadonlySet<string>,
): string[] {
  return params
    .filter((p) => present.has(p.name))
    .flatMap((p) => {
      const names = p.leaves.flatMap((leaf, i) =>
        gathered.get(p.name)?.[i] === undefined ? [stackedName(p.name, leaf.path)] : [],
      );
      return names.length > 4 && names.length === p.leaves.length
        ? [`${p.name} (${names.length} leaves: ${names[0]}, ...)`]
        : names;
    });
}
