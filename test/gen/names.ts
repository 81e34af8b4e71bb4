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

/** `x[i, j]`, or `x` for a scalar. */
export const read = (b: Binding, ix: readonly string[]): string =>
  ix.length === 0 ? b.name : `${b.name}[${ix.join(', ')}]`;
