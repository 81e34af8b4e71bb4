/**
 * Sizes to try a function at: those of 0 to 6 that its facts allow, in an order that a seed decides, the
 * corners first; then a few larger ones.
 */
import { holds, type Sizes } from './exact-sizes.ts';
import { numbers } from './inputs.ts';
import type { Fn } from './tree.ts';

const small = 7;
const large = [7, 8, 9, 12, 16, 33, 40, 64, 7, 8, 9, 12, 16, 33, 5_000_000_000];

/** Numbers of the base `small`, each combination once. */
function* shuffled(count: number, seed: number): Generator<readonly number[]> {
  const all = small ** count;
  const next = numbers(seed);
  // A step that shares no factor with 7^n goes through all of them.
  const [start, step] = [next(all), 1 + next(5) + 7 * next(Math.max(1, all / 7))];
  for (let n = 0; n < Math.min(all, 2500); n++) {
    let rest = (start + n * step) % all;
    yield Array.from({ length: count }, () => {
      const digit = rest % small;
      rest = Math.floor(rest / small);
      return digit;
    });
  }
}

function* candidates(count: number, seed: number): Generator<readonly number[]> {
  for (const n of [0, 1, 2, 3]) yield Array.from({ length: count }, () => n);
  yield* shuffled(count, seed);
}

const named = (fn: Fn, at: readonly number[]): Sizes =>
  new Map(fn.sizes.map((s, i) => [s.name, BigInt(at[i]!)]));

const allowed = (fn: Fn, sizes: Sizes): boolean => fn.facts.every((f) => holds(f, sizes));

/** At most `most` of them, none twice. */
export function* smallSizes(fn: Fn, seed: number, most: number): Generator<Sizes> {
  const seen = new Set<string>();
  for (const at of candidates(fn.sizes.length, seed)) {
    if (seen.size >= most) return;
    const sizes = named(fn, at);
    if (seen.has(at.join()) || !allowed(fn, sizes)) continue;
    seen.add(at.join());
    yield sizes;
    if (fn.sizes.length === 0) return;
  }
}

/** With one size or two beyond the small ones. */
export function* largeSizes(fn: Fn, seed: number, most: number): Generator<Sizes> {
  if (fn.sizes.length === 0) return;
  const next = numbers(seed + 1);
  let found = 0;
  for (let tries = 0; tries < 200 && found < most; tries++) {
    const at = fn.sizes.map(() => (next(3) === 0 ? large[next(large.length)]! : next(small)));
    if (at.every((n) => n < small)) continue;
    const sizes = named(fn, at);
    if (!allowed(fn, sizes)) continue;
    found++;
    yield sizes;
  }
}

export const shown = (sizes: Sizes): string =>
  [...sizes].map(([name, n]) => `${name} = ${n}`).join(', ');
