/**
 * The end of differentiation: custom blocks become their bodies and `stop` becomes its argument.
 *
 * Invariant: the values are the same; afterwards no derivative may be taken.
 */

import { mapSame, rewriter } from '../core/expr.ts';
import type { Core, Stmt } from '../core.ts';

export function dropDerivatives(core: Core): Core {
  const body = block(core.body);
  return body === core.body ? core : { ...core, body };
}

const unstopped = () =>
  rewriter({ node: (e) => (e.k === 'prim' && e.op === 'stop' ? e.args[0]! : e) });

function block(body: readonly Stmt[]): readonly Stmt[] {
  const out: Stmt[] = [];
  for (const s of body) {
    if (s.k === 'custom') out.push(...block(s.body));
    else out.push(statement(s));
  }
  return out.length === body.length && out.every((s, i) => s === body[i]) ? body : out;
}

function statement(s: Exclude<Stmt, { k: 'custom' }>): Stmt {
  switch (s.k) {
    case 'nest': {
      const body = unstopped().expr(s.body);
      return body === s.body ? s : { ...s, body };
    }
    case 'segsum': {
      const r = unstopped();
      const [body, at, guard] = [r.expr(s.body), mapSame(s.at, r.ix), mapSame(s.guard, r.guard)];
      const same = body === s.body && at === s.at && guard === s.guard;
      return same ? s : { ...s, body, at, guard };
    }
    case 'fold': {
      const body = block(s.body);
      return body === s.body ? s : { ...s, body };
    }
  }
}
