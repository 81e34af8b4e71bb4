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
export type KnownFact = SizeFact & {
  readonly now: Sides;
  /** Of a remainder: `(left - equals) / right`, where that is a size of its own. */
  readonly quotient?: Size;
};
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
    const now = { left: size(left), right: size(right), equals: size(equals) };
    facts.facts[i] = { ...f, now, quotient: f.quotient && size(f.quotient) };
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

const inBrackets = (text: string): string => (/ /.test(text) ? `(${text})` : text);

/** How the fresh size `(name - rest) / per` follows from declared ones, and what it is called. */
function partOf(facts: Facts, name: string, rest: number, per: number): DerivedSize {
  const before = facts.derived.find((d) => d.name === name);
  // A half of `D/2` is `D/4`.
  const whole = before !== undefined && before.by === undefined ? before : undefined;
  const of = S.sub(whole?.of ?? S.variable(name), S.num((whole?.per ?? 1) * rest));
  const all = (whole?.per ?? 1) * per;
  return { name: `${inBrackets(S.print(of))}/${all}`, of, per: all };
}

/** `left % right == equals`: what is left of the divisor, and a size for the quotient. */
function assumeRemainder(facts: Facts, fact: KnownFact): boolean {
  const { left, right, equals } = fact.now;
  const [k, r] = [S.constant(right), S.constant(equals)];
  if (k !== undefined && (k < 1 || (r !== undefined && (r < 0 || r >= k)))) return false;
  facts.assumptions.push(S.sub(right, S.ONE), S.sub(S.sub(right, equals), S.ONE), equals);
  const all = S.constant(left);
  if (all !== undefined && k !== undefined && r !== undefined) return remainder(all, k) === r;
  const form = affine(left);
  if (form === undefined || k === undefined || r === undefined) {
    assumeQuotient(facts, fact);
    return true;
  }
  // c * name = r - rest modulo k has the solutions name = start modulo step, or none.
  const { c, name, rest } = form;
  const g = gcd(c, k);
  if ((r - rest) % g !== 0) return false;
  const step = k / g;
  if (step === 1) return true;
  const start = solveModulo(c / g, (r - rest) / g, step);
  const fresh = partOf(facts, name, start, step);
  facts.derived.push({ ...fresh, fact });
  rewrite(facts, name, atom(S.add(S.mul(S.num(step), S.variable(fresh.name)), S.num(start))));
  return true;
}

/**
 * The quotient of `A + B % K == R` is a size of its own, `(A + B - R)/K`. A name that stands alone on the
 * left becomes what is left of the whole; where there is none (`H*W % 2 == 0`), the equation is kept.
 */
function assumeQuotient(facts: Facts, fact: KnownFact): void {
  const { left, right, equals } = fact.now;
  // Only of what is not negative the quotient is a size; it is larger than its remainder.
  if (!S.hasNoNegativeTerm(left)) return;
  const alone = (v: string): boolean => {
    if ([right, equals].some((s) => S.mentions(s, (x) => x === v))) return false;
    const coefficient = S.linearIn(left, v)?.coefficient;
    return coefficient !== undefined && S.constant(coefficient) === 1;
  };
  const own = S.variables(left).findLast(alone);
  if (own === undefined) {
    keepQuotient(facts, fact);
    return;
  }
  const quotient = freshQuotient(facts, fact);
  if (quotient === undefined) return;
  const whole = S.add(S.mul(right, quotient), equals);
  rewrite(facts, own, atom(S.sub(whole, S.sub(left, S.variable(own)))));
}

/** The quotient as a name with an equation. */
function keepQuotient(facts: Facts, fact: KnownFact): void {
  const { left, right, equals } = fact.now;
  const quotient = freshQuotient(facts, fact);
  if (quotient === undefined) return;
  const whole = S.add(S.mul(right, quotient), equals);
  facts.assumptions.push(S.sub(whole, left), S.sub(left, whole));
}

/** A name for the quotient of a remainder; none where it is a polynomial, or has a name already. */
function freshQuotient(facts: Facts, fact: KnownFact): Size | undefined {
  const { left, right, equals } = fact.now;
  const of = S.sub(left, equals);
  if (quotientIn(facts, of, right) !== undefined) return undefined;
  const show = (s: Size) => inBrackets(S.print(inUserNames(facts.derived, s)));
  const k = S.constant(right);
  const name = `${show(of)}/${show(right)}`;
  const quotient = S.variable(name);
  facts.facts[facts.facts.indexOf(fact)] = { ...fact, quotient };
  facts.derived.push({ name, of, ...(k === undefined ? { per: 1, by: right } : { per: k }), fact });
  return quotient;
}

/** of / by, exactly: as polynomials, or as a remainder that is stated says. */
export function quotientIn(facts: Facts, of: Size, by: Size): Size | undefined {
  const exact = S.divide(of, by);
  if (exact !== undefined) return exact;
  for (const { now, quotient } of facts.facts) {
    if (quotient === undefined) continue;
    // of = m * (left - equals) + rest, and left - equals = right * quotient.
    const stated = S.sub(now.left, now.equals);
    for (const m of [S.divide(of, stated), S.ONE]) {
      if (m === undefined || m.length === 0) continue;
      const whole = S.divide(S.product([m, now.right, quotient]), by);
      const rest = S.divide(S.sub(of, S.mul(m, stated)), by);
      if (whole !== undefined && rest !== undefined) return S.add(whole, rest);
    }
  }
  return undefined;
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
  shown: (facts: Facts, p: Size) => boolean,
): readonly Fact[] {
  // Remainders and equations rewrite names, so they come before bounds on these names.
  const rewrites = (f: Fact) => f.op === '%' || f.op === '==';
  const order = [...where.filter(rewrites), ...where.filter((f) => !rewrites(f))];
  const never = order.filter((f) => !assume(facts, f, resolve, raw));
  for (const p of facts.assumptions.splice(0)) assumeNonNegative(facts, p);
  // Of a difference (`A - B % 2 == 0`) bounds may say that it has a quotient.
  for (const f of [...facts.facts]) {
    if (f.op === '%' && f.quotient === undefined && shown(facts, f.now.left))
      keepQuotient(facts, f);
  }
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
      return assumeRemainder(facts, fact);
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
  for (const d of derived) {
    const parts = S.linearIn(s, d.name);
    if (parts === undefined || parts.coefficient.length === 0) continue;
    const { coefficient, rest } = parts;
    const times = S.divide(coefficient, d.by ?? S.num(d.per));
    if (times !== undefined) {
      return inUserNames(derived, S.add(S.mul(times, d.of), rest));
    }
    const common = d.by === undefined ? coefficient.reduce((g, m) => gcd(g, m.c), d.per) : 1;
    if (common === 1) continue;
    // `3*(D/6)` is `D/2`.
    const name = `${inBrackets(S.print(d.of))}/${d.per / common}`;
    const less = coefficient.map((m) => ({ c: m.c / common, v: m.v }));
    return S.add(S.mul(less, S.variable(name)), inUserNames(derived, rest));
  }
  return s;
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
