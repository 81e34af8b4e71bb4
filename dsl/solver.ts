/**
 * The unknown sizes and types of one declaration: their names, their solutions, and how they are
 * shown.
 *
 * Invariant: an unknown is a variable whose name begins with `?`; solutions are triangular (never
 * mention themselves), so `resolve*` terminates, and what they share stays shared. Equations between
 * sizes are in equations.ts, between types in unify.ts.
 */
import { diagnostic, type ErrorCode } from './errors.ts';
import { inUserNames } from './facts.ts';
import type { Report, Reported } from './reported.ts';
import * as S from './size.ts';
import type { Diagnostic, Edit, Span } from './source.ts';
import type { DerivedSize, Dim, Size, Type } from './typed.ts';
import {
  hasUnknown,
  I32,
  isClosed,
  isUnknownName,
  printDim,
  printType,
  type Substitution,
  substDim,
  substSize,
  substType,
  tensorOf,
} from './types.ts';

export { hasUnknown, isUnknownName } from './types.ts';

export type Hint = Pick<Diagnostic, 'hint' | 'fix'>;

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
  /** What to do about two sizes that differ, where that depends on them. */
  readonly advice?: (found: Size, needed: Size) => Hint | undefined;
  /** What to write when one dimension too many was found. */
  readonly lift?: string;
  /** What gave a size its value, where it was solved for: "the result of `f`". */
  readonly origin?: string;
};

export type Unknown = {
  /** What the user calls it: `H`, or `the range of i`. */
  readonly label: string;
  readonly span: Span;
  readonly kind: 'size' | 'type' | 'number';
  /** How to give it: "write `attention[H = ...]`". */
  readonly hint?: string;
  readonly fix?: readonly Edit[];
  /** The function whose size this is. */
  readonly owner?: string;
  /** Ranges around it, which are not empty where it matters. */
  readonly inside?: readonly Size[];
  /** Reports that the fact which makes this a whole number fails; nothing when it does not. */
  readonly unmet?: (needed: Size, found: Size) => Reported | undefined;
};

export type Equation = { readonly a: Dim; readonly b: Dim; readonly reason: Reason };

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
  readonly report: Report;
  /** Sizes without unknowns that the facts of the declaration make equal. */
  readonly provesEqual: (a: Size, b: Size) => boolean;
  /** Whether the facts make the first no larger than the second. */
  readonly atMost: (a: Size, b: Size) => boolean;
  /** Whether the facts state that the first is a multiple of the second. */
  readonly knowsRemainder: (of: Size, by: Size) => boolean;
  /** of / by, exactly, where the facts say that it is a size. */
  readonly quotient: (of: Size, by: Size) => Size | undefined;
  /** Sizes that are a part of another one, to be shown by the whole: own ones and callees'. */
  readonly derived: DerivedSize[];
  /** The hint, and the edit, that states a fact in the head of the declaration. */
  readonly addFact: (fact: string) => Hint;
  /** Statements that have a size error, with the two sizes: its echoes are not reported. */
  readonly echoes: Map<string, Reported>;
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

/** Numbers whose type is open are shown as `number`, the type that is expected or else i32. */
export function showType(s: Solver, t: Type, number: Type = I32): string {
  const now = resolveType(s, t);
  if (isOpenNumber(s, now)) return 'a number';
  const known: Substitution = {
    size: () => undefined,
    type: (v) => (isOpenNumber(s, { k: 'var', name: v }) ? number : undefined),
  };
  return printType(isClosed(now) ? now : substType(now, known), (x) => showSize(s, x));
}

function isOpenNumber(s: Solver, t: Type): boolean {
  return t.k === 'var' && s.unknowns.get(t.name)?.kind === 'number';
}

export function fail(
  s: Solver,
  code: ErrorCode,
  reason: Reason,
  message: string,
  extra?: Diagnostic['related'],
  hint: Hint = { hint: reason.hint },
): Reported {
  const related = [...(reason.related ?? []), ...(extra ?? [])];
  return s.report(
    diagnostic(code, reason.span, message, {
      ...hint,
      related: related.length > 0 ? related : undefined,
    }),
  );
}

function labelOf(u: Unknown): string {
  return u.owner === undefined ? u.label : `\`${u.label}\` of \`${u.owner}\``;
}

/** Where the unknowns of a side of an equation got their values. */
export function origins(s: Solver, ...sides: Size[]): NonNullable<Diagnostic['related']> {
  const out: { span: Span; message: string }[] = [];
  for (const side of sides) {
    for (const v of S.variables(side)) {
      const found = s.sizes.get(v);
      const unknown = s.unknowns.get(v);
      if (found === undefined || unknown === undefined || out.length > 2) continue;
      out.push({
        span: found.reason.span,
        message: `${labelOf(unknown)} is ${showDim(s, found.dim)} here${
          found.reason.origin === undefined ? '' : `, as in ${found.reason.origin}`
        }`,
      });
    }
  }
  return out;
}
