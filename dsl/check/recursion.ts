/**
 * Recursion is refused: functions are inlined at compile time, and loops are `fold` and `scan`.
 *
 * One error for each circle, at the reference that closes it (depth-first over the edges that the
 * checker met, in the order of the text).
 */
import { diagnostic } from '../errors.ts';
import type { ErrorDiagnostic, Span } from '../source.ts';
import type { Program } from './context.ts';

/** Functions are inlined with their derivatives, so that a derivative cannot use its own function. */
function ownDerivative(name: string, span: Span): ErrorDiagnostic {
  return diagnostic('E0304', span, `the derivative of \`${name}\` calls \`${name}\``, {
    hint: `move the value into a function of its own, which \`${name}\` and its derivative both call`,
  });
}

export function checkRecursion(program: Program): void {
  const out = new Map<string, Program['edges'][number][]>();
  for (const e of program.edges) {
    const list = out.get(e.from) ?? [];
    list.push(e);
    out.set(e.from, list);
  }
  const state = new Map<string, 'busy' | 'done'>();
  const name = (id: string) => id.slice(id.lastIndexOf('#') + 1);
  for (const root of out.keys()) {
    if (state.has(root)) continue;
    // An explicit stack: a chain of ten thousand functions must not overflow ours.
    const stack = [{ id: root, next: 0 }];
    state.set(root, 'busy');
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const edge = out.get(top.id)?.[top.next++];
      if (edge === undefined) {
        state.set(top.id, 'done');
        stack.pop();
      } else if (state.get(edge.to) === 'busy') {
        const circle = stack.slice(stack.findIndex((s) => s.id === edge.to)).map((s) => name(s.id));
        // Values call nothing; functions do.
        if (edge.inDerivative && circle.length === 1) {
          program.report(ownDerivative(circle[0]!, edge.span));
          continue;
        }
        const verb = program.values.has(edge.to) ? 'refers to' : 'calls';
        program.report(
          diagnostic(
            'E0304',
            edge.span,
            circle.length === 1
              ? `\`${circle[0]}\` ${verb} itself`
              : `\`${circle[0]}\` ${verb} itself through ${circle
                  .slice(1)
                  .map((c) => `\`${c}\``)
                  .join(', ')}`,
            { hint: 'recursion is not part of the language; write a `fold` or a `scan`' },
          ),
        );
      } else if (!state.has(edge.to)) {
        state.set(edge.to, 'busy');
        stack.push({ id: edge.to, next: 0 });
      }
    }
  }
}
