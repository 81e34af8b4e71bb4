/**
 * Uses of a value whose type nothing tells so far: one message for operators, fields, indices, calls
 * and trees. Types are found from left to right, so a lambda that is passed for a type which is open
 * itself is the usual reason; its parameters cannot be given types, but the whole of it can.
 */
import type { Reported } from '../reported.ts';
import { head } from '../solver.ts';
import type { Span } from '../source.ts';
import type { TExpr, Type } from '../typed.ts';
import { isUnknown } from '../types.ts';
import { isNumberUnknown } from './arithmetic.ts';
import { type Env, error } from './context.ts';

/** Nothing is known of this type yet, not even that it is a number's. */
export function isOpen(env: Env, t: Type): boolean {
  return isUnknown(t) && !isNumberUnknown(env, t);
}

/** Whether a part of it is open, a parameter or result of a function among them. */
export function holdsOpen(env: Env, t: Type): boolean {
  const now = head(env.fn.solver, t);
  switch (now.k) {
    case 'scalar':
    case 'idx':
      return false;
    case 'tensor':
      return holdsOpen(env, now.elem);
    case 'record':
      return now.fields.some((f) => holdsOpen(env, f.type));
    case 'fn':
      return now.params.some((p) => holdsOpen(env, p)) || holdsOpen(env, now.result);
    case 'var':
      return isOpen(env, now);
  }
}

/** Reports it; `so` is what cannot be done for that reason. */
export function unknownType(env: Env, te: TExpr, span: Span, so?: string): Reported {
  const local = te.k === 'local' ? env.fn.locals.get(te.id) : undefined;
  const [of, hint] =
    local?.kind === 'parameter'
      ? [
          `\`${local.name}\``,
          `give the whole function a type where it is bound: \`let f: f32 -> f32 = ${local.name} -> ...\``,
        ]
      : ['this', 'give it one where it is bound: `let name: f32 = ...`'];
  const message = `the type of ${of} is not known here`;
  return error(env, 'E0408', span, so === undefined ? message : `${message}, so ${so}`, { hint });
}
