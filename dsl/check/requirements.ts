/**
 * What type parameters must be, passed from callees to callers.
 *
 * `each`, reductions over trees and `grad` inside a generic function work for trees of f32 only.
 * The function notes that for its parameter; whoever calls it with a type shows it, or passes it on
 * for a type parameter of its own. Calls form no circle (recursion.ts), so this ends.
 */
import { diagnostic } from '../errors.ts';
import { leavesOf, printType } from '../types.ts';
import type { Program, Requirement } from './context.ts';

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

function note(program: Program, id: string, r: Requirement): boolean {
  const list = program.requirements.get(id) ?? [];
  if (list.some((x) => x.param === r.param && x.why === r.why)) return false;
  program.requirements.set(id, [...list, r]);
  return true;
}
