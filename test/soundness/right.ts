/**
 * Programs that were refused, failed or gave other values once, with the right ones, worked out by hand.
 * Kind by kind, as in refused.test.ts; of `grad` every value is listed after the outputs.
 */
import type { Inputs } from '../../runtime/index.ts';

export type Right = {
  readonly text: string;
  readonly fn: string;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly inputs?: Inputs;
  readonly seed?: number;
  readonly grad?: readonly string[];
  /** Leaf -> its values; a leaf that is not named is not compared. */
  readonly want: Readonly<Record<string, readonly number[]>>;
};

const upTo = (n: number, f: (i: number) => number = (i) => i): number[] =>
  Array.from({ length: n }, (_, i) => f(i));
const empty = (...shape: number[]) => ({ shape, data: new Float32Array(0) });

const OVERFLOW = `fn back[N](x: f32[N], other: f32[128]): { y: f32[N], o: f32 } where N >= 1 =
  { y: for i. x[N - 1 - 67108864*i//67108864], o: other[0] + other[127] }
fn loss[N](x: f32[N], other: f32[128]): f32 where N >= 1 =
  (sum i: N. x[N - 1 - 67108864*i//67108864] * f32(i + 1)) + sum j. other[j]^2
fn large[N](x: f32[N]): f32[N] = for i. x[2147483647*i//2147483647]
fn within[N](x: f32[N]): f32[N] = for i. x[(65536*65536*i + 3)//65536//65536]
fn far[N](x: f32[N]): f32[N] = for i. x[94906265*94906265*i//94906265//94906265]
fn digits[N](x: f32[N]): f32[N] = for i. x[1000003*i*i % N]
fn lets[N](x: f32[N]): f32[N] =
  for i.
    let a = 1073741824*i
    let b = 4*a
    x[b//1073741824//4]
fn called[N](x: f32[N]): f32[N] =
  let scaled = (n) -> 65536*65536*n
  for i. x[scaled(i)//65536//65536]
fn branches[N](x: f32[N]): f32[N] where N >= 2 =
  for i: N.
    let n = if i < 1 then 65536*65536*i else 2147483647*i
    x[n//65536//65536]
fn sums[N](x: f32[N]): f32 = sum i: N, j: N. x[(100000000*i + 100000000*j)//200000000]
fn minus[N](x: f32[N]): f32[N] where N >= 1 = for i. x[N - 1 + (0 - 2000000000*i)//2000000000]
fn padded[N](x: f32[N]): f32[N] = for i. x[2000000000*i//2000000000 - 1] ?? 0
fn outside[N](x: f32[N]): f32[N] = for i. x[65536*65536*i] ?? 0
fn elsewhere[N](x: f32[N]): f32 = sum i: 9. x[536870912*i] ?? 1
fn clamped[N](x: f32[N]): f32[N] where N >= 1 = for i. x[clamp(65536*65536*i32(i))]
fn coprime[N](x: f32[N]): f32 = sum i: 4, j: 4. x[2147483647*i - 2147483629*j] ?? 0
fn threefold[N](x: f32[N]): f32 = sum i: 3, j: 3, k: 3. x[2147483647*i - 2147483629*j + 2147483587*k] ?? 0
fn placed[N, M](x: f32[N], n: i32[M]): f32 = sum i. x[65536*n[i]] ?? 0
fn resample[T](scale: f32): f32 where T >= 1 =
  let x = for t: 44100*T. scale * f32(t % 1000)
  let y = for i: 48000*T. x[147*i//160]
  mean j: 1000. y[48000*T - 1000 + j]
`;

const x40 = { x: upTo(40, (i) => i), other: upTo(128, (i) => 1000 + i) };

const COUNTER = `fn noise(n: idx[1281167], c: idx[4], y: idx[32], x: idx[32], k: key): f32 = normal(k, (n, c, y, x))
fn three(k: key, zero: i32): f32[3] =
  let a = [zero, zero + 1048576, zero + 1000000]
  for j: 3. noise(clamp(a[j]), clamp(zero), clamp(zero), clamp(zero), k)
fn same(k: key, zero: i32): bool =
  let n: idx[8000000] = clamp(zero)
  let m: idx[2000] = clamp(zero)
  uniform(k, (m, n)) == uniform(k, 0) and uniform(k, (m, n)) != uniform(k, (m + 537, n + 870912))
`;

const BIG = `fn given[K](i: idx[K]): f32 = f32(i)
fn drawn(k: key): i32 =
  let most = max i: 100. f32(randint[2147483648](k, i))
  i32(most > 2000000000)
fn clampedTo(n: i32): f32 =
  let i: idx[2147483648] = clamp(n)
  f32(i)
`;

const DRAWN = `fn main[N](k: key): bool =
  let all = for i: N.
    let n: idx[50] = randint[3](k, i)
    n < 3
  let some = sum i: N. if randint[3](k, i) == 2 then 1 else 0
  (all v in all. v) and some > 0
`;

const CLAMP = `fn main(u: u32): { clamped: f32, wrapped: f32 } =
  let x: f32[3] = [10, 20, 30]
  { clamped: x[clamp(u)], wrapped: x[wrap(u)] }
`;

const REMAINDERS = `fn signed[N](x: f32[N], n: i32): f32 where N >= 1 = x[n % N] + x[(n - 7) % N]
fn unsigned[N](x: f32[N], u: u32): f32 where N >= 1 = x[u % N] + x[(u + 4000000000) % N]
fn looped[N, M](x: f32[N], n: i32[M]): f32[M] where N >= 1 = for i. x[n[i] % N]
`;

const DEFAULTS = `type P = { fixed a: f32 }
fn g[S](x: S, n: f32 = 5 + prod v in x. v): f32 = n + sum v in x. v
fn main(): f32 =
  let p: P = { a: 3 }
  g(p)
fn top[N](x: f32[N], n: f32 = f32(N), m: f32 = n + 1): f32 = n + m + sum i. x[i]
fn both[M](y: f32[M]): f32 = top(y) + top(for i: M + 1. y[0] ?? 0)
fn sized[N, M = 2*N](x: f32[N]): f32 = sum i: M. x[i] ?? 1
`;

const EMPTY = `fn top[N](x: f32[N]): f32 where N >= 1 = max i. x[i]
fn f[N](x: f32[N]): f32[N] = for i. x[i] - top(x)
fn fact[N](k: key): f32[N] = f(for i. normal(k, i))
fn hoist[N](x: f32[N]): f32[N] =
  for i.
    let first = exp(x[0])
    x[i] - first
fn wrapped[N](x: f32[N]): f32[N] = for _. sum k: 7. x[wrap(k)]
fn folded[N, K, M](x: f32[N, K, M]): f32[N*K] =
  let t = for (i, j), k. x[i, j, k]
  for r. fold s = 0 for k. 0.5 * s + t[r, k]
fn divided[N](x: f32[N], n: i32): f32[N] = for i. x[i] + f32(7 // (n + i32(i)))
fn scanned[N](x: f32[N]): f32[N] = scan s = 0 for i. s + x[i] / x[0]
fn rows[N, M](x: f32[N, M]): f32[N] = for i. sum j. x[i, j] / x[i, 0]
fn summed[N](x: f32[N]): f32 = sum i. x[i] / x[0]
fn none[N](x: f32[N]): f32 = 3 + sum i: 0. log(x[wrap(i)])
fn once[N](x: f32[N]): f32 = 3 + sum i: N, j: N. x[i] * top(x) + x[j] * top(for _: N. x[i])
fn larger[N](x: f32[N]): f32 = fold best = -1 for i. if x[i] > top(x) then x[i] else best
fn nested[N, M](x: f32[N], y: f32[M]): f32 = sum i. x[i] + sum j. y[j] * top(y) + x[0]
`;

const HOST = `fn dot[N, M](x: f32[N], y: f32[M]): f32 where N == M = sum i. x[i] * y[i]
fn grid[N, H, W](x: f32[N]): f32[H, W] where N == H*W = for h, w. x[(h, w)]
fn rows[N, H, W](x: f32[N], y: f32[H]): f32[W] where N == H*W = for w. sum h. x[(h, w)] * y[h]
fn pairs[H, W, Q](x: f32[H*W]): f32[Q] where H*W == 2*Q = for q: Q. x[wrap(2*q)]
fn inside(): f32[6] = pairs[3, 4](for i. f32(i))
fn half[N](x: f32[N]): f32[N/2] where N % 2 == 0 = for i. x[2*i]
`;

const SIZES = `fn defined[A, B, C](x: f32[A], _y: f32[B], _z: f32[C]): f32 where A == B - C = sum i. x[i]
fn half[N, Q](x: f32[N]): f32[Q] where N % 2 == 0, N/2 == Q = for i: Q. x[2*i]
fn quarter[D](x: f32[D]): f32[D/4] where D % 2 == 0, D/2 % 2 == 0 = for i. x[4*i]
fn a(x: f32[8]): f32[4] = half(x)
fn b(x: f32[8]): f32[2] = quarter(x)
fn halfOf[D](x: f32[D]): f32[D/2] where D % 2 == 0 = for i. x[2*i]
fn sumOf[H, W](x: f32[H + W]): f32[(H + W)/2] where H + W % 2 == 0 = halfOf(x)
fn c(x: f32[6]): f32[3] = sumOf[2, 4](x)
fn odd[N](x: f32[N + 3]): f32[(N + 3)/2] where N % 2 == 1 = halfOf(x)
fn d(x: f32[4]): f32[2] = odd(x)
fn late[K](i: idx[K], x: f32[K]): f32 = x[i]
fn early[K](x: f32[K], i: idx[K]): f32 = x[i]
fn order(i: idx[3], x: f32[5]): f32 = early(x, i) + late(i, x)
fn one[A, B](x: f32[(A*B)*1]): f32 = sum a: A, b: B, c: 1. x[((a, b), c)]
`;

const LITERALS = `fn two(): f32 =
  let r = 1
  f32(r) + f32(r % 2)
fn square(): f32 =
  let r = 100000
  f32(r * r)
fn squareToo(): f32 =
  let r = 100000
  let k = r // 7
  f32(r * r) + 0 * f32(k)
`;

const all: Record<string, Record<string, Right>> = {
  'an index is a whole number, whatever its parts are': {
    'a product beyond 32 bits': {
      text: OVERFLOW,
      fn: 'back',
      inputs: x40,
      want: { y: upTo(40, (i) => 39 - i), o: [2127] },
    },
    'and its gradient': {
      text: OVERFLOW,
      fn: 'loss',
      inputs: x40,
      grad: ['x', 'other'],
      want: { 'grad.x': upTo(40, (i) => 40 - i), 'grad.other': upTo(128, (i) => 2000 + 2 * i) },
    },
    'a coefficient of 31 bits': {
      text: OVERFLOW,
      fn: 'large',
      inputs: { x: upTo(5) },
      want: { '': upTo(5) },
    },
    'of 2^32': { text: OVERFLOW, fn: 'within', inputs: { x: upTo(5) }, want: { '': upTo(5) } },
    'of 2^53': { text: OVERFLOW, fn: 'far', inputs: { x: upTo(2) }, want: { '': upTo(2) } },
    'a square under a remainder': {
      text: OVERFLOW,
      fn: 'digits',
      inputs: { x: upTo(101) },
      want: { '': upTo(101, (i) => (1000003 * i * i) % 101) },
    },
    'through lets': { text: OVERFLOW, fn: 'lets', inputs: { x: upTo(6) }, want: { '': upTo(6) } },
    'through a call': {
      text: OVERFLOW,
      fn: 'called',
      inputs: { x: upTo(6) },
      want: { '': upTo(6) },
    },
    'through a condition': {
      text: OVERFLOW,
      fn: 'branches',
      inputs: { x: upTo(6) },
      want: { '': [0, 0, 0, 1, 1, 2] },
    },
    'in a sum of two indices': {
      text: OVERFLOW,
      fn: 'sums',
      inputs: { x: upTo(40) },
      grad: ['x'],
      want: {
        '': [
          upTo(1600, (k) => Math.floor((Math.floor(k / 40) + (k % 40)) / 2)).reduce(
            (a, b) => a + b,
          ),
        ],
      },
    },
    'below zero': {
      text: OVERFLOW,
      fn: 'minus',
      inputs: { x: upTo(6) },
      want: { '': upTo(6, (i) => 5 - i) },
    },
    'with coefficients that have no common factor': {
      text: OVERFLOW,
      fn: 'coprime',
      inputs: { x: upTo(50) },
      grad: ['x'],
      want: {
        '': [0 + 18 + 36],
        'grad.x': upTo(50, (i) => Number(i === 0 || i === 18 || i === 36)),
      },
    },
    'at places that data decides': {
      text: OVERFLOW,
      fn: 'placed',
      inputs: { x: [7, 8, 9], n: [65536, 0, -65536, 1] },
      grad: ['x'],
      want: { '': [7], 'grad.x': [1, 0, 0] },
    },
    'and three of them': {
      text: OVERFLOW,
      fn: 'threefold',
      inputs: { x: upTo(50) },
      grad: ['x'],
      want: {
        '': [0 + 18 + 36],
        'grad.x': upTo(50, (i) => Number(i === 0 || i === 18 || i === 36)),
      },
    },
    'of a padded read': {
      text: OVERFLOW,
      fn: 'padded',
      inputs: { x: upTo(6, (i) => i + 1) },
      want: { '': upTo(6) },
    },
    'of one that is mostly outside': {
      text: OVERFLOW,
      fn: 'outside',
      inputs: { x: [7, 8, 9] },
      want: { '': [7, 0, 0] },
    },
    'and of one with another fallback': {
      text: OVERFLOW,
      fn: 'elsewhere',
      inputs: { x: [7, 8, 9] },
      grad: ['x'],
      want: { '': [15], 'grad.x': [1, 0, 0] },
    },
    'a value of type i32 wraps': {
      text: OVERFLOW,
      fn: 'clamped',
      inputs: { x: [7, 8, 9] },
      want: { '': [7, 7, 7] },
    },
    'a size beyond 32 bits': {
      text: OVERFLOW,
      fn: 'resample',
      sizes: { T: 305 },
      inputs: { scale: 1 },
      want: { '': [495.67] },
    },
  },
  'draws are numbered by 64 bits': {
    'of pictures of a large data set': {
      text: COUNTER,
      fn: 'three',
      inputs: { zero: 0 },
      seed: 1,
      want: { '': [-1.878155, 0.8159611, 0.9351175] },
    },
    'the bits below 2^32 stay': {
      text: COUNTER,
      fn: 'same',
      inputs: { zero: 0 },
      seed: 3,
      want: { '': [1] },
    },
  },
  'an idx is below its size': {
    'given, to 2^31': {
      text: BIG,
      fn: 'given',
      sizes: { K: 2147483648 },
      inputs: { i: 2147483647 },
      want: { '': [2147483648] },
    },
    'drawn, to 2^31': { text: BIG, fn: 'drawn', seed: 1, want: { '': [1] } },
    'clamped, to 2^31': {
      text: BIG,
      fn: 'clampedTo',
      inputs: { n: 2147483647 },
      want: { '': [2147483648] },
    },
    'a draw has the range that is written': {
      text: DRAWN,
      fn: 'main',
      sizes: { N: 200 },
      seed: 3,
      want: { '': [1] },
    },
    'a large unsigned number is clamped to the last': {
      text: CLAMP,
      fn: 'main',
      inputs: { u: 4000000000 },
      want: { clamped: [30], wrapped: [20] },
    },
    'as is the largest signed one': {
      text: CLAMP,
      fn: 'main',
      inputs: { u: 2147483648 },
      want: { clamped: [30], wrapped: [30] },
    },
  },
  'a remainder of data is an index': {
    'of signed numbers, below 0 too': {
      text: REMAINDERS,
      fn: 'signed',
      inputs: { x: [10, 20, 30], n: 5 },
      grad: ['x'],
      want: { '': [30 + 20], 'grad.x': [0, 1, 1] },
    },
    'of the least one': {
      text: REMAINDERS,
      fn: 'signed',
      inputs: { x: [10, 20, 30], n: -2147483648 },
      want: { '': [20 + 10] },
    },
    'of unsigned ones': {
      text: REMAINDERS,
      fn: 'unsigned',
      inputs: { x: [10, 20, 30], u: 5 },
      want: { '': [30 + 10] },
    },
    'which wrap': {
      text: REMAINDERS,
      fn: 'unsigned',
      inputs: { x: [10, 20, 30], u: 4294967294 },
      want: { '': [30 + 30] },
    },
    'in a loop': {
      text: REMAINDERS,
      fn: 'looped',
      inputs: { x: [10, 20, 30], n: [0, -1, 2147483647] },
      want: { '': [10, 30, 20] },
    },
  },
  'a default is the callee’s': {
    'with its type parameters': { text: DEFAULTS, fn: 'main', want: { '': [6] } },
    'its sizes and its other parameters': {
      text: DEFAULTS,
      fn: 'both',
      inputs: { y: [1, 2] },
      want: { '': [2 + 3 + 3 + 3 + 4 + 3] },
    },
    'and its sizes of sizes': {
      text: DEFAULTS,
      fn: 'sized',
      inputs: { x: [4, 5] },
      want: { '': [11] },
    },
  },
  'a loop that never runs has no body': {
    'a fact that only it needs': {
      text: EMPTY,
      fn: 'fact',
      sizes: { N: 0 },
      seed: 1,
      want: { '': [] },
    },
    'what it does not change': {
      text: EMPTY,
      fn: 'hoist',
      inputs: { x: empty(0) },
      want: { '': [] },
    },
    'and where it runs': { text: EMPTY, fn: 'hoist', inputs: { x: [0, 1] }, want: { '': [-1, 0] } },
    'a wrapped read of nothing': {
      text: EMPTY,
      fn: 'wrapped',
      inputs: { x: empty(0) },
      want: { '': [] },
    },
    'a fold of rows that are not there': {
      text: EMPTY,
      fn: 'folded',
      inputs: { x: empty(2, 0, 3) },
      want: { '': [] },
    },
    'a fold of nothing': {
      text: EMPTY,
      fn: 'folded',
      inputs: { x: empty(2, 3, 0) },
      want: { '': upTo(6, () => 0) },
    },
    'a division by zero': {
      text: EMPTY,
      fn: 'divided',
      inputs: { x: empty(0), n: 0 },
      want: { '': [] },
    },
    'a scan': { text: EMPTY, fn: 'scanned', inputs: { x: empty(0) }, want: { '': [] } },
    'rows without columns': {
      text: EMPTY,
      fn: 'rows',
      inputs: { x: empty(3, 0) },
      want: { '': [0, 0, 0] },
    },
    'a sum': {
      text: EMPTY,
      fn: 'summed',
      inputs: { x: empty(0) },
      grad: ['x'],
      want: { '': [0], 'grad.x': [] },
    },
    'a range that is 0': {
      text: EMPTY,
      fn: 'none',
      inputs: { x: [-1, -2] },
      grad: ['x'],
      want: { '': [3], 'grad.x': [0, 0] },
    },
    'of a tensor without elements': {
      text: EMPTY,
      fn: 'none',
      inputs: { x: empty(0) },
      grad: ['x'],
      want: { '': [3], 'grad.x': [] },
    },
    'calls inside': {
      text: EMPTY,
      fn: 'once',
      inputs: { x: empty(0) },
      grad: ['x'],
      want: { '': [3], 'grad.x': [] },
    },
    'a condition inside': {
      text: EMPTY,
      fn: 'larger',
      inputs: { x: empty(0) },
      grad: ['x'],
      want: { '': [-1], 'grad.x': [] },
    },
    'one inside of one that runs': {
      text: EMPTY,
      fn: 'nested',
      inputs: { x: [2, 3], y: empty(0) },
      grad: ['x', 'y'],
      want: { '': [5], 'grad.x': [1, 1], 'grad.y': [] },
    },
    'and one around it': {
      text: EMPTY,
      fn: 'nested',
      inputs: { x: empty(0), y: [2, 3] },
      grad: ['x', 'y'],
      want: { '': [0], 'grad.x': [], 'grad.y': [0, 0] },
    },
  },
  'facts say sizes, at the host too': {
    'of equal ones': {
      text: HOST,
      fn: 'dot',
      inputs: { x: upTo(6), y: upTo(6, () => 2) },
      grad: ['y'],
      want: { '': [30], 'grad.y': upTo(6) },
    },
    'of a product': {
      text: HOST,
      fn: 'grid',
      sizes: { H: 2, W: 3 },
      inputs: { x: upTo(6) },
      want: { '': upTo(6) },
    },
    'of one factor': {
      text: HOST,
      fn: 'grid',
      sizes: { H: 2 },
      inputs: { x: upTo(6) },
      want: { '': upTo(6) },
    },
    'of a factor that is given elsewhere': {
      text: HOST,
      fn: 'rows',
      inputs: { x: upTo(6), y: [1, 10] },
      want: { '': [30, 41, 52] },
    },
    'of a quotient': {
      text: HOST,
      fn: 'pairs',
      sizes: { H: 2, W: 3 },
      inputs: { x: upTo(6) },
      want: { '': [0, 2, 4] },
    },
    inside: { text: HOST, fn: 'inside', want: { '': [0, 2, 4, 6, 8, 10] } },
  },
  'facts are used and can be followed': {
    'a size that is a difference': {
      text: SIZES,
      fn: 'defined',
      inputs: { x: [1, 2], _y: [0, 0, 0], _z: [0] },
      want: { '': [3] },
    },
    'a quotient that has a name': {
      text: SIZES,
      fn: 'a',
      inputs: { x: upTo(8) },
      want: { '': [0, 2, 4, 6] },
    },
    'a quotient of a quotient': {
      text: SIZES,
      fn: 'b',
      inputs: { x: upTo(8) },
      want: { '': [0, 4] },
    },
    'the half of a sum': { text: SIZES, fn: 'c', inputs: { x: upTo(6) }, want: { '': [0, 2, 4] } },
    'of an odd number and another': {
      text: SIZES,
      fn: 'd',
      inputs: { x: upTo(4) },
      want: { '': [0, 2] },
    },
    'an index in either place': {
      text: SIZES,
      fn: 'order',
      inputs: { i: 2, x: upTo(5) },
      want: { '': [4] },
    },
    'a factor of 1': {
      text: SIZES,
      fn: 'one',
      sizes: { A: 2, B: 3 },
      inputs: { x: upTo(6) },
      want: { '': [15] },
    },
  },
  'a whole literal is an i32': {
    'whatever it meets first': { text: LITERALS, fn: 'two', want: { '': [2] } },
    'and wraps': { text: LITERALS, fn: 'square', want: { '': [1410065408] } },
    'in any order': { text: LITERALS, fn: 'squareToo', want: { '': [1410065408] } },
  },
};

export const right = Object.entries(all).flatMap(([kind, cases]) =>
  Object.entries(cases).map(([name, c]) => ({ name: `${kind}: ${name}`, ...c })),
);
