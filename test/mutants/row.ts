/** One seeded bug, and how a table of them is written. */
export type Mutant = {
  readonly rule: string;
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The only test that hunts it. */
  readonly lane?: string | undefined;
};

type Row = readonly [name: string, find: string, replace: string];
export const of = (
  rule: string,
  file: string,
  rows: readonly Row[],
  lane?: string,
): readonly Mutant[] =>
  rows.map(([name, find, replace]) => ({ rule, file, name, find, replace, lane }));
