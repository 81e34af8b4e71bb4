/**
 * Proofs about index expressions: integers as polynomials over sizes and index values, and the
 * obligations to show them in range once the sizes are known (ranges.ts does the arithmetic).
 *
 * Invariant: `indexForm` is exact; an integer whose value is not known this way has none, or an
 * opaque index value that stands for it.
 */
import { reportOnce } from '../equations.ts';
import { diagnostic } from '../errors.ts';
import { quotientIn } from '../facts.ts';
import { provesNonNegative } from '../prove.ts';
import { type IndexValue, isIndexName, proveInRange, type RangeContext } from '../ranges.ts';
import type { Reported } from '../reported.ts';
import * as S from '../size.ts';
import { type Hint, hasUnknown, head, resolveSize, showSize } from '../solver.ts';
import type { Edit, Span } from '../source.ts';
import type { Size, TExpr } from '../typed.ts';
import { isNumberUnknown } from './arithmetic.ts';
import { type Env, error, type Fn } from './context.ts';
import { clamped } from './edits.ts';

// ---------------------------------------------------------------- integers as polynomials

/** The value of an integer expression over sizes and index values, when it is known. */
export function indexForm(env: Env, te: TExpr): Size | undefined {
  const { solver, indexValues, locals, program } = env.fn;
  const t = head(solver, te.type);
  const unsigned = t.k === 'scalar' && t.s === 'u32';
  const integer = t.k === 'idx' || (t.k === 'scalar' && t.s === 'i32') || isNumberUnknown(env, t);
  if (!integer && !unsigned) return undefined;
  const opaque = (value: IndexValue): Size => {
    const name = `#${program.fresh()}`;
    indexValues.set(name, value);
    return S.variable(name);
  };
  // Of a u32, which wraps, only literals, sizes and remainders are known.
  if (unsigned && te.k !== 'num' && te.k !== 'size' && !(te.k === 'prim' && te.op === 'mod')) {
    return undefined;
  }
  switch (te.k) {
    case 'num':
      return Number.isInteger(te.value) ? S.num(te.value) : undefined;
    case 'size':
      return te.size;
    case 'local': {
      const found = locals.get(te.id)?.index;
      if (found !== undefined) return found;
      break;
    }
    case 'prim': {
      const forms = te.args.map((a) => indexForm(env, a));
      const [a, b] = forms;
      // What is divided is computed exactly, as far as that goes.
      const near = te.op === 'mod' && a === undefined && magnitude(env, te.args[0]!) <= 2 ** 53;
      if (near && b !== undefined) {
        return opaque({ k: 'mod', of: opaque({ k: 'any' }), by: b });
      }
      if (te.op === 'i32' && a !== undefined) return a;
      if (te.op === 'neg' && a !== undefined) return S.sub(S.ZERO, a);
      if (a === undefined || b === undefined) break;
      if (te.op === 'add') return S.add(a, b);
      if (te.op === 'sub') return S.sub(a, b);
      if (te.op === 'mul') return S.mul(a, b);
      if (te.op === 'idiv' || te.op === 'mod') {
        const exact = isPositive(env, b) ? quotientIn(env.fn.facts, a, b) : undefined;
        if (exact !== undefined) return te.op === 'idiv' ? exact : S.ZERO;
        return opaque({ k: te.op === 'idiv' ? 'div' : 'mod', of: a, by: b });
      }
      if (te.op === 'min' || te.op === 'max') return opaque({ k: 'either', of: [a, b], op: te.op });
      break;
    }
    case 'if': {
      // Both branches of an index were shown to be one.
      if (t.k === 'idx') break;
      const [a, b] = [indexForm(env, te.then), indexForm(env, te.else)];
      if (a === undefined || b === undefined) break;
      return S.equal(a, b) ? a : opaque({ k: 'either', of: [a, b], op: 'if' });
    }
    case 'inRange':
      return indexForm(env, te.e);
    case 'let':
      return indexForm(env, te.body);
    case 'call': {
      // A lambda is checked anew at each use, with what is known of its arguments.
      const inside = te.fn.k === 'lambda' ? indexForm(env, te.fn.body) : undefined;
      if (inside !== undefined) return inside;
      break;
    }
    default:
      break;
  }
  return t.k === 'idx' ? opaque({ k: 'range', size: t.size }) : undefined;
}

/** Whether a divisor is at least 1, for all sizes. */
function isPositive(env: Env, by: Size): boolean {
  const now = resolveSize(env.fn.solver, by);
  if (hasUnknown(now) || S.variables(now).some(isIndexName)) return false;
  return provesNonNegative(env.fn.facts, S.sub(now, S.ONE), rangeContext(env).positive);
}

/** No value of it, nor of its parts, is larger: of data it is what 32 bits hold. */
function magnitude(env: Env, te: TExpr): number {
  if (te.k === 'num') return Math.abs(te.value);
  const t = head(env.fn.solver, te.type);
  const whole = t.k === 'idx' || (t.k === 'scalar' && (t.s === 'i32' || t.s === 'u32'));
  if (!whole || te.k === 'size') return Number.POSITIVE_INFINITY;
  if (te.k !== 'prim') return 2 ** 32;
  const [a = 0, b = 0] = te.args.map((x) => magnitude(env, x));
  switch (te.op) {
    case 'neg':
      return a;
    case 'add':
    case 'sub':
      return a + b;
    case 'mul':
      return a * b;
    case 'idiv':
    case 'mod':
    case 'min':
    case 'max':
      return Math.max(a, b);
    default:
      return Number.POSITIVE_INFINITY;
  }
}

export function rangeContext(env: Env): RangeContext {
  const { solver, facts, indexValues } = env.fn;
  return {
    facts,
    positive: env.ranges.map((r) => resolveSize(solver, r)).filter((r) => !hasUnknown(r)),
    value: (name) => indexValues.get(name),
    resolve: (s) => resolveSize(solver, s),
  };
}

/** After an error in the head, or about the range of an enclosing index, no proof is worth its failure. */
export function isUndecided(env: Env): boolean {
  const { solver, errors, faulty } = env.fn;
  if (faulty) return true;
  return errors() > 0 && env.ranges.some((r) => hasUnknown(resolveSize(solver, r)));
}

/** A size that comes out negative, or may. */
export function reportNegative(fn: Fn, what: string, size: Size, span: Span): Reported {
  const { solver } = fn;
  if (S.isTooLarge(size)) {
    return fn.report(
      diagnostic('E0506', span, `${what} is too large`, { hint: 'sizes are exact up to 2^53' }),
    );
  }
  const taken = size.filter((m) => m.c > 0);
  const [most, least] = [taken, S.sub(taken, size)].map((s) => showSize(solver, s));
  const closed = S.constant(size) !== undefined;
  const message = `${what} would be ${showSize(solver, size)}, which ${closed ? 'is' : 'may be'} negative`;
  const hint = closed ? {} : fn.addFact(`${most} >= ${least}`);
  return fn.report(diagnostic('E0504', span, message, hint));
}

export type InRange = {
  readonly te: TExpr;
  readonly extent: Size;
  readonly span: Span;
  readonly subject: string;
  /** The hint, if there is something better to say. */
  readonly orElse?: () => Hint | undefined;
  /** The edit that gives the read a fallback, where one is allowed. */
  readonly fallback?: readonly Edit[];
  /** What is read. */
  readonly name?: string;
};

/** Proves 0 <= te < extent when the sizes are known, or reports where it may leave the range. */
export function requireInRange(env: Env, what: InRange & { readonly form: Size }): void {
  const { solver, obligations, failed } = env.fn;
  obligations.push(() => {
    const size = resolveSize(solver, what.extent);
    // Unknown sizes are reported as such.
    if ((hasUnknown(size) && failed() !== undefined) || isUndecided(env)) return;
    const c = rangeContext(env);
    const proof = proveInRange(c, what.form, size);
    if (proof.k === 'proved') return;
    if (hasUnknown(size)) return;
    outOfRange(env, what, size, proof);
  });
}

function outOfRange(
  env: Env,
  { te, form, span, subject, orElse, name, fallback }: InRange & { readonly form: Size },
  size: Size,
  proof: Exclude<ReturnType<typeof proveInRange>, { k: 'proved' }>,
): Reported {
  const { solver } = env.fn;
  const shown = showSize(solver, size);
  const last = showSize(solver, S.sub(size, S.ONE));
  const one = !S.variables(form).some(isIndexName);
  if (proof.k === 'low') {
    const least = showSize(solver, proof.least);
    const end = name === undefined ? '' : `; the last element is \`${name}[${last}]\``;
    return error(
      env,
      'E0601',
      span,
      `${subject} ${one ? 'is' : 'goes down to'} ${least}, below 0`,
      one ? { hint: `indices count from 0${end}` } : (orElse?.() ?? {}),
    );
  }
  if (proof.k === 'high') {
    const need = S.add(proof.most, S.ONE);
    const open = S.constant(S.sub(size, need)) === undefined;
    const t = head(solver, te.type);
    const bare = te.k === 'local' && t.k === 'idx';
    const issue = (): Reported => {
      const message = bare
        ? `${subject} runs over ${showSize(solver, t.size)}, which ${open ? 'may be' : 'is'} more than the ${shown} elements here`
        : `${subject} ${one ? 'is' : 'goes up to'} ${showSize(solver, proof.most)}, but ${open ? `there are ${shown} elements` : `the last index is ${last}`}`;
      return error(
        env,
        'E0601',
        span,
        message,
        hintAbove(env, te, { size, need, one, open, orElse }),
      );
    };
    return bare ? reportOnce(solver, span, t.size, size, issue) : issue();
  }
  return error(
    env,
    'E0602',
    span,
    `${subject} cannot be proved to stay between 0 and ${last}`,
    orFallback(te.span, fallback),
  );
}

/** What to do about an index of which nothing is known: it is brought into the range, or given a fallback. */
export function orFallback(span: Span, fallback: readonly Edit[] | undefined): Hint {
  const { hint, fix } = clamped(span);
  return fallback === undefined
    ? { hint, fix }
    : { hint: `${hint}, or give a fallback: \`x[...] ?? 0\``, fix: fallback };
}

type Above = {
  readonly size: Size;
  readonly need: Size;
  readonly one: boolean;
  readonly open: boolean;
  readonly orElse?: () => Hint | undefined;
};

/** What to do about an index that may be too large. */
function hintAbove(env: Env, te: TExpr, { size, need, one, open, orElse }: Above): Hint {
  const { solver, addFact } = env.fn;
  const shown = showSize(solver, size);
  const last = showSize(solver, S.sub(size, S.ONE));
  const t = head(solver, te.type);
  if (!open) {
    const end = one && S.constant(size) !== 0;
    return end ? { hint: `indices count from 0; the last one is ${last}` } : (orElse?.() ?? {});
  }
  if (need.some((m) => m.v.length > 1)) {
    return { hint: 'a product dimension such as `H*P` is read with a tuple: `x[(h, p)]`' };
  }
  const bare = te.k === 'local' && t.k === 'idx';
  const own = bare ? orElse?.() : undefined;
  if (own !== undefined) return own;
  const least = showSize(solver, need);
  const fact = S.constant(size) === undefined ? `${shown} >= ${least}` : `${least} <= ${shown}`;
  const { fix } = addFact(fact);
  const fits = `add \`where ${fact}\` to the function`;
  if (te.k !== 'local' || t.k !== 'idx' || env.fn.locals.get(te.id)?.kind === 'index') {
    return { hint: `if it always fits, ${fits}`, fix };
  }
  const index = showSize(solver, t.size);
  return {
    hint: `an \`idx[${index}]\` reads a dimension of size ${index}, and this one has size ${shown}; if that is never less, ${fits}`,
    fix,
  };
}
