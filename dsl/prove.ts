/**
 * Proofs about sizes: whether a polynomial is never negative, for all whole sizes >= 0 that satisfy the
 * facts of a function.
 *
 * Lower bounds are substituted (`L = K + L'`), so that a polynomial whose coefficients are not negative
 * is proved. What is left is proved by what is known: a negative term of the goal is cancelled against
 * a known non-negative polynomial, times what makes the terms meet (Farkas' lemma, with products as in
 * Schweighofer's and Handelman's certificates); a size may be split into the cases 0 and at least 1.
 *
 * Invariant: `true` comes with a certificate: goal * a = sum of products of things that are not
 * negative, with a >= 1, in every case. `false` says nothing.
 */
import { type Facts, gcd } from './facts.ts';
import * as S from './size.ts';
import type { Monomial, Size } from './typed.ts';

/** More than this is known only in programs that no person writes. */
const MOST_KNOWN = 24;
/** Cancellations in one proof, all cases together. */
const BUDGET = 240;
/** Short proofs are looked for first: how many cancellations in a row, and how many in all. */
const DEPTHS = [
  { depth: 1, tries: 24 },
  { depth: 2, tries: 48 },
  { depth: 6, tries: 96 },
] as const;

type Search = { left: number };

/**
 * Whether `p >= 0` follows from the facts, from `known` (polynomials that are not negative) and from
 * `positive`: sizes that are at least 1, the ranges of enclosing binders, whose bodies run only then.
 */
export function provesNonNegative(
  facts: Facts,
  p: Size,
  positive: readonly Size[] = [],
  known: readonly Size[] = [],
): boolean {
  if (S.isPoison(p)) return true;
  if (S.isTooLarge(p)) return false;
  if (S.hasNoNegativeTerm(p)) return true;
  if (S.constant(p) !== undefined && positive.length + known.length === 0) return false;
  const bounded = (s: Size) => S.substitute(s, (v) => facts.bounds.get(v));
  const ones = new Set<string>();
  const more: Size[] = [];
  for (const range of positive) {
    const r = bounded(range);
    // A product is at least 1 exactly when its factors are.
    if (r.length === 1 && r[0]!.c > 0) for (const v of r[0]!.v) ones.add(v);
    else more.push(S.sub(r, S.ONE));
  }
  const final = (s: Size): Size =>
    S.substitute(s, (v) => (ones.has(v) ? S.add(S.ONE, S.variable(`${v}'`)) : undefined));
  const goal = final(bounded(p));
  if (S.hasNoNegativeTerm(goal)) return true;
  const all = [...facts.assumptions.map(bounded), ...more, ...known.map(bounded)].map(final);
  if (all.length > MOST_KNOWN) return false;
  const search = { left: BUDGET };
  return byCases(goal, all, search, 2);
}

export function provesEqual(facts: Facts, a: Size, b: Size): boolean {
  if (S.equal(a, b)) return true;
  const d = S.sub(a, b);
  return provesNonNegative(facts, d) && provesNonNegative(facts, S.sub(S.ZERO, d));
}

// ---------------------------------------------------------------- the search

/**
 * `g*q + c >= 0` is `q + floor(c / g) >= 0` for whole numbers, so a goal and a fact may both be
 * divided.
 */
function tightened(p: Size): Size {
  const g = p.reduce((d, m) => (m.v.length === 0 ? d : gcd(d, m.c)), 0);
  if (g <= 1) return p;
  return p.flatMap((m): Monomial[] => {
    const c = Math.floor(m.c / g);
    return c === 0 ? [] : [{ c, v: m.v }];
  });
}

/** b / a as a monomial's variables, when a divides b. */
function quotient(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  const rest = [...b];
  for (const v of a) {
    const at = rest.indexOf(v);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return rest;
}

/** Cancels the goal's first negative term against each known polynomial that has one below it. */
function follows(goal: Size, known: readonly Size[], search: Search, depth: number): boolean {
  if (S.isTooLarge(goal)) return false;
  const now = tightened(goal);
  const term = now.find((m) => m.c < 0);
  if (term === undefined) return true;
  if (depth === 0) return false;
  for (const k of known) {
    for (const m of k) {
      if (m.c >= 0 || search.left <= 0) continue;
      const by = quotient(m.v, term.v);
      if (by === undefined) continue;
      search.left -= 1;
      const g = gcd(m.c, term.c);
      const scaled = S.mul(now, S.num(-m.c / g));
      const taken = S.mul(k, [{ c: -term.c / g, v: by }]);
      if (follows(S.sub(scaled, taken), known, search, depth - 1)) return true;
    }
  }
  return false;
}

/** Negative whatever its sizes are. */
function isRefuted(p: Size): boolean {
  return p.every((m) => m.c < 0) && p.some((m) => m.v.length === 0);
}

function byCases(goal: Size, known: readonly Size[], search: Search, splits: number): boolean {
  const facts = known.map(tightened).filter((k) => !S.hasNoNegativeTerm(k) && !S.isTooLarge(k));
  // A fact that cannot hold: this case does not exist.
  if (facts.some(isRefuted)) return true;
  for (const { depth, tries } of DEPTHS) {
    const own = { left: Math.min(search.left, tries) };
    search.left -= own.left;
    const found = follows(goal, facts, own, depth);
    search.left += own.left;
    if (found) return true;
  }
  if (splits === 0) return false;
  for (const name of splitsOf(goal, facts)) {
    if (search.left <= 0) return false;
    const at = (value: Size) => {
      const put = (s: Size) => S.substitute(s, (v) => (v === name ? value : undefined));
      return byCases(put(goal), facts.map(put), search, splits - 1);
    };
    if (at(S.ZERO) && at(S.add(S.ONE, S.variable(`${name}'`)))) return true;
  }
  return false;
}

/** Sizes whose being 0 decides something: those of products, of the goal and then of what is known. */
function splitsOf(goal: Size, known: readonly Size[]): readonly string[] {
  const out = new Set<string>();
  for (const p of [goal, ...known])
    for (const m of p) if (m.v.length > 1) for (const v of m.v) out.add(v);
  for (const m of goal) for (const v of m.v) out.add(v);
  return [...out].slice(0, 4);
}
