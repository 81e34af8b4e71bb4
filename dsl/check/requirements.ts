/**
 * What type parameters must be, passed from callees to callers.
 *
 * `each`, reductions over trees and `grad` inside a generic function work for trees of f32 only, and
 * `max`, `min` and `mean` of a tree need an element. The function notes that for its parameter; whoever
 * calls it with a type shows it where the call stands, or passes it on for a type parameter of its own.
 * Calls form no circle (recursion.ts), so this ends.
 */
import { diagnostic } from '../errors.ts';
import { provesNonNegative } from '../prove.ts';
import * as S from '../size.ts';
import { hasUnknown, resolveSize, resolveType, showSize } from '../solver.ts';
import type { Span } from '../source.ts';
import type { Size, Type } from '../typed.ts';
import { elementsOf, isBroken, leavesOf, printType } from '../types.ts';
import { type Env, error, type Instance, type Program, type Requirement } from './context.ts';
import { isUndecided, rangeContext } from './proofs.ts';

// ---------------------------------------------------------------- elements

/** Whether a tree has an element: `short` is the size that may be 0, `param` what has to have one. */
type Found =
  | { readonly k: 'yes' }
  | { readonly k: 'short'; readonly size: Size }
  | { readonly k: 'param'; readonly name: string };

function atLeastOne(env: Env, size: Size): boolean {
  return provesNonNegative(env.fn.facts, S.sub(size, S.ONE), rangeContext(env).positive);
}

function holdsElement(env: Env, t: Type): Found {
  const { solver } = env.fn;
  const { count, params } = elementsOf(resolveType(solver, t));
  const size = resolveSize(solver, count);
  if (hasUnknown(size) || atLeastOne(env, size)) return { k: 'yes' };
  const own = params.find((p) => atLeastOne(env, resolveSize(solver, p.times)));
  if (own !== undefined) return { k: 'param', name: own.name };
  return { k: 'short', size: params.length === 0 ? size : resolveSize(solver, params[0]!.times) };
}

/** A reduction of a tree that needs an element: shown here, or asked of whoever gives the tree. */
export function requireElements(env: Env, type: Type, span: Span, op: string): void {
  const { fn } = env;
  fn.obligations.push(() => {
    const t = resolveType(fn.solver, type);
    if (isBroken(t) || isUndecided(env)) return;
    const found = holdsElement(env, t);
    if (found.k === 'param') note(fn.program, fn.id, { param: found.name, why: 'elements' });
    if (found.k !== 'short') return;
    const shown = showSize(fn.solver, found.size);
    const empty = S.constant(found.size) === 0;
    const hint = {
      ...fn.addFact(`${shown} >= 1`),
      hint: `add \`where ${shown} >= 1\` to the function`,
    };
    error(
      env,
      'E0603',
      span,
      `\`${op}\` needs a tree that is not empty, and ${shown} ${empty ? 'is' : 'may be'} 0`,
      empty ? {} : hint,
    );
  });
}

function elementsAt(program: Program, i: Instance, param: string, type: Type): boolean {
  const { env } = i;
  const found = holdsElement(env, type);
  if (found.k === 'param') return note(program, i.from, { param: found.name, why: 'elements' });
  if (found.k === 'yes') return false;
  const name = i.to.slice(i.to.lastIndexOf('#') + 1);
  const shown = showSize(env.fn.solver, found.size);
  const empty = S.constant(found.size) === 0;
  program.report(
    diagnostic(
      'E0603',
      i.span,
      `\`${name}\` reduces \`${param}\`, which must not be empty, and ${shown} ${empty ? 'is' : 'may be'} 0 here`,
      empty ? {} : env.fn.addFact(`${shown} >= 1`),
    ),
  );
  return false;
}

// ---------------------------------------------------------------- all of them

export function checkRequirements(program: Program): void {
  const reported = new Set<string>();
  for (let moved = true; moved; ) {
    moved = false;
    for (const i of program.instances) {
      // A function that differentiates by a parameter mostly maps over it as well: say the former.
      const asked = program.requirements.get(i.to) ?? [];
      for (const r of asked.toSorted((a, b) => a.why.localeCompare(b.why))) {
        const type = i.types.get(r.param);
        if (type === undefined) continue;
        if (r.why === 'elements') {
          moved = elementsAt(program, i, r.param, type) || moved;
          continue;
        }
        for (const leaf of leavesOf(type)) {
          if (leaf.fixed || (leaf.type.k === 'scalar' && leaf.type.s === 'f32')) continue;
          if (leaf.type.k === 'var') {
            if (/^[A-Z]/.test(leaf.type.name))
              moved = note(program, i.from, { ...r, param: leaf.type.name }) || moved;
            continue;
          }
          const where = `${i.span.file}:${i.span.start}:${r.param}`;
          if (reported.has(where)) continue;
          reported.add(where);
          const name = i.to.slice(i.to.lastIndexOf('#') + 1);
          const what = leaf.path === '' ? 'it' : `its leaf \`${leaf.path}\``;
          program.report(
            diagnostic(
              r.why === 'gradient' ? 'E0702' : 'E0413',
              i.span,
              `\`${name}\` ${r.why === 'gradient' ? 'differentiates by' : 'works on'} trees of f32; \`${r.param}\` is ${printType(type)} here, and ${what} is ${printType(leaf.type)}`,
              { hint: 'mark such a field `fixed`, or keep it out of the tree' },
            ),
          );
        }
      }
    }
  }
}

/** Notes what a function asks of a type parameter; false when it was known. */
export function note(program: Program, id: string, r: Requirement): boolean {
  const list = program.requirements.get(id) ?? [];
  if (list.some((x) => x.param === r.param && x.why === r.why)) return false;
  program.requirements.set(id, [...list, r]);
  return true;
}
