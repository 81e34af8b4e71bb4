/**
 * Records and arrays: literals, fields, concatenation.
 *
 * A literal against an expected record takes its order of fields, its `fixed` marks and its name.
 * An array literal concatenates along the leading dimension, which keeps the form of the sum.
 */
import type { Expr } from '../ast.ts';
import { equate } from '../equations.ts';
import { isReported, type Reported } from '../reported.ts';
import * as S from '../size.ts';
import { head, type Reason, showType } from '../solver.ts';
import { REDUCTION_WORDS } from '../tokens.ts';
import type { Dim, FieldType, TExpr, Type } from '../typed.ts';
import { atom, dropDims, isScalar, sumDim, tensorOf } from '../types.ts';
import { broken, brokenBy, type Env, error, reason } from './context.ts';
import { check, coerce, infer } from './expr.ts';
import { habit } from './habits.ts';
import { didYouMean, isBuiltin } from './names.ts';
import { isOpen, unknownType } from './unknown.ts';

type RecordExpr = Extract<Expr, { k: 'record' }>;
type ArrayExpr = Extract<Expr, { k: 'array' }>;
type RecordType = Extract<Type, { k: 'record' }>;

/** Evidence that a label is there twice. */
function labelTwice(env: Env, e: RecordExpr): Reported | undefined {
  const seen = new Map<string, Expr['span']>();
  for (const f of e.fields) {
    const first = seen.get(f.label.text);
    if (first !== undefined) {
      return error(env, 'E0303', f.label.span, `the field \`${f.label.text}\` is there twice`, {
        related: [{ span: first, message: 'the first one' }],
      });
    }
    seen.set(f.label.text, f.label.span);
  }
  return undefined;
}

export function inferRecord(env: Env, e: RecordExpr): TExpr {
  const twice = labelTwice(env, e);
  if (twice !== undefined) return broken(twice, e.span);
  const fields = e.fields.map((f) => ({ label: f.label.text, value: infer(env, f.value) }));
  const types = fields.map(
    (f): FieldType => ({ label: f.label, type: f.value.type, fixed: false }),
  );
  return { k: 'record', fields, type: { k: 'record', fields: types }, span: e.span };
}

export function checkRecord(env: Env, e: RecordExpr, want: RecordType, why: Reason): TExpr {
  const { solver } = env.fn;
  const twice = labelTwice(env, e);
  if (twice !== undefined) return broken(twice, e.span);
  const labels = want.fields.map((f) => f.label);
  let refused: Reported | undefined;
  const values = new Map<string, TExpr>();
  for (const f of e.fields) {
    const field = want.fields.find((x) => x.label === f.label.text);
    if (field === undefined) {
      const missing = labels.filter((l) => !e.fields.some((x) => x.label.text === l));
      const by = error(
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
      refused ??= by;
      infer(env, f.value);
      continue;
    }
    const subject = `field \`${field.label}\` of ${why.subject}`;
    values.set(field.label, check(env, f.value, field.type, reason(f.value.span, subject)));
  }
  const missing = labels.filter((l) => !values.has(l));
  if (missing.length > 0 && refused === undefined) {
    const list = missing.map((l) => `\`${l}\``).join(', ');
    refused = error(
      env,
      'E0403',
      e.span,
      `${why.subject} needs ${missing.length === 1 ? 'the field' : 'the fields'} ${list}`,
      {
        hint: `it is ${showType(solver, { ...want, alias: undefined })}`,
        related: why.related,
      },
    );
  }
  if (refused !== undefined) return { ...broken(refused, e.span), type: want };
  const fields = labels.map((label) => ({ label, value: values.get(label)! }));
  return { k: 'record', fields, type: want, span: e.span };
}

export function inferField(env: Env, e: Extract<Expr, { k: 'field' }>): TExpr {
  const { solver } = env.fn;
  const target = infer(env, e.target);
  const t = head(solver, target.type);
  const by = brokenBy(t);
  if (by !== undefined) return broken(by, e.span);
  const label = e.label.text;
  if (t.k === 'record') {
    const field = t.fields.find((f) => f.label === label);
    if (field !== undefined) return { k: 'field', target, label, type: field.type, span: e.span };
    const names = t.fields.map((f) => f.label);
    const shown = names.length <= 8 ? `; it has ${names.map((n) => `\`${n}\``).join(', ')}` : '';
    const message = `${showType(solver, t)} has no field \`${label}\`${shown}`;
    const hint = didYouMean(label, names);
    return broken(error(env, 'E0404', e.label.span, message, { hint }), e.span);
  }
  return broken(noRecord(env, e, target, t), e.span);
}

function noRecord(env: Env, e: Extract<Expr, { k: 'field' }>, target: TExpr, t: Type): Reported {
  const { solver } = env.fn;
  const label = e.label.text;
  if (t.k === 'tensor' && head(solver, t.elem).k === 'record') {
    const message = `this is ${showType(solver, t)}, an array of records; \`${label}\` belongs to one of them`;
    return error(env, 'E0411', e.label.span, message, {
      hint: `index it first: \`...[i].${label}\``,
    });
  }
  if (isOpen(env, t)) return unknownType(env, target, e.target.span, 'it has no fields');
  const message = `\`${label}\` would be a field, and this is ${showType(solver, t)}, which is no record`;
  return error(env, 'E0411', e.label.span, message, { hint: methodHint(label) });
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
): Item | Reported {
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
    const by = brokenBy(t) ?? env.fn.unfit.get(value);
    if (by !== undefined) return by;
    if (t.k === 'fn') {
      const message = 'an array of functions has no element to store';
      return error(env, 'E0414', item.value.span, message);
    }
    return { spread: false, value, dim: atom(S.ONE), elem: value.type };
  }
  const value = infer(env, item.value);
  const t = head(solver, value.type);
  const by = brokenBy(t);
  if (by !== undefined) return by;
  if (t.k !== 'tensor') {
    return error(
      env,
      'E0401',
      item.value.span,
      `\`..\` spreads a tensor, and this is ${showType(solver, t)}`,
      {
        hint: 'without `..` it is one element',
      },
    );
  }
  const rest = dropDims(t, 1);
  if (elem !== undefined) {
    const row = coerce(env, { ...value, type: rest }, elem, reason(item.value.span, subject));
    const clash = env.fn.unfit.get(row);
    if (clash !== undefined) return clash;
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

function items(env: Env, e: ArrayExpr, elem: Type | undefined): Item[] | Reported {
  const out: Item[] = [];
  let known = elem;
  let refused: Reported | undefined;
  for (const item of e.items) {
    const one = inferItem(env, item, known);
    if (isReported(one)) {
      refused ??= one;
      continue;
    }
    known ??= one.elem;
    out.push(one);
  }
  return refused ?? out;
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
    const refused = error(env, 'E0408', e.span, 'what an empty array holds is not known here', {
      hint: 'give the type: `let none: f32[0] = []`',
    });
    return broken(refused, e.span);
  }
  const list = items(env, e, undefined);
  if (isReported(list)) return broken(list, e.span);
  return array(e, list, leading(list), list[0]!.elem);
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
  if (isReported(list)) return { ...broken(list, e.span), type: want };
  const dim = list.length === 0 ? atom(S.ZERO) : leading(list);
  const found = tensorOf([dim], elem);
  equate(env.fn.solver, dim, want.dims[0]!, { ...why, between: { found, needed: want } });
  return array(e, list, dim, elem);
}
