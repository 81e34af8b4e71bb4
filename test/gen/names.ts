/** What a random program is made of: sizes, tensor types, and the bindings that are live. */

/** A dim as it is written, and its extent. */
export type Dim = { readonly text: string; readonly extent: number };
export type TensorType = { readonly dims: readonly Dim[] };
export type Binding = { readonly name: string; readonly type: TensorType };

/** Reads a list of small numbers as choices; past its end every choice is the first. */
export type Picks = {
  readonly one: <T>(options: readonly T[]) => T;
  readonly below: (n: number) => number;
};

export function picksOf(numbers: readonly number[]): Picks {
  let at = 0;
  const below = (n: number): number => (n <= 1 ? 0 : (numbers[at++] ?? 0) % n);
  return { below, one: (options) => options[below(options.length)]! };
}

export type Scope = {
  readonly bindings: readonly Binding[];
  /** The declared sizes, in order. */
  readonly sizes: readonly Dim[];
  readonly used: Set<string>;
  readonly fresh: (stem: string) => string;
};

/** Live bindings of a rank (any of them when none fits is never asked for: see `ofRank`). */
export function ofRank(scope: Scope, min: number, max = 3): readonly Binding[] {
  return scope.bindings.filter((b) => b.type.dims.length >= min && b.type.dims.length <= max);
}

export const sameDim = (a: Dim, b: Dim): boolean => a.text === b.text;

export type Made = { readonly text: string; readonly type: TensorType; readonly name?: string };
/** Makes a binding of what is live; undefined where it cannot be used. */
export type Construct = (p: Picks, s: Scope) => Made | undefined;

export const pickOne = (p: Picks, s: Scope, min: number, max = 3): Binding | undefined => {
  const all = ofRank(s, min, max);
  return all.length === 0 ? undefined : p.one(all);
};

/** A dim as a factor of a product. */
export const factor = (d: Dim): string => (/^\w+$/.test(d.text) ? d.text : `(${d.text})`);

/** `x[i, j]`, or `x` for a scalar. */
export const read = (b: Binding, ix: readonly string[]): string =>
  ix.length === 0 ? b.name : `${b.name}[${ix.join(', ')}]`;

const letters = ['i', 'j', 'q'];
export const binders = (dims: readonly Dim[], from = 0): string[] =>
  dims.map((_, k) => letters[k + from]!);
const typed = (names: readonly string[], dims: readonly Dim[]): string =>
  names.map((n, k) => `${n}: ${dims[k]!.text}`).join(', ');

/** `for i: A, j: B. body`, or the body alone. */
export const over = (names: readonly string[], dims: readonly Dim[], body: string): string =>
  names.length === 0 ? body : `for ${typed(names, dims)}. ${body}`;

/** Two operands of equal dims; the second may be the first. */
export function pair(p: Picks, s: Scope, min = 0): readonly [Binding, Binding] | undefined {
  const all = ofRank(s, min);
  if (all.length === 0) return undefined;
  const a = p.one(all);
  const same = all.filter(
    (b) =>
      b.type.dims.length === a.type.dims.length &&
      b.type.dims.every((d, k) => sameDim(d, a.type.dims[k]!)),
  );
  return [a, p.one(same)];
}
