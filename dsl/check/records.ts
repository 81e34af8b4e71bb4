/**
 * Records and arrays: literals, fields, concatenation.
 *
 * A literal against an expected record takes its order of fields, its `fixed` marks and its name.
 * An array literal concatenates along the leading dimension, which keeps the form of the sum.
 */
import type { Expr } from '../ast.ts';
import { equate } from '../equations.ts';
import * as S from '../size.ts';
import { head, type Reason, showType } from '../solver.ts';
import { REDUCTION_WORDS } from '../tokens.ts';
import type { Dim, FieldType, TExpr, Type } from '../typed.ts';
import { atom, dropDims, isScalar, sumDim, tensorOf } from '../types.ts';
import { broken, type Env, error, isBroken, reason } from './context.ts';
import { check, coerce, infer } from './expr.ts';
import { habit } from './habits.ts';
import { didYouMean, isBuiltin } from './names.ts';
import { isOpen, unknownType } from './unknown.ts';

type RecordExpr = Extract<Expr, { k: 'record' }>;
type ArrayExpr = Extract<Expr, { k: 'array' }>;
type RecordType = Extract<Type, { k: 'record' }>;

/** False when a label is there twice (reported). */
function labelsOnce(env: Env, e: RecordExpr): boolean {
  const seen = new Map<string, Expr['span']>();
  for (const f of e.fields) {
    const first = seen.get(f.label.text);
    if (first !== undefined) {
      error(env, 'E0303', f.label.span, `the field \`${f.label.text}\` is there twice`, {
        related: [{ span: first, message: 'the first one' }],
      });
      return false;
    }
    seen.set(f.label.text, f.label.span);
  }
  return true;
}

export function inferRecord(env: Env, e: RecordExpr): TExpr {
  if (!labelsOnce(env, e)) return broken(e.span);
  const fields = e.fields.map((f) => ({ label: f.label.text, value: infer(env, f.value) }));
  const types = fields.map(
    (f): FieldType => ({ label: f.label, type: f.value.type, fixed: false }),
  );
  return { k: 'record', fields, type: { k: 'record', fields: types }, span: e.span };
}

export function checkRecord(env: Env, e: RecordExpr, want: RecordType, why: Reason): TExpr {
  const { solver } = env.fn;
  if (!labelsOnce(env, e)) return broken(e.span);
  const labels = want.fields.map((f) => f.label);
  let ok = true;
  const values = new Map<string, TExpr>();
  for (const f of e.fields) {
    const field = want.fields.find((x) => x.label === f.label.text);
    if (field === undefined) {
      const missing = labels.filter((l) => !e.fields.some((x) => x.label.text === l));
      error(
        env,
        'E0404',
        f.label.span,
        `${showType(solver, want)} has no field \`${f.label.text}\``,
        {
          hint:
            didYouMean(f.label.text, missing) ??
            (missing.length === 1 ? `the field that is missing is \`${missing[0]}\`` : undefined),
          related: why.related,
        },
      );
      ok = false;
      infer(env, f.value);
      continue;
    }
    const subject = `field \`${field.label}\` of ${why.subject}`;
    values.set(field.label, check(env, f.value, field.type, reason(f.value.span, subject)));
  }
  const missing = labels.filter((l) => !values.has(l));
  if (missing.length > 0 && ok) {
    const list = missing.map((l) => `\`${l}\``).join(', ');
    error(
      env,
      'E0403',
      e.span,
      `${why.subject} needs ${missing.length === 1 ? 'the field' : 'the fields'} ${list}`,
      {
        hint: `it is ${showType(solver, { ...want, alias: undefined })}`,
        related: why.related,
      },
    );
    ok = false;
  }
  if (!ok) return { ...broken(e.span), type: want };
  const fields = labels.map((label) => ({ label, value: values.get(label)! }));
  return { k: 'record', fields, type: want, span: e.span };
}

export function inferField(env: Env, e: Extract<Expr, { k: 'field' }>): TExpr {
  const { solver } = env.fn;
  const target = infer(env, e.target);
  const t = head(solver, target.type);
  if (isBroken(t)) return broken(e.span);
  const label = e.label.text;
  if (t.k === 'record') {
    const field = t.fields.find((f) => f.label === label);
    if (field !== undefined) return { k: 'field', target, label, type: field.type, span: e.span };
    const names = t.fields.map((f) => f.label);
    const shown = names.length <= 8 ? `; it has ${names.map((n) => `\`${n}\``).join(', ')}` : '';
    error(env, 'E0404', e.label.span, `${showType(solver, t)} has no field \`${label}\`${shown}`, {
      hint: didYouMean(label, names),
    });
    return broken(e.span);
  }
  if (t.k === 'tensor' && head(solver, t.elem).k === 'record') {
    error(
      env,
      'E0411',
      e.label.span,
      `this is ${showType(solver, t)}, an array of records; \`${label}\` belongs to one of them`,
      {
        hint: `index it first: \`...[i].${label}\``,
      },
    );
  } else if (isOpen(env, t)) {
    unknownType(env, target, e.target.span, 'it has no fields');
  } else {
    error(
      env,
      'E0411',
      e.label.span,
      `\`${label}\` would be a field, and this is ${showType(solver, t)}, which is no record`,
      { hint: methodHint(label) },
    );
  }
  return broken(e.span);
}

/** `x.sum()`, `x.T` */
function methodHint(label: string): string | undefined {
  if (REDUCTION_WORDS.has(label)) return `there are no methods: write \`${label} i. x[i]\``;
  if (isBuiltin(label)) return `there are no methods: write \`${label}(x)\``;
  return habit(label);
}

// ---------------------------------------------------------------- arrays

type Item = {
  readonly spread: boolean;
  readonly value: TExpr;
  readonly dim: Dim;
  readonly elem: Type;
};

function inferItem(
  env: Env,
  item: ArrayExpr['items'][number],
  elem: Type | undefined,
): Item | undefined {
  const { solver } = env.fn;
  const subject = 'an element of this array';
  if (!item.spread) {
    const value =
      elem === undefined
        ? infer(env, item.value)
        : check(
            env,
            item.value,
            elem,
            reason(item.value.span, subject, { lift: 'two dots put its elements here: `..x`' }),
          );
    const t = head(solver, value.type);
    if (isBroken(t) || env.fn.unfit.has(value)) return undefined;
    if (t.k === 'fn') {
      error(env, 'E0414', item.value.span, 'an array of functions has no element to store');
      return undefined;
    }
    return { spread: false, value, dim: atom(S.ONE), elem: value.type };
  }
  const value = infer(env, item.value);
  const t = head(solver, value.type);
  if (isBroken(t)) return undefined;
  if (t.k !== 'tensor') {
    error(
      env,
      'E0401',
      item.value.span,
      `\`..\` spreads a tensor, and this is ${showType(solver, t)}`,
      {
        hint: 'without `..` it is one element',
      },
    );
    return undefined;
  }
  const rest = dropDims(t, 1);
  if (elem !== undefined) {
    const row = coerce(env, { ...value, type: rest }, elem, reason(item.value.span, subject));
    if (env.fn.unfit.has(row)) return undefined;
  }
  return { spread: true, value, dim: t.dims[0]!, elem: rest };
}

/** Single elements side by side count as one part of the sum. */
function leading(items: readonly Item[]): Dim {
  const parts: Dim[] = [];
  let single = 0;
  const flush = () => {
    if (single > 0) parts.push(atom(S.num(single)));
    single = 0;
  };
  for (const i of items) {
    if (!i.spread) {
      single += 1;
    } else {
      flush();
      parts.push(i.dim);
    }
  }
  flush();
  return sumDim(parts);
}

function items(env: Env, e: ArrayExpr, elem: Type | undefined): Item[] | undefined {
  const out: Item[] = [];
  let known = elem;
  let ok = true;
  for (const item of e.items) {
    const one = inferItem(env, item, known);
    if (one === undefined) {
      ok = false;
      continue;
    }
    known ??= one.elem;
    out.push(one);
  }
  return ok ? out : undefined;
}

function array(e: ArrayExpr, list: readonly Item[], dim: Dim, elem: Type): TExpr {
  return {
    k: 'array',
    items: list.map((i) => ({ spread: i.spread, value: i.value, size: i.dim.size })),
    type: tensorOf([dim], elem),
    span: e.span,
  };
}

export function inferArray(env: Env, e: ArrayExpr): TExpr {
  if (e.items.length === 0) {
    error(env, 'E0408', e.span, 'what an empty array holds is not known here', {
      hint: 'give the type: `let none: f32[0] = []`',
    });
    return broken(e.span);
  }
  const list = items(env, e, undefined);
  return list === undefined ? broken(e.span) : array(e, list, leading(list), list[0]!.elem);
}

export function checkArray(
  env: Env,
  e: ArrayExpr,
  want: Extract<Type, { k: 'tensor' }>,
  why: Reason,
): TExpr {
  const elem = dropDims(want, 1);
  // Rows where numbers are needed: the whole of it is wrong, and not each row.
  const rows = e.items.length > 0 && e.items.every((i) => i.value.k === 'array' && !i.spread);
  if (rows && isScalar(head(env.fn.solver, elem))) {
    return coerce(env, inferArray(env, e), want, why);
  }
  const list = items(env, e, elem);
  if (list === undefined) return { ...broken(e.span), type: want };
  const dim = list.length === 0 ? atom(S.ZERO) : leading(list);
  const found = tensorOf([dim], elem);
  equate(env.fn.solver, dim, want.dims[0]!, { ...why, between: { found, needed: want } });
  return array(e, list, dim, elem);
}
