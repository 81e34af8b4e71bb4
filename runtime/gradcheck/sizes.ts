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
import {
  add,
  bareVariable,
  constant,
  mentions,
  mul,
  substitute,
  variable,
} from '../../dsl/size.ts';
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
/** A size has as many extents, where the facts about it alone leave fewer of the usual ones. */
const fewest = 3;
/** They are searched for below this. */
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
  const { follows, quotients } = following(fn, facts, given);
  // A fact about one size alone leaves it fewer extents, so that the few that fit are met.
  const sizes = fn.sizes
    .map((p) => p.name)
    .filter((name) => given[name] === undefined && !follows.has(name))
    .map((name) => {
      const own = facts.filter((f) => namesIn(f).every((v) => v === name));
      const fits = (v: number) => own.every((f) => factHolds(f, new Map([[name, v]])));
      const near = extents.filter(fits);
      return { name, extents: near.length >= fewest ? near : atLeast(near, fits) };
    });
  const free = [...sizes, ...quotients.map((name) => ({ name, extents }))];
  const total = free.reduce((n, f) => n * f.extents.length, 1);
  // Whoever gives every size means them.
  const drawn = free.length > 0 || follows.size > 0;
  const most = drawn ? (options.maxElements ?? 1500) : Infinity;
  const stride = Math.max(1, Math.floor(total / enumerated)) | 1;
  const found: { sizes: SizeEnv; weight: number }[] = [];
  for (let n = 0, k = 0; n < Math.min(total, enumerated); n++, k = (k + stride) % total) {
    const chosen = new Map(Object.entries(given));
    let rest = k;
    for (const f of free) {
      chosen.set(f.name, f.extents[rest % f.extents.length]!);
      rest = Math.floor(rest / f.extents.length);
    }
    const sizes = new Map([...chosen].filter(([name]) => !quotients.includes(name)));
    for (const [name, size] of follows) sizes.set(name, evalSize(size, chosen));
    const weight = elements(fn, sizes, options.where ?? []);
    if (weight !== undefined && weight <= most) found.push({ sizes, weight });
  }
  return found.sort((a, b) => a.weight - b.weight).map((f) => f.sizes);
}

/** Those extents and the smallest others that fit: of `D % 2 == 0` 4 and 6 beside 2. */
function atLeast(near: readonly number[], fits: (v: number) => boolean): readonly number[] {
  const found = new Set(near);
  for (let v = 1; v < farthest && found.size < fewest; v++) if (fits(v)) found.add(v);
  return [...found].sort((a, b) => a - b);
}

type Following = {
  /** Each in terms of sizes that are drawn, and of quotients. */
  readonly follows: ReadonlyMap<string, Size>;
  /** What multiples are drawn by: they are no sizes of the function. */
  readonly quotients: readonly string[];
};

/**
 * Sizes that a fact gives from the others: A of `where A == 7*B`, and D of `where D % H == 0`, which
 * is H times something. Multiples that are met by chance alone are mostly once or D itself, where
 * what is transposed does not show.
 */
function following(
  fn: TFn,
  facts: readonly SizeFact[],
  given: Readonly<Record<string, number>>,
): Following {
  const out = new Map<string, Size>();
  const quotients: string[] = [];
  const open = new Set(fn.sizes.map((p) => p.name).filter((name) => !(name in given)));
  // Not what a fact itself introduces (`D/H`): it is known when all sizes are.
  const known = new Set([...open, ...Object.keys(given), ...facts.map((f) => f.text)]);
  /** Whether the size can follow, and does from now on. */
  const follow = (name: string, from: Size): boolean => {
    const size = substitute(from, (v) => out.get(v));
    if (!open.has(name) || out.has(name)) return false;
    if (mentions(size, (v) => v === name || !known.has(v))) return false;
    for (const [other, s] of out)
      out.set(
        other,
        substitute(s, (v) => (v === name ? size : undefined)),
      );
    out.set(name, size);
    return true;
  };
  for (const f of facts) {
    const [left, right] = [bareVariable(f.left), bareVariable(f.right)];
    if (f.op === '==') {
      if (left !== undefined && follow(left, f.right)) continue;
      if (right !== undefined) follow(right, f.left);
    }
    if (f.op === '%' && left !== undefined && constant(f.right) === undefined) {
      // No size is called that.
      const multiple = add(mul(f.right, variable(f.text)), f.equals);
      if (follow(left, multiple)) quotients.push(f.text);
    }
  }
  return { follows: out, quotients };
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
