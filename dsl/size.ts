/**
 * The size algebra: polynomials over size variables with exact integer coefficients.
 *
 * Invariant: every `Size` built here is in normal form (monomials in graded lexicographic order, no
 * zero coefficient, the variables of a monomial sorted with repetition), so that two sizes are equal
 * exactly when their monomial lists are. The order is admissible, which makes `divide` (long
 * division by leading terms) exact. Arithmetic beyond 2^53, or a polynomial too large to be meant,
 * gives `TOO_LARGE`: nothing is known of it, so it equals nothing, itself included, and proves nothing.
 * A size whose error was reported is a `poison`, which agrees with everything; it takes evidence of
 * the report to make one.
 */
import type { Reported } from './reported.ts';
import type { Monomial, Size } from './typed.ts';

export const ZERO: Size = [];
export const ONE: Size = [{ c: 1, v: [] }];
export const TOO_LARGE: Size = [{ c: Number.NaN, v: [] }];

type Poison = Monomial & { readonly by: Reported };

/** Stands for a size that was reported. */
export function poison(by: Reported): Size {
  const m: Poison = { c: Number.POSITIVE_INFINITY, v: [], by };
  return [m];
}

/** Evidence of the report, when the size stands for one. */
export function poisonBy(s: Size): Reported | undefined {
  return s.length === 1 && s[0]!.c === Number.POSITIVE_INFINITY ? (s[0] as Poison).by : undefined;
}

export function isPoison(s: Size): boolean {
  return poisonBy(s) !== undefined;
}

/** What arithmetic with a size that is no polynomial gives; undefined when both are polynomials. */
function absorbed(a: Size, b: Size): Size | undefined {
  if (isPoison(a)) return a;
  if (isPoison(b)) return b;
  return isTooLarge(a) || isTooLarge(b) ? TOO_LARGE : undefined;
}

const MAX_MONOMIALS = 256;
const MAX_DEGREE = 24;

export function isTooLarge(s: Size): boolean {
  return s.length === 1 && Number.isNaN(s[0]!.c);
}

export function num(n: number): Size {
  if (n === 0) return ZERO;
  return Number.isSafeInteger(n) ? [{ c: n, v: [] }] : TOO_LARGE;
}

export function variable(name: string): Size {
  return [{ c: 1, v: [name] }];
}

/** Graded lexicographic: higher degree first, then by variables. */
function compareVars(a: readonly string[], b: readonly string[]): number {
  if (a.length !== b.length) return b.length - a.length;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function combine(a: Size, b: Size, sign: 1 | -1): Size {
  const gone = absorbed(a, b);
  if (gone !== undefined) return gone;
  const out: Monomial[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = a[i];
    const y = b[j];
    const order = x === undefined ? 1 : y === undefined ? -1 : compareVars(x.v, y.v);
    if (order < 0) {
      out.push(x!);
      i++;
    } else if (order > 0) {
      out.push({ c: sign * y!.c, v: y!.v });
      j++;
    } else {
      const c = x!.c + sign * y!.c;
      if (!Number.isSafeInteger(c)) return TOO_LARGE;
      if (c !== 0) out.push({ c, v: x!.v });
      i++;
      j++;
    }
  }
  return out.length > MAX_MONOMIALS ? TOO_LARGE : out;
}

export function add(a: Size, b: Size): Size {
  if (a.length === 0) return b;
  return b.length === 0 ? a : combine(a, b, 1);
}

export function sub(a: Size, b: Size): Size {
  return b.length === 0 ? a : combine(a, b, -1);
}

function mulMonomial(a: Size, m: Monomial): Size {
  const out: Monomial[] = [];
  for (const x of a) {
    const c = x.c * m.c;
    if (!Number.isSafeInteger(c)) return TOO_LARGE;
    const v = m.v.length === 0 ? x.v : x.v.length === 0 ? m.v : [...x.v, ...m.v].sort();
    if (v.length > MAX_DEGREE) return TOO_LARGE;
    out.push({ c, v });
  }
  // Multiplying by one monomial keeps an admissible order.
  return out;
}

export function mul(a: Size, b: Size): Size {
  const gone = absorbed(a, b);
  if (gone !== undefined) return gone;
  if (a.length > b.length) return mul(b, a);
  let out: Size = ZERO;
  for (const m of a) out = add(out, mulMonomial(b, m));
  return out;
}

export function product(parts: readonly Size[]): Size {
  return parts.reduce(mul, ONE);
}

export function pow(a: Size, n: number): Size {
  if (isPoison(a) || isTooLarge(a)) return a;
  if (n > MAX_DEGREE && variables(a).length > 0) return TOO_LARGE;
  if (n > 64 && a.length > 0 && Math.abs(a[0]!.c) > 1) return TOO_LARGE;
  if (n > 64) return n % 2 === 0 ? mul(a, a) : a; // 0, 1 or -1
  let out = ONE;
  for (let i = 0; i < n; i++) out = mul(out, a);
  return out;
}

/** Equality of normal forms; a size that was reported equals everything. */
export function equal(a: Size, b: Size): boolean {
  if (isPoison(a) || isPoison(b)) return true;
  if (isTooLarge(a) || isTooLarge(b)) return false;
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i]!.c !== b[i]!.c || compareVars(a[i]!.v, b[i]!.v) !== 0) return false;
  }
  return true;
}

/** The value of a size without variables. */
export function constant(s: Size): number | undefined {
  if (s.length === 0) return 0;
  const m = s[0]!;
  return s.length === 1 && m.v.length === 0 && Number.isFinite(m.c) ? m.c : undefined;
}

/** The name of a size that is one variable. */
export function bareVariable(s: Size): string | undefined {
  const m = s[0];
  return s.length === 1 && m!.c === 1 && m!.v.length === 1 ? m!.v[0] : undefined;
}

export function variables(s: Size): string[] {
  if (s.length === 0) return [];
  const seen = new Set<string>();
  for (const m of s) for (const v of m.v) seen.add(v);
  return [...seen];
}

export function mentions(s: Size, test: (name: string) => boolean): boolean {
  return s.some((m) => m.v.some(test));
}

/** The quotient of two monomials, when it is one. */
function divideMonomial(a: Monomial, b: Monomial): Monomial | undefined {
  const c = a.c / b.c;
  if (!Number.isSafeInteger(c)) return undefined;
  const v = [...a.v];
  for (const name of b.v) {
    const at = v.indexOf(name);
    if (at < 0) return undefined;
    v.splice(at, 1);
  }
  return { c, v };
}

/** `a / b` when b divides a exactly as polynomials with integer coefficients. */
export function divide(a: Size, b: Size): Size | undefined {
  const gone = absorbed(a, b);
  if (gone !== undefined) return isPoison(gone) ? gone : undefined;
  if (b.length === 0) return undefined;
  let rest = a;
  let quotient: Size = ZERO;
  for (let step = 0; rest.length > 0; step++) {
    if (step > MAX_MONOMIALS || isTooLarge(rest)) return undefined;
    const q = divideMonomial(rest[0]!, b[0]!);
    if (q === undefined) return undefined;
    quotient = add(quotient, [q]);
    rest = sub(rest, mulMonomial(b, q));
  }
  return quotient;
}

export function substitute(s: Size, value: (name: string) => Size | undefined): Size {
  if (!mentions(s, (v) => value(v) !== undefined)) return s;
  let out: Size = ZERO;
  for (const m of s) {
    let term: Size = num(m.c);
    for (const name of m.v) term = mul(term, value(name) ?? variable(name));
    out = add(out, term);
  }
  return out;
}

/** The polynomial as `coefficient * name + rest`, when `name` occurs with degree one at most. */
export function linearIn(s: Size, name: string): { coefficient: Size; rest: Size } | undefined {
  const coefficient: Monomial[] = [];
  const rest: Monomial[] = [];
  for (const m of s) {
    const at = m.v.indexOf(name);
    if (at < 0) {
      rest.push(m);
    } else if (m.v.indexOf(name, at + 1) >= 0) {
      return undefined;
    } else {
      coefficient.push({ c: m.c, v: m.v.filter((_, i) => i !== at) });
    }
  }
  // Removing one variable from every monomial keeps their order among themselves only by degree.
  coefficient.sort((a, b) => compareVars(a.v, b.v));
  return { coefficient, rest };
}

/** The value with numbers for the variables; undefined when one is no whole number or it passes 2^53. */
export function evaluate(s: Size, value: (name: string) => number | undefined): number | undefined {
  let total = 0;
  let exact = true;
  for (const m of s) {
    if (!Number.isFinite(m.c)) return undefined; // of what is no polynomial
    let term = m.c;
    for (const name of m.v) {
      const x = value(name);
      if (x === undefined || !Number.isInteger(x)) return undefined;
      term *= x;
    }
    total += term;
    exact &&= Number.isSafeInteger(term) && Number.isSafeInteger(total);
  }
  return exact ? total : whole(exactly(s, (name) => value(name)!));
}

/** The same over whole numbers without bound: large terms may cancel, as in (N + M)^2 - N^2. */
function exactly(s: Size, value: (name: string) => number): bigint {
  return s.reduce((sum, m) => sum + m.v.reduce((p, n) => p * BigInt(value(n)), BigInt(m.c)), 0n);
}

const whole = (v: bigint): number | undefined =>
  Number.isSafeInteger(Number(v)) ? Number(v) : undefined;

/**
 * Coefficients all non-negative: then the size is non-negative whatever its variables are. Of what
 * is too large nothing is known (its coefficient compares with nothing).
 */
export function hasNoNegativeTerm(s: Size): boolean {
  return s.every((m) => m.c >= 0);
}

function printVars(v: readonly string[], name: (v: string) => string): string {
  const out: string[] = [];
  for (let i = 0; i < v.length; ) {
    let n = 1;
    while (v[i + n] === v[i]) n++;
    const text = name(v[i]!);
    out.push(n === 1 ? text : `${/^\w+$/.test(text) ? text : `(${text})`}^${n}`);
    i += n;
  }
  return out.join('*');
}

/** In the user's notation: `3*H*E`, `A + B - 1`, `N^2`. */
export function print(s: Size, name: (v: string) => string = (v) => v): string {
  if (isTooLarge(s)) return '(too large)';
  if (isPoison(s)) return '...';
  if (s.length === 0) return '0';
  const terms = [...s.filter((m) => m.c > 0), ...s.filter((m) => m.c < 0)];
  let out = '';
  for (const m of terms) {
    const vars = printVars(m.v, name);
    const size = Math.abs(m.c);
    const text = vars === '' ? String(size) : size === 1 ? vars : `${size}*${vars}`;
    out += out === '' ? (m.c < 0 ? `-${text}` : text) : m.c < 0 ? ` - ${text}` : ` + ${text}`;
  }
  return out;
}
