/**
 * The grammar as ohm matches it, from ohm's recipe for it instead of from its text.
 *
 * Invariant: it is the grammar of grammar.ts; test/dsl/grammar.test.ts compiles that and compares.
 */
import * as ohm from 'ohm-js';
import { recipe } from './grammar-recipe.ts';
import { charOf } from './tokens.ts';

/** An expression of a recipe: its kind, where it stood in the text (left out here), its operands. */
type Expr = readonly [kind: string, at: null, ...operands: unknown[]];

const isExpr = (x: unknown): x is Expr => Array.isArray(x) && typeof x[0] === 'string';

/** The recipe names kinds of tokens, as the text does; ohm sees their characters. */
function encoded(x: unknown): unknown {
  if (!Array.isArray(x)) return x;
  if (isExpr(x) && (x[0] === 'terminal' || x[0] === 'range')) {
    const [kind, at, ...kinds] = x;
    return [kind, at, ...kinds.map((k) => charOf(k as string))];
  }
  return x.map(encoded);
}

/** Ohm exports it for the files that its own tool writes, and has no type for it. */
const { makeRecipe } = ohm as unknown as { makeRecipe(recipe: unknown): ohm.Grammar };

const rules = Object.entries(JSON.parse(recipe) as Readonly<Record<string, unknown>>);

export const grammar = makeRecipe([
  'grammar',
  null,
  'Tenon',
  null,
  'decl',
  Object.fromEntries(rules.map(([name, rule]) => [name, encoded(rule)])),
]);
