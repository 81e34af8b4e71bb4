/**
 * Random programs of the compiled lane: bindings of the rows of this folder, mixed with those of
 * test/gen, at extents around the widths of vectors and tiles. Of the bindings some are results beside the
 * loss, given twice, or not at all; inputs may be results too and give their storage away. Program n of a
 * seed is the same however many are drawn; a program is read off a list of small numbers, so fast-check
 * shrinks it by dropping and shrinking them.
 */
import fc from 'fast-check';
import { constructs } from '../gen/constructs.ts';
import { type Binding, type Dim, type Picks, picksOf, read } from '../gen/names.ts';
import { prelude } from '../gen/program.ts';
import { ownPrelude } from './prelude.ts';
import { rows } from './rows.ts';
import { nestRows } from './rows-nests.ts';
import type { Drawn, WholeScope } from './scope.ts';

export type Random = {
  readonly text: string;
  readonly sizes: Readonly<Record<string, number>>;
  /** Rows, and what is true of the whole program. */
  readonly used: ReadonlySet<string>;
  /** Results that take over the storage of inputs, by name: [result, parameter]. */
  readonly donate: readonly (readonly [string, string])[];
  /** Whether devices run it with its gradients. */
  readonly graded: boolean;
  /** For the inputs. */
  readonly seed: number;
};

type Spec = {
  readonly extents: readonly number[];
  readonly big: number;
  readonly graded: boolean;
  readonly seed: number;
  readonly ends: readonly number[];
  readonly bindings: readonly { readonly kind: number; readonly picks: readonly number[] }[];
};

/** Around vectors of 4 and 8, tiles of 16; the last ones for one size of a program. */
const small = [2, 1, 3, 5, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
const large = [33, 31, 32, 63, 64, 65];

/** Everything, or nests of derivatives at small sizes alone. */
export type Draw = 'all' | 'nests';

const spec: fc.Arbitrary<Spec> = fc.record({
  extents: fc.array(fc.nat(small.length - 1), { minLength: 3, maxLength: 3 }),
  // Which size is large, and how large: none in half of the programs.
  big: fc.nat(6 * large.length - 1),
  graded: fc.boolean(),
  seed: fc.nat(1_000_000),
  ends: fc.array(fc.nat(60), { minLength: 6, maxLength: 12 }),
  bindings: fc.array(
    fc.record({
      kind: fc.nat(65_535),
      picks: fc.array(fc.nat(840), { minLength: 4, maxLength: 24 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});

export const randomProgram: Readonly<Record<Draw, fc.Arbitrary<Random>>> = {
  all: spec.map((s) => programOf(s, 'all')),
  nests: spec.map((s) => programOf(s, 'nests')),
};

/** The seed of program `n`: fast-check mixes it well. */
const seedOf = (seed: number, n: number): number => (seed * 1_000_003 + n * 7919) | 0;

export const parameters = (seed: number, n: number) => ({
  ...{ seed: seedOf(seed, n), numRuns: 1, unbiased: true },
});

export const programAt = (seed: number, n: number, draw: Draw = 'all'): Random =>
  fc.sample(randomProgram[draw], parameters(seed, n))[0]!;

/** What is true of a program as a whole, beside its rows. */
export const traits = [
  'extents of 20 and more',
  'results beside the loss',
  'results given twice',
  'inputs as results',
  'donated inputs',
] as const;

const kinds = Object.keys(rows);
const nests = Object.keys(nestRows);
const others = Object.keys(constructs);

function programOf(s: Spec, draw: Draw): Random {
  const names = ['A', 'B', 'C'];
  // None in half of the programs, and never in nests.
  const which = draw === 'all' ? Math.floor(s.big / large.length) : 0;
  const extent = (k: number): number => {
    if (draw === 'nests') return small[s.extents[k]! % 4]!;
    return k + 3 === which ? large[s.big % large.length]! : small[s.extents[k]!]!;
  };
  const sizes: readonly Dim[] = names.map((text, k) => ({ text, extent: extent(k) }));
  const [a, b, c] = sizes as [Dim, Dim, Dim];
  const bindings: Binding[] = [
    { name: 'w', type: { dims: [a, b] } },
    { name: 'x', type: { dims: [b] } },
    { name: 'y', type: { dims: [a] } },
    { name: 'm', type: { dims: [b, c] } },
    { name: 't', type: { dims: [] } },
  ];
  const inputs = [...bindings];
  const whole: Binding[] = [{ name: 'ks', type: { dims: [b] } }];
  const needs = new Set<string>();
  const used = new Set<string>();
  const lines: string[] = [];
  const bindingsOf = draw === 'all' ? s.bindings : s.bindings.slice(0, 1);
  for (const { kind, picks } of bindingsOf) {
    const n = bindings.length + whole.length;
    const scope: WholeScope = {
      ...{ bindings, whole, sizes, used: needs },
      fresh: (stem) => `${stem}${n}`,
    };
    const found = firstUsable(kind, picks, scope, draw);
    const name = `v${n}`;
    used.add(found.kind);
    lines.push(`  let ${name} = ${found.made.text}`);
    (found.made.whole === true ? whole : bindings).push({ name, type: found.made.type });
  }
  const made = [...bindings.slice(inputs.length), ...whole.slice(1)];
  const ends = endsOf(picksOf(s.ends), inputs, bindings, made, new Set(whole));
  for (const trait of ends.traits) used.add(trait);
  if (which >= 3) used.add('extents of 20 and more');
  const fns = [...needs].map((n) => `${{ ...prelude, ...ownPrelude }[n]!}\n`);
  const fields = ends.fields.map((f) => `${f.label}: ${f.type}`).join(', ');
  const values = ends.fields.map((f) => `${f.label}: ${f.value}`).join(',\n    ');
  const text = `${fns.join('')}fn f[A, B, C](w: f32[A, B], x: f32[B], y: f32[A], m: f32[B, C], t: f32, labels: idx[A][B], seed: key,
    n: i32, d: i32, ks: i32[B]): { ${fields} } where A >= 1, B >= 1, C >= 1 =
${lines.join('\n')}
  { ${values} }
`;
  const given = Object.fromEntries(sizes.map((x) => [x.text, x.extent]));
  return { text, sizes: given, used, donate: ends.donate, graded: s.graded, seed: s.seed };
}

type Ends = {
  readonly fields: readonly {
    readonly label: string;
    readonly type: string;
    readonly value: string;
  }[];
  readonly traits: ReadonlySet<string>;
  readonly donate: readonly (readonly [string, string])[];
};

const typeText = (b: Binding, scalar: string): string =>
  b.type.dims.length === 0 ? scalar : `${scalar}[${b.type.dims.map((d) => d.text).join(', ')}]`;

/** The results: a loss of most bindings, others beside it. */
function endsOf(
  p: Picks,
  inputs: readonly Binding[],
  bindings: readonly Binding[],
  made: readonly Binding[],
  whole: ReadonlySet<Binding>,
): Ends {
  const is = new Set<string>();
  const real = made.filter((b) => !whole.has(b));
  // What is beside the loss only: none, the last one, or the first.
  const apart = p.one<readonly Binding[]>([[], [], real.slice(-1), real.slice(0, 1)]);
  const direct = p.below(3) > 0 || real.length === apart.length ? inputs : [];
  const terms = [...direct, ...real].flatMap((x, k) =>
    apart.includes(x) ? [] : [term(x, `${(0.1 + 0.07 * k).toFixed(2)}`)],
  );
  const fields = [{ label: 'loss', type: 'f32', value: terms.join('\n      + ') }];
  const add = (label: string, b: Binding): void => {
    fields.push({ label, type: typeText(b, whole.has(b) ? 'i32' : 'f32'), value: b.name });
  };
  for (const b of made)
    if (whole.has(b) || apart.includes(b) || p.below(3) > 0) add(`r_${b.name}`, b);
  if (fields.length > 1) is.add('results beside the loss');
  if (p.below(4) === 3) {
    add('again', p.one(bindings));
    add('twice', bindings.at(-1)!);
    is.add('results given twice');
  }
  if (p.below(4) === 3) {
    add('given', p.one(inputs));
    is.add('inputs as results');
  }
  const donate: (readonly [string, string])[] = [];
  if (p.below(3) === 2) {
    const left = new Set(inputs.map((b) => b.name));
    for (const f of fields) {
      const like = inputs.find((b) => left.has(b.name) && typeText(b, 'f32') === f.type);
      if (like === undefined || f.label === 'loss' || p.below(3) === 0) continue;
      left.delete(like.name);
      donate.push([f.label, like.name]);
    }
    if (donate.length > 0) is.add('donated inputs');
  }
  return { fields, traits: is, donate };
}

function term(x: Binding, weight: string): string {
  const n = ['i', 'j', 'q'].slice(0, x.type.dims.length);
  const body = `sin(${read(x, n)})`;
  return n.length === 0 ? `${weight} * ${body}` : `${weight} * (sum ${n.join(', ')}. ${body})`;
}

/** The row that was asked for, or the next one that can be used: three in four are of this lane. */
function firstUsable(
  kind: number,
  picks: readonly number[],
  scope: WholeScope,
  draw: Draw,
): { kind: string; made: Drawn } {
  const own = draw === 'nests' || kind % 4 !== 3;
  const from = draw === 'nests' ? nests : own ? kinds : others;
  const start = Math.floor(kind / 4);
  for (let k = 0; k < from.length; k++) {
    const name = from[(start + k) % from.length]!;
    const made = (own ? rows[name]! : constructs[name]!)(picksOf(picks), scope);
    if (made !== undefined) return { kind: own ? name : `also: ${name}`, made };
  }
  throw new Error('no row can be used');
}
