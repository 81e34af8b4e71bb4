/**
 * Written types and sizes to resolved ones: names looked up, aliases expanded, omitted arguments
 * taken by name from the sizes in scope (language.md, decision 2).
 *
 * Invariant: a size or type that was reported is made of the evidence and agrees with everything; what
 * is too large is reported where it is written. The written form of a size survives as the form of its
 * dimension.
 */
import type { SizeExpr, TypeArg, TypeExpr } from '../ast.ts';
import { diagnostic, type ErrorCode } from '../errors.ts';
import { type Facts, inUserNames, quotientIn, showSizeExpr, wholeQuotient } from '../facts.ts';
import { provesNonNegative } from '../prove.ts';
import type { Report, Reported } from '../reported.ts';
import * as S from '../size.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { AliasArg, Dim, FieldType, Form, Size, Type } from '../typed.ts';
import {
  atom,
  countParts,
  errorType,
  isBroken,
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
  readonly report: Report;
  readonly used?: Set<string>;
  /** What the alias stands for, over its own parameters. */
  readonly expandAlias: (a: AliasDecl) => Type;
  /** Names of sizes that were refused, once for all their uses. */
  readonly refused?: Map<string, Reported>;
  /** Inside an alias `A - B` is shown by whoever gives A and B. */
  readonly trusting?: boolean;
  /** The hint, and the edit, that states a fact in the head that this belongs to. */
  readonly addFact?: (fact: string) => Pick<Diagnostic, 'hint' | 'fix'>;
};

function err(
  t: TypeScope,
  code: ErrorCode,
  span: Span,
  message: string,
  extra: Pick<Diagnostic, 'hint' | 'related' | 'fix'> = {},
): Reported {
  return t.report(diagnostic(code, span, message, extra));
}

const refusedDim = (by: Reported): Dim => atom(S.poison(by));

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

function checked(t: TypeScope, e: SizeExpr, d: Dim): Dim {
  if (!S.isTooLarge(d.size)) return d;
  return refusedDim(
    err(t, 'E0506', e.span, `the size ${showSizeExpr(e)} is too large`, {
      hint: 'sizes are exact up to 2^53',
    }),
  );
}

function sizeOf(t: TypeScope, e: SizeExpr): Dim {
  switch (e.k) {
    case 'nat':
      return checked(t, e, atom(S.num(e.value)));
    case 'var':
      return sizeNamed(t, e);
    case 'op':
      return operation(t, e);
  }
}

function sizeNamed(t: TypeScope, e: Extract<SizeExpr, { k: 'var' }>): Dim {
  const found = t.sizes.get(e.name);
  if (found !== undefined) {
    t.used?.add(e.name);
    return found;
  }
  if (t.types.has(e.name)) {
    return refusedDim(
      err(t, 'E0305', e.span, `\`${e.name}\` is a type here, but a size is needed`),
    );
  }
  const before = t.refused?.get(e.name);
  if (before !== undefined) return refusedDim(before);
  const by = err(t, 'E0305', e.span, `there is no size \`${e.name}\` here`, {
    hint:
      didYouMean(e.name, t.sizes.keys()) ??
      `add \`${e.name}\` to the brackets after the ${t.owner ?? 'function'}'s name`,
  });
  t.refused?.set(e.name, by);
  return refusedDim(by);
}

function operation(t: TypeScope, e: Extract<SizeExpr, { k: 'op' }>): Dim {
  const l = sizeOf(t, e.left);
  const r = sizeOf(t, e.right);
  const show = (s: Size) => S.print(inUserNames(t.facts.derived, s));
  const by = S.poisonBy(l.size) ?? S.poisonBy(r.size);
  if (by !== undefined) return refusedDim(by);
  switch (e.op) {
    case '+':
      return checked(t, e, { size: S.add(l.size, r.size), form: joined('sum', e, l, r) });
    case '*':
      return checked(t, e, { size: S.mul(l.size, r.size), form: joined('product', e, l, r) });
    case '-': {
      const size = S.sub(l.size, r.size);
      if (S.isTooLarge(size)) return checked(t, e, atom(size));
      if (t.trusting === true || provesNonNegative(t.facts, size)) return atom(size);
      const fact = `${show(r.size)} <= ${show(l.size)}`;
      return refusedDim(
        err(
          t,
          'E0504',
          e.span,
          `the size ${showSizeExpr(e)} may be negative`,
          S.constant(size) === undefined ? (t.addFact?.(fact) ?? {}) : {},
        ),
      );
    }
    case '/': {
      const size = quotientIn(t.facts, l.size, r.size);
      const [a, b] = [show(l.size), show(r.size)];
      if (size !== undefined) {
        if (t.trusting || provesNonNegative(t.facts, S.sub(r.size, S.ONE))) return atom(size);
        const hint = S.constant(r.size) === undefined ? t.addFact?.(`${b} >= 1`) : undefined;
        return refusedDim(
          err(t, 'E0505', e.span, `a size is divided by ${b}, which may be 0`, hint),
        );
      }
      if (S.constant(l.size) !== undefined && S.constant(r.size) !== undefined) {
        return refusedDim(err(t, 'E0505', e.span, `${a} is no multiple of ${b}`));
      }
      const asked = t.facts.facts.some((f) => f.op === '%' && S.equal(f.left, l.size));
      return refusedDim(
        err(
          t,
          'E0505',
          e.span,
          `${a} is not known to be a multiple of ${b}`,
          asked
            ? wholeQuotient(t.facts.derived, l.size, r.size, t.addFact ?? (() => ({})))
            : (t.addFact?.(`${a} % ${b} == 0`) ?? {}),
        ),
      );
    }
    case '^': {
      const n = S.constant(r.size);
      if (n === undefined) {
        return refusedDim(err(t, 'E0412', e.right.span, 'the exponent of a size must be a number'));
      }
      const form: Form =
        n >= 2 && n <= 8
          ? { k: 'product', parts: Array.from({ length: n }, () => l.form) }
          : { k: 'atom', size: S.pow(l.size, n) };
      return checked(t, e, { size: S.pow(l.size, n), form });
    }
  }
}

/**
 * A size over declared names only, for the facts that hosts check with numbers. What is no polynomial
 * over these (`D/2`, which a fact makes one) is as it was resolved.
 */
export function rawSize(e: SizeExpr, resolved: (e: SizeExpr) => Size): Size {
  if (e.k === 'nat') return S.num(e.value);
  if (e.k === 'var') {
    const now = resolved(e);
    return S.isPoison(now) ? now : S.variable(e.name);
  }
  const [l, r] = [rawSize(e.left, resolved), rawSize(e.right, resolved)];
  switch (e.op) {
    case '+':
      return S.add(l, r);
    case '-':
      return S.sub(l, r);
    case '*':
      return S.mul(l, r);
    case '/':
      return S.divide(l, r) ?? resolved(e);
    case '^': {
      const n = S.constant(r);
      return n === undefined ? resolved(e) : S.pow(l, n);
    }
  }
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
    return a.type === undefined ? resolveSize(t, a.size) : refusedDim(notASize(t, a.type));
  });
}

/** A type where a size belongs: most often a size with a lowercase name. */
function notASize(t: TypeScope, e: TypeExpr): Reported {
  if (e.k !== 'name' || !/^[a-z]/.test(e.name) || SCALARS.has(e.name)) {
    return err(t, 'E0412', e.span, 'a size is needed here, not a type');
  }
  const before = t.refused?.get(e.name);
  if (before !== undefined) return before;
  const upper = e.name[0]!.toUpperCase() + e.name.slice(1);
  const hint = t.sizes.has(upper)
    ? `write \`${upper}\``
    : `write \`${upper}\`, and declare it in brackets after the function's name: \`fn f[${upper}](...)\``;
  const by = err(
    t,
    'E0412',
    e.span,
    `sizes begin with an uppercase letter, and this is \`${e.name}\``,
    { hint },
  );
  t.refused?.set(e.name, by);
  return by;
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
        return errorType(err(t, 'E0412', e.span, 'an index type has one size: `idx[K]`'));
      }
      return { k: 'idx', size: dims[0]!.size };
    }
    const alias = t.types.has(base.name) ? undefined : t.file.types.get(base.name);
    if (alias !== undefined && alias.decl.params.length > 0) return named(t, base, e.args);
  }
  const elem = resolveType(t, base);
  const dims = dimsOf(t, e.args);
  if (elem.k === 'fn') {
    return errorType(err(t, 'E0414', e.span, 'an array of functions has no element to store'));
  }
  return isBroken(elem) ? elem : tensorOf(dims, elem);
}

function named(t: TypeScope, e: Extract<TypeExpr, { k: 'name' }>, args: readonly TypeArg[]): Type {
  const scalar = SCALARS.get(e.name) ?? t.types.get(e.name);
  if (scalar !== undefined) {
    t.used?.add(e.name);
    return scalar;
  }
  const alias = t.file.types.get(e.name);
  if (alias === undefined) return errorType(unknownType(t, e));
  const body = t.expandAlias(alias);
  return isBroken(body) ? body : expand(t, alias, body, e, args);
}

function unknownType(t: TypeScope, e: Extract<TypeExpr, { k: 'name' }>): Reported {
  const before = t.file.broken.get(e.name) ?? t.refused?.get(e.name);
  if (before !== undefined) return before;
  if (e.name === 'idx') return err(t, 'E0412', e.span, 'an index type needs its size: `idx[K]`');
  if (t.sizes.has(e.name)) {
    return err(t, 'E0302', e.span, `\`${e.name}\` is a size here, but a type is needed`);
  }
  const known = [...SCALARS.keys(), 'idx', ...t.file.types.keys(), ...t.types.keys()];
  const owner = t.file.loaded.find((f) => f.types.get(e.name)?.file === f);
  const by = err(t, 'E0302', e.span, `there is no type \`${e.name}\``, {
    hint:
      owner === undefined
        ? (typeHabit(e.name) ?? didYouMean(e.name, known))
        : `\`${e.name}\` is declared in ${owner.file}: import it from there`,
  });
  t.refused?.set(e.name, by);
  return by;
}

function expand(
  t: TypeScope,
  alias: AliasDecl,
  whole: Type,
  e: Extract<TypeExpr, { k: 'name' }>,
  args: readonly TypeArg[],
): Type {
  const params = alias.decl.params;
  const sizes = new Map<string, Dim>();
  const types = new Map<string, Type>();
  let refused: Reported | undefined;
  const give = (name: string, a: TypeArg): void => {
    if (alias.kinds.get(name) === 'type') {
      const type =
        a.type ??
        (a.size.k === 'var'
          ? ({ k: 'name', name: a.size.name, span: a.size.span } as const)
          : undefined);
      if (type === undefined) {
        refused = err(
          t,
          'E0412',
          spanOf(a),
          `\`${name}\` of \`${alias.name}\` is a type, not a size`,
        );
      } else {
        types.set(name, resolveType(t, type));
      }
    } else if (a.type !== undefined) {
      refused = err(
        t,
        'E0412',
        spanOf(a),
        `\`${name}\` of \`${alias.name}\` is a size, not a type`,
      );
    } else {
      sizes.set(name, resolveSize(t, a.size));
    }
  };
  let position = 0;
  for (const a of args) {
    const name = a.name === undefined ? params[position++]?.name.text : a.name.text;
    if (name === undefined || !params.some((p) => p.name.text === name)) {
      const names = params.map((p) => p.name.text).join(', ');
      return errorType(
        err(
          t,
          'E0412',
          a.name?.span ?? spanOf(a),
          a.name === undefined
            ? `\`${alias.name}\` takes ${params.length} argument${params.length === 1 ? '' : 's'} (${names}), not ${args.length}`
            : `\`${alias.name}\` has no argument \`${a.name.text}\`; it has ${names}`,
        ),
      );
    }
    if (sizes.has(name) || types.has(name)) {
      const twice = `\`${name}\` of \`${alias.name}\` is given twice`;
      return errorType(err(t, 'E0412', a.name?.span ?? spanOf(a), twice));
    }
    give(name, a);
  }
  if (refused !== undefined) return errorType(refused);
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
      return errorType(
        err(
          t,
          'E0412',
          e.span,
          `\`${alias.name}\` needs \`${name}\`, and there is no \`${name}\` in scope here`,
          {
            hint: `write \`${alias.name}[${given.join(', ')}]\`, or add \`${name}\` to the brackets after the function's name`,
          },
        ),
      );
    }
    t.used?.add(name);
    if ('k' in inScope) types.set(name, inScope);
    else sizes.set(name, inScope);
  }
  if (countParts(whole) > MAX_PARTS) {
    const many = `the type \`${alias.name}\` has more than ${MAX_PARTS} parts`;
    alias.body = errorType(err(t, 'E0415', e.span, many));
    return alias.body;
  }
  const body = substType(whole, { size: (v) => sizes.get(v), type: (v) => types.get(v) });
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
      const large = S.isTooLarge(bad);
      const text = S.print(inUserNames(t.facts.derived, bad));
      const message = large
        ? `a size of \`${alias.name}\` is too large here`
        : `a size of \`${alias.name}\` is ${text} here, which may be negative`;
      return errorType(err(t, large ? 'E0506' : 'E0504', e.span, message));
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
