/**
 * Written types and sizes to resolved ones: names looked up, aliases expanded, omitted arguments
 * taken by name from the sizes in scope (language.md, decision 2).
 *
 * Invariant: a size that was reported is TOO_LARGE and a type that was reported is ERROR; both agree
 * with everything. The written form of a size survives as the form of its dimension.
 */
import type { SizeExpr, TypeArg, TypeExpr } from '../ast.ts';
import { type Code, diagnostic } from '../errors.ts';
import { type Facts, inUserNames, provesNonNegative, showSizeExpr } from '../facts.ts';
import * as S from '../size.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { AliasArg, Dim, FieldType, Form, Size, Type } from '../typed.ts';
import {
  atom,
  countParts,
  ERROR,
  MAX_PARTS,
  SCALARS,
  substType,
  tensorOf,
  visitType,
} from '../types.ts';
import type { AliasDecl, FileScope } from './context.ts';
import { typeHabit } from './habits.ts';
import { didYouMean } from './names.ts';

/** Where names of sizes and types are looked up. */
export type TypeScope = {
  /** Where the brackets are that declare sizes here. */
  readonly owner?: 'type';
  readonly file: FileScope;
  readonly facts: Facts;
  readonly sizes: ReadonlyMap<string, Dim>;
  readonly types: ReadonlyMap<string, Type>;
  readonly report: (d: Diagnostic) => void;
  readonly used?: Set<string>;
  readonly expandAlias: (a: AliasDecl, at: Span) => boolean;
  /** Names of sizes that were refused, once for all their uses. */
  readonly refused?: Set<string>;
  /** Inside an alias `A - B` is shown by whoever gives A and B. */
  readonly trusting?: boolean;
};

const POISON: Dim = atom(S.TOO_LARGE);

function err(
  t: TypeScope,
  code: Code,
  span: Span,
  message: string,
  extra: Pick<Diagnostic, 'hint' | 'related'> = {},
): void {
  t.report(diagnostic(code, span, message, extra));
}

// ---------------------------------------------------------------- sizes

/** The span of an operation in parentheses begins before its left operand. */
function inParentheses(e: Extract<SizeExpr, { k: 'op' }>): boolean {
  return e.span.start < e.left.span.start;
}

function joined(k: 'sum' | 'product', e: Extract<SizeExpr, { k: 'op' }>, l: Dim, r: Dim): Form {
  const chained = l.form.k === k && e.left.k === 'op' && !inParentheses(e.left);
  const left = chained && l.form.k === k ? l.form.parts : [l.form];
  return { k, parts: [...left, r.form] };
}

export function resolveSize(t: TypeScope, e: SizeExpr): Dim {
  return sizeOf(t, e);
}

function checked(t: TypeScope, e: SizeExpr, d: Dim, l: Dim, r: Dim): Dim {
  if (!S.isTooLarge(d.size) || S.isTooLarge(l.size) || S.isTooLarge(r.size)) return d;
  err(t, 'E0506', e.span, `the size ${showSizeExpr(e)} is too large`, {
    hint: 'sizes are exact up to 2^53',
  });
  return POISON;
}

function sizeOf(t: TypeScope, e: SizeExpr): Dim {
  switch (e.k) {
    case 'nat':
      if (!Number.isSafeInteger(e.value)) {
        err(t, 'E0506', e.span, 'this size is too large', { hint: 'sizes are exact up to 2^53' });
        return POISON;
      }
      return atom(S.num(e.value));
    case 'var': {
      const found = t.sizes.get(e.name);
      if (found !== undefined) {
        t.used?.add(e.name);
        return found;
      }
      if (t.types.has(e.name)) {
        err(t, 'E0305', e.span, `\`${e.name}\` is a type here, but a size is needed`);
      } else if (!t.refused?.has(e.name)) {
        t.refused?.add(e.name);
        err(t, 'E0305', e.span, `there is no size \`${e.name}\` here`, {
          hint:
            didYouMean(e.name, t.sizes.keys()) ??
            `add \`${e.name}\` to the brackets after the ${t.owner ?? 'function'}'s name`,
        });
      }
      return POISON;
    }
    case 'op':
      return operation(t, e);
  }
}

function operation(t: TypeScope, e: Extract<SizeExpr, { k: 'op' }>): Dim {
  const l = sizeOf(t, e.left);
  const r = sizeOf(t, e.right);
  const show = (s: Size) => S.print(inUserNames(t.facts.derived, s));
  if (S.isTooLarge(l.size) || S.isTooLarge(r.size)) return POISON;
  switch (e.op) {
    case '+':
      return checked(t, e, { size: S.add(l.size, r.size), form: joined('sum', e, l, r) }, l, r);
    case '*':
      return checked(t, e, { size: S.mul(l.size, r.size), form: joined('product', e, l, r) }, l, r);
    case '-': {
      const size = S.sub(l.size, r.size);
      if (t.trusting !== true && !provesNonNegative(t.facts, size)) {
        err(t, 'E0504', e.span, `the size ${showSizeExpr(e)} may be negative`, {
          hint:
            S.constant(size) === undefined
              ? `add \`where ${show(r.size)} <= ${show(l.size)}\` to the function`
              : undefined,
        });
        return POISON;
      }
      return checked(t, e, atom(size), l, r);
    }
    case '/': {
      const size = S.divide(l.size, r.size);
      if (size !== undefined) return atom(size);
      const [a, b] = [show(l.size), show(r.size)];
      const asked = t.facts.facts.some((f) => f.op === '%' && S.equal(f.left, l.size));
      err(t, 'E0505', e.span, `${a} is not known to be a multiple of ${b}`, {
        hint: asked
          ? `a quotient of a product is no size: take it as a size of its own, \`Q\`, with \`where ${a} == ${b}*Q\``
          : `add \`where ${a} % ${b} == 0\` to the function`,
      });
      return POISON;
    }
    case '^': {
      const n = S.constant(r.size);
      if (n === undefined) {
        err(t, 'E0412', e.right.span, 'the exponent of a size must be a number');
        return POISON;
      }
      const form: Form =
        n >= 2 && n <= 8
          ? { k: 'product', parts: Array.from({ length: n }, () => l.form) }
          : { k: 'atom', size: S.pow(l.size, n) };
      return checked(t, e, { size: S.pow(l.size, n), form }, l, r);
    }
  }
}

/** Over declared names only, for the facts that callers and hosts must show. */
export function rawSize(t: TypeScope, e: SizeExpr): Size {
  const names = new Map([...t.sizes.keys()].map((n) => [n, atom(S.variable(n))]));
  const quiet: TypeScope = {
    ...t,
    sizes: names,
    report: () => {},
    refused: undefined,
    trusting: true,
  };
  const raw = sizeOf(quiet, e).size;
  return S.isTooLarge(raw)
    ? sizeOf({ ...t, report: () => {}, refused: undefined, trusting: true }, e).size
    : raw;
}

// ---------------------------------------------------------------- types

export function resolveType(t: TypeScope, e: TypeExpr): Type {
  switch (e.k) {
    case 'name':
      return named(t, e, []);
    case 'brackets':
      return brackets(t, e);
    case 'record': {
      const seen = new Map<string, Span>();
      const fields: FieldType[] = [];
      for (const f of e.fields) {
        const first = seen.get(f.label.text);
        if (first !== undefined) {
          err(t, 'E0303', f.label.span, `the field \`${f.label.text}\` is there twice`, {
            related: [{ span: first, message: 'the first one' }],
          });
          continue;
        }
        seen.set(f.label.text, f.label.span);
        const type = resolveType(t, f.type);
        fields.push({ label: f.label.text, type, fixed: f.fixed });
      }
      return { k: 'record', fields };
    }
    case 'fn':
      return {
        k: 'fn',
        params: e.params.map((p) => resolveType(t, p)),
        result: resolveType(t, e.result),
      };
  }
}

function dimsOf(t: TypeScope, args: readonly TypeArg[]): Dim[] {
  return args.map((a) => {
    if (a.name !== undefined) {
      err(
        t,
        'E0412',
        a.name.span,
        `\`${a.name.text} =\` names an argument of a type; a dimension has none`,
      );
    }
    if (a.type !== undefined) {
      notASize(t, a.type);
      return POISON;
    }
    return resolveSize(t, a.size);
  });
}

/** A type where a size belongs: most often a size with a lowercase name. */
function notASize(t: TypeScope, e: TypeExpr): void {
  const lower = e.k === 'name' && /^[a-z]/.test(e.name) && !SCALARS.has(e.name);
  if (!lower) {
    err(t, 'E0412', e.span, 'a size is needed here, not a type');
    return;
  }
  if (t.refused?.has(e.name)) return;
  t.refused?.add(e.name);
  const upper = e.name[0]!.toUpperCase() + e.name.slice(1);
  const hint = t.sizes.has(upper)
    ? `write \`${upper}\``
    : `write \`${upper}\`, and declare it in brackets after the function's name: \`fn f[${upper}](...)\``;
  err(t, 'E0412', e.span, `sizes begin with an uppercase letter, and this is \`${e.name}\``, {
    hint,
  });
}

function spanOf(a: TypeArg): Span {
  return a.type?.span ?? a.size.span;
}

function brackets(t: TypeScope, e: Extract<TypeExpr, { k: 'brackets' }>): Type {
  const base = e.base;
  if (base.k === 'name') {
    if (base.name === 'idx') {
      const dims = dimsOf(t, e.args);
      if (dims.length !== 1) {
        err(t, 'E0412', e.span, 'an index type has one size: `idx[K]`');
        return ERROR;
      }
      return { k: 'idx', size: dims[0]!.size };
    }
    const alias = t.types.has(base.name) ? undefined : t.file.types.get(base.name);
    if (alias !== undefined && alias.decl.params.length > 0) return named(t, base, e.args);
  }
  const elem = resolveType(t, base);
  const dims = dimsOf(t, e.args);
  if (elem.k === 'fn') {
    err(t, 'E0414', e.span, 'an array of functions has no element to store');
    return ERROR;
  }
  return elem === ERROR ? ERROR : tensorOf(dims, elem);
}

function named(t: TypeScope, e: Extract<TypeExpr, { k: 'name' }>, args: readonly TypeArg[]): Type {
  const scalar = SCALARS.get(e.name) ?? t.types.get(e.name);
  if (scalar !== undefined) {
    t.used?.add(e.name);
    return scalar;
  }
  const alias = t.file.types.get(e.name);
  if (alias === undefined) {
    if (t.file.broken.has(e.name)) return ERROR;
    const known = [...SCALARS.keys(), 'idx', ...t.file.types.keys(), ...t.types.keys()];
    if (e.name === 'idx') {
      err(t, 'E0412', e.span, 'an index type needs its size: `idx[K]`');
    } else if (t.sizes.has(e.name)) {
      err(t, 'E0302', e.span, `\`${e.name}\` is a size here, but a type is needed`);
    } else if (!t.refused?.has(e.name)) {
      t.refused?.add(e.name);
      const owner = t.file.loaded.find((f) => f.types.get(e.name)?.file === f);
      err(t, 'E0302', e.span, `there is no type \`${e.name}\``, {
        hint:
          owner === undefined
            ? (typeHabit(e.name) ?? didYouMean(e.name, known))
            : `\`${e.name}\` is declared in ${owner.file}: import it from there`,
      });
    }
    return ERROR;
  }
  if (!t.expandAlias(alias, e.span)) return ERROR;
  return expand(t, alias, e, args);
}

function expand(
  t: TypeScope,
  alias: AliasDecl,
  e: Extract<TypeExpr, { k: 'name' }>,
  args: readonly TypeArg[],
): Type {
  const params = alias.decl.params;
  const sizes = new Map<string, Dim>();
  const types = new Map<string, Type>();
  let ok = true;
  const give = (name: string, a: TypeArg): void => {
    if (alias.kinds.get(name) === 'type') {
      const type =
        a.type ??
        (a.size.k === 'var'
          ? ({ k: 'name', name: a.size.name, span: a.size.span } as const)
          : undefined);
      if (type === undefined) {
        err(t, 'E0412', spanOf(a), `\`${name}\` of \`${alias.name}\` is a type, not a size`);
        ok = false;
      } else {
        types.set(name, resolveType(t, type));
      }
    } else if (a.type !== undefined) {
      err(t, 'E0412', spanOf(a), `\`${name}\` of \`${alias.name}\` is a size, not a type`);
      ok = false;
    } else {
      sizes.set(name, resolveSize(t, a.size));
    }
  };
  let position = 0;
  for (const a of args) {
    const name = a.name === undefined ? params[position++]?.name.text : a.name.text;
    if (name === undefined || !params.some((p) => p.name.text === name)) {
      const names = params.map((p) => p.name.text).join(', ');
      err(
        t,
        'E0412',
        a.name?.span ?? spanOf(a),
        a.name === undefined
          ? `\`${alias.name}\` takes ${params.length} argument${params.length === 1 ? '' : 's'} (${names}), not ${args.length}`
          : `\`${alias.name}\` has no argument \`${a.name.text}\`; it has ${names}`,
      );
      return ERROR;
    }
    if (sizes.has(name) || types.has(name)) {
      err(t, 'E0412', a.name?.span ?? spanOf(a), `\`${name}\` of \`${alias.name}\` is given twice`);
      return ERROR;
    }
    give(name, a);
  }
  if (!ok) return ERROR;
  for (const p of params) {
    const name = p.name.text;
    if (sizes.has(name) || types.has(name)) continue;
    if (p.init !== undefined) {
      sizes.set(name, resolveSize({ ...t, sizes, types, trusting: true }, p.init));
      continue;
    }
    const inScope = alias.kinds.get(name) === 'type' ? t.types.get(name) : t.sizes.get(name);
    if (inScope === undefined) {
      const given = params.map((q) =>
        sizes.has(q.name.text) || types.has(q.name.text) ? '...' : `${q.name.text} = ...`,
      );
      err(
        t,
        'E0412',
        e.span,
        `\`${alias.name}\` needs \`${name}\`, and there is no \`${name}\` in scope here`,
        {
          hint: `write \`${alias.name}[${given.join(', ')}]\`, or add \`${name}\` to the brackets after the function's name`,
        },
      );
      return ERROR;
    }
    t.used?.add(name);
    if ('k' in inScope) types.set(name, inScope);
    else sizes.set(name, inScope);
  }
  if (alias.body === ERROR) return ERROR;
  if (countParts(alias.body) > MAX_PARTS) {
    err(t, 'E0415', e.span, `the type \`${alias.name}\` has more than ${MAX_PARTS} parts`);
    alias.body = ERROR;
    return ERROR;
  }
  const body = substType(alias.body, { size: (v) => sizes.get(v), type: (v) => types.get(v) });
  return finishAlias(
    t,
    alias,
    e,
    params.map((p) => p.name.text),
    sizes,
    types,
    body,
  );
}

function finishAlias(
  t: TypeScope,
  alias: AliasDecl,
  e: TypeExpr,
  names: readonly string[],
  sizes: ReadonlyMap<string, Dim>,
  types: ReadonlyMap<string, Type>,
  body: Type,
): Type {
  if (t.trusting !== true) {
    let bad: Size | undefined;
    visitType(body, (s) => {
      if (bad === undefined && !provesNonNegative(t.facts, s)) bad = s;
    });
    if (bad !== undefined) {
      const text = S.print(inUserNames(t.facts.derived, bad));
      err(t, 'E0504', e.span, `a size of \`${alias.name}\` is ${text} here, which may be negative`);
      return ERROR;
    }
  }
  if (body.k !== 'record') return body;
  const args = names.map((name): AliasArg => {
    const dim = sizes.get(name);
    return dim === undefined
      ? { name, k: 'type', type: types.get(name)! }
      : { name, k: 'size', dim };
  });
  return { k: 'record', alias: alias.name, aliasId: alias.id, args, fields: body.fields };
}
