/** What is loaded as the grammar is what its text says. `-u` writes the recipe again. */
import * as ohm from 'ohm-js';
import { expect, it } from 'vitest';
import { grammarText } from '../../dsl/grammar.ts';
import { charOf } from '../../dsl/tokens.ts';

const kinds = new Map<string, string>();
const text = grammarText.replace(/"([^"]+)"/g, (_, kind: string) => {
  kinds.set(charOf(kind), kind);
  return JSON.stringify(charOf(kind));
});

/** A recipe without places in the text. */
const bare = (x: unknown): unknown =>
  Array.isArray(x) ? x.map(bare) : typeof x === 'object' ? null : x;

/** With names of tokens for their characters. */
const named = (x: unknown): unknown =>
  Array.isArray(x) ? x.map(named) : typeof x === 'string' ? (kinds.get(x) ?? x) : x;

/** Rule -> recipe. */
function rulesOf(g: ohm.Grammar): [string, unknown][] {
  const made = JSON.parse((g as unknown as { toRecipe(): string }).toRecipe());
  const [kind, , name, parent, start, rules] = made as [...unknown[]];
  expect([kind, name, parent, start]).toEqual(['grammar', 'Tenon', null, 'decl']);
  return Object.entries(rules as object).map(([rule, recipe]) => [rule, bare(recipe)]);
}

const fromText = rulesOf(ohm.grammar(text));

it('the recipe is the one that ohm makes of the text', async () => {
  const rules = fromText.map(([name, rule]) => `"${name}":${JSON.stringify(named(rule))}`);
  await expect(`/**
 * Rule -> ohm's recipe for it (its bundle format, without places in the text; terminals are kinds of
 * tokens). Written by test/dsl/grammar.test.ts from grammar.ts.
 */
export const recipe = \`{
${rules.join(',\n')}
}\`;
`).toMatchFileSnapshot('../../dsl/grammar-recipe.ts');
});

it('the grammar that is loaded is the one of the text', async () => {
  // Not above: the recipe can be written again whatever is in its file.
  const { grammar } = await import('../../dsl/compiled-grammar.ts');
  expect(rulesOf(grammar)).toEqual(fromText);
});
