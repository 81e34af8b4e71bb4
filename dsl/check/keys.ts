/**
 * The lint on keys: one key used twice on one path gives the same random numbers twice.
 *
 * A draw, or passing the key on, takes all of it; `split(k, 0)` takes one child, `split(k, i)` all of
 * them, and of a computed child nothing is said. Both branches of an `if` may use a key once. The
 * rule is JAX's; here it is only a warning, because using the same numbers again is sometimes meant
 * (common random numbers).
 */
import { diagnostic } from '../errors.ts';
import type { Span } from '../source.ts';
import type { LocalId, TExpr } from '../typed.ts';
import type { Fn } from './context.ts';
import { childrenOf } from './walk.ts';

/** What was taken of a key, with the place: all of it, every child, one child or some child. */
type Taken = { readonly what: 'all' | 'children' | 'some child' | number; readonly span: Span };
type Uses = Map<LocalId, readonly Taken[]>;

function overlap(a: Taken['what'], b: Taken['what']): boolean {
  if (a === 'all' || b === 'all') return true;
  if (a === 'some child' || b === 'some child') return false;
  return a === 'children' || b === 'children' || a === b;
}

function isKey(e: TExpr): e is Extract<TExpr, { k: 'local' }> {
  return e.k === 'local' && e.type.k === 'scalar' && e.type.s === 'key';
}

export function warnKeys(fn: Fn, body: TExpr): void {
  const take = (uses: Uses, key: Extract<TExpr, { k: 'local' }>, what: Taken['what']): void => {
    const before = uses.get(key.id) ?? [];
    const first = before.find((t) => overlap(t.what, what));
    uses.set(key.id, [...before, { what, span: key.span }]);
    if (first === undefined) return;
    const message = `the key \`${key.name}\` is used twice, which gives the same random numbers again`;
    fn.report(
      diagnostic('W0003', key.span, message, {
        hint: `split it first: \`split(${key.name}, 0)\`, \`split(${key.name}, 1)\``,
        related: [{ span: first.span, message: 'the first use' }],
      }),
    );
  };
  const walk = (e: TExpr, uses: Uses): void => {
    if (isKey(e)) {
      take(uses, e, 'all');
    } else if (e.k === 'if') {
      walk(e.cond, uses);
      const other: Uses = new Map(uses);
      walk(e.then, uses);
      walk(e.else, other);
      for (const [id, taken] of other) {
        const mine = uses.get(id) ?? [];
        uses.set(id, [...mine, ...taken.filter((t) => !mine.includes(t))]);
      }
    } else if (e.k === 'builtin' && e.name === 'split' && isKey(e.args[0]!)) {
      const counter = e.args[1]!;
      walk(counter, uses);
      const at = counter.k === 'counter' && counter.index.k === 'at' ? counter.index.e : undefined;
      const index = at === undefined || (at.k === 'local' && at.type.k === 'idx');
      take(uses, e.args[0], at?.k === 'num' ? at.value : index ? 'children' : 'some child');
    } else {
      for (const c of childrenOf(e)) walk(c, uses);
    }
  };
  walk(body, new Map());
}
