/** Programs that must be refused or warned of, by code, and programs that must not. */
import { CompileError } from '../../compiler/elaborate/errors.ts';
import { check } from '../../dsl/index.ts';
import { elaborateSource } from '../elaborate/run-source.ts';
import { ProgramFault } from '../gen/run.ts';

const faulty: readonly (readonly [code: string, text: string])[] = [
  ['E06', 'fn f[N](x: f32[N]): f32[N] = for i. x[i + 1]'],
  ['E06', 'fn f[N](x: f32[N]): f32[N] = for i. x[i - 1]'],
  ['E06', 'fn f[N](x: f32[N]): f32[N] = for i. x[2*i]'],
  ['E06', 'fn f[N](x: f32[N]): f32[N] = for i. x[N - i]'],
  ['E06', 'fn f[N](x: f32[N]): f32 = x[0]'],
  ['E06', 'fn f[N, K](x: f32[N - 1]): f32[N] where N >= 2, K >= 1 = for i: N. x[i // K]'],
  ['E06', 'fn f[N, K](x: f32[N]): f32[N] where K >= 1 = for i: N. x[(i - 3) // K]'],
  ['E06', 'fn f[N](x: f32[N], b: bool[N]): f32[N] = for i: N. x[(if b[i] then 2*i else i - 1)//2]'],
  ['E06', 'fn f[N](x: f32[2]): f32[N] = for i: N.\n  let q = (i - N) // 2\n  x[q * q]'],
  ['E06', 'fn f[N, K](x: f32[N]): f32[K] where N <= K = for i: K. x[i]'],
  ['E0', 'fn f[N](x: f32[N], y: f32[N + 1]): f32[N] = x + y'],
  ['E0', 'fn g[N](x: f32[N]): f32 where N >= 2 = x[1]\nfn f[N](x: f32[N]): f32 = g(x)'],
  [
    'E0503',
    'fn g[N](x: f32[N]): f32[N/4] where N % 4 == 0 = for i. x[4*i]\n' +
      'fn f[N](x: f32[N]): f32 where N % 6 == 0 = sum i. g(x)[i]',
  ],
  [
    'E0503',
    'fn g[A, B](x: f32[A], y: f32[B]): f32 where A*A == B*B = (sum i. x[i]) + sum j. y[j]\n' +
      'fn f[A, B](x: f32[A], y: f32[B]): f32 = g(x, y)',
  ],
  [
    'E0504',
    'fn g[A, B, D](x: f32[A], y: f32[B]): f32[D] where D == A - B = for i: D. x[i] ?? 0\n' +
      'fn f[A, B](x: f32[A], y: f32[B]): f32 =\n  let _v = g(x, y)\n  x[0] ?? 0',
  ],
  ['E0504', 'fn g[K](x: f32[K + 1]): f32 = x[0]\nfn f[N](x: f32[N]): f32 = g(x)'],
  ['E0', 'fn f[A, B](x: f32[A], y: f32[B]): f32 = sum i. x[i] * y[i]'],
];

const right: readonly string[] = [
  'fn f[N](x: f32[N + 1]): f32[N] = for i. x[i + 1]',
  'fn f[N](x: f32[N]): f32[N] = for i. x[N - 1 - i]',
  'fn f[N, K](x: f32[K]): f32[N] where N <= K = for i: N. x[i + K - N]',
  'fn f[N](x: f32[N]): f32 where N >= 2 = x[1]',
];

const warned: readonly (readonly [codes: string, text: string])[] = [
  ['W0004', 'fn f[A, E](x: f32[A*E]): f32[A, E] = for h, e. x[(e, h)]'],
  ['W0004', 'fn f[C, H](x: f32[C, H]): f32[H*C] = for (c, h). x[c, h]'],
  ['W0004', 'fn f[H, W](x: f32[W*H]): f32[H*W] = for n. x[n]'],
  ['W0004', 'fn f(x: f32[2*3]): f32[3, 2] = for a, b. x[(a, b)]'],
  ['', 'fn f[A, B, C](x: f32[A*B*C]): f32[A, B, C] = for a, b, c. x[((a, b), c)]'],
  ['', 'fn f[H, W](x: f32[H*W*1]): f32[1, H, W] = for a, b, c. x[(a, b, c)]'],
  ['', 'fn f(x: f32[6]): f32[3, 2] = for a, b. x[(a, b)]'],
  ['', 'fn f[N, A, B](x: f32[N]): f32[A, B] where N == A*B = for a, b. x[(a, b)]'],
  ['W0006,W0006', 'fn g[A, B](): f32 = f32(A) - f32(B)\nfn f[A, B](): f32 = g[B, A]()'],
  ['', 'fn g[A, B](): f32 = f32(A) - f32(B)\nfn f[A, B](): f32 = g[A, B]()'],
  ['', 'fn g[A, B](): f32 = f32(A) - f32(B)\nfn f[A, B](): f32 = g[A = B, B = A]()'],
];

/** Rules of custom derivatives. */
const linear = ['cos(x) * dx', 'if x > 2 then 0 else dx', 'fold a = 0 for _: 3. a + dx / 3'];
const bent = [
  'dx * dx',
  'dx + 1',
  'x / dx',
  'if dx > 0 then dx else 2 * dx',
  'prod i: 2. dx * f32(i)',
  'max i: 2. dx * f32(i)',
  'fold a = dx for _: 2. a * a',
];

function rules(): void {
  const refused = (rule: string): boolean => {
    try {
      elaborateSource(`fn f(x: f32): f32 = sin(x)\nderivative f(x, dx) = ${rule}\n`, 'f');
      return false;
    } catch (e) {
      if (e instanceof CompileError && e.code === 'E0811') return true;
      throw e;
    }
  };
  for (const rule of bent) if (!refused(rule)) throw new ProgramFault(`accepted: ${rule}`);
  for (const rule of linear) if (refused(rule)) throw new ProgramFault(`refused: ${rule}`);
}

export function refusals(): void {
  rules();
  for (const [code, text] of faulty) {
    const { diagnostics } = check(new Map([['t.tn', text]]), 't.tn');
    const found = diagnostics.filter((d) => d.severity === 'error');
    if (!found.some((d) => d.code.startsWith(code))) throw new ProgramFault(`accepted: ${text}`);
  }
  for (const [codes, text] of warned) {
    const { diagnostics } = check(new Map([['t.tn', text]]), 't.tn');
    const found = diagnostics.map((d) => d.code).join();
    if (found !== codes) throw new ProgramFault(`${found}, not ${codes}: ${text}`);
  }
  for (const text of right) {
    const { diagnostics } = check(new Map([['t.tn', text]]), 't.tn');
    const found = diagnostics.find((d) => d.severity === 'error');
    if (found !== undefined) throw new ProgramFault(`refused (${found.message}): ${text}`);
  }
}
