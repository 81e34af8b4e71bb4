/**
 * What the rows of this lane draw from: live tensors of f32, as the rows of test/gen do, and tensors of
 * whole numbers, which have operators and results of their own.
 */
import type { Binding, Dim, Made, Picks, Scope } from '../gen/names.ts';

export type WholeScope = Scope & {
  /** Bindings of i32. */
  readonly whole: readonly Binding[];
};

/** A binding, of i32 where `whole` says so. */
export type Drawn = Made & { readonly whole?: boolean };

/** Makes a binding of what is live; undefined where it cannot be used. */
export type Row = (p: Picks, s: WholeScope) => Drawn | undefined;

/** A vector of f32 with its dim. */
export function vector(p: Picks, s: Scope): readonly [Binding, Dim] {
  const a = p.one(s.bindings.filter((b) => b.type.dims.length === 1));
  return [a, a.type.dims[0]!];
}

/** Another vector of the same dim, perhaps the same one. */
export function alike(p: Picks, s: Scope, d: Dim): Binding {
  return p.one(
    s.bindings.filter((b) => b.type.dims.length === 1 && b.type.dims[0]!.text === d.text),
  );
}

/** A matrix as an operand of a product: a row of it runs along `free`, or along `summed`. */
export type Operand = {
  readonly name: string;
  readonly free: Dim;
  /** Its place at an index of the free dim and one of the summed dim. */
  readonly at: (free: string, summed: string) => string;
};

/** Two matrices with a dim in common, in any order: w and m at least. */
export function factors(
  p: Picks,
  s: Scope,
): { readonly d: Dim; readonly a: Operand; readonly b: Operand } {
  const all: readonly (Operand & { readonly d: Dim })[] = s.bindings
    .filter((x) => x.type.dims.length === 2)
    .flatMap(({ name, type }) => {
      const [rows, cols] = type.dims as readonly [Dim, Dim];
      return [
        { name, free: rows, d: cols, at: (f: string, k: string) => `${name}[${f}, ${k}]` },
        { name, free: cols, d: rows, at: (f: string, k: string) => `${name}[${k}, ${f}]` },
      ];
    });
  const a = p.one(all);
  return { d: a.d, a, b: p.one(all.filter((x) => x.d.text === a.d.text)) };
}

export const number = (n: number): Dim => ({ text: String(n), extent: n });

/** A block in parentheses. */
export const block = (...lines: readonly string[]): string => `(\n    ${lines.join('\n    ')})`;

/** A smooth map of a number that keeps it near one, of many shapes. */
export function bounded(p: Picks, of: string): string {
  const x = / /.test(of) ? `(${of})` : of;
  return p.one([
    `sin(${x})`,
    `tanh(${x})`,
    `cos(0.7 * ${x}) - 0.2`,
    `log(${x}^2 + 1)`,
    `${x} / (1 + ${x}^2)`,
    `exp(-(${x}^2))`,
    `sqrt(1.3 + ${x}^2) - 0.9`,
    `0.8 * ${x}`,
  ]);
}
