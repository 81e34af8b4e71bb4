/**
 * Unknown sizes and types of one function, and the equations between them (language.md, "Size
 * inference", steps 3 to 5).
 *
 * Equations are tried as soon as they are known and put back while they have more than one unknown;
 * an equation `m*u + r = s` gives u when the quotient is exact, and u keeps the written form of the
 * side it came from. When nothing moves, the written form of one tuple index is matched, in source
 * order. Invariant: an unknown is a variable whose name begins with `?`; solutions are triangular
 * (never mention themselves), so `resolve*` terminates; each equation is reported at most once, at
 * its own span, with both sizes in the user's names.
 */
import type { Code } from './errors.ts';
import { diagnostic } from './errors.ts';
import { inUserNames } from './facts.ts';
import * as S from './size.ts';
import type { Diagnostic, Span } from './source.ts';
import type { DerivedSize, Dim, Form, Size, Type } from './typed.ts';
import {
  atom,
  countParts,
  ERROR,
  flatFactors,
  hasUnknown,
  isClosed,
  isUnknownName,
  MAX_PARTS,
  printDim,
  printType,
  type Substitution,
  substDim,
  substSize,
  substType,
  tensorOf,
} from './types.ts';

export { hasUnknown, isUnknownName } from './types.ts';

/** Why two things must agree, in words: "argument `x` of `linear`". */
export type Reason = {
  readonly span: Span;
  readonly subject: string;
  readonly hint?: string;
  readonly related?: Diagnostic['related'];
  /** The whole types that meet; set by `unify`, so that a size is shown in its type. */
  readonly between?: { readonly found: Type; readonly needed: Type };
  /** The field inside these types: `attn.qkv`. */
  readonly path?: string;
  /** Another sentence for two sizes that differ. */
  readonly sizes?: (found: string, needed: string) => string;
};

export type Unknown = {
  /** What the user calls it: `H`, or `the range of i`. */
  readonly label: string;
  readonly span: Span;
  readonly kind: 'size' | 'type' | 'number';
  /** How to give it: "write `attention[H = ...]`". */
  readonly hint?: string;
  /** The function whose size this is. */
  readonly owner?: string;
  /** Ranges around it, which are not empty where it matters. */
  readonly inside?: readonly Size[];
};

type Equation = { readonly a: Dim; readonly b: Dim; readonly reason: Reason };

/** Tried in source order when no equation moves; true when it added one that does. */
export type Guess = () => boolean;

export type Solver = {
  readonly unknowns: Map<string, Unknown>;
  readonly sizes: Map<string, { dim: Dim; reason: Reason }>;
  readonly types: Map<string, Type>;
  pending: Equation[];
  readonly guesses: Guess[];
  /** Used only when an unknown is left over otherwise. */
  readonly soft: Equation[];
  /** Dimensions that were found equal and have written forms, for the lint on permuted forms. */
  readonly compared: Equation[];
  readonly report: (d: Diagnostic) => void;
  /** Sizes that are a part of another one, to be shown by the whole: own ones and callees'. */
  readonly derived: DerivedSize[];
  /** Statements that have a size error, with the two sizes: its echoes are not reported. */
  readonly echoes: Set<string>;
  /** The statement that a place belongs to. */
  readonly statement: (at: Span) => number;
  readonly fresh: () => number;
};

export function newSize(s: Solver, u: Omit<Unknown, 'kind'>): Size {
  const name = `?${s.fresh()}`;
  s.unknowns.set(name, { ...u, kind: 'size' });
  return S.variable(name);
}

export function newType(s: Solver, u: Omit<Unknown, 'kind'>, kind: 'type' | 'number'): Type {
  const name = `?${s.fresh()}`;
  s.unknowns.set(name, { ...u, kind });
  return { k: 'var', name };
}

// ---------------------------------------------------------------- resolving

/** Each unknown is resolved once, so that what is shared in the solutions is shared in the result. */
function substitution(s: Solver): Substitution {
  const dims = new Map<string, Dim>();
  const types = new Map<string, Type>();
  const sub: Substitution = {
    size: (v) => {
      if (!isUnknownName(v)) return undefined;
      const known = dims.get(v);
      const found = known ?? s.sizes.get(v)?.dim;
      if (known !== undefined || found === undefined) return known;
      const resolved = substDim(found, sub);
      dims.set(v, resolved);
      return resolved;
    },
    type: (v) => {
      if (!isUnknownName(v)) return undefined;
      const known = types.get(v);
      const found = known ?? s.types.get(v);
      if (known !== undefined || found === undefined) return known;
      const resolved = isClosed(found) ? found : substType(found, sub);
      types.set(v, resolved);
      return resolved;
    },
  };
  return sub;
}

export function resolveSize(s: Solver, size: Size): Size {
  return hasUnknown(size) ? substSize(size, substitution(s)) : size;
}

export function resolveDim(s: Solver, d: Dim): Dim {
  return hasUnknown(d.size) || d.form.k !== 'atom' ? substDim(d, substitution(s)) : d;
}

export function resolveType(s: Solver, t: Type): Type {
  return isClosed(t) ? t : substType(t, substitution(s));
}

/** Follows solved unknowns at the head only. */
export function head(s: Solver, t: Type): Type {
  let now = t;
  while (now.k === 'var' && now.name.startsWith('?')) {
    const next = s.types.get(now.name);
    if (next === undefined) return now;
    now = next;
  }
  if (now.k === 'tensor' && now.elem.k === 'var' && now.elem.name.startsWith('?')) {
    const elem = head(s, now.elem);
    return elem === now.elem ? now : tensorOf(now.dims, elem);
  }
  return now;
}

// ---------------------------------------------------------------- showing

export function showSize(s: Solver, size: Size): string {
  return S.print(
    inUserNames(s.derived, resolveSize(s, size)),
    (v) => s.unknowns.get(v)?.label ?? v,
  );
}

export function showDim(s: Solver, d: Dim): string {
  const now = resolveDim(s, d);
  return printDim(now, (x) => showSize(s, x));
}

export function showType(s: Solver, t: Type): string {
  return printType(resolveType(s, t), (x) => showSize(s, x));
}

function fail(
  s: Solver,
  code: Code,
  reason: Reason,
  message: string,
  extra?: Diagnostic['related'],
): void {
  const related = [...(reason.related ?? []), ...(extra ?? [])];
  s.report(
    diagnostic(code, reason.span, message, {
      hint: reason.hint,
      related: related.length > 0 ? related : undefined,
    }),
  );
}

function labelOf(u: Unknown): string {
  return u.owner === undefined ? u.label : `\`${u.label}\` of \`${u.owner}\``;
}

/** Where the unknowns of a side of an equation got their values. */
function origins(s: Solver, ...sides: Size[]): NonNullable<Diagnostic['related']> {
  const out: { span: Span; message: string }[] = [];
  for (const side of sides) {
    for (const v of S.variables(side)) {
      const found = s.sizes.get(v);
      const unknown = s.unknowns.get(v);
      if (found === undefined || unknown === undefined || out.length > 2) continue;
      out.push({
        span: found.reason.span,
        message: `${labelOf(unknown)} is ${showDim(s, found.dim)} here`,
      });
    }
  }
  return out;
}

/** False when these two sizes met before in this statement: one cause, one error. */
export function isNews(s: Solver, at: Span, a: Size, b: Size): boolean {
  const sizes = [a, b].map((size) => S.print(resolveSize(s, size)));
  const echo = `${s.statement(at)} ${sizes.sort().join(' ')}`;
  if (s.echoes.has(echo)) return false;
  s.echoes.add(echo);
  return true;
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

function mismatch(s: Solver, e: Equation): void {
  if (!isNews(s, e.reason.span, e.a.size, e.b.size)) return;
  const from = origins(s, e.a.size, e.b.size).filter((r) => r.span.start !== e.reason.span.start);
  fail(s, 'E0501', e.reason, differ(s, e), from);
}

/** The needed size is a multiple of a number or size, and the one found is not. */
function indivisible(s: Solver, e: Equation, by: Size, found: Size): void {
  if (!isNews(s, e.reason.span, e.a.size, e.b.size)) return;
  const positive = by[0]!.c < 0 ? S.sub(S.ZERO, by) : by;
  const multiple = showSize(s, positive);
  const open = S.constant(found) === undefined && !hasUnknown(found);
  const reason: Reason = {
    ...e.reason,
    hint: open
      ? `if it always is one, add \`where ${showSize(s, found)} % ${multiple} == 0\` to the function`
      : e.reason.hint,
  };
  const message = `${differ(s, e)}: ${showSize(s, found)} is ${open ? 'not known to be ' : 'not '}a multiple of ${multiple}`;
  fail(s, 'E0505', reason, message, origins(s, e.a.size, e.b.size));
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

/** An equation that is used only to find what nothing else says. */
export function suggest(s: Solver, a: Dim, b: Dim, reason: Reason): void {
  s.soft.push({ a, b, reason });
}

/** The product of these ranges is a dimension, whose written form may say what each one is. */
export function equateProduct(s: Solver, parts: readonly Size[], dim: Dim, reason: Reason): void {
  s.guesses.push(() => matchForm(s, parts, dim, reason));
  equate(s, atom(S.product(parts)), dim, reason);
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

function attempt(s: Solver, e: Equation): 'done' | 'stuck' {
  const a = resolveDim(s, e.a);
  const b = resolveDim(s, e.b);
  if (S.isTooLarge(a.size) || S.isTooLarge(b.size)) {
    for (const v of S.variables(S.isTooLarge(a.size) ? b.size : a.size)) {
      if (isUnknownName(v)) s.sizes.set(v, { dim: atom(S.TOO_LARGE), reason: e.reason });
    }
    return 'done';
  }
  if (S.equal(a.size, b.size)) {
    if (a.form.k === 'product' && b.form.k === 'product') s.compared.push(e);
    return 'done';
  }
  const difference = S.sub(a.size, b.size);
  const unknowns = S.variables(difference).filter(isUnknownName);
  if (unknowns.length === 0) {
    mismatch(s, e);
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
    const value = S.divide(S.sub(S.ZERO, parts.rest), parts.coefficient);
    if (value === undefined) {
      const known = S.mentions(a.size, (v) => v === name) ? b.size : a.size;
      indivisible(s, e, parts.coefficient, hasUnknown(known) ? parts.rest : known);
      return 'done';
    }
    solve(s, name, { size: value, form: formOfQuotient(a, b, name, value) }, e.reason);
    return 'done';
  }
  return 'stuck';
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
    const exact = other.form.parts.find((p) => p.k === 'product' && S.equal(sizeOf(p), value));
    if (exact !== undefined) return exact;
    const parts = other.form.parts;
    for (let i = 0; i < parts.length; i++) {
      for (let j = i + 2; j <= parts.length; j++) {
        const some = parts.slice(i, j);
        if (S.equal(S.product(some.map(sizeOf)), value)) return { k: 'product', parts: some };
      }
    }
  }
  return { k: 'atom', size: value };
}

function sizeOf(f: Form): Size {
  if (f.k === 'atom') return f.size;
  const parts = f.parts.map(sizeOf);
  return f.k === 'product' ? S.product(parts) : parts.reduce(S.add, S.ZERO);
}

// ---------------------------------------------------------------- when nothing moves

function matchForm(s: Solver, ranges: readonly Size[], dim: Dim, reason: Reason): boolean {
  const parts = ranges.map((p) => resolveSize(s, p));
  if (!parts.some(hasUnknown)) return false;
  const { form } = resolveDim(s, dim);
  if (form.k !== 'product') return false;
  const fits = (forms: readonly Form[]): boolean =>
    forms.length === parts.length &&
    parts.every((p, i) => hasUnknown(p) || S.equal(p, sizeOf(forms[i]!)));
  const chosen = [form.parts, flatFactors(form)].find(fits);
  if (chosen === undefined) return false;
  parts.forEach((p, i) => {
    const f = chosen[i]!;
    if (hasUnknown(p)) equate(s, atom(p), { size: sizeOf(f), form: f }, reason);
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
    if (moved) continue;
    for (const e of s.soft) {
      const a = resolveSize(s, e.a.size);
      const b = resolveSize(s, e.b.size);
      const name = [a, b].map(S.bareVariable).find((v) => v !== undefined && isUnknownName(v));
      if (name === undefined || S.equal(a, b)) continue;
      const other = S.bareVariable(a) === name ? e.b : e.a;
      if (S.mentions(resolveSize(s, other.size), (v) => v === name)) continue;
      solve(s, name, other, e.reason);
      moved = true;
      break;
    }
  }
}

// ---------------------------------------------------------------- types

function bind(s: Solver, name: string, t: Type, reason: Reason): boolean {
  const unknown = s.unknowns.get(name);
  if (t.k === 'var' && t.name === name) return true;
  if (unknown?.kind === 'number') {
    // Never an index: that takes a proof (coerce).
    const ok =
      (t.k === 'scalar' && (t.s === 'f32' || t.s === 'i32' || t.s === 'u32')) ||
      (t.k === 'var' && isUnknownName(t.name) && s.unknowns.get(t.name)?.kind === 'number');
    if (!ok && t.k === 'var' && isUnknownName(t.name)) {
      s.types.set(t.name, { k: 'var', name });
      return true;
    }
    if (!ok) {
      fail(s, 'E0401', reason, `${subjectOf(reason)} is a number, but ${showType(s, t)} is needed`);
      return false;
    }
  }
  if (weigh(s, t) > MAX_PARTS) {
    fail(s, 'E0415', reason, `the type of ${subjectOf(reason)} has more than ${MAX_PARTS} parts`);
    s.types.set(name, ERROR);
    return false;
  }
  s.types.set(name, t);
  return true;
}

/** The parts of a type with its unknowns solved, each of which is counted once. */
function weigh(s: Solver, t: Type): number {
  const counted = new Map<string, number>();
  const unknown = (name: string): number => {
    const found = s.types.get(name);
    const n = counted.get(name) ?? (found === undefined ? 1 : countParts(found, unknown));
    counted.set(name, n);
    return n;
  };
  return countParts(t, unknown);
}

function occurs(s: Solver, name: string, t: Type): boolean {
  const now = head(s, t);
  switch (now.k) {
    case 'var':
      return now.name === name;
    case 'scalar':
    case 'idx':
      return false;
    case 'tensor':
      return occurs(s, name, now.elem);
    case 'record':
      return now.fields.some((f) => occurs(s, name, f.type));
    case 'fn':
      return now.params.some((p) => occurs(s, name, p)) || occurs(s, name, now.result);
  }
}

function within(reason: Reason, label: string): Reason {
  return { ...reason, path: reason.path === undefined ? label : `${reason.path}.${label}` };
}

function subjectOf(reason: Reason): string {
  return reason.path === undefined
    ? reason.subject
    : `field \`${reason.path}\` of ${reason.subject}`;
}

/** Makes the type found equal the type needed; reports and returns false when it cannot. */
export function unify(s: Solver, actual: Type, expected: Type, outer: Reason): boolean {
  const a = head(s, actual);
  const b = head(s, expected);
  if (a === b) return true;
  const whole = outer.between === undefined && a.k !== 'var' && b.k !== 'var';
  const reason = whole ? { ...outer, between: { found: a, needed: b } } : outer;
  if ((a.k === 'var' && a.name === '!') || (b.k === 'var' && b.name === '!')) return true;
  const wrong = (): boolean => {
    fail(
      s,
      'E0401',
      reason,
      `${subjectOf(reason)} is ${showType(s, a)}, but ${showType(s, b)} is needed`,
    );
    return false;
  };
  if (a.k === 'var' && isUnknownName(a.name)) {
    return occurs(s, a.name, b) && b.k !== 'var' ? wrong() : bind(s, a.name, b, reason);
  }
  if (b.k === 'var' && isUnknownName(b.name)) {
    return occurs(s, b.name, a) ? wrong() : bindNeeded(s, b.name, a, reason);
  }
  if (a.k === 'tensor' && b.k === 'tensor') return unifyTensors(s, a, b, reason, wrong);
  if (a.k === 'scalar' && b.k === 'scalar') return a.s === b.s || wrong();
  if (a.k === 'idx' && b.k === 'idx') {
    equateSizes(s, a.size, b.size, reason);
    return true;
  }
  if (a.k === 'var' && b.k === 'var') return a.name === b.name || wrong();
  if (a.k === 'record' && b.k === 'record') return unifyRecords(s, a, b, reason);
  if (a.k === 'fn' && b.k === 'fn') {
    if (a.params.length !== b.params.length) return wrong();
    const params = a.params.map((p, i) => unify(s, p, b.params[i]!, reason));
    return unify(s, a.result, b.result, reason) && params.every(Boolean);
  }
  return wrong();
}

/** As `bind`, for a number that is needed where something else was found. */
function bindNeeded(s: Solver, name: string, found: Type, reason: Reason): boolean {
  const isNumber = s.unknowns.get(name)?.kind === 'number';
  const fits = found.k === 'scalar' && found.s !== 'bool' && found.s !== 'key';
  if (isNumber && !fits && !(found.k === 'var' && isUnknownName(found.name))) {
    fail(
      s,
      'E0401',
      reason,
      `${subjectOf(reason)} is ${showType(s, found)}, but a number is needed`,
    );
    return false;
  }
  return bind(s, name, found, reason);
}

type Tensor = Extract<Type, { k: 'tensor' }>;
type Rec = Extract<Type, { k: 'record' }>;

function unifyTensors(
  s: Solver,
  a: Tensor,
  b: Tensor,
  reason: Reason,
  wrong: () => boolean,
): boolean {
  const n = Math.min(a.dims.length, b.dims.length);
  const restA = tensorOf(a.dims.slice(n), a.elem);
  const restB = tensorOf(b.dims.slice(n), b.elem);
  const open = (t: Type) => t.k === 'var' && isUnknownName(t.name);
  if (a.dims.length !== b.dims.length && !open(restA) && !open(restB)) return wrong();
  if (restA.k !== restB.k && !open(restA) && !open(restB)) return wrong();
  if (restA.k === 'scalar' && restB.k === 'scalar' && restA.s !== restB.s) return wrong();
  for (let i = 0; i < n; i++) equate(s, a.dims[i]!, b.dims[i]!, reason);
  return unify(s, restA, restB, reason);
}

/** Same alias: arguments pairwise, so that an error speaks of `Linear[D, F]`, not of a leaf. */
function sameAlias(s: Solver, a: Rec, b: Rec, reason: Reason): boolean {
  if (
    a.aliasId === undefined ||
    a.aliasId !== b.aliasId ||
    a.args === undefined ||
    b.args === undefined
  ) {
    return false;
  }
  if (a.args.length !== b.args.length) return false;
  const pairs = a.args.map((x, i) => [x, b.args![i]!] as const);
  const sizesMayMeet = pairs.every(([x, y]) => {
    if (x.k !== 'size' || y.k !== 'size') return x.k === y.k;
    const p = resolveSize(s, x.dim.size);
    const q = resolveSize(s, y.dim.size);
    return S.equal(p, q) || hasUnknown(p) || hasUnknown(q);
  });
  if (!sizesMayMeet) return false;
  for (const [x, y] of pairs) {
    if (x.k === 'size' && y.k === 'size') equate(s, x.dim, y.dim, reason);
    if (x.k === 'type' && y.k === 'type') unify(s, x.type, y.type, reason);
  }
  return true;
}

function unifyRecords(s: Solver, a: Rec, b: Rec, reason: Reason): boolean {
  if (sameAlias(s, a, b, reason)) return true;
  const labels = (r: Rec) => r.fields.map((f) => f.label).join(' ');
  if (labels(a) !== labels(b)) {
    const missing = b.fields.filter((f) => !a.fields.some((g) => g.label === f.label));
    const extra = a.fields.filter((f) => !b.fields.some((g) => g.label === f.label));
    const list = (fs: typeof missing) => fs.map((f) => `\`${f.label}\``).join(', ');
    if (missing.length > 0) {
      const has = extra.length > 0 ? ` (it has ${list(extra)})` : '';
      fail(
        s,
        'E0403',
        reason,
        `${subjectOf(reason)} has no field ${list(missing)}${has}; ${showType(s, b)} is needed`,
      );
    } else if (extra.length > 0) {
      fail(
        s,
        'E0404',
        reason,
        `${subjectOf(reason)} has a field ${list(extra)} that ${showType(s, b)} does not have`,
      );
    } else {
      const order = (r: Rec) => r.fields.map((f) => f.label).join(', ');
      const message = `${subjectOf(reason)} has the fields ${order(a)}, but the order ${order(b)} is needed`;
      fail(s, 'E0401', reason, message);
    }
    return false;
  }
  let ok = true;
  for (let i = 0; i < a.fields.length; i++) {
    const x = a.fields[i]!;
    const y = b.fields[i]!;
    if (x.fixed !== y.fixed) {
      const [is, other] = x.fixed ? ['fixed', 'one that is not'] : ['not fixed', 'a fixed one'];
      fail(
        s,
        'E0401',
        reason,
        `field \`${x.label}\` of ${subjectOf(reason)} is ${is}, but ${other} is needed`,
      );
      ok = false;
      continue;
    }
    ok = unify(s, x.type, y.type, within(reason, x.label)) && ok;
  }
  return ok;
}
