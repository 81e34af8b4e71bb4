/**
 * Types that must agree: same alias, arguments pairwise; records by label; tensors per dimension.
 *
 * `unify(found, needed)` binds unknown types and hands sizes to equations.ts. Invariant: it reports
 * once, in the user's own terms, and gives the evidence when it did; a type whose error was reported
 * agrees with everything.
 */
import { equate, equateSizes } from './equations.ts';
import type { Reported } from './reported.ts';
import * as S from './size.ts';
import { fail, head, type Reason, resolveSize, type Solver, showType } from './solver.ts';
import type { AliasArg, Type } from './typed.ts';
import {
  countParts,
  errorType,
  hasUnknown,
  I32,
  isBroken,
  isUnknownName,
  MAX_PARTS,
  tensorOf,
} from './types.ts';

/** Evidence that two types do not agree; nothing when they do. */
type Clash = Reported | undefined;

function bind(s: Solver, name: string, t: Type, reason: Reason): Clash {
  const unknown = s.unknowns.get(name);
  if (t.k === 'var' && t.name === name) return undefined;
  if (unknown?.kind === 'number') {
    // Never an index: that takes a proof (coerce).
    const ok =
      (t.k === 'scalar' && (t.s === 'f32' || t.s === 'i32' || t.s === 'u32')) ||
      (t.k === 'var' && isUnknownName(t.name) && s.unknowns.get(t.name)?.kind === 'number');
    if (!ok && t.k === 'var' && isUnknownName(t.name)) {
      s.types.set(t.name, { k: 'var', name });
      return undefined;
    }
    if (!ok) {
      const hint = reason.hint ?? wrongTypeHint(I32, t);
      const message = `${subjectOf(reason)} is a number, but ${showType(s, t)} is needed`;
      return fail(s, 'E0401', { ...reason, hint }, message);
    }
  }
  if (weigh(s, t) > MAX_PARTS) {
    const many = `the type of ${subjectOf(reason)} has more than ${MAX_PARTS} parts`;
    const by = fail(s, 'E0415', reason, many);
    s.types.set(name, errorType(by));
    return by;
  }
  s.types.set(name, t);
  return undefined;
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

/** Makes the type found equal the type needed; the evidence when it cannot. */
export function unify(s: Solver, actual: Type, expected: Type, outer: Reason): Clash {
  const a = head(s, actual);
  const b = head(s, expected);
  if (a === b || isBroken(a) || isBroken(b)) return undefined;
  const whole = outer.between === undefined && a.k !== 'var' && b.k !== 'var';
  const reason = whole ? { ...outer, between: { found: a, needed: b } } : outer;
  const wrong = (): Reported => {
    const needed = elementOf(b);
    const found = showType(s, a, needed.k === 'scalar' ? needed : undefined);
    return fail(
      s,
      'E0401',
      reason.hint === undefined ? { ...reason, hint: wrongTypeHint(a, b, reason.lift) } : reason,
      `${subjectOf(reason)} is ${found}, but ${showType(s, b)} is needed`,
    );
  };
  if (a.k === 'var' && isUnknownName(a.name)) {
    return occurs(s, a.name, b) && b.k !== 'var' ? wrong() : bind(s, a.name, b, reason);
  }
  if (b.k === 'var' && isUnknownName(b.name)) {
    return occurs(s, b.name, a) ? wrong() : bindNeeded(s, b.name, a, reason);
  }
  if (a.k === 'tensor' && b.k === 'tensor') return unifyTensors(s, a, b, reason, wrong);
  if (a.k === 'scalar' && b.k === 'scalar') return a.s === b.s ? undefined : wrong();
  if (a.k === 'idx' && b.k === 'idx') {
    equateSizes(s, a.size, b.size, reason);
    return undefined;
  }
  if (a.k === 'var' && b.k === 'var') return a.name === b.name ? undefined : wrong();
  if (a.k === 'record' && b.k === 'record') return unifyRecords(s, a, b, reason);
  if (a.k === 'fn' && b.k === 'fn') {
    if (a.params.length !== b.params.length) return wrong();
    const params = a.params.map((p, i) => unify(s, p, b.params[i]!, reason));
    const result = unify(s, a.result, b.result, reason);
    return params.find((by) => by !== undefined) ?? result;
  }
  return wrong();
}

function elementOf(t: Type): Type {
  return t.k === 'tensor' ? t.elem : t;
}

/** What to do about two types that are easily taken for each other. */
function wrongTypeHint(found: Type, needed: Type, lift?: string): string | undefined {
  const isNumber = (t: Type) =>
    t.k === 'idx' || (t.k === 'scalar' && (t.s === 'f32' || t.s === 'i32' || t.s === 'u32'));
  if (needed.k === 'scalar' && needed.s === 'key') {
    return 'a key is a parameter, `k: key`; more of them come from `split(k, 0)`, `split(k, 1)`';
  }
  if (needed.k === 'scalar' && isNumber(needed) && isNumber(found)) {
    return `write \`${needed.s}(...)\` around it`;
  }
  const [a, b] = [elementOf(found), elementOf(needed)];
  if (needed.k === 'tensor' && (isNumber(found) || found.k === 'var') && b.k === 'scalar') {
    return 'an array is written by a loop, `for i. ...`; the same number everywhere is `for _. 0`';
  }
  if (needed.k === 'fn' && found.k !== 'fn')
    return 'write a function of what it is called with: `x -> ...`';
  if (found.k !== 'tensor' || a.k !== 'scalar' || b.k !== 'scalar' || a.s !== b.s) return undefined;
  const reshape = needed.k === 'tensor' ? reshapeHint(found, needed) : undefined;
  if (reshape !== undefined) return reshape;
  const more = found.dims.length - (needed.k === 'tensor' ? needed.dims.length : 0);
  if (b.s === 'bool') {
    return 'choose for each element, `for i. if c[i] then ... else ...`, or ask `all i. c[i]` or `any i. c[i]`';
  }
  return more === 1 ? lift : undefined;
}

/** The same elements under other dimensions: `f32[A*B]` for `f32[A, B]`. */
function reshapeHint(found: Tensor, needed: Tensor): string | undefined {
  const [a, b] = [found, needed].map((t) => S.product(t.dims.map((d) => d.size)));
  if (found.dims.length === needed.dims.length || !S.equal(a!, b!)) return undefined;
  return found.dims.length < needed.dims.length
    ? 'the parts of a product are read with a tuple: `for a, b. x[(a, b)]`'
    : 'one dimension of two is made with a tuple: `for (a, b). x[a, b]`';
}

/** As `bind`, for a number that is needed where something else was found. */
function bindNeeded(s: Solver, name: string, found: Type, reason: Reason): Clash {
  const isNumber = s.unknowns.get(name)?.kind === 'number';
  const fits = found.k === 'scalar' && found.s !== 'bool' && found.s !== 'key';
  if (isNumber && !fits && !(found.k === 'var' && isUnknownName(found.name))) {
    return fail(
      s,
      'E0401',
      reason,
      `${subjectOf(reason)} is ${showType(s, found)}, but a number is needed`,
    );
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
  wrong: () => Reported,
): Clash {
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

/** The same alias with arguments that may be equal: sizes and types pairwise. */
function argsOf(s: Solver, a: Rec, b: Rec): (readonly [AliasArg, AliasArg])[] | undefined {
  if (a.aliasId === undefined || a.aliasId !== b.aliasId) return undefined;
  if (a.args === undefined || a.args.length !== b.args?.length) return undefined;
  const pairs = a.args.map((x, i) => [x, b.args![i]!] as const);
  const mayMeet = pairs.every(([x, y]) => {
    if (x.k !== 'size' || y.k !== 'size') return x.k === y.k;
    const p = resolveSize(s, x.dim.size);
    const q = resolveSize(s, y.dim.size);
    return S.equal(p, q) || hasUnknown(p) || hasUnknown(q);
  });
  return mayMeet ? pairs : undefined;
}

function unifyRecords(s: Solver, a: Rec, b: Rec, reason: Reason): Clash {
  // So that an error speaks of `Linear[D, F]`, not of a leaf.
  const args = argsOf(s, a, b);
  if (args !== undefined) {
    const clashes = args.map(([x, y]) => {
      if (x.k === 'size' && y.k === 'size') equate(s, x.dim, y.dim, reason);
      return x.k === 'type' && y.k === 'type' ? unify(s, x.type, y.type, reason) : undefined;
    });
    return clashes.find((by) => by !== undefined);
  }
  const labels = (r: Rec) => r.fields.map((f) => f.label).join(' ');
  if (labels(a) !== labels(b)) {
    const missing = b.fields.filter((f) => !a.fields.some((g) => g.label === f.label));
    const extra = a.fields.filter((f) => !b.fields.some((g) => g.label === f.label));
    const list = (fs: typeof missing) => fs.map((f) => `\`${f.label}\``).join(', ');
    if (missing.length > 0) {
      const has = extra.length > 0 ? ` (it has ${list(extra)})` : '';
      return fail(
        s,
        'E0403',
        reason,
        `${subjectOf(reason)} has no field ${list(missing)}${has}; ${showType(s, b)} is needed`,
      );
    }
    if (extra.length > 0) {
      return fail(
        s,
        'E0404',
        reason,
        `${subjectOf(reason)} has a field ${list(extra)} that ${showType(s, b)} does not have`,
      );
    }
    const order = (r: Rec) => r.fields.map((f) => f.label).join(', ');
    const message = `${subjectOf(reason)} has the fields ${order(a)}, but the order ${order(b)} is needed`;
    return fail(s, 'E0401', reason, message);
  }
  let clash: Clash;
  for (let i = 0; i < a.fields.length; i++) {
    const x = a.fields[i]!;
    const y = b.fields[i]!;
    if (x.fixed !== y.fixed) {
      const [is, other] = x.fixed ? ['fixed', 'one that is not'] : ['not fixed', 'a fixed one'];
      const by = fail(
        s,
        'E0401',
        reason,
        `field \`${x.label}\` of ${subjectOf(reason)} is ${is}, but ${other} is needed`,
      );
      clash ??= by;
      continue;
    }
    const here = unify(s, x.type, y.type, within(reason, x.label));
    clash ??= here;
  }
  return clash;
}
