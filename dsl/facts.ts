/**
 * What a function may assume of its sizes: `where` facts as substitutions (language.md, decision 5).
 *
 * `D % 2 == 0` makes D twice a fresh size named `D/2`, `N % 4 == 1` makes N four times `(N - 1)/4` and
 * one more; `A == B*C` replaces A; `K <= L` makes L the sum of K and a fresh non-negative size, during
 * proofs only, so that normal forms stay in the user's names. What cannot be solved for one size is
 * kept as a polynomial known to be >= 0. A remainder says that its divisor is at least 1 and that it is
 * below it; a size that is replaced is known not to be negative: callers show both (check/instances.ts).
 *
 * Invariant: `sizes` maps every declared name to a polynomial over names that are free, `derived` says
 * how each fresh one follows from the declared ones, and `replaced` what a later fact made of it.
 */
import type { Fact, SizeExpr } from './ast.ts';
import * as S from './size.ts';
import type { Diagnostic } from './source.ts';
import type { DerivedSize, Dim, Size, SizeFact } from './typed.ts';
import { atom, substDim } from './types.ts';

/** A fact, and its sides over the names that are free in the end. */
export type KnownFact = SizeFact & { readonly now: Sides };
type Sides = { readonly left: Size; readonly right: Size; readonly equals: Size };

export type Facts = {
  readonly sizes: Map<string, Dim>;
  /** With the fact that each one comes from. */
  readonly derived: (DerivedSize & { readonly fact: SizeFact })[];
  /** Fresh names that a later fact rewrote. */
  readonly replaced: Map<string, Size>;
  /** During proofs: a size with a lower bound becomes that bound plus a fresh size. */
  readonly bounds: Map<string, Size>;
  /** Other polynomials known to be non-negative. */
  readonly assumptions: Size[];
  readonly facts: KnownFact[];
};

export function noFacts(names: readonly string[]): Facts {
  return {
    sizes: new Map(names.map((n) => [n, atom(S.variable(n))])),
    derived: [],
    replaced: new Map(),
    bounds: new Map(),
    assumptions: [],
    facts: [],
  };
}

// ---------------------------------------------------------------- showing

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

// ---------------------------------------------------------------- assuming

export function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

function remainder(a: number, b: number): number {
  return a - b * Math.floor(a / b);
}

/** The x in 0 .. m - 1 with a*x = b modulo m; a and m have no common divisor. Exact for all sizes. */
function solveModulo(a: number, b: number, m: number): number {
  const big = BigInt(m);
  let [r, next, x, nextX] = [big, ((BigInt(a) % big) + big) % big, 0n, 1n];
  while (next !== 0n) {
    const q = r / next;
    [r, next] = [next, r - q * next];
    [x, nextX] = [nextX, x - q * nextX];
  }
  return Number((((x * BigInt(b)) % big) + big) % big);
}

/** Everything that was derived so far, with one more name rewritten; what it becomes is a size. */
function rewrite(facts: Facts, name: string, by: Dim): void {
  const sub = { size: (v: string) => (v === name ? by : undefined), type: () => undefined };
  const size = (s: Size) => S.substitute(s, (v) => (v === name ? by.size : undefined));
  for (const [n, d] of facts.sizes) facts.sizes.set(n, substDim(d, sub));
  for (const [n, s] of facts.replaced) facts.replaced.set(n, size(s));
  if (facts.derived.some((d) => d.name === name)) facts.replaced.set(name, by.size);
  facts.assumptions.forEach((a, i) => {
    facts.assumptions[i] = size(a);
  });
  facts.facts.forEach((f, i) => {
    const { left, right, equals } = f.now;
    facts.facts[i] = { ...f, now: { left: size(left), right: size(right), equals: size(equals) } };
  });
  if (!S.hasNoNegativeTerm(by.size)) facts.assumptions.push(by.size);
}

/** A size as `c * name + rest` with a number for both, where it is that. */
function affine(s: Size): { c: number; name: string; rest: number } | undefined {
  const [m, k] = s;
  if (m === undefined || m.v.length !== 1 || s.length > 2 || (k && k.v.length > 0))
    return undefined;
  return { c: m.c, name: m.v[0]!, rest: k?.c ?? 0 };
}

/** How a fresh size `(name - rest) / per` follows from declared ones, and what it is called. */
function quotientOf(facts: Facts, name: string, rest: Size, per: number, by?: Size) {
  const before = facts.derived.find((d) => d.name === name);
  // A half of `D/2` is `D/4`.
  const whole = before !== undefined && before.by === undefined && by === undefined;
  const scale = whole ? S.num(before.per) : S.ONE;
  const of = S.sub(whole ? before.of : S.variable(name), S.mul(scale, rest));
  const all = whole ? before.per * per : per;
  const text = S.print(of);
  const divisor = by === undefined ? String(all) : S.print(by);
  return { name: `${/ /.test(text) ? `(${text})` : text}/${divisor}`, of, per: all, by };
}

/** `H + W % k == r`: the quotient is a size of its own, and one of the names what is left of the whole. */
function assumeQuotient(facts: Facts, fact: SizeFact, left: Size, k: number, r: number): void {
  // Only of what is not negative is the quotient a size.
  if (!S.hasNoNegativeTerm(left)) return;
  const alone = (name: string): boolean => {
    const coefficient = S.linearIn(left, name)?.coefficient;
    return coefficient !== undefined && S.constant(coefficient) === 1;
  };
  const name = S.variables(left).findLast(alone);
  if (name === undefined) return;
  const of = S.sub(left, S.num(r));
  const fresh = { name: `(${S.print(inUserNames(facts.derived, of))})/${k}`, of, per: k };
  facts.derived.push({ ...fresh, fact });
  const others = S.sub(left, S.variable(name));
  const whole = S.add(S.mul(S.num(k), S.variable(fresh.name)), S.num(r));
  rewrite(facts, name, atom(S.sub(whole, others)));
}

/** `left % right == equals`, with left an affine form of one free size: that size is solved for. */
function assumeRemainder(facts: Facts, fact: SizeFact, now: Sides): boolean {
  const { left, right, equals } = now;
  const [k, r] = [S.constant(right), S.constant(equals)];
  if (k !== undefined && (k < 1 || (r !== undefined && (r < 0 || r >= k)))) return false;
  facts.assumptions.push(S.sub(right, S.ONE), S.sub(S.sub(right, equals), S.ONE));
  const form = affine(left);
  if (form === undefined) {
    if (k === undefined || r === undefined) return true;
    const all = S.constant(left);
    if (all === undefined) assumeQuotient(facts, fact, left, k, r);
    return all === undefined || remainder(all, k) === r;
  }
  const { c, name, rest } = form;
  if (k !== undefined && r !== undefined) {
    // c * name = r - rest modulo k has the solutions name = start modulo step, or none.
    const g = gcd(c, k);
    if ((r - rest) % g !== 0) return false;
    const step = k / g;
    if (step === 1) return true;
    const start = solveModulo(c / g, (r - rest) / g, step);
    const fresh = quotientOf(facts, name, S.num(start), step);
    facts.derived.push({ ...fresh, fact });
    const by = S.add(S.mul(S.num(step), S.variable(fresh.name)), S.num(start));
    rewrite(facts, name, atom(by));
    return true;
  }
  const by = S.bareVariable(right);
  // The quotient is not negative, since the whole is not: its remainder is no larger than itself.
  if (by === undefined || by === name || c !== 1 || rest !== 0) return true;
  if (S.mentions(equals, (v) => v === name)) return true;
  const fresh = quotientOf(facts, name, equals, 1, right);
  facts.derived.push({ ...fresh, fact });
  rewrite(facts, name, atom(S.add(S.mul(right, S.variable(fresh.name)), equals)));
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

/** `left == right`: solved for a size that occurs alone on one side or else with coefficient 1. */
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
  const difference = S.sub(left.size, right.size);
  for (const m of difference) {
    const name = m.v[0];
    if (Math.abs(m.c) !== 1 || m.v.length !== 1 || name === undefined) continue;
    const parts = S.linearIn(difference, name);
    if (parts === undefined || S.constant(parts.coefficient) !== m.c) continue;
    rewrite(facts, name, atom(m.c === 1 ? S.sub(S.ZERO, parts.rest) : parts.rest));
    return true;
  }
  facts.assumptions.push(difference, S.sub(S.ZERO, difference));
  return S.constant(difference) === undefined;
}

/**
 * Adds the facts of a head. `resolve` reads a size with the facts known so far, `raw` over declared
 * names. Gives those that contradict what is known or cannot be true.
 */
export function assumeAll(
  facts: Facts,
  where: readonly Fact[],
  resolve: (e: SizeExpr) => Dim,
  raw: (e: SizeExpr) => Size,
): readonly Fact[] {
  // Remainders and equations rewrite names, so they come before bounds on these names.
  const rewrites = (f: Fact) => f.op === '%' || f.op === '==';
  const order = [...where.filter(rewrites), ...where.filter((f) => !rewrites(f))];
  const never = order.filter((f) => !assume(facts, f, resolve, raw));
  for (const p of facts.assumptions.splice(0)) assumeNonNegative(facts, p);
  const refuted = facts.assumptions.some((p) => (S.constant(p) ?? 0) < 0);
  return never.length === 0 && refuted ? order.slice(-1) : never;
}

function assume(
  facts: Facts,
  f: Fact,
  resolve: (e: SizeExpr) => Dim,
  raw: (e: SizeExpr) => Size,
): boolean {
  const [left, right] = [resolve(f.left), resolve(f.right)];
  const equals = f.equals === undefined ? S.ZERO : resolve(f.equals).size;
  const now: Sides = { left: left.size, right: right.size, equals };
  const fact: KnownFact = {
    left: raw(f.left),
    op: f.op,
    right: raw(f.right),
    equals: f.equals === undefined ? S.ZERO : raw(f.equals),
    text: showFact(f),
    span: f.span,
    now,
  };
  facts.facts.push(fact);
  const difference = S.constant(S.sub(left.size, right.size));
  switch (f.op) {
    case '==':
      return assumeEqual(facts, left, right) && (difference === undefined || difference === 0);
    case '<=':
      facts.assumptions.push(S.sub(right.size, left.size));
      return difference === undefined || difference <= 0;
    case '>=':
      facts.assumptions.push(S.sub(left.size, right.size));
      return difference === undefined || difference >= 0;
    case '%':
      return assumeRemainder(facts, fact, now);
  }
}

/** Whether a remainder that is asked for is one that the facts state, up to multiples of the divisor. */
export function knownRemainder(facts: Facts, asked: Sides): boolean {
  return facts.facts.some((f) => {
    if (f.op !== '%' || !S.equal(f.now.right, asked.right)) return false;
    const known = S.sub(f.now.left, f.now.equals);
    const wanted = S.sub(asked.left, asked.equals);
    return S.divide(S.sub(wanted, known), asked.right) !== undefined;
  });
}

/**
 * What makes the quotient of a known multiple a size: every term of it has a factor that is a multiple,
 * of which the last is as good as any.
 */
export function wholeQuotient(
  derived: readonly DerivedSize[],
  of: Size,
  by: Size,
  addFact: (fact: string) => Pick<Diagnostic, 'hint' | 'fix'>,
): Pick<Diagnostic, 'hint' | 'fix'> {
  const k = S.constant(by);
  const show = (s: Size) => S.print(inUserNames(derived, s));
  const terms = of.filter((m) => k === undefined || m.c % k !== 0);
  if (terms.some((m) => m.v.length === 0)) return {};
  const factors = new Set(terms.map((m) => show(S.variable(m.v.at(-1)!))));
  const facts = [...factors].map((f) => `${f} % ${show(by)} == 0`);
  const { hint, fix } = addFact(facts.join(', '));
  return hint === undefined ? {} : { hint: `the quotient of a product has no name: ${hint}`, fix };
}

// ---------------------------------------------------------------- in the user's names

/** Sizes rewritten back from derived names: `2*(D/2)` is shown as `D`. */
export function inUserNames(derived: readonly DerivedSize[], s: Size): Size {
  if (derived.length === 0) return s;
  const fraction = asFraction(derived, s);
  if (fraction !== undefined) return fraction;
  let out: Size = S.ZERO;
  const shown = (m: Size[number]): Size => {
    for (const d of derived) {
      const at = m.v.indexOf(d.name);
      if (at < 0) continue;
      const others = m.v.filter((_, i) => i !== at);
      if (d.by !== undefined) {
        const name = S.bareVariable(d.by);
        const other = name === undefined ? -1 : others.indexOf(name);
        if (other < 0) continue;
        const rest: Size = [{ c: m.c, v: others.filter((_, i) => i !== other) }];
        return inUserNames(derived, S.mul(d.of, rest));
      }
      const common = gcd(m.c, d.per);
      if (common === d.per) {
        return inUserNames(derived, S.mul(d.of, [{ c: m.c / d.per, v: others }]));
      }
      if (common > 1) {
        // `3*(D/6)` is `D/2`.
        const text = S.print(d.of);
        const name = `${/ /.test(text) ? `(${text})` : text}/${d.per / common}`;
        return [{ c: m.c / common, v: [...others, name].sort() }];
      }
    }
    return [m];
  };
  for (const m of s) out = S.add(out, shown(m));
  return out;
}

/** `c * q + k` for one q that is a quotient, as one fraction: `(N - 3)/4 + 1` is `(N + 1)/4`. */
function asFraction(derived: readonly DerivedSize[], s: Size): Size | undefined {
  const form = affine(s);
  const d = derived.find((x) => x.name === form?.name && x.by === undefined);
  if (form === undefined || d === undefined || form.rest === 0) return undefined;
  const g = gcd(form.c, d.per);
  if (g === d.per || S.bareVariable(d.of) !== undefined) return undefined;
  const per = d.per / g;
  const above = S.add(S.mul(S.num(form.c / g), d.of), S.num(form.rest * per));
  return S.variable(`(${S.print(inUserNames(derived, above))})/${per}`);
}
