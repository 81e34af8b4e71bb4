/**
 * Random programs in both languages: one to five bindings of the rows of this folder, a loss of all of them
 * and of the inputs, and results beside it, some given twice or inputs as they are. A program is read off a
 * list of small numbers, so fast-check shrinks it by dropping and shrinking them.
 *
 * Invariant: the loss depends on every number of every input and on every binding of f32, so that few
 * gradients are zero.
 */
import fc from 'fast-check';
import { ownPrelude } from '../compiled/prelude.ts';
import { type Picks, picksOf } from '../proof/picks.ts';
import { python, pythonInt } from './print-python.ts';
import { tenon, tenonInt } from './print-tenon.ts';
import { carryRows } from './rows-carries.ts';
import { nestRows } from './rows-nests.ts';
import { productRows } from './rows-products.ts';
import { sharedRows } from './rows-shared.ts';
import type { Drawn, Row, Scope, Tensor } from './scope.ts';
import { add, type Dim, type Expr, lit, map, mul, read, sum } from './tree.ts';

export const rows: Readonly<Record<string, Row>> = {
  ...productRows,
  ...sharedRows,
  ...carryRows,
  ...nestRows,
};

/** What is true of a program as a whole. */
export const traits = [
  'extents of 20 and more',
  'results beside the loss',
  'results given twice',
  'inputs as results',
] as const;

export type Random = {
  readonly tenon: string;
  readonly python: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly used: ReadonlySet<string>;
  /** A function in it has a derivative that is not that of its value. */
  readonly ruled: boolean;
  /** For the inputs. */
  readonly seed: number;
};

/** Parameters in order; those of i32 by place. */
export const parameters = ['w', 'x', 'y', 'm', 't', 'labels', 'n', 'd', 'ks'] as const;
export const wholeParameters = [5, 6, 7, 8] as const;
export const realParameters = ['w', 'x', 'y', 'm', 't'] as const;

/** Around vectors of 4 and 8, tiles of 16; the last ones for one size of a program in ten. */
const small = [2, 1, 3, 5, 4, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 19];
const large = [33, 31, 32, 63, 64, 65];

type Spec = {
  readonly extents: readonly number[];
  readonly big: number;
  readonly seed: number;
  readonly ends: readonly number[];
  readonly bindings: readonly { readonly kind: number; readonly picks: readonly number[] }[];
};

const spec: fc.Arbitrary<Spec> = fc.record({
  extents: fc.array(fc.nat(small.length - 1), { minLength: 3, maxLength: 3 }),
  big: fc.nat(30 * large.length - 1),
  seed: fc.nat(1_000_000),
  ends: fc.array(fc.nat(60), { minLength: 6, maxLength: 12 }),
  bindings: fc.array(
    fc.record({
      kind: fc.nat(65_535),
      picks: fc.array(fc.nat(840), { minLength: 8, maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

export const randomProgram: fc.Arbitrary<Random> = spec.map(programOf);

/** The seed of program `n`: fast-check mixes it well. */
export const drawOf = (seed: number, n: number) => ({
  ...{ seed: (seed * 1_000_003 + n * 7919) | 0, numRuns: 1, unbiased: true },
});

export const programAt = (seed: number, n: number): Random =>
  fc.sample(randomProgram, drawOf(seed, n))[0]!;

type Made = Tensor & { readonly value: Drawn['value'] };

function programOf(s: Spec): Random {
  const which = Math.floor(s.big / large.length);
  const sizes = ['A', 'B', 'C'].map((text, k) => ({
    text,
    extent: k === which ? large[s.big % large.length]! : small[s.extents[k]!]!,
  })) as [Dim, Dim, Dim];
  const [a, b, c] = sizes;
  const inputs: readonly Tensor[] = [
    { name: 'w', dims: [a, b] },
    { name: 'x', dims: [b] },
    { name: 'y', dims: [a] },
    { name: 'm', dims: [b, c] },
    { name: 't', dims: [] },
  ];
  let names = 0;
  const ruled = { yes: false };
  const fresh = (stem: string): string => `${stem}_${names++}`;
  const made: Made[] = [];
  const used = new Set<string>();
  for (const { kind, picks } of s.bindings) {
    const real = made.filter((m) => m.value.k !== 'whole table');
    const scope: Scope = {
      tensors: [...inputs, ...real],
      whole: [{ name: 'ks', dims: [b] }, ...made.filter((m) => m.value.k === 'whole table')],
      ...{ sizes, fresh, ruled },
    };
    const found = firstUsable(kind, picks, scope);
    used.add(found.kind);
    made.push({ name: fresh('v'), ...found.drawn });
  }
  const ends = endsOf(picksOf(s.ends), inputs, made, fresh);
  for (const trait of ends.traits) used.add(trait);
  if (which < 3) used.add('extents of 20 and more');
  return {
    tenon: tenonText(made, ends.results, ruled.yes),
    python: pythonText(made, ends.results),
    sizes: Object.fromEntries(sizes.map((d) => [d.text, d.extent])),
    ...{ used, ruled: ruled.yes, seed: s.seed },
  };
}

const kinds = Object.keys(rows);

/** The row that was asked for, or the next one that can be used. */
function firstUsable(kind: number, picks: readonly number[], scope: Scope) {
  for (let k = 0; k < kinds.length; k++) {
    const row = kinds[(kind + k) % kinds.length]!;
    const drawn = rows[row]!(picksOf(picks), scope);
    if (drawn !== undefined) return { kind: row, drawn };
  }
  throw new Error('no row can be used');
}

// ---------------------------------------------------------------- results

type Result = { readonly label: string; readonly of: Tensor; readonly scalar: 'f32' | 'i32' };
type Results = { readonly loss: Expr; readonly others: readonly Result[] };

function endsOf(
  p: Picks,
  inputs: readonly Tensor[],
  made: readonly Made[],
  fresh: (stem: string) => string,
): { readonly results: Results; readonly traits: ReadonlySet<string> } {
  const is = new Set<string>();
  const others: Result[] = [];
  const give = (label: string, of: Tensor, scalar: 'f32' | 'i32' = 'f32') =>
    others.push({ label, of, scalar });
  const real = made.filter((m) => m.value.k !== 'whole table');
  const terms = [...inputs, ...real].map((t, k) => {
    const over = t.dims.map((dim) => ({ name: fresh('i'), dim }));
    const x = read(t.name, ...over.map((o) => o.name));
    const weighted = map('sin', mul(lit(Math.round(100 * (0.6 + 0.07 * k)) / 100), x));
    return mul(
      lit(Math.round(100 * (0.2 + 0.05 * k)) / 100),
      over.length === 0 ? weighted : sum(over, weighted),
    );
  });
  for (const m of made) {
    if (m.value.k === 'whole table') give(`r_${m.name}`, m, 'i32');
    else if (p.below(3) > 0) give(`r_${m.name}`, m);
  }
  if (others.length > 0) is.add('results beside the loss');
  if (p.below(4) === 3) {
    give('again', p.one(real.length === 0 ? inputs : real));
    is.add('results given twice');
  }
  if (p.below(4) === 3) {
    give('given', p.one(inputs));
    is.add('inputs as results');
  }
  return { results: { loss: terms.reduce(add), others }, traits: is };
}

// ---------------------------------------------------------------- texts

const typeText = ({ of, scalar }: Result): string =>
  of.dims.length === 0 ? scalar : `${scalar}[${of.dims.map((d) => d.text).join(', ')}]`;

function tenonText(made: readonly Made[], { loss, others }: Results, ruled: boolean): string {
  const lines = made.map(({ name: n, value }) =>
    value.k === 'whole table'
      ? `  let ${n} = for ${value.over.name}: ${value.over.dim.text}. ${tenonInt(value.body)}`
      : `  let ${n} = ${tenon(value)}`,
  );
  const types = others.map((r) => `, ${r.label}: ${typeText(r)}`).join('');
  const values = others.map((r) => `,\n    ${r.label}: ${r.of.name}`).join('');
  const fns = ruled ? `${ownPrelude['rules']}\n${ownPrelude['through']}\n` : '';
  return `${fns}fn f[A, B, C](w: f32[A, B], x: f32[B], y: f32[A], m: f32[B, C], t: f32, labels: idx[A][B],
    n: i32, d: i32, ks: i32[B]): { loss: f32${types} } where A >= 1, B >= 1, C >= 1 =
${lines.join('\n')}
  { loss: ${tenon(loss)}${values} }
`;
}

/** One expression: a function of all parameters, with a call around the rest for each binding. */
function pythonText(made: readonly Made[], { loss, others }: Results): string {
  const results = `[${[python(loss), ...others.map((r) => r.of.name)].join(', ')}]`;
  const body = made.reduceRight(
    (rest, { name: n, value }) =>
      value.k === 'whole table'
        ? `(lambda ${n}: ${rest})(itable((${value.over.dim.extent},), lambda ${value.over.name}: ${pythonInt(value.body)}))`
        : `(lambda ${n}: ${rest})(F(${python(value)}))`,
    results,
  );
  return `lambda ${parameters.join(', ')}: ${body}`;
}
