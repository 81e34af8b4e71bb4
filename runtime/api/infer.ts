/**
 * Sizes from the shapes of what was given. Every given leaf yields one equation per dimension
 * between a size polynomial and a number, and so does every fact `A == B` of the function; equations
 * with one unknown left are solved until nothing moves. Products of two unknowns are never guessed (language.md, decision 2).
 *
 * Invariant: a solved size remembers the leaf it came from, so that a contradiction can name both.
 */
import { evaluate, mul, num, ONE, print, sub, variable } from '../../dsl/size.ts';
import type { Size, TFn } from '../../dsl/typed.ts';
import { TenonError } from '../errors.ts';
import type { Gathered, Given, Param } from './gather.ts';
import { type SymbolicLeaf, stackedName } from './leaves.ts';
import {
  isLazy,
  isShaped,
  isTypedArray,
  type LeafInput,
  type Nested,
  showShape,
} from './tensor.ts';

const showSize = (s: Size): string => print(s);
const showDims = (dims: readonly Size[]): string => showShape(dims.map(showSize));

export type SizeParam = { readonly name: string; readonly init?: Size };

/** `size` must equal `value`; `why` says where that comes from, in the user's names. */
type Equation = {
  readonly size: Size;
  readonly value: number;
  readonly why: string;
  readonly leaf: string;
  /** The whole shape the number is from, and what it should be. */
  readonly shape?: readonly number[];
  readonly dims?: readonly Size[];
};
type Known = { readonly value: number; readonly why: string };

/**
 * Numbers for every size parameter.
 * @throws TenonError (`input`) when two leaves contradict each other, or a leaf a given size;
 * (`usage`) when a size cannot be inferred, listing what it appears in.
 */
export function inferSizes(
  sizes: readonly SizeParam[],
  { derived, facts }: Pick<TFn, 'derived' | 'facts'>,
  params: readonly Param[],
  gathered: Gathered,
  given: Readonly<Record<string, number>>,
): Map<string, number> {
  const known = new Map<string, Known>();
  for (const [name, value] of Object.entries(given)) {
    if (!sizes.some((s) => s.name === name)) {
      throw new TenonError('usage', `the function has no size ${name}`, {
        hint: `Its sizes are ${sizes.map((s) => s.name).join(', ') || 'none'}.`,
      });
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new TenonError('usage', `size ${name} must be a whole number from 0, not ${value}`);
    }
    known.set(name, { value, why: `${name} = ${value} as given` });
  }
  const equations = params.flatMap((p) =>
    p.leaves.flatMap((leaf, i) => leafEquations(p.name, leaf, gathered.get(p.name)?.[i])),
  );
  // D = 2 * (D/2) + 0, whichever side is known first.
  const links = derived.map((d) => ({
    size: sub(d.of, mul(d.by ?? num(d.per), variable(d.name))),
    value: 0,
    why: `${d.name} follows from ${showSize(d.of)}`,
    leaf: '',
  }));
  // Whether a fact holds is asked when the function is specialised.
  const equal = facts.flatMap((f) =>
    f.op === '=='
      ? [{ size: sub(f.left, f.right), value: 0, why: `of \`${f.text}\``, leaf: '' }]
      : [],
  );
  const all = [...equations, ...links, ...equal];
  solve(all, known);
  for (const s of sizes) {
    if (known.has(s.name) || s.init === undefined) continue;
    const value = numberOf(s.init, known);
    if (value === undefined) continue;
    known.set(s.name, { value, why: `${s.name} = ${showSize(s.init)} by default` });
    solve(all, known);
  }
  const missing = sizes.filter((s) => !known.has(s.name));
  if (missing.length > 0) throw impossible(equations, known) ?? cannotInfer(missing, equations);
  for (const e of equations) {
    const got = numberOf(e.size, known);
    if (got !== e.value) throw contradiction(e, got, known);
  }
  return new Map(sizes.map((s) => [s.name, known.get(s.name)!.value]));
}

// ---------------------------------------------------------------- equations

/** The shape of what was given, or undefined for a flat array, which only has a length. */
export function shapeOf(v: LeafInput): readonly number[] | undefined {
  if (typeof v === 'number' || typeof v === 'boolean' || typeof v === 'bigint') return [];
  if (isShaped(v) || isLazy(v)) return v.shape;
  if (isTypedArray(v)) return undefined;
  const shape: number[] = [];
  for (let x: Nested[number] | undefined = v as Nested; Array.isArray(x); x = x[0])
    shape.push(x.length);
  return shape;
}

function leafEquations(param: string, leaf: SymbolicLeaf, given: Given | undefined): Equation[] {
  if (given === undefined) return [];
  const name = stackedName(param, leaf.path);
  if (given.k === 'whole') return valueEquations(name, leaf.dims, leaf, given.value);
  const overs = leaf.path
    .filter((s): s is { over: Size } => typeof s !== 'string')
    .map((s) => s.over);
  const counts = overs.map((over, d) => {
    const value = Math.max(...given.items.map((i) => i.at[d]!)) + 1;
    return { size: over, value, leaf: name, why: `${name} has ${value} items` };
  });
  const first = given.items[0]!;
  return [...counts, ...valueEquations(name, leaf.dims.slice(overs.length), leaf, first.value)];
}

function valueEquations(
  name: string,
  dims: readonly Size[],
  leaf: SymbolicLeaf,
  value: LeafInput,
): Equation[] {
  const shape = shapeOf(value);
  // A seed stands for a whole key.
  if (leaf.scalar === 'key' && shape?.length === 0) return [];
  if (shape === undefined) {
    const length = (value as { length: number }).length;
    const count = dims.reduce(mul, ONE);
    return [{ size: count, value: length, leaf: name, why: `${name} has ${length} elements` }];
  }
  if (shape.length !== dims.length) {
    throw new TenonError(
      'input',
      `${name} has shape ${showShape(shape)}, expected ${dims.length} dimensions ${showDims(dims)}`,
      { place: { leaf: name } },
    );
  }
  return dims.map((size, d) => ({
    size,
    value: shape[d]!,
    leaf: name,
    why: `${name} has shape ${showShape(shape)}, which should be ${showDims(dims)}`,
    shape,
    dims,
  }));
}

// ---------------------------------------------------------------- solving

function solve(equations: readonly Equation[], known: Map<string, Known>): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const e of equations) {
      const term = openTerm(e, known);
      const value = term && solution(term);
      if (term === undefined || value === undefined) continue;
      known.set(term.name, { value, why: e.why });
      moved = true;
    }
  }
}

type OpenTerm = {
  readonly name: string;
  readonly power: number;
  readonly factor: number;
  readonly rest: number;
};

/** The equation as factor * name^power = rest, when it has one unknown in one power. */
function openTerm(e: Equation, known: ReadonlyMap<string, Known>): OpenTerm | undefined {
  const isOpen = (name: string): boolean => !known.has(name);
  const closed = e.size.filter((m) => !m.v.some(isOpen));
  // What multiplies the unknown; a monomial that is 0 says nothing of it.
  const factors = e.size.flatMap(({ c, v }) => {
    const factor: Size = [{ c, v: v.filter((x) => !isOpen(x)) }];
    return v.some(isOpen) && numberOf(factor, known) !== 0
      ? [{ names: v.filter(isOpen), factor }]
      : [];
  });
  const [first] = factors;
  if (first === undefined) return undefined;
  const name = first.names[0]!;
  const power = first.names.length;
  const alike = factors.every(
    ({ names }) => names.length === power && names.every((n) => n === name),
  );
  const sum = (parts: readonly Size[]): number | undefined => numberOf(parts.flat(), known);
  const factor = alike ? sum(factors.map((f) => f.factor)) : undefined;
  const rest = sum([num(e.value), closed.map((m) => ({ ...m, c: -m.c }))]);
  if (factor === undefined || factor === 0 || rest === undefined) return undefined;
  return { name, power, factor, rest };
}

function solution({ power, factor, rest }: OpenTerm): number | undefined {
  const value = Math.round((rest / factor) ** (1 / power));
  const exact =
    Number.isSafeInteger(value) &&
    value >= 0 &&
    BigInt(factor) * BigInt(value) ** BigInt(power) === BigInt(rest);
  return exact ? value : undefined;
}

function numberOf(size: Size, known: ReadonlyMap<string, Known>): number | undefined {
  return evaluate(size, (name) => known.get(name)?.value);
}

// ---------------------------------------------------------------- errors

function contradiction(
  e: Equation,
  got: number | undefined,
  known: ReadonlyMap<string, Known>,
): TenonError {
  const sizes = [...new Set((e.dims ?? [e.size]).flatMap((d) => d.flatMap((m) => m.v)))];
  const reasons = new Set(
    [...new Set(e.size.flatMap((m) => m.v))]
      .filter((n) => known.has(n) && known.get(n)!.why !== e.why)
      .map((n) => `${n} = ${known.get(n)!.value} since ${known.get(n)!.why}`),
  );
  const expected =
    e.dims !== undefined && sizes.every((n) => known.has(n))
      ? `${showDims(e.dims)} = ${showShape(e.dims.map((d) => numberOf(d, known) ?? '?'))}`
      : undefined;
  const fault =
    expected !== undefined
      ? `${e.leaf} has shape ${showShape(e.shape!)}, expected ${expected}`
      : got === undefined
        ? `${e.why}, and no whole ${e.size.flatMap((m) => m.v).find((v) => !known.has(v))} makes ${showSize(e.size)} equal ${e.value}`
        : `${e.why}, and ${showSize(e.size)} is ${got}, not ${e.value}`;
  const message = reasons.size > 0 ? `${fault} (${[...reasons].join('; ')})` : fault;
  return new TenonError('input', message, { place: { leaf: e.leaf } });
}

/** An equation with one unknown that no whole number solves. */
function impossible(
  equations: readonly Equation[],
  known: ReadonlyMap<string, Known>,
): TenonError | undefined {
  for (const e of equations) {
    if (openTerm(e, known) !== undefined) return contradiction(e, undefined, known);
  }
  return undefined;
}

function cannotInfer(missing: readonly SizeParam[], equations: readonly Equation[]): TenonError {
  const names = missing.map((m) => m.name);
  const uses = names.map((n) => {
    const found = equations.find((e) => e.size.some((m) => m.v.includes(n)));
    return found === undefined
      ? `${n} appears in nothing that was given`
      : `${n} appears in ${showSize(found.size)} = ${found.value} (${found.leaf})`;
  });
  return new TenonError(
    'usage',
    `cannot infer the size${names.length > 1 ? 's' : ''} ${names.join(', ')}: ${uses.join('; ')}`,
    { hint: `Give ${names.length > 1 ? 'them' : 'it'}, for example ${names[0]} = 4.` },
  );
}
