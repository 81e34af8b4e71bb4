/**
 * The lint on keys: one key used twice on one way through the program gives the same random numbers
 * twice.
 *
 * What a use takes is a path of splits: a draw, or passing `split(k, 0)` on, takes that child and all
 * below it. Two uses overlap where one path is a beginning of the other: `split(split(k, m), 0)` and
 * `split(split(k, m), 1)` do not. Of a computed child nothing is said. Both branches of an `if` may
 * use a key once. The rule is JAX's; here it is only a warning, because using the same numbers again
 * is sometimes meant (common random numbers).
 */
import { diagnostic } from '../errors.ts';
import type { Span } from '../source.ts';
import type { LocalId, TExpr } from '../typed.ts';
import type { Fn } from './context.ts';
import { childrenOf } from './walk.ts';

/** One split: one child, each child in turn, or some child. */
type Step = number | 'each' | 'some';
type Taken = { readonly path: readonly Step[]; readonly span: Span };
type Uses = Map<LocalId, readonly Taken[]>;

function overlap(a: readonly Step[], b: readonly Step[]): boolean {
  return a.slice(0, b.length).every((x, i) => {
    const y = b[i]!;
    if (x === 'some' || y === 'some') return false;
    return x === 'each' || y === 'each' || x === y;
  });
}

type Key = Extract<TExpr, { k: 'local' }>;
type Split = Extract<TExpr, { k: 'builtin' }>;

function isKey(e: TExpr): e is Key {
  return e.k === 'local' && e.type.k === 'scalar' && e.type.s === 'key';
}

function isSplit(e: TExpr): e is Split {
  return e.k === 'builtin' && e.name === 'split';
}

function stepOf({ args }: Split): Step {
  const counter = args[1]!;
  const at = counter.k === 'counter' && counter.index.k === 'at' ? counter.index.e : undefined;
  if (at?.k === 'num') return at.value;
  return at === undefined || (at.k === 'local' && at.type.k === 'idx') ? 'each' : 'some';
}

export function warnKeys(fn: Fn, body: TExpr): void {
  const take = (uses: Uses, key: Key, path: readonly Step[]): void => {
    const before = uses.get(key.id) ?? [];
    const first = before.find((t) => overlap(t.path, path));
    uses.set(key.id, [...before, { path, span: key.span }]);
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
      take(uses, e, []);
    } else if (isSplit(e)) {
      const path: Step[] = [];
      let key: TExpr = e;
      for (; isSplit(key); key = key.args[0]!) {
        path.unshift(stepOf(key));
        walk(key.args[1]!, uses);
      }
      if (isKey(key)) take(uses, key, path);
      else walk(key, uses);
    } else if (e.k === 'if') {
      walk(e.cond, uses);
      const other: Uses = new Map(uses);
      walk(e.then, uses);
      walk(e.else, other);
      for (const [id, taken] of other) {
        const mine = uses.get(id) ?? [];
        uses.set(id, [...mine, ...taken.filter((t) => !mine.includes(t))]);
      }
    } else {
      for (const c of childrenOf(e)) walk(c, uses);
    }
  };
  walk(body, new Map());
}
