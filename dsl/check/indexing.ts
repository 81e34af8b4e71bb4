/**
 * Reads: `x[i, (h, p), left a, 5 + j]`, partial indexing, padded reads `x[e] ?? 0`.
 *
 * A bare index without a written range equates range and extent; a tuple equates the product of its
 * ranges and the extent; everything else is proved in range once the sizes are known. Invariant:
 * each component of a typed read is proved, or the read has a fallback.
 */
import type { Expr } from '../ast.ts';
import { equate, equateProduct, sameLayout, sameSize, suggest } from '../equations.ts';
import { provesNonNegative } from '../prove.ts';
import type { Reported } from '../reported.ts';
import * as S from '../size.ts';
import {
  type Hint,
  hasUnknown,
  head,
  newSize,
  type Reason,
  resolveDim,
  resolveSize,
  showDim,
  showSize,
  showType,
} from '../solver.ts';
import type { Edit } from '../source.ts';
import type { Dim, Size, TBinder, TExpr, TIndex, Type } from '../typed.ts';
import { atom, dimOfForm, dropDims, I32, productDim } from '../types.ts';
import { unify } from '../unify.ts';
import { isNumberUnknown, slashHint } from './arithmetic.ts';
import { inferSized } from './calls.ts';
import { broken, brokenBy, type Env, error, isBroken, lookup, reason } from './context.ts';
import { fallback } from './edits.ts';
import { check, infer } from './expr.ts';
import { indexForm, orFallback, rangeContext, requireInRange } from './proofs.ts';
import { isOpen, unknownType } from './unknown.ts';

// ---------------------------------------------------------------- one component

const padded = (env: Env, fix: readonly Edit[]) => (): Hint => ({
  hint:
    env.branch === true
      ? 'a condition around a read proves nothing of its index: write `x[...] ?? 0`'
      : 'for a padded read write `x[...] ?? 0`',
  fix,
});

type Guarded = {
  /** The read has a fallback, so nothing needs to be proved. */
  readonly guarded: boolean;
  /** What is read. */
  readonly of: string;
  /** The hint when an index leaves its range, if there is something better to say. */
  readonly advice?: () => Hint | undefined;
  /** The edit that gives the read a fallback; there is none inside a part of a dimension. */
  readonly fallback?: readonly Edit[];
};

export function isFree(env: Env, te: TExpr): boolean {
  if (te.k !== 'local') return false;
  return env.fn.locals.get(te.id)?.free === true;
}

/** The range of an index as it was written, whose order the dimension's has to be. */
function writtenRange(env: Env, te: TExpr): Dim | undefined {
  if (te.k === 'local') return env.fn.locals.get(te.id)?.range;
  if (te.k !== 'reduce' || te.type.k !== 'idx') return undefined;
  return productDim(te.binders.map(rangeOfBinder));
}

function rangeOfBinder(b: TBinder): Dim {
  return b.k === 'one' ? atom(b.size) : productDim(b.items.map(rangeOfBinder));
}

/** What a part of an index runs over, with the order of its own parts. */
function dimOfIndex(env: Env, i: TIndex, range: Size): Dim {
  if (i.k === 'tuple') return productDim(i.parts.map((p, n) => dimOfIndex(env, p, i.ranges[n]!)));
  return (i.k === 'at' ? writtenRange(env, i.e) : undefined) ?? atom(range);
}

function at(env: Env, e: Expr, dim: Dim, g: Guarded): TIndex {
  const { solver } = env.fn;
  const te = infer(env, e);
  const t = head(solver, te.type);
  if (isBroken(t)) return { k: 'at', e: te };
  const form = indexForm(env, te);
  const place = {
    te,
    extent: dim.size,
    span: e.span,
    subject: indexSubject(e, g),
    fallback: g.fallback,
  };
  const why = reason(e.span, indexSubject(e, g), {
    sizes: (own, size) =>
      `${e.k === 'var' ? `\`${e.name}\`` : 'this index'} runs over ${own}, but this dimension of ${g.of} has size ${size}`,
    advice: (own, size) => rangeAdvice(env, e, own, size),
  });
  if (t.k === 'idx') {
    const own = writtenRange(env, te) ?? atom(t.size);
    sameLayout(solver, own, dim, why);
    if (isFree(env, te) || (te.k !== 'local' && hasUnknown(resolveSize(solver, t.size)))) {
      if (g.guarded) suggest(solver, own, dim, why);
      else equate(solver, own, dim, why);
      return { k: 'at', e: te };
    }
    if (!g.guarded) {
      suggest(solver, own, dim, why);
      requireInRange(env, { ...place, form: form!, orElse: g.advice });
    }
    return { k: 'at', e: te };
  }
  if (isNumberUnknown(env, t)) unify(solver, t, I32, why);
  const now = head(solver, te.type);
  const integer = now.k === 'scalar' && (now.s === 'i32' || now.s === 'u32');
  if (!integer) {
    const scalar = now.k === 'scalar';
    const refused = error(
      env,
      scalar ? 'E0407' : 'E0402',
      e.span,
      `an index is an integer, and this is ${showType(solver, now)}`,
      { hint: slashHint(e) ?? indexHint(now) },
    );
    return { k: 'at', e: broken(refused, e.span) };
  }
  if (g.guarded) return { k: 'at', e: te };
  const known = form ?? indexForm(env, te);
  if (known === undefined) {
    const message = 'this index depends on data and cannot be proved in range';
    const refused = error(env, 'E0602', e.span, message, orFallback(e.span, g.fallback));
    return { k: 'at', e: broken(refused, e.span) };
  }
  const name = /^`(.*)`$/.exec(g.of)?.[1];
  const orElse = g.advice ?? (g.fallback && padded(env, g.fallback));
  requireInRange(env, { ...place, form: known, orElse, name });
  return { k: 'at', e: te };
}

/** What to write when an index without a written range runs over less or more than a dimension has. */
function rangeAdvice(env: Env, e: Expr, own: Size, size: Size): Hint | undefined {
  const { solver, facts } = env.fn;
  const shown = showSize(solver, own);
  const bound = e.k === 'var' ? lookup(env, e.name) : undefined;
  if (bound?.free === true && provesNonNegative(facts, S.sub(size, own))) {
    const { name, span } = bound;
    return {
      hint: `to read only the first ${shown}, write the range where \`${name}\` is bound: \`${name}: ${shown}\``,
      fix: [{ span: { ...span, start: span.end }, text: `: ${shown}` }],
    };
  }
  return sameSize(solver, own, size);
}

function indexHint(t: Type): string | undefined {
  if (t.k === 'scalar' && t.s === 'f32')
    return 'write `clamp(i32(...))` to make an index of a number';
  return t.k === 'tensor' ? 'index one at a time: `for i. x[at[i]]`' : undefined;
}

function indexSubject(e: Expr, g: Guarded): string {
  return e.k === 'var' ? `the index \`${e.name}\` of ${g.of}` : `this index of ${g.of}`;
}

function tuple(env: Env, e: Extract<Expr, { k: 'tuple' }>, dim: Dim, g: Guarded): TIndex {
  const { solver } = env.fn;
  const ranges = e.items.map((item, i) =>
    newSize(solver, {
      label: item.k === 'var' ? `the range of \`${item.name}\`` : `the range of component ${i + 1}`,
      span: item.span,
      hint: 'write the ranges where the indices are bound: `for h: H, p: P.`',
    }),
  );
  // A component that is one index has that index's range, before anything else is known.
  const advice = () => {
    const { form } = resolveDim(solver, dim);
    if (form.k !== 'product') return undefined;
    const list = form.parts.map((f) => showDim(solver, dimOfForm(f))).join(', ');
    return {
      hint: `this dimension is ${showDim(solver, dim)}: its parts are ${list}, in this order`,
    };
  };
  const inner: Guarded = { guarded: false, of: g.of, advice };
  const parts = e.items.map((item, i) => component(env, item, atom(ranges[i]!), inner));
  const why = reason(e.span, `this tuple index of ${g.of}`);
  equateProduct(solver, ranges, dim, why);
  const index: TIndex = { k: 'tuple', parts, ranges };
  sameLayout(solver, dimOfIndex(env, index, dim.size), dim, why);
  return index;
}

function side(env: Env, e: Extract<Expr, { k: 'left' | 'right' }>, dim: Dim, g: Guarded): TIndex {
  const { solver, obligations, explanations } = env.fn;
  const range = newSize(solver, {
    label: `the range of this \`${e.k}\` part`,
    span: e.span,
    hint: 'write the range where the index is bound: `for a: A.`',
  });
  const part = component(env, e.arg, atom(range), { guarded: false, of: g.of });
  const why = reason(e.span, `this \`${e.k}\` index of ${g.of}`);
  solver.guesses.push(() => {
    if (!hasUnknown(resolveSize(solver, range))) return false;
    const { form } = resolveDim(solver, dim);
    if (form.k !== 'sum') return false;
    const chosen =
      e.k === 'left'
        ? form.parts[0]!
        : form.parts.length === 2
          ? form.parts[1]!
          : ({ k: 'sum', parts: form.parts.slice(1) } as const);
    equate(solver, atom(range), dimOfForm(chosen), why);
    return true;
  });
  explanations.push(() => {
    const now = resolveDim(solver, dim);
    if (!hasUnknown(resolveSize(solver, range)) || hasUnknown(now.size)) return;
    error(
      env,
      'E0604',
      e.span,
      `\`${e.k}\` reads a part of a sum such as \`A + B\`, and this dimension is ${showDim(solver, dim)}`,
    );
  });
  obligations.push(() => {
    const { form } = resolveDim(solver, dim);
    if (form.k !== 'sum') return;
    const rest = { k: 'sum', parts: form.parts.slice(1) } as const;
    const read = e.k === 'left' ? form.parts[0]! : rest.parts.length === 1 ? rest.parts[0]! : rest;
    sameLayout(solver, dimOfIndex(env, part, range), dimOfForm(read), why);
  });
  obligations.push(() => {
    const size = resolveSize(solver, range);
    const extent = resolveSize(solver, dim.size);
    if (hasUnknown(size) || hasUnknown(extent)) return;
    if (!provesNonNegative(env.fn.facts, S.sub(extent, size), rangeContext(env).positive)) {
      error(
        env,
        'E0601',
        e.span,
        `this \`${e.k}\` part has size ${showSize(solver, size)}, but the whole dimension has size ${showSize(solver, extent)}`,
      );
    }
  });
  return e.k === 'left'
    ? { k: 'left', part }
    : { k: 'right', part, offset: S.sub(dim.size, range) };
}

export function component(env: Env, e: Expr, dim: Dim, g: Guarded): TIndex {
  if (e.k === 'tuple') return tuple(env, e, dim, g);
  if (e.k === 'left' || e.k === 'right') return side(env, e, dim, g);
  return at(env, e, dim, g);
}

// ---------------------------------------------------------------- reads

type Brackets = Extract<Expr, { k: 'brackets' }>;

export function inferBrackets(env: Env, e: Brackets): TExpr {
  const sized = inferSized(env, e);
  return sized ?? read(env, e, undefined);
}

function read(env: Env, e: Brackets, otherwise: Expr | undefined): TExpr {
  const { solver } = env.fn;
  const target = infer(env, e.target);
  const t = head(solver, target.type);
  const by = brokenBy(t);
  if (by !== undefined) {
    for (const a of e.args) if (a.value.k !== 'tuple') infer(env, a.value);
    return broken(by, e.span);
  }
  for (const a of e.args) {
    if (a.name !== undefined) {
      const message = `\`${a.name.text} =\` names a size of a function; this is an index of ${showType(solver, t)}`;
      return broken(error(env, 'E0407', a.name.span, message), e.span);
    }
  }
  if (t.k !== 'tensor') return broken(notATensor(env, e, target, t), e.span);
  if (e.args.length > t.dims.length) {
    const n = t.dims.length;
    const refused = error(
      env,
      'E0407',
      e.args[n]!.value.span,
      `this is ${showType(solver, t)}, which has ${n} dimension${n === 1 ? '' : 's'}, but there are ${e.args.length} indices`,
      {
        hint: t.dims.some((d) => resolveDim(solver, d).form.k === 'product')
          ? 'a product dimension such as `H*P` takes a tuple: `x[(h, p)]`'
          : undefined,
      },
    );
    return broken(refused, e.span);
  }
  const of = nameOf(e.target);
  const guarded = otherwise !== undefined;
  const ifNone = fallback(env, e, t.elem, e.args.length < t.dims.length);
  const ix = e.args.map((a, i) =>
    component(env, a.value, t.dims[i]!, { guarded, of, fallback: ifNone }),
  );
  const refused = ix.map(indexRefused).find((x) => x !== undefined);
  if (refused !== undefined) return broken(refused, e.span);
  const type: Type = dropDims(t, e.args.length);
  if (otherwise === undefined) return { k: 'index', target, ix, type, span: e.span };
  return { k: 'index', target, ix, orElse: orElse(env, otherwise, type), type, span: e.span };
}

/** Evidence that part of an index was reported. */
function indexRefused(i: TIndex): Reported | undefined {
  switch (i.k) {
    case 'at':
      return brokenBy(i.e.type);
    case 'tuple':
      return i.parts.map(indexRefused).find((by) => by !== undefined);
    case 'left':
    case 'right':
      return indexRefused(i.part);
  }
}

/** The fallback has the type of the element, or is a scalar for all of a partial read. */
function orElse(env: Env, e: Expr, type: Type): TExpr {
  const { solver } = env.fn;
  const t = head(solver, type);
  const why: Reason = reason(e.span, 'the fallback after `??`');
  if (t.k !== 'tensor') return check(env, e, type, why);
  const te = infer(env, e);
  const own = head(solver, te.type);
  const whole = own.k === 'tensor' || isBroken(own);
  const clash = unify(solver, own, whole ? t : t.elem, why);
  return clash === undefined ? te : broken(clash, e.span);
}

function nameOf(e: Expr): string {
  switch (e.k) {
    case 'var':
      return `\`${e.name}\``;
    case 'field':
      return `\`${fieldPath(e)}\``;
    case 'brackets':
      return nameOf(e.target);
    default:
      return 'this tensor';
  }
}

function fieldPath(e: Expr): string {
  if (e.k === 'field') return `${fieldPath(e.target)}.${e.label.text}`;
  if (e.k === 'var') return e.name;
  return e.k === 'brackets' ? fieldPath(e.target) : '...';
}

function notATensor(env: Env, e: Brackets, target: TExpr, t: Type): Reported {
  const { solver } = env.fn;
  const shown = showType(solver, t);
  if (isOpen(env, t)) return unknownType(env, target, e.target.span, 'it cannot be indexed');
  if (t.k === 'record') {
    const message = `this is the record ${shown}, which has fields and no indices`;
    return error(env, 'E0407', e.span, message, { hint: 'read a field with a dot: `p.weight`' });
  }
  if (t.k === 'fn') {
    const message = `this is a function, ${shown}; it is called with \`(...)\``;
    return error(env, 'E0407', e.span, message);
  }
  const local = e.target.k === 'var' ? lookup(env, e.target.name) : undefined;
  return error(env, 'E0407', e.span, `${shown} has no dimension to index`, {
    related:
      local === undefined
        ? undefined
        : [{ span: local.span, message: `\`${local.name}\` is bound here` }],
  });
}

export function inferOrElse(env: Env, e: Extract<Expr, { k: 'orElse' }>): TExpr {
  if (e.read.k === 'brackets') return read(env, e.read, e.fallback);
  return broken(error(env, 'E0414', e.span, '`??` follows a read: `x[i - 1] ?? 0`'), e.span);
}
