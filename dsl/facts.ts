/**
 * What a function may assume of its sizes: `where` facts as substitutions (language.md, decision 5).
 *
 * `D % 2 == 0` makes D twice a fresh size named `D/2`; `A == B*C` replaces A; `K <= L` makes L the
 * sum of K and a fresh non-negative size, during proofs only, so that normal forms stay in the
 * user's names. What cannot be solved for one size is kept as a polynomial known to be >= 0.
 * Invariant: `sizes` maps every declared name to a polynomial over names that are free, and
 * `derived` says how each fresh one follows from the declared ones.
 */
import type { Fact, SizeExpr } from './ast.ts';
import * as S from './size.ts';
import type { DerivedSize, Dim, Size, SizeFact } from './typed.ts';
import { atom, substDim } from './types.ts';

export type Facts = {
  readonly sizes: Map<string, Dim>;
  /** With the fact that each one comes from. */
  readonly derived: (DerivedSize & { readonly fact: SizeFact })[];
  /** During proofs: a size with a lower bound becomes that bound plus a fresh size. */
  readonly bounds: Map<string, Size>;
  /** Other polynomials known to be non-negative. */
  readonly assumptions: Size[];
  readonly facts: SizeFact[];
};

export function noFacts(names: readonly string[]): Facts {
  return {
    sizes: new Map(names.map((n) => [n, atom(S.variable(n))])),
    derived: [],
    bounds: new Map(),
    assumptions: [],
    facts: [],
  };
}

export function showSizeExpr(e: SizeExpr): string {
  const text = written(e);
  return text.length <= 60 ? text : `${text.slice(0, 56)} ...`;
}

function written(e: SizeExpr): string {
  switch (e.k) {
    case 'nat':
      return String(e.value);
    case 'var':
      return e.name;
    case 'op': {
      const left = parenthesised(e.left, BINDS[e.op]);
      // The same operator on the right is a group of its own: `3*(H*E)`.
      const right = parenthesised(e.right, BINDS[e.op] + (e.op === '+' ? 0 : 1));
      return e.op === '+' || e.op === '-' ? `${left} ${e.op} ${right}` : `${left}${e.op}${right}`;
    }
  }
}

const BINDS = { '+': 1, '-': 1, '*': 2, '/': 2, '^': 3 } as const;

function parenthesised(e: SizeExpr, least: number): string {
  const text = written(e);
  return e.k === 'op' && BINDS[e.op] < least ? `(${text})` : text;
}

export function showFact(f: Fact): string {
  const left = showSizeExpr(f.left);
  const right = showSizeExpr(f.right);
  return f.op === '%'
    ? `${left} % ${right} == ${f.equals === undefined ? '0' : showSizeExpr(f.equals)}`
    : `${left} ${f.op} ${right}`;
}

/** Everything that was derived so far, with one more name rewritten. */
function rewrite(facts: Facts, name: string, by: Dim): void {
  const sub = { size: (v: string) => (v === name ? by : undefined), type: () => undefined };
  for (const [n, d] of facts.sizes) facts.sizes.set(n, substDim(d, sub));
  for (const [n, s] of facts.bounds)
    facts.bounds.set(
      n,
      S.substitute(s, (v) => sub.size(v)?.size),
    );
  facts.assumptions.forEach((a, i) => {
    facts.assumptions[i] = S.substitute(a, (v) => sub.size(v)?.size);
  });
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

/** `left % right == 0`, with left one free size times a number: that size is a multiple. */
function assumeMultiple(facts: Facts, fact: SizeFact, left: Size, right: Size): boolean {
  if (S.divide(left, right) !== undefined) return true;
  const k = S.constant(right);
  const m = left.length === 1 ? left[0]! : undefined;
  if (m === undefined || m.v.length !== 1 || m.c < 1) return false;
  const name = m.v[0]!;
  if (k !== undefined) {
    if (k < 1) return false;
    const step = k / gcd(m.c, k);
    // `3*N % 2 == 0` speaks of N: N/2 is what the user would write.
    const raw = fact.left;
    const whole = raw.length === 1 && (m.c * step) % raw[0]!.c === 0 ? raw[0]!.c : 1;
    const of = whole === 1 ? raw : [{ c: 1, v: raw[0]!.v }];
    const per = (m.c * step) / whole;
    const fresh = `${S.print(of)}/${per}`;
    facts.derived.push({ name: fresh, of, per, fact });
    rewrite(facts, name, atom(S.mul(S.num(step), S.variable(fresh))));
    return true;
  }
  const by = S.bareVariable(right);
  if (by === undefined || by === name || m.c !== 1) return false;
  const fresh = `${S.print(fact.left)}/${by}`;
  facts.derived.push({ name: fresh, of: fact.left, per: 1, by: right, fact });
  rewrite(facts, name, atom(S.mul(right, S.variable(fresh))));
  return true;
}

/** `p >= 0`: solved for one of its sizes when what is left is a lower bound of it. */
function assumeNonNegative(facts: Facts, p: Size): void {
  const now = S.substitute(p, (v) => facts.bounds.get(v));
  if (S.hasNoNegativeTerm(now)) return;
  for (const m of now) {
    const name = m.v[0];
    if (m.c !== 1 || m.v.length !== 1 || name === undefined) continue;
    const parts = S.linearIn(now, name);
    if (parts === undefined || S.constant(parts.coefficient) !== 1) continue;
    const bound = S.sub(S.ZERO, parts.rest);
    if (!S.hasNoNegativeTerm(bound)) continue;
    const value = S.add(bound, S.variable(`${name}'`));
    for (const [n, s] of facts.bounds) {
      facts.bounds.set(
        n,
        S.substitute(s, (v) => (v === name ? value : undefined)),
      );
    }
    facts.bounds.set(name, value);
    return;
  }
  facts.assumptions.push(p);
}

/** `left == right`: solved for a size that occurs alone on one side, and not on the other. */
function assumeEqual(facts: Facts, left: Dim, right: Dim): boolean {
  if (S.equal(left.size, right.size)) return true;
  for (const [a, b] of [
    [left, right],
    [right, left],
  ] as const) {
    const name = S.bareVariable(a.size);
    if (name === undefined || S.mentions(b.size, (v) => v === name)) continue;
    rewrite(facts, name, b);
    return true;
  }
  facts.assumptions.push(S.sub(left.size, right.size), S.sub(right.size, left.size));
  return S.constant(S.sub(left.size, right.size)) === undefined;
}

/**
 * Adds one fact. `resolve` reads a size with the facts known so far; `raw` over declared names.
 * False when the fact contradicts what is known or cannot be true.
 */
export function assume(
  facts: Facts,
  f: Fact,
  resolve: (e: SizeExpr) => Dim,
  raw: (e: SizeExpr) => Size,
): boolean {
  const equals = f.equals === undefined ? S.ZERO : raw(f.equals);
  const fact: SizeFact = {
    left: raw(f.left),
    op: f.op,
    right: raw(f.right),
    equals,
    text: showFact(f),
    span: f.span,
  };
  facts.facts.push(fact);
  const left = resolve(f.left);
  const right = resolve(f.right);
  const difference = S.constant(S.sub(left.size, right.size));
  switch (f.op) {
    case '==':
      return assumeEqual(facts, left, right) && (difference === undefined || difference === 0);
    case '<=':
      assumeNonNegative(facts, S.sub(right.size, left.size));
      return difference === undefined || difference <= 0;
    case '>=':
      assumeNonNegative(facts, S.sub(left.size, right.size));
      return difference === undefined || difference >= 0;
    case '%':
      if (S.constant(equals) === 0) {
        assumeMultiple(facts, fact, left.size, right.size);
      }
      return true;
  }
}

/**
 * Whether `p >= 0` follows, for all sizes that satisfy the facts and for which every size in
 * `positive` (ranges of enclosing binders, whose bodies run only when they are not empty) is >= 1.
 */
export function provesNonNegative(facts: Facts, p: Size, positive: readonly Size[] = []): boolean {
  if (S.isTooLarge(p) || S.hasNoNegativeTerm(p)) return true;
  if (S.constant(p) !== undefined) return false;
  const bounded = (s: Size) => S.substitute(s, (v) => facts.bounds.get(v));
  const ones = new Set<string>();
  const extra: Size[] = [];
  for (const range of positive) {
    const r = bounded(range);
    if (r.length === 1) for (const v of r[0]!.v) ones.add(v);
    else extra.push(S.sub(r, S.ONE));
  }
  const final = (s: Size): Size =>
    S.substitute(s, (v) => (ones.has(v) ? S.add(S.ONE, S.variable(`${v}'`)) : undefined));
  const goal = final(bounded(p));
  if (S.hasNoNegativeTerm(goal)) return true;
  const known = [...facts.assumptions.map(bounded), ...extra].map(final);
  return known.length > 0 && known.length <= 12 && withKnown(goal, known, 3);
}

/** Subtracts known non-negative polynomials until no negative term is left. */
function withKnown(goal: Size, known: readonly Size[], depth: number): boolean {
  if (S.hasNoNegativeTerm(goal)) return true;
  if (depth === 0) return false;
  return known.some((k) => withKnown(S.sub(goal, k), known, depth - 1));
}

export function provesEqual(facts: Facts, a: Size, b: Size): boolean {
  if (S.equal(a, b)) return true;
  const d = S.sub(a, b);
  return provesNonNegative(facts, d) && provesNonNegative(facts, S.sub(S.ZERO, d));
}

/** Sizes rewritten back from derived names: `2*(D/2)` is shown as `D`. */
export function inUserNames(derived: readonly DerivedSize[], s: Size): Size {
  if (derived.length === 0) return s;
  let out: Size = S.ZERO;
  for (const m of s) {
    let c = m.c;
    let v = [...m.v];
    for (const d of derived) {
      const whole = S.bareVariable(d.of);
      if (whole === undefined) continue;
      const by = d.by === undefined ? undefined : S.bareVariable(d.by);
      for (;;) {
        const at = v.indexOf(d.name);
        if (at < 0) break;
        if (by === undefined) {
          if (c % d.per !== 0) {
            // `3*(D/6)` is `D/2`.
            const common = gcd(c, d.per);
            c /= common;
            v[at] = `${whole}/${d.per / common}`;
            break;
          }
          c /= d.per;
        } else {
          const other = v.indexOf(by);
          if (other < 0) break;
          v = v.filter((_, i) => i !== other);
        }
        v[v.indexOf(d.name)] = whole;
      }
    }
    out = S.add(out, [{ c, v: v.sort() }]);
  }
  return out;
}
