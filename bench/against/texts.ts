/**
 * The texts that both front ends read: the same ones, or a ratio of their times says nothing. They are
 * this checkout's programs, or those of the other one where it does not know all of the language that
 * this one's are written in. Texts that do not check under both then fail where they are timed.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askFront } from './ask-front.ts';
import type { Checkout } from './checkout.ts';
import type { Pair, Side } from './ratios.ts';

export type Texts = {
  readonly from: Side;
  readonly texts: ReadonlyMap<string, string>;
  /** Why not this checkout's: its files that do not check under the other. */
  readonly unknown: readonly string[];
};

/** Every program of models/ and examples/, by its path in the checkout. */
export function textsOf(c: Checkout): ReadonlyMap<string, string> {
  const files = globSync('{models,examples}/**/*.tn', { cwd: c.root }).sort();
  return new Map(files.map((f) => [f, readFileSync(join(c.root, f), 'utf8')]));
}

export async function commonTexts(pair: Pair<Checkout>): Promise<Texts> {
  const texts = textsOf(pair.this);
  // A front end that cannot be asked at all fails where it is timed, with its reason.
  const asked = askFront(pair.that, { k: 'check', texts, repetitions: 1 });
  const { faulty } = await asked.catch(() => ({ faulty: [] }));
  if (faulty.length === 0) return { from: 'this', texts, unknown: [] };
  return { from: 'that', texts: textsOf(pair.that), unknown: faulty };
}
