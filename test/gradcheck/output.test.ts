/** What `tenon gradcheck` and `tenon test` print about a wrong derivative. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenon-gradcheck-'));
  writeFileSync(
    join(folder, 'a.tn'),
    `fn gate(x: f32): f32 = 1 / (1 + exp(-x))
derivative gate(x, dx) = 0.5 * exp(-x) * dx

fn mixed[N, M](w: f32[N, M], g: f32[M], idle: f32): f32[N] =
  for i. sum j. w[i, j] * gate(g[j])

check gradient of mixed where N <= 3
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function tenon(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: [] as string[], err: [] as string[] };
  const code = await front(argv, {
    out: (t) => void texts.out.push(t),
    err: (t) => void texts.err.push(t),
    signal: new AbortController().signal,
    terminal: false,
  });
  return { code, out: texts.out.join(''), err: texts.err.join('') };
}

it('shows a row per leaf with error and bound, then the input, the element and the line', async () => {
  const { code, out, err } = await tenon('gradcheck', join(folder, 'a.tn'), 'mixed');
  expect(code).toBe(1);
  expect(out).toMatch(/^ {2}w +20 points +error \S+ +bound \S+ +ok$/m);
  expect(out).toMatch(/^ {2}g +0 points +error \S+ +bound \S+ +FAIL$/m);
  expect(out).toMatch(/^0 verified, 1 failed, 0 skipped$/m);
  expect(err).toMatch(/N = 1, M = 1\n {4}w: f32\[1, 1\] = \S+\n {4}g: f32\[1\] = \S+\n/);
  expect(err).toMatch(/wrong by g\[0\] = \S+: out\[0\]: derivative/);
  expect(err).toMatch(/a\.tn:5:27: error\[E0901\]: .*first disagrees here/);
});

it('says which leaves are not used', async () => {
  writeFileSync(join(folder, 'b.tn'), 'fn f(x: f32, idle: f32): f32 = sin(x)\n');
  const { code, out } = await tenon('gradcheck', join(folder, 'b.tn'), '--device', 'wasm');
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}idle +20 points +not used .* ok$/m);
  expect(out).toMatch(/^ {2}wasm: \d+ points .* ok$/m);
});

it('gives the same to scripts', async () => {
  const { code, out } = await tenon('gradcheck', join(folder, 'a.tn'), 'mixed', '--json');
  expect(code).toBe(1);
  const { failed, functions } = JSON.parse(out);
  expect(failed).toBe(1);
  expect(functions[0]).toMatchObject({
    name: 'mixed',
    ok: false,
    failure: {
      leaf: 'g',
      element: 0,
      wrongBy: 'g[0]',
      place: { line: 5, column: 27 },
      input: { sizes: { N: 1, M: 1 }, leaves: [{ name: 'w', shape: [1, 1] }, {}, {}] },
    },
  });
  const [w] = functions[0].failure.input.leaves;
  expect(w.values).toHaveLength(1);
});

it('runs as a check declaration too', async () => {
  const { code, out, err } = await tenon('test', join(folder, 'a.tn'));
  expect(code).toBe(1);
  expect(out).toMatch(/^FAIL gradient of mixed$/m);
  expect(err).toMatch(/wrong by g\[0\] = \S+: out\[0\]: derivative/);
});

it('finds sizes of unusual facts, and goes on after a check that has none', async () => {
  writeFileSync(
    join(folder, 'c.tn'),
    `fn thirds[D](x: f32[D]): f32[D/3] where D % 2 == 0, D % 3 == 0 = for i: D/3. x[i] * x[i + D//2]
fn prime[A, B](x: f32[A, B]): f32 where A*B == 1009, A >= 2, B >= 2 = x[0, 0]
check gradient of prime
check many[N](x: f32[N]) where N >= 30, N % 7 == 3 = (sum i. 0 * x[i]) + N >= 31
check gradient of thirds
`,
  );
  const { code, out, err } = await tenon('test', join(folder, 'c.tn'));
  expect(code).toBe(1);
  expect(out).toBe(
    'FAIL gradient of prime\nok   many (100 inputs)\nok   gradient of thirds\n2 passed, 1 failed\n',
  );
  expect(err).toContain('no sizes that `prime` allows were found');
});

it('fails who asks for a function that cannot be checked, and only counts it among others', async () => {
  const path = join(folder, 'f.tn');
  writeFileSync(
    path,
    `fn higher(f: f32 -> f32, x: f32): f32 = f(x)

fn large[N](x: f32[N]): f32 where N >= 1000 = sum i. x[i]

fn plain(x: f32): f32 = x^2

check gradient of higher
`,
  );
  const all = await tenon('gradcheck', path);
  expect([all.code, all.out.split('\n').at(-2)]).toEqual([0, '1 verified, 0 failed, 2 skipped']);
  expect((await tenon('gradcheck', path, 'plain')).code).toBe(0);
  expect((await tenon('gradcheck', path, 'higher')).code).toBe(1);
  const large = await tenon('gradcheck', path, 'large');
  expect(large.code).toBe(1);
  expect(large.out).toContain('no sizes that `large` allows were found; give them: --size N=...');
  const checked = await tenon('test', path);
  expect(checked.code).toBe(1);
  expect(checked.out).toMatch(/^FAIL gradient of higher$/m);
});

it('refuses a size that no function has', async () => {
  const { code, err } = await tenon('gradcheck', join(folder, 'a.tn'), '--size', 'K=3');
  expect(code).toBe(2);
  expect(err).toContain('no function here has a size K');
});

it('refuses a size that is given twice', async () => {
  const twice = ['--size', 'N=3', '--size', 'N=2'];
  const { code, err } = await tenon('gradcheck', join(folder, 'a.tn'), ...twice);
  expect(code).toBe(2);
  expect(err).toBe('error: --size N is given twice\n');
});

it('gives the smallest counter-example of a check, to scripts as well', async () => {
  const path = join(folder, 'd.tn');
  writeFileSync(
    path,
    `check masked[N](l: idx[N][3], m: bool[N]) where N >= 2 = not m[l[1]]

check never[N](x: f32[N]) where N >= 2000 = x[0] < 9
`,
  );
  const { code, out } = await tenon('test', path, '--json');
  expect(code).toBe(1);
  const { checks } = JSON.parse(out);
  expect(checks[0].input.sizes).toEqual({ N: 2 });
  expect(checks[0].input.leaves[0]).toMatchObject({ name: 'l', scalar: 'idx', shape: [3] });
  expect(checks[1].problem).toMatch(/^`never`: no sizes that `never` allows were found/);
});

it('shows what cannot be compiled at its line, and goes on', async () => {
  const path = join(folder, 'e.tn');
  writeFileSync(
    path,
    `fn apply(f: f32 -> f32, x: f32): f32 = f(x)

derivative apply(_f, _x, dx) = abs(dx)

fn bent(x: f32): f32 = apply(sin, x)

fn plain(x: f32): f32 = x^2

check gradient of bent

check small(x: f32) = bent(x) < 3
`,
  );
  const { code, out, err } = await tenon('gradcheck', path);
  expect(code).toBe(1);
  expect(out).toMatch(/^1 verified, 1 failed, 1 skipped$/m);
  expect(err).toMatch(/e\.tn:3:32: error\[E0811\]/);
  expect(err).not.toContain('internal error');
  const checks = await tenon('test', path);
  expect(checks.out).toMatch(/^0 passed, 2 failed$/m);
  const { functions } = JSON.parse((await tenon('gradcheck', path, '--json')).out);
  expect(functions[1].fault).toMatchObject({ code: 'E0811', line: 3, column: 32 });
});

it('says through which function a function of functions is verified, if through any', async () => {
  const path = join(folder, 'g.tn');
  writeFileSync(
    path,
    `fn twice(f: f32 -> f32, x: f32): f32 = f(f(x))

fn between(f: f32 -> f32, x: f32): f32 = twice(f, x)

fn cubes(x: f32): f32 = between(y -> y^3, x)

fn idle(f: f32 -> f32, x: f32): f32 = f(x)
`,
  );
  const { code, out } = await tenon('gradcheck', path);
  expect(code).toBe(0);
  expect(out).toContain('twice: skipped, it takes or gives functions, see cubes\n');
  expect(out).toContain(
    'idle: skipped, it takes or gives functions, and nothing here that can be checked uses it\n',
  );
});
