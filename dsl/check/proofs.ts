/**
 * Proofs about index expressions: integers as polynomials over sizes and index values, and the
 * obligations to show them in range once the sizes are known (ranges.ts does the arithmetic).
 *
 * Invariant: `indexForm` is exact; an integer whose value is not known this way has none, or an
 * opaque index value that stands for it.
 */
import { isNews } from '../equations.ts';
import { isIndexName, proveInRange, type RangeContext } from '../ranges.ts';
import * as S from '../size.ts';
import { hasUnknown, head, resolveSize, showSize } from '../solver.ts';
import type { Span } from '../source.ts';
import type { Size, TExpr } from '../typed.ts';
import { isNumberUnknown } from './arithmetic.ts';
import { type Env, error } from './context.ts';

// ---------------------------------------------------------------- integers as polynomials

/** The value of an integer expression over sizes and index values, when it is known. */
export function indexForm(env: Env, te: TExpr): Size | undefined {
  const { solver, indexValues, locals, program } = env.fn;
  const t = head(solver, te.type);
  const integer = t.k === 'idx' || (t.k === 'scalar' && t.s === 'i32') || isNumberUnknown(env, t);
  if (!integer)
    return te.k === 'num' && t.k === 'scalar' && t.s === 'u32' ? S.num(te.value) : undefined;
  const opaque = (value: Parameters<typeof indexValues.set>[1]): Size => {
    const name = `#${program.fresh()}`;
    indexValues.set(name, value);
    return S.variable(name);
  };
  switch (te.k) {
    case 'num':
      return Number.isInteger(te.value) ? S.num(te.value) : undefined;
    case 'size':
      return te.size;
    case 'local': {
      const found = locals.get(te.id)?.index;
      if (found !== undefined) return found;
      break;
    }
    case 'prim': {
      const forms = te.args.map((a) => indexForm(env, a));
      const [a, b] = forms;
      if (te.op === 'i32' && a !== undefined) return a;
      if (te.op === 'neg' && a !== undefined) return S.sub(S.ZERO, a);
      if (a === undefined || b === undefined) break;
      if (te.op === 'add') return S.add(a, b);
      if (te.op === 'sub') return S.sub(a, b);
      if (te.op === 'mul') return S.mul(a, b);
      if (te.op === 'idiv') {
        const exact = (S.constant(b) ?? 0) > 0 ? S.divide(a, b) : undefined;
        return exact ?? opaque({ k: 'div', of: a, by: b });
      }
      if (te.op === 'mod') return opaque({ k: 'mod', by: b });
      break;
    }
    default:
      break;
  }
  return t.k === 'idx' ? opaque({ k: 'range', size: t.size }) : undefined;
}

export function rangeContext(env: Env): RangeContext {
  const { solver, facts, indexValues } = env.fn;
  return {
    facts,
    positive: env.ranges.map((r) => resolveSize(solver, r)).filter((r) => !hasUnknown(r)),
    value: (name) => indexValues.get(name),
    resolve: (s) => resolveSize(solver, s),
  };
}

/** After an error in the head, or about the range of an enclosing index, no proof is worth its failure. */
export function isUndecided(env: Env): boolean {
  const { solver, errors, faulty } = env.fn;
  if (faulty) return true;
  return errors() > 0 && env.ranges.some((r) => hasUnknown(resolveSize(solver, r)));
}

/** Proves 0 <= te < extent when the sizes are known, or reports where it may leave the range. */
export function requireInRange(
  env: Env,
  te: TExpr,
  extent: Size,
  span: Span,
  subject: string,
  how: { readonly orElse?: () => string | undefined; readonly name?: string } = {},
): void {
  const { solver, obligations, errors } = env.fn;
  const form = indexForm(env, te);
  const before = errors();
  obligations.push(() => {
    const size = resolveSize(solver, extent);
    if ((hasUnknown(size) && errors() > 0) || isUndecided(env)) return;
    if (form === undefined) return;
    const c = rangeContext(env);
    const proof = proveInRange(c, form, size);
    if (proof.k === 'proved') return;
    if (errors() > before && hasUnknown(size)) return;
    const shown = showSize(solver, size);
    const last = showSize(solver, S.sub(size, S.ONE));
    const one = !S.variables(form).some(isIndexName);
    if (proof.k === 'low') {
      const least = showSize(solver, proof.least);
      const end = how.name === undefined ? '' : `; the last element is \`${how.name}[${last}]\``;
      error(env, 'E0601', span, `${subject} ${one ? 'is' : 'goes down to'} ${least}, below 0`, {
        hint: one ? `indices count from 0${end}` : how.orElse?.(),
      });
    } else if (proof.k === 'high') {
      const need = S.add(proof.most, S.ONE);
      const open = S.constant(S.sub(size, need)) === undefined;
      const t = head(solver, te.type);
      const bare = te.k === 'local' && t.k === 'idx';
      if (bare && !isNews(solver, span, t.size, size)) return;
      const message = bare
        ? `${subject} runs over ${showSize(solver, t.size)}, which ${open ? 'may be' : 'is'} more than the ${shown} elements here`
        : `${subject} ${one ? 'is' : 'goes up to'} ${showSize(solver, proof.most)}, but ${open ? `there are ${shown} elements` : `the last index is ${last}`}`;
      const least = showSize(solver, need);
      const fact =
        S.constant(size) === undefined
          ? `\`where ${shown} >= ${least}\``
          : `\`where ${least} <= ${shown}\``;
      const product = need.some((m) => m.v.length > 1);
      const fits = `add ${fact} to the function`;
      const hint = ((): string | undefined => {
        if (!open) {
          return one && S.constant(size) !== 0
            ? `indices count from 0; the last one is ${last}`
            : how.orElse?.();
        }
        if (product) return 'a product dimension such as `H*P` is read with a tuple: `x[(h, p)]`';
        const own = bare ? how.orElse?.() : undefined;
        if (own !== undefined) return own;
        if (te.k !== 'local' || t.k !== 'idx' || env.fn.locals.get(te.id)?.kind === 'index')
          return `if it always fits, ${fits}`;
        const index = showSize(solver, t.size);
        return `an \`idx[${index}]\` reads a dimension of size ${index}, and this one has size ${shown}; if that is never less, ${fits}`;
      })();
      error(env, 'E0601', span, message, { hint });
    } else {
      error(env, 'E0602', span, `${subject} cannot be proved to stay between 0 and ${last}`, {
        hint: 'write `clamp(...)` or `wrap(...)`, or give a fallback: `x[...] ?? 0`',
      });
    }
  });
}
