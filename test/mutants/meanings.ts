/** Identities that small programs must satisfy, computed two ways or known in closed form. */
import { interpret } from '../../compiler/core/interpret.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { simplify } from '../../compiler/passes/simplify.ts';
import { elaborateSource, runSource } from '../elaborate/run-source.ts';
import { ProgramFault } from '../gen/run.ts';
import { split, threefry, uniform } from '../oracle/threefry.ts';

type Meaning = {
  readonly name: string;
  readonly text: string;
  readonly inputs?: readonly (readonly number[])[];
  readonly sizes?: Readonly<Record<string, number>>;
  readonly gives: readonly (readonly number[])[];
};

const x6 = [0.5, -1, 2, 3, -0.25, 4];

const table: readonly Meaning[] = [
  {
    name: 'left and right',
    text: 'fn f[A, B](x: f32[A + B]): f32[B + A] = [..(for b: B. x[right b]), ..(for a: A. x[left a])]',
    inputs: [x6],
    sizes: { A: 2, B: 4 },
    gives: [[2, 3, -0.25, 4, 0.5, -1]],
  },
  {
    name: 'fallback',
    text: 'fn f[N](x: f32[N]): f32[N] = for i. x[i - 1] ?? 7',
    inputs: [[1, 2, 3]],
    sizes: { N: 3 },
    gives: [[7, 1, 2]],
  },
  {
    name: 'concatenation',
    text: 'fn f[A, B](a: f32[A], b: f32[B]): f32[A + B] = [..a, ..b]',
    inputs: [
      [1, 2],
      [3, 4, 5],
    ],
    sizes: { A: 2, B: 3 },
    gives: [[1, 2, 3, 4, 5]],
  },
  {
    name: 'powers',
    text: 'fn f(x: f32): { a: f32, b: f32 } = { a: x^3, b: x^5 }',
    inputs: [[2]],
    gives: [[8], [32]],
  },
  {
    name: 'conditions on indices',
    text: 'fn f[N](x: f32[N]): f32[N] = for i. if i32(i) == 0 then 10 else if -i32(i) == -2 then 20 else x[i]',
    inputs: [[1, 2, 3, 4]],
    sizes: { N: 4 },
    gives: [[10, 2, 20, 4]],
  },
  {
    name: 'quotients of negative places',
    text: 'fn f[N](x: f32[N]): f32[N] = for i. x[(i - 1) // 2] ?? 7',
    inputs: [[1, 2, 3]],
    sizes: { N: 3 },
    gives: [[7, 1, 1]],
  },
  {
    name: 'a quotient of a negative number',
    text: 'fn f[N](x: f32[N]): f32[N] = for i. x[(i - 1) // 2] ?? 7',
    inputs: [[1]],
    sizes: { N: 1 },
    gives: [[7]],
  },
  {
    name: 'quotients of quotients',
    text: 'fn f[N](x: f32[N]): f32[3*N] = for i. x[(i // 2 + 1) // 3] ?? 0',
    inputs: [[1, 2, 3]],
    sizes: { N: 3 },
    gives: [[1, 1, 1, 1, 2, 2, 2, 2, 2]],
  },
  {
    name: 'remainders that keep a digit',
    text: 'fn f(x: f32[8]): f32[3, 2] = for i, j. x[(4*i + j + 4) % 8]',
    inputs: [[0, 1, 2, 3, 4, 5, 6, 7]],
    gives: [[4, 5, 0, 1, 4, 5]],
  },
  {
    name: 'nothing less a number',
    text: 'fn f(x: f32): { a: f32, b: f32 } = { a: 0 - x, b: 0 * sin(x) - x }',
    inputs: [[2]],
    gives: [[-2], [-2]],
  },
  {
    name: 'means',
    text: `fn f[N, M](x: f32[N, M]): f32 where N >= 1, M >= 1 = mean i, j. x[i, j]
`,
    inputs: [[1, 2, 3, 4, 5, 9]],
    sizes: { N: 3, M: 2 },
    gives: [[4]],
  },
  {
    name: 'branches',
    text: 'fn f[N](x: f32[N]): f32[N] = for i. if x[i] > 0 then x[i] else 0.5',
    inputs: [[-1, 2]],
    sizes: { N: 2 },
    gives: [[0.5, 2]],
  },
  {
    name: 'gradients',
    text: 'fn f[N](x: f32[N]): f32[N] = grad(y -> sum i. y[i]^2, x)',
    inputs: [[1, 3]],
    sizes: { N: 2 },
    gives: [[2, 6]],
  },
  {
    // Where 3 i + 2 a - 1 is a cell, it gets 1 + a.
    name: 'the gradient of windows that overlap in turns',
    text: `fn f[N](x: f32[N]): f32[N] =
  grad(y -> sum i: 5. (sum a: 4. (y[3*i + 2*a - 1] ?? 0) * (1 + f32(a))), x)`,
    inputs: [new Array<number>(17).fill(0.5)],
    sizes: { N: 17 },
    gives: [[0, 2, 1, 3, 2, 5, 3, 2, 5, 3, 2, 5, 3, 2, 4, 3, 0]],
  },
  {
    name: 'what a function is beyond an edge',
    text: 'fn f[N](x: f32[N]): f32[N] = (v -> for i. v[i - 1] ?? 0)(for i. cos(x[i]))',
    inputs: [[0, 0, 0]],
    sizes: { N: 3 },
    gives: [[0, 1, 1]],
  },
  {
    name: 'trees',
    text: `fn f(t: { a: f32[2], fixed b: f32, c: f32 }): { s: f32, m: f32 } =
  { s: sum v in t. v, m: mean v in t. v }`,
    inputs: [[1, 2], [100], [6]],
    gives: [[9], [3]],
  },
  {
    name: 'splits differ from draws',
    text: `fn f(k: key): bool =
  let a = uniform(split(k, 0), 0)
  let b = uniform(split(split(k, 0), 0), 0)
  let c = uniform(k, 0)
  a != b and b != c`,
    inputs: [[1, 2]],
    gives: [[1]],
  },
  {
    name: 'a negated difference',
    text: 'fn f[N](x: f32[N], y: f32[N]): f32[N] = for i. -(x[i] - y[i])',
    inputs: [
      [1, 2],
      [4, 9],
    ],
    sizes: { N: 2 },
    gives: [[3, 7]],
  },
  {
    name: 'what depends on the step',
    text: 'fn f[K](): f32 = fold a = 0 for k: K. a + sin(f32(k)) * sin(f32(k)) + cos(f32(k)) * cos(f32(k))',
    sizes: { K: 4 },
    gives: [[4]],
  },
];

/** Draws count in the second word 0, splits 1; a uniform number is the top 24 bits of the first word. */
function draws(): void {
  const known = threefry([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3]);
  if (known[0] !== 0xc4923a9c || known[1] !== 0x483df7a0)
    throw new Error('this is not the Threefry of the published test vectors');
  const key = [12345, 678] as const;
  const text =
    'fn f(k: key): { a: f32, b: f32 } = { a: uniform(k, 5), b: uniform(split(k, 3), 4) }';
  const got = runSource(text, 'f', [[...key]]);
  const want = [uniform(key, 5), uniform(split(key, 3), 4)];
  if (want.some((v, i) => v !== got[i]![0]))
    throw new ProgramFault(`draws are ${got}, not ${want}`);
}

export function meanings(): void {
  draws();
  for (const m of table) {
    const { core } = elaborateSource(m.text, 'f', m.sizes ?? {});
    const inputs = (m.inputs ?? []).map((x) => Float64Array.from(x));
    for (const c of [core, simplify(core), fuse(simplify(core))]) {
      const got = interpret(c, inputs);
      const same = m.gives.every((y, i) => y.every((v, j) => Math.abs(got[i]![j]! - v) < 1e-9));
      if (!same) throw new ProgramFault(`${m.name}: ${JSON.stringify(got.map((y) => [...y]))}`);
    }
  }
  // Uniform draws fill the unit interval evenly.
  const [u] = runSource('fn f[N](k: key): f32[N] = for n. uniform(k, n)', 'f', [[0, 7]], {
    N: 4000,
  });
  const mean = u!.reduce((s, v) => s + v, 0) / u!.length;
  if (Math.abs(mean - 0.5) > 0.02) throw new ProgramFault(`uniform draws have mean ${mean}`);
}
