/**
 * Equations between sizes: the work list of language.md, "Size inference", steps 3 to 5.
 *
 * An equation is tried at once and put back while it has more than one unknown; `m*u + r = s` gives
 * u when the quotient is exact, and u keeps the written form of the side it came from. When nothing
 * moves, the written form of one tuple index is matched, in source order. Invariant: each equation
 * is reported at most once, at its own span, with both sizes in the user's names.
 */
import { wholeQuotient } from './facts.ts';
import type { Reported } from './reported.ts';
import * as S from './size.ts';
import {
  type Equation,
  fail,
  type Hint,
  origins,
  type Reason,
  resolveDim,
  resolveSize,
  type Solver,
  showDim,
  showSize,
  showType,
} from './solver.ts';
import type { Span } from './source.ts';
import type { Dim, Form, Size } from './typed.ts';
import { atom, flatFactors, hasUnknown, isUnknownName, sizeOfForm } from './types.ts';

// ---------------------------------------------------------------- reporting

/** Evidence that these two sizes met before in this statement: one cause, one error. */
export function echoOf(s: Solver, at: Span, a: Size, b: Size): Reported | undefined {
  return s.echoes.get(echoKey(s, at, a, b));
}

function echoKey(s: Solver, at: Span, a: Size, b: Size): string {
  const sizes = [a, b].map((size) => S.print(resolveSize(s, size)));
  return `${s.statement(at)} ${sizes.sort().join(' ')}`;
}

/** Reports two sizes that do not meet, unless they were reported in this statement. */
export function reportOnce(s: Solver, at: Span, a: Size, b: Size, issue: () => Reported): Reported {
  const key = echoKey(s, at, a, b);
  const by = s.echoes.get(key) ?? issue();
  s.echoes.set(key, by);
  return by;
}

function differ(s: Solver, e: Equation): string {
  const { subject, between, path, sizes } = e.reason;
  const a = showDim(s, e.a);
  const b = showDim(s, e.b);
  if (sizes !== undefined) return sizes(a, b);
  if (between === undefined) return `${subject} has size ${a}, but ${b} is needed`;
  const found = showType(s, between.found);
  const needed = showType(s, between.needed);
  const { k } = between.found;
  const plain = k === 'tensor' && between.found.dims.length === 1 && path === undefined;
  const where = path === undefined ? '' : `in the field \`${path}\`, `;
  const why = plain || k === 'idx' ? '' : `: ${where}${a} is not ${b}`;
  return `${subject} is ${found}, but ${needed} is needed${why}`;
}

/** Two sizes of the user's that may well be meant to be one. */
export function sameSize(s: Solver, a: Size, b: Size): Hint | undefined {
  const [x, y] = [a, b].map((size) => S.bareVariable(size));
  if (x === undefined || y === undefined || hasUnknown(a) || hasUnknown(b)) return undefined;
  const fact = `${showSize(s, a)} == ${showSize(s, b)}`;
  const { fix } = s.addFact(fact);
  return {
    hint: `if they are always equal, write one name for both, or add \`where ${fact}\` to the function`,
    fix,
  };
}

function mismatch(s: Solver, e: Equation): Reported {
  return reportOnce(s, e.reason.span, e.a.size, e.b.size, () => {
    const from = origins(s, e.a.size, e.b.size).filter((r) => r.span.start !== e.reason.span.start);
    const [a, b] = [resolveSize(s, e.a.size), resolveSize(s, e.b.size)];
    const hint = e.reason.advice?.(a, b) ?? { hint: e.reason.hint };
    return fail(s, 'E0501', e.reason, differ(s, e), from, hint);
  });
}

/** The needed size is a multiple of a number or size, and the one found is not. */
function indivisible(s: Solver, e: Equation, name: string, by: Size, found: Size): Reported {
  return reportOnce(s, e.reason.span, e.a.size, e.b.size, () => {
    const [a, b] = [resolveSize(s, e.a.size), resolveSize(s, e.b.size)];
    const [needed, given] = S.mentions(a, (v) => v === name) ? [a, b] : [b, a];
    const unmet = s.unknowns.get(name)?.unmet?.(needed, given);
    if (unmet !== undefined) return unmet;
    const positive = by[0] !== undefined && by[0].c < 0 ? S.sub(S.ZERO, by) : by;
    const multiple = showSize(s, positive);
    const open = S.constant(found) === undefined && !hasUnknown(found);
    const known = s.knowsRemainder(found, positive);
    const hint = ((): Hint => {
      if (!open) return { hint: e.reason.hint };
      if (known) return wholeQuotient(s.derived, found, positive, s.addFact);
      const fact = `${showSize(s, found)} % ${multiple} == 0`;
      return {
        hint: `if it always is one, add \`where ${fact}\` to the function`,
        fix: s.addFact(fact).fix,
      };
    })();
    const fails = known
      ? `has no quotient by ${multiple} that is a size`
      : `is ${open ? 'not known to be ' : 'not '}a multiple of ${multiple}`;
    const message = `${differ(s, e)}: ${showSize(s, found)} ${fails}`;
    return fail(s, 'E0505', e.reason, message, origins(s, e.a.size, e.b.size), hint);
  });
}

function tooLarge(s: Solver, e: Equation): Reported {
  return fail(s, 'E0506', e.reason, `a size of ${e.reason.subject} is too large`, undefined, {
    hint: 'sizes are exact up to 2^53',
  });
}

// ---------------------------------------------------------------- size equations

/** `a` was found, `b` is needed. */
export function equate(s: Solver, a: Dim, b: Dim, reason: Reason): void {
  const e = { a, b, reason };
  if (attempt(s, e) === 'stuck') s.pending.push(e);
}

export function equateSizes(s: Solver, a: Size, b: Size, reason: Reason): void {
  equate(s, atom(a), atom(b), reason);
}

/**
 * `small` has to fit into `large`, which is shown elsewhere; if nothing else says what one of them is,
 * they are equal.
 */
export function suggest(s: Solver, small: Dim, large: Dim, reason: Reason): void {
  s.soft.push({ a: small, b: large, reason });
}

/**
 * The product of these ranges is a dimension, whose written form may say what each one is; the
 * dimension of a tuple inside of another one is known only as a part of that one's.
 */
export function equateProduct(
  s: Solver,
  parts: readonly Size[],
  dim: Dim | undefined,
  reason: Reason,
): void {
  s.guesses.push(() => matchForm(s, parts, dim, reason));
  if (dim !== undefined) equate(s, atom(S.product(parts)), dim, reason);
}

/** Both are one extent, and what is written of their order has to be one order as well. */
export function sameLayout(s: Solver, a: Dim, b: Dim, reason: Reason): void {
  s.compared.push({ a, b, reason });
}

function solve(s: Solver, name: string, dim: Dim, reason: Reason): void {
  s.sizes.set(name, { dim, reason });
  run(s);
}

let running = false;

/** Tries the equations put back until none moves. */
function run(s: Solver): void {
  if (running) return;
  running = true;
  try {
    for (let moved = true; moved; ) {
      moved = false;
      const list = s.pending;
      s.pending = [];
      for (const e of list) {
        if (attempt(s, e) === 'stuck') s.pending.push(e);
        else moved = true;
      }
      if (s.pending.length === 0) return;
    }
  } finally {
    running = false;
  }
}

/** What is not known of the equation follows from no other: its unknowns are those of the report. */
function givenUp(s: Solver, e: Equation, a: Size, b: Size, by: Reported): 'done' {
  for (const v of [...S.variables(a), ...S.variables(b)]) {
    if (isUnknownName(v)) s.sizes.set(v, { dim: atom(S.poison(by)), reason: e.reason });
  }
  return 'done';
}

function attempt(s: Solver, e: Equation): 'done' | 'stuck' {
  const a = resolveDim(s, e.a);
  const b = resolveDim(s, e.b);
  const reported = S.poisonBy(a.size) ?? S.poisonBy(b.size);
  if (reported !== undefined) return givenUp(s, e, a.size, b.size, reported);
  if (S.equal(a.size, b.size)) {
    if (a.form.k === 'product' && b.form.k === 'product') s.compared.push(e);
    return 'done';
  }
  const difference = S.sub(a.size, b.size);
  if (S.isTooLarge(difference)) return givenUp(s, e, a.size, b.size, tooLarge(s, e));
  const unknowns = S.variables(difference).filter(isUnknownName);
  if (unknowns.length === 0) {
    if (!s.provesEqual(a.size, b.size)) mismatch(s, e);
    return 'done';
  }
  for (const [side, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const name = S.bareVariable(side.size);
    if (name === undefined || !isUnknownName(name)) continue;
    if (S.mentions(other.size, (v) => v === name)) continue;
    const twin = S.bareVariable(other.size);
    if (side === a && twin !== undefined && isUnknownName(twin) && stays(s, name, twin)) continue;
    solve(s, name, other, e.reason);
    return 'done';
  }
  for (const name of unknowns) {
    const parts = S.linearIn(difference, name);
    if (parts === undefined) continue;
    const c = S.constant(parts.coefficient);
    if (unknowns.length > 1 && c !== 1 && c !== -1) continue;
    const value = quotientOf(s, parts.rest, parts.coefficient);
    if (value === undefined) {
      const known = S.mentions(a.size, (v) => v === name) ? b.size : a.size;
      const found = hasUnknown(known) ? parts.rest : known;
      return givenUp(s, e, a.size, b.size, indivisible(s, e, name, parts.coefficient, found));
    }
    if (a.form.k === 'product' && b.form.k === 'product') s.compared.push(e);
    solve(s, name, { size: value, form: formOfQuotient(a, b, name, value) }, e.reason);
    return 'done';
  }
  return 'stuck';
}

/** -rest / coefficient, with a divisor that may be a size. */
function quotientOf(s: Solver, rest: Size, coefficient: Size): Size | undefined {
  const negated = (p: Size) => S.sub(S.ZERO, p);
  return s.quotient(negated(rest), coefficient) ?? s.quotient(rest, negated(coefficient));
}

/**
 * Of two equal unknowns, whether the first one stays to be asked for: a callee's size before a
 * range, then the older one, which is where the user would write it.
 */
function stays(s: Solver, a: string, b: string): boolean {
  const owned = (v: string) => s.unknowns.get(v)?.owner !== undefined;
  if (owned(a) !== owned(b)) return owned(a);
  return Number(a.slice(1)) < Number(b.slice(1));
}

/** `u * rest = A*B*C` written as factors: u keeps the factors that are left. */
function formOfQuotient(a: Dim, b: Dim, name: string, value: Size): Form {
  const other = S.mentions(a.size, (v) => v === name) ? b : a;
  if (other.form.k === 'product') {
    const exact = other.form.parts.find((p) => p.k === 'product' && S.equal(sizeOfForm(p), value));
    if (exact !== undefined) return exact;
    const parts = other.form.parts;
    for (let i = 0; i < parts.length; i++) {
      for (let j = i + 2; j <= parts.length; j++) {
        const some = parts.slice(i, j);
        if (S.equal(S.product(some.map(sizeOfForm)), value)) return { k: 'product', parts: some };
      }
    }
  }
  return { k: 'atom', size: value };
}

// ---------------------------------------------------------------- when nothing moves

/** What may say how a product of ranges is written: its dimension, and what it has to be equal to. */
function formsOf(s: Solver, ranges: readonly Size[], dim: Dim | undefined): Form[] {
  const product = S.product(ranges);
  const met = s.pending.flatMap((e) => {
    const [a, b] = [resolveDim(s, e.a), resolveDim(s, e.b)];
    if (S.equal(a.size, product)) return [b.form];
    return S.equal(b.size, product) ? [a.form] : [];
  });
  return dim === undefined ? met : [resolveDim(s, dim).form, ...met];
}

function matchForm(
  s: Solver,
  ranges: readonly Size[],
  dim: Dim | undefined,
  reason: Reason,
): boolean {
  const parts = ranges.map((p) => resolveSize(s, p));
  if (!parts.some(hasUnknown)) return false;
  const fits = (forms: readonly Form[]): boolean =>
    forms.length === parts.length &&
    parts.every((p, i) => hasUnknown(p) || S.equal(p, sizeOfForm(forms[i]!)));
  // Where a form can be read in two ways (`(A*B)*1` has two parts, and so has the first of them), the
  // one that the ranges which are written agree with.
  const agrees = (forms: readonly Form[]): boolean =>
    parts.every((p, i) => {
      const name = S.bareVariable(p);
      const said = s.soft.flatMap((e) =>
        name !== undefined && openName(s, e.b) === name ? [resolveSize(s, e.a.size)] : [],
      );
      return said.every((size) => hasUnknown(size) || S.equal(size, sizeOfForm(forms[i]!)));
    });
  const possible = formsOf(s, parts, dim)
    .flatMap((form) => (form.k === 'product' ? [form.parts, flatFactors(form)] : []))
    .filter(fits);
  const chosen = possible.find(agrees) ?? possible[0];
  if (chosen === undefined) return false;
  parts.forEach((p, i) => {
    const f = chosen[i]!;
    if (hasUnknown(p)) equate(s, atom(p), { size: sizeOfForm(f), form: f }, reason);
  });
  return true;
}

/** Uses written forms and suggestions until every size that can be known is. */
export function settle(s: Solver): void {
  for (let moved = true; moved; ) {
    run(s);
    const at = s.guesses.findIndex((guess) => guess());
    moved = at >= 0;
    // Each guess is made once, so that this ends.
    if (moved) s.guesses.splice(at, 1);
    else moved = suggested(s);
  }
}

/**
 * Gives one unknown what was suggested for it. Of several sizes it has to fit into, the least, and of
 * several that have to fit into it, the greatest, so that the order of arguments does not matter.
 */
function suggested(s: Solver): boolean {
  for (const e of s.soft) {
    const name = openName(s, e.a) ?? openName(s, e.b);
    if (name === undefined || S.equal(resolveSize(s, e.a.size), resolveSize(s, e.b.size))) continue;
    const within = s.soft.filter((x) => openName(s, x.a) === name).map((x) => x.b);
    const around = s.soft.filter((x) => openName(s, x.b) === name).map((x) => x.a);
    const chosen =
      extremeOf(s, name, within, (a, b) => s.atMost(a, b)) ??
      extremeOf(s, name, around, (a, b) => s.atMost(b, a));
    if (chosen === undefined) continue;
    solve(s, name, chosen, e.reason);
    return true;
  }
  return false;
}

function openName(s: Solver, d: Dim): string | undefined {
  const name = S.bareVariable(resolveSize(s, d.size));
  return name !== undefined && isUnknownName(name) ? name : undefined;
}

/** The one that is before all others, or the first if none is known to be; known sizes first. */
function extremeOf(
  s: Solver,
  name: string,
  dims: readonly Dim[],
  before: (a: Size, b: Size) => boolean,
): Dim | undefined {
  const usable = dims.filter((d) => !S.mentions(resolveSize(s, d.size), (v) => v === name));
  const known = usable.filter((d) => !hasUnknown(resolveSize(s, d.size)));
  const sizes = known.map((d) => resolveSize(s, d.size));
  const at = sizes.findIndex((a) => sizes.every((b) => before(a, b)));
  return known[at] ?? known[0] ?? usable[0];
}
