/**
 * Sizes to try a function at: every choice of small extents that its facts allow, and a few of them
 * that between them give each size each of its extents.
 *
 * Invariant: a choice satisfies the `where` facts; the lightest stands first, so that a
 * counter-example shrinks to it. None at all is an answer, and the caller says so: what was tried at
 * no size is not verified.
 */
import { CompileError } from '../../compiler/elaborate/errors.ts';
import { bindSizes, evalSize, factHolds, type SizeEnv } from '../../compiler/elaborate/sizes.ts';
import { leafSpecs } from '../../compiler/elaborate/types.ts';
import type { Size, SizeFact, TFn } from '../../dsl/typed.ts';

export type SizeOptions = {
  /** Sizes that are given and not drawn. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Further facts, of a `check ... where`. */
  readonly where?: readonly SizeFact[];
  /** No choice holds more numbers than this, unless all its sizes are given. */
  readonly maxElements?: number;
};

const usual = [1, 2, 3, 5] as const;
/** Where no choice of usual extents will do: `where A + B == 12`, `where N == 0`. */
const wider = Array.from({ length: 17 }, (_, n) => n);
/** What the facts about one size alone leave nothing of is searched for below this. */
const farthest = 1000;
const enumerated = 5_000;

/** Every choice of sizes that the facts allow, lightest first; empty where none was found. */
export function allowedSizes(fn: TFn, options: SizeOptions): readonly SizeEnv[] {
  const facts = [...fn.facts, ...(options.where ?? [])];
  const few = choose(fn, facts, options, [...usual, ...mentioned(facts)]);
  return few.length > 0 ? few : choose(fn, facts, options, [...wider, ...mentioned(facts)]);
}

/** What to tell who asked for a function that no sizes were found for. */
export function noSizes(fn: TFn): string {
  return `no sizes that \`${fn.name}\` allows were found`;
}

/** The small numbers that the facts mention (`where D == 6`). */
function mentioned(facts: readonly SizeFact[]): readonly number[] {
  return facts
    .flatMap((f) => [f.left, f.right, f.equals])
    .flat()
    .map((m) => m.c)
    .filter((c) => c >= 1 && c <= 16);
}

function choose(
  fn: TFn,
  facts: readonly SizeFact[],
  options: SizeOptions,
  numbers: readonly number[],
): readonly SizeEnv[] {
  const given = options.sizes ?? {};
  const extents = [...new Set(numbers)].sort((a, b) => a - b);
  const follows = following(facts, given);
  // A fact about one size alone leaves it fewer extents, so that the few that fit are met.
  const free = fn.sizes
    .map((p) => p.name)
    .filter((name) => given[name] === undefined && !follows.has(name))
    .map((name) => {
      const own = facts.filter((f) => namesIn(f).every((v) => v === name));
      const fits = (v: number) => own.every((f) => factHolds(f, new Map([[name, v]])));
      const near = extents.filter(fits);
      return { name, extents: near.length > 0 ? near : smallest(fits) };
    });
  const total = free.reduce((n, f) => n * f.extents.length, 1);
  // Whoever gives every size means them.
  const drawn = free.length > 0 || follows.size > 0;
  const most = drawn ? (options.maxElements ?? 1500) : Infinity;
  const stride = Math.max(1, Math.floor(total / enumerated)) | 1;
  const found: { sizes: SizeEnv; weight: number }[] = [];
  for (let n = 0, k = 0; n < Math.min(total, enumerated); n++, k = (k + stride) % total) {
    const sizes = new Map(Object.entries(given));
    let rest = k;
    for (const f of free) {
      sizes.set(f.name, f.extents[rest % f.extents.length]!);
      rest = Math.floor(rest / f.extents.length);
    }
    for (const [name, size] of follows) sizes.set(name, evalSize(size, sizes));
    const weight = elements(fn, sizes, options.where ?? []);
    if (weight !== undefined && weight <= most) found.push({ sizes, weight });
  }
  return found.sort((a, b) => a.weight - b.weight).map((f) => f.sizes);
}

/** The two smallest extents that fit: `N >= 30, N % 7 == 3`. */
function smallest(fits: (v: number) => boolean): readonly number[] {
  const found: number[] = [];
  for (let v = 1; v < farthest && found.length < 2; v++) if (fits(v)) found.push(v);
  return found;
}

/** Sizes that an equality gives from the others: A of `where A == 7*B`. */
function following(
  facts: readonly SizeFact[],
  given: Readonly<Record<string, number>>,
): ReadonlyMap<string, Size> {
  const out = new Map<string, Size>();
  const fixed = new Set(Object.keys(given));
  for (const f of facts) {
    if (f.op !== '==') continue;
    for (const [side, other] of [
      [f.left, f.right],
      [f.right, f.left],
    ] as const) {
      const name = alone(side);
      const names = other.flatMap((m) => m.v);
      if (name === undefined || fixed.has(name) || names.includes(name)) continue;
      if (names.some((v) => out.has(v))) continue;
      out.set(name, other);
      // What it follows from is drawn, and it is not another's reason.
      for (const v of [name, ...names]) fixed.add(v);
      break;
    }
  }
  return out;
}

function alone(size: Size): string | undefined {
  const [m, ...more] = size;
  return more.length === 0 && m?.c === 1 && m.v.length === 1 ? m.v[0] : undefined;
}

const mostChoices = 5;

/**
 * A few choices among all that are allowed, so that programs are compiled a few times and run often:
 * each size has each of its extents in some choice, as far as a few allow, and within one they differ
 * where they can, since what is transposed shows at unequal extents alone. The rows of a Latin square
 * do both; where facts forbid them, whatever has most that is new.
 */
export function coveringSizes(all: readonly SizeEnv[]): readonly SizeEnv[] {
  const open = new Set(all.flatMap(pairs));
  const out: SizeEnv[] = [];
  const take = (s: SizeEnv): void => {
    for (const p of pairs(s)) open.delete(p);
    out.push(s);
  };
  for (const s of latin(all)) take(s);
  const score = (s: SizeEnv) => {
    const fresh = pairs(s).filter((p) => open.has(p)).length;
    return fresh + new Set(s.values()).size / (s.size + 1);
  };
  while (open.size > 0 && out.length < mostChoices) {
    take(all.reduce((a, b) => (score(b) > score(a) ? b : a)));
  }
  return out.length > 0 ? out : all.slice(0, 1);
}

/** The k-th row gives the i-th size its (k + i)-th extent: those rows that are allowed. */
function latin(all: readonly SizeEnv[]): readonly SizeEnv[] {
  const names = [...(all[0]?.keys() ?? [])];
  const extents = names.map((n) => [...new Set(all.map((s) => s.get(n)!))].sort((a, b) => a - b));
  const rows = Math.min(mostChoices, Math.max(0, ...extents.map((e) => e.length)));
  return Array.from({ length: rows }, (_, k) =>
    all.find((s) => names.every((n, i) => s.get(n) === extents[i]![(k + i) % extents[i]!.length])),
  ).filter((s) => s !== undefined);
}

const pairs = (s: SizeEnv): string[] => [...s].map(([name, n]) => `${name}=${n}`);

/** How many numbers the inputs hold; undefined where a fact does not hold or there are no inputs. */
function elements(fn: TFn, sizes: SizeEnv, where: readonly SizeFact[]): number | undefined {
  try {
    const env = bindSizes(fn, sizes);
    for (const f of where) if (!factHolds(f, env)) return undefined;
    const leaves = fn.params
      .flatMap((p) => leafSpecs(p.type, env))
      .map((leaf) => ({ ...leaf, count: leaf.shape.reduce((m, d) => m * d, 1) }));
    // An index of nothing has no value.
    if (leaves.some((l) => l.bound === 0 && l.count > 0)) return undefined;
    return leaves.reduce((n, l) => n + l.count, 1);
  } catch (e) {
    if (e instanceof CompileError && e.code !== 'E0807') return undefined;
    throw e;
  }
}

function namesIn(f: SizeFact): string[] {
  return [f.left, f.right, f.equals].flat().flatMap((m) => m.v);
}
