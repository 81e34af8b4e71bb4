/**
 * Warnings: what is legal and hardly ever meant. Warnings never change what a program means.
 *
 * Unused names and sizes (a leading `_` says that it is meant), and a trailing term in a reduction that
 * ignores its index (`sum i. x[i] - mu` is `sum i. (x[i] - mu)`). Keys are in keys.ts.
 */
import type { Binder, Expr } from '../ast.ts';
import { diagnostic } from '../errors.ts';
import type { Fn, SigParam } from './context.ts';

export function warnUnused(fn: Fn, params: readonly SigParam[]): void {
  // What an error left out may be the use.
  if (fn.errors() > 0) return;
  for (const l of fn.locals.values()) {
    if (l.used || l.name.startsWith('_')) continue;
    fn.report(
      diagnostic(
        'W0001',
        l.span,
        `${l.kind === 'let' ? '' : `the ${l.kind} `}\`${l.name}\` is never used`,
        {
          hint: `remove it, or call it \`_${l.name}\``,
        },
      ),
    );
  }
  for (const p of params) {
    if (fn.usedSizes.has(p.name)) continue;
    fn.report(
      diagnostic('W0001', p.decl.name.span, `the ${p.kind} \`${p.name}\` is never used`, {
        hint: 'remove it from the brackets',
      }),
    );
  }
}

// ---------------------------------------------------------------- trailing terms

export function binderNames(ix: readonly Binder[]): string[] {
  return ix.flatMap((b) => (b.k === 'one' ? [b.name.text] : binderNames(b.items)));
}

/** Whether an expression mentions one of the names; names that are bound again count as well. */
export function mentions(e: Expr, names: readonly string[]): boolean {
  if (e.k === 'var') return names.includes(e.name);
  return children(e).some((c) => mentions(c, names));
}

/** The expressions directly inside an expression. */
export function children(e: Expr): readonly Expr[] {
  switch (e.k) {
    case 'num':
    case 'bool':
    case 'var':
    case 'size':
      return [];
    case 'lambda':
    case 'for':
    case 'reduce':
      return [e.body];
    case 'let':
      return [e.value, e.body];
    case 'reduceTree':
    case 'each':
      return [...e.trees, e.body];
    case 'fold':
    case 'scan':
      return [e.init, e.body];
    case 'if':
      return [e.cond, e.then, e.else];
    case 'unary':
    case 'left':
    case 'right':
      return [e.arg];
    case 'binary':
      return [e.left, e.right];
    case 'orElse':
      return [e.read, e.fallback];
    case 'field':
      return [e.target];
    case 'brackets':
      return [e.target, ...e.args.map((a) => a.value)];
    case 'call':
      return [e.fn, ...e.args.map((a) => a.value)];
    case 'tuple':
      return e.items;
    case 'array':
      return e.items.map((i) => i.value);
    case 'record':
      return e.fields.map((f) => f.value);
  }
}

/**
 * The last term of a reduction's body that does not depend on what is reduced over, as in
 * `sum i. x[i] - mu`; undefined also where parentheses say that it is meant.
 */
export function trailing(names: readonly string[], body: Expr): Expr | undefined {
  if (body.k !== 'binary' || inParentheses(body)) return undefined;
  return looksOutside(names, body) ? body.right : undefined;
}

/** Parentheses around a body whose last term would otherwise look as if it were outside. */
export function meantInside(names: readonly string[], body: Expr): boolean {
  return body.k === 'binary' && inParentheses(body) && looksOutside(names, body);
}

function inParentheses(e: Extract<Expr, { k: 'binary' }>): boolean {
  return e.span.start < e.left.span.start;
}

function looksOutside(names: readonly string[], e: Extract<Expr, { k: 'binary' }>): boolean {
  if (e.op !== '+' && e.op !== '-') return false;
  const bound = names.filter((n) => n !== '_');
  return !mentions(e.right, bound) && mentions(e.left, bound);
}

/** The last term belongs to the body, which it does not look like. */
export function warnTrailing(fn: Fn, op: string, names: readonly string[], body: Expr): void {
  const term = trailing(names, body);
  if (term === undefined) return;
  const index = names.filter((n) => n !== '_').join(', ');
  fn.report(
    diagnostic(
      'W0005',
      term.span,
      `this term is inside the \`${op}\`, once for each \`${index}\`, but does not depend on \`${index}\``,
      {
        hint: `write \`${op} ${index}. (...)\` if that is meant, or put the whole \`${op}\` in parentheses`,
      },
    ),
  );
}
