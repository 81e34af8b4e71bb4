/**
 * Random well-typed programs in the language's own syntax: 5 to 15 bindings, each from one row of
 * constructs.ts, over sizes of 1, 2, 3 and 5. A program is read off a list of small numbers, so
 * fast-check shrinks it by dropping and shrinking numbers, and it stays well-typed.
 *
 * Invariant: the loss depends on every binding.
 */
import fc from 'fast-check';
import { constructs } from './constructs.ts';
import { type Binding, type Dim, type Made, picksOf, type Scope } from './names.ts';

export type RandomProgram = {
  readonly text: string;
  readonly sizes: Readonly<Record<string, number>>;
  /** The construct of each binding. */
  readonly used: readonly string[];
  /** How many bindings are live at the end. */
  readonly live: number;
  readonly seed: number;
};

/** Functions that rows ask for by name. */
export const prelude = {
  fns: `fn soft[N](x: f32[N]): f32[N] where N >= 1 =
  let top = stop(max i. x[i])
  let e = for i. exp(x[i] - top)
  let z = sum i. e[i]
  for i. e[i] / z

fn apply[S](f: S -> S, x: S): S = f(x)

fn scaled[N](x: f32[N], by: f32 = 0.5): f32[N] = for i. by * x[i]
`,
  custom: `fn cubed(x: f32): f32 = x * x * x
derivative cubed(x, dx) = 3 * x * x * dx

fn spread[N](x: f32[N], by: f32): f32[N] = for i. by * x[i] + (sum j. sin(x[j])) / (N + 1)
derivative spread(x, by, dx, dby) =
  let s = sum j. cos(x[j]) * dx[j]
  for i. by * dx[i] + dby * x[i] + s / (N + 1)
`,
  heads: `fn heads[H, E](x: f32[H*E]): f32[H, E] = for h, e. x[(h, e)]
`,
  window: `/// A read of stride S, padded by Z.
fn window[H, S = 1, Z = 0](x: f32[S*H]): f32[H] = for y: H. 0.6 * (x[S*y - Z] ?? 0.1)
`,
  evens: `fn evens[D](x: f32[D]): f32[D/2] where D % 2 == 0 = for i. x[2*i]
`,
  rowsOf: `fn rowsOf[D, H](x: f32[D]): f32[H, D/H] where D % H == 0 = for h, e. x[(h, e)]
`,
  firstOf: `fn firstOf[N, K](x: f32[N]): f32[K] where K <= N = for i: K. x[i]
`,
  nested: `fn nested[P, Q](x: f32[P, Q]): f32[(P*Q)*2] = for ((i, j), k). x[i, j] * (0.5 + f32(k))

fn unnested[P, Q](x: f32[(P*Q)*2]): f32[Q, P] = for j, i. 0.5 * sum k. x[((i, j), k)]
`,
  gridOf: `fn gridOf[N, P, Q](x: f32[N]): f32[P, Q] where N == P*Q = for i, j. x[(i, j)]
`,
  fixed: `type Damped[N] = { w: f32[N], fixed scale: f32[N] }

fn damped[N](p: Damped[N]): Damped[N] = each v in p. 0.9 * v
`,
  table: `let table: f32[4] = [0.5, 0.25, 0.75, 1]
`,
} as const;

type Spec = {
  readonly extents: readonly number[];
  readonly seed: number;
  readonly bindings: readonly { readonly kind: number; readonly picks: readonly number[] }[];
};

const spec: fc.Arbitrary<Spec> = fc.record({
  extents: fc.array(fc.constantFrom(1, 2, 3, 5), { minLength: 3, maxLength: 3 }),
  seed: fc.nat(1_000_000),
  bindings: fc.array(
    fc.record({ kind: fc.nat(10_000), picks: fc.array(fc.nat(30), { maxLength: 6 }) }),
    { minLength: 5, maxLength: 15 },
  ),
});

export const randomProgram: fc.Arbitrary<RandomProgram> = spec.map(programOf);

function programOf(s: Spec): RandomProgram {
  const names = ['A', 'B', 'C'];
  const sizes: readonly Dim[] = names.map((text, k) => ({ text, extent: s.extents[k]! }));
  const [a, b, c] = sizes as [Dim, Dim, Dim];
  const inputs: Binding[] = [
    { name: 'w', type: { dims: [a, b] } },
    { name: 'x', type: { dims: [b] } },
    { name: 'y', type: { dims: [a] } },
    { name: 'm', type: { dims: [b, c] } },
    { name: 't', type: { dims: [] } },
  ];
  const kinds = Object.keys(constructs);
  const bindings = [...inputs];
  const needs = new Set<string>();
  const used: string[] = [];
  const lines: string[] = [];
  for (const { kind, picks } of s.bindings) {
    const scope: Scope = {
      bindings,
      sizes,
      used: needs,
      fresh: (stem) => `${stem}${bindings.length}`,
    };
    const found = firstUsable(kinds, kind, picks, scope);
    if (found === undefined) continue;
    const name = `v${bindings.length}`;
    used.push(found.kind);
    lines.push(`  let ${name} = ${found.made.text}`);
    bindings.push({ name, type: found.made.type });
  }
  const terms = bindings.map((x, k) => {
    const n = ['i', 'j', 'q'].slice(0, x.type.dims.length);
    const weight = `${(0.1 + 0.07 * k).toFixed(2)}`;
    if (n.length === 0) return `${weight} * sin(${x.name})`;
    return `${weight} * (sum ${n.join(', ')}. sin(${x.name}[${n.join(', ')}]))`;
  });
  const last = bindings.at(-1)!;
  const type =
    last.type.dims.length === 0 ? 'f32' : `f32[${last.type.dims.map((d) => d.text).join(', ')}]`;
  const text = `${[...needs].map((n) => `${prelude[n as keyof typeof prelude]}\n`).join('')}fn f[A, B, C](w: f32[A, B], x: f32[B], y: f32[A], m: f32[B, C], t: f32, labels: idx[A][B], seed: key):
    { loss: f32, last: ${type} } where A >= 1, B >= 1, C >= 1 =
${lines.join('\n')}
  { loss: ${terms.join('\n      + ')}, last: ${last.name} }
`;
  return {
    text,
    sizes: Object.fromEntries(sizes.map((d) => [d.text, d.extent])),
    used,
    live: bindings.length,
    seed: s.seed,
  };
}

/** The row that was asked for, or the next one that can be used. */
function firstUsable(
  kinds: readonly string[],
  kind: number,
  picks: readonly number[],
  scope: Scope,
): { kind: string; made: Made } | undefined {
  for (let k = 0; k < kinds.length; k++) {
    const name = kinds[(kind + k) % kinds.length]!;
    const made = constructs[name]!(picksOf(picks), scope);
    if (made !== undefined) return { kind: name, made };
  }
  return undefined;
}
