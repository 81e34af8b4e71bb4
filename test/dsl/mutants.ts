/**
 * Mutants of random programs: tokens that decide what is read changed for others, most of them
 * wrongly. One that is still accepted must run at every size that its facts allow.
 */
import { interpret } from '../../compiler/core/interpret.ts';
import { verify } from '../../compiler/core/verify.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { check } from '../../dsl/index.ts';
import type { RandomProgram } from '../gen/program.ts';
import { inputsOf } from '../gen/run.ts';
import type { Choices } from './hostile.ts';

const INDEX = /^[ijqkl]$/;
const OTHER = /^([ABC]|\d|left|right|clamp|wrap)$/;

export function mutate(text: string, c: Choices): string {
  const head = text.indexOf('fn f[');
  const body = text.indexOf(' =\n', head);
  const tokens = text.slice(body).match(/\w+|\s+|\?\?|\/\/|./g)!;
  const where = (pattern: RegExp) => tokens.flatMap((t, j) => (pattern.test(t) ? [j] : []));
  const indices = where(INDEX);
  const others = where(OTHER);
  for (let edits = 1 + c.below(2); edits > 0; edits--) {
    const j = c.pick(c.chance(50) && indices.length > 0 ? indices : others);
    const t = tokens[j]!;
    if (INDEX.test(t)) {
      tokens[j] = c.pick([`${t} + 1`, `${t} - 1`, `2 * ${t}`, tokens[c.pick(indices)]!]);
    } else if (/^[ABC]$/.test(t)) tokens[j] = c.pick(['A', 'B', 'C', `(${t} + 1)`, '2']);
    else if (/^\d$/.test(t)) tokens[j] = String(c.below(4));
    else if (t === 'left' || t === 'right') tokens[j] = t === 'left' ? 'right' : 'left';
    else tokens[j] = '';
  }
  return text.slice(0, body) + tokens.join('');
}

const sizes = [
  [1, 2, 3],
  [3, 1, 2],
] as const;

/** Whether the text is accepted; if it is, it was run, and threw where it read out of range. */
export function runIfAccepted(text: string, p: RandomProgram): boolean {
  const { program } = check(new Map([['r.tn', text]]), 'r.tn');
  if (program === undefined) return false;
  for (const [A, B, C] of sizes) {
    const e = elaborate(program, 'r.tn#f', new Map(Object.entries({ A, B, C })));
    const bad = verify(e.core);
    if (bad.length > 0) throw new Error(`${JSON.stringify(bad[0])}\n${text}`);
    interpret(e.core, inputsOf(e, p.seed));
  }
  return true;
}
