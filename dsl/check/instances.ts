/**
 * Using a top-level function: fresh unknowns for its sizes and types, explicit sizes and defaults
 * first, and its `where` facts, which the caller must show (language.md, step 2 and decision 5).
 *
 * Invariant: the sizes of a callee are polynomials over its free names (facts.ts); each free name
 * gets one unknown, so a fact `D % 2 == 0` makes the caller's D an exact double or nothing.
 */
import type { Expr, TypeExpr } from '../ast.ts';
import { equate } from '../equations.ts';
import { inUserNames, provesEqual, provesNonNegative } from '../facts.ts';
import * as S from '../size.ts';
import { hasUnknown, newSize, newType, resolveSize, resolveType, type Unknown } from '../solver.ts';
import type { Span } from '../source.ts';
import type { Dim, Size, SizeFact, TExpr, Type } from '../typed.ts';
import { atom, type Substitution, substDim, substSize, substType } from '../types.ts';
import { unify } from '../unify.ts';
import { type Env, error, type FnSig, reason } from './context.ts';
import { isUndecided, rangeContext } from './proofs.ts';
import { resolveSize as resolveWritten, resolveType as resolveWrittenType } from './resolve.ts';
import { sizeExprOf, typeScope } from './scope.ts';

export type SizeArg = Extract<Expr, { k: 'brackets' }>['args'][number];

export type Use = {
  readonly sig: FnSig;
  readonly sizes: ReadonlyMap<string, Dim>;
  readonly types: ReadonlyMap<string, Type>;
  readonly args: readonly Type[];
  readonly result: Type;
  readonly fn: TExpr;
};

/** An expression in brackets that stands for a type: `f32`, `S`, `Block[D]`. */
function typeExprOf(e: Expr): TypeExpr | undefined {
  if (e.k === 'size' || e.k === 'var') return { k: 'name', name: e.name, span: e.span };
  if (e.k !== 'brackets') return undefined;
  const base = typeExprOf(e.target);
  if (base === undefined) return undefined;
  const args = e.args.map((a) => ({
    name: a.name,
    size: sizeExprOf(a.value),
    type: typeExprOf(a.value),
  }));
  if (args.some((a) => a.size === undefined && a.type === undefined)) return undefined;
  const nowhere = { k: 'nat', value: 0, span: e.span } as const;
  return {
    k: 'brackets',
    base,
    args: args.map((a) =>
      a.size !== undefined
        ? { name: a.name, size: a.size }
        : { name: a.name, size: nowhere, type: a.type },
    ),
    span: e.span,
  };
}

/** Which parameter each bracket argument gives; undefined when that was reported. */
function matchSizes(
  env: Env,
  sig: FnSig,
  given: readonly SizeArg[],
): Map<string, SizeArg> | undefined {
  const out = new Map<string, SizeArg>();
  let position = 0;
  for (const a of given) {
    const bare =
      a.value.k === 'size' && sig.params.some((p) => p.name === (a.value as { name: string }).name);
    const name =
      a.name?.text ?? (bare ? (a.value as { name: string }).name : sig.params[position++]?.name);
    const names = sig.params.map((p) => p.name).join(', ');
    const span = a.name?.span ?? a.value.span;
    if (name === undefined || !sig.params.some((p) => p.name === name)) {
      error(
        env,
        'E0412',
        span,
        sig.params.length === 0
          ? `\`${sig.name}\` has no size parameters`
          : name === undefined
            ? `\`${sig.name}\` has ${sig.params.length} size parameters (${names}), not ${given.length}`
            : `\`${sig.name}\` has no size parameter \`${name}\`; it has ${names}`,
        { related: [{ span: sig.decl.name.span, message: `\`${sig.name}\` is declared here` }] },
      );
      return undefined;
    }
    if (out.has(name)) {
      error(env, 'E0412', span, `\`${name}\` of \`${sig.name}\` is given twice`);
      return undefined;
    }
    out.set(name, a);
  }
  return out;
}

export function instantiate(
  env: Env,
  sig: FnSig,
  given: readonly SizeArg[],
  span: Span,
): Use | undefined {
  const { solver, obligations, program } = env.fn;
  const explicit = matchSizes(env, sig, given);
  if (explicit === undefined) return undefined;
  if (sig.faulty) env.fn.fault();
  const free = new Map<string, Dim>();
  const sizes = new Map<string, Dim>();
  for (const d of sig.facts.sizes.values()) {
    for (const name of S.variables(d.size)) {
      if (free.has(name)) continue;
      const hint = `write \`${sig.name}[${name.replace(/\/.*/, '')} = ...](...)\``;
      const unknown = newSize(solver, {
        label: name,
        span,
        hint,
        owner: sig.name,
        inside: env.ranges,
        unmet: unmet(env, sig, name, sizes, free, span),
      });
      free.set(name, atom(unknown));
    }
  }
  const types = new Map<string, Type>();
  for (const name of sig.typeNames.keys()) {
    types.set(
      name,
      newType(
        solver,
        {
          label: name,
          span,
          owner: sig.name,
          hint: `give an argument of \`${sig.name}\` its type`,
        },
        'type',
      ),
    );
  }
  const sub: Substitution = { size: (v) => free.get(v), type: (v) => types.get(v) };
  for (const d of sig.facts.derived) {
    const name = bareName(free.get(d.name));
    const by = d.by === undefined ? undefined : substSize(d.by, sub);
    if (name !== undefined) solver.derived.push({ ...d, name, by });
  }
  for (const [name, d] of sig.facts.sizes) sizes.set(name, substDim(d, sub));
  giveSizes(env, sig, explicit, sizes, types);
  program.edges.push({ from: env.fn.id, to: sig.id, span });
  env.fn.instances.push({ to: sig.id, types, span });
  for (const f of sig.facts.facts)
    obligations.push(() => discharge(env, sig, f, sizes, free, span));
  const args = sig.args.map((a) => substType(a.type, sub));
  const result = substType(sig.result, sub);
  const fn: TExpr = {
    k: 'fn',
    id: sig.id,
    sizes: new Map([...sizes].map(([n, d]): [string, Size] => [n, d.size])),
    types,
    type: { k: 'fn', params: args, result },
    span,
  };
  return { sig, sizes, types, args, result, fn };
}

function bareName(d: Dim | undefined): string | undefined {
  return d === undefined ? undefined : S.bareVariable(d.size);
}

/** Explicit sizes, and defaults for the ones that are not given. */
function giveSizes(
  env: Env,
  sig: FnSig,
  explicit: ReadonlyMap<string, SizeArg>,
  sizes: ReadonlyMap<string, Dim>,
  types: ReadonlyMap<string, Type>,
): void {
  const { solver } = env.fn;
  for (const p of sig.params) {
    const a = explicit.get(p.name);
    if (p.kind === 'type') {
      if (a === undefined) continue;
      const te = typeExprOf(a.value);
      if (te === undefined) {
        error(env, 'E0412', a.value.span, `\`${p.name}\` of \`${sig.name}\` is a type`);
      } else {
        const why = reason(a.value.span, `\`${p.name}\` of \`${sig.name}\``);
        unify(solver, resolveWrittenType(typeScope(env), te), types.get(p.name)!, why);
      }
      continue;
    }
    if (a !== undefined) {
      const e = sizeExprOf(a.value);
      if (e === undefined) {
        error(
          env,
          'E0412',
          a.value.span,
          `\`${p.name}\` of \`${sig.name}\` is a size: a number, an upper-case name, or sums and products of these`,
          {
            hint: `brackets after a function's name are sizes; arguments go in parentheses`,
          },
        );
        continue;
      }
      const dim = resolveWritten(typeScope(env), e);
      equate(
        solver,
        dim,
        sizes.get(p.name)!,
        reason(a.value.span, `\`${p.name}\` of \`${sig.name}\``),
      );
    } else if (p.decl.init !== undefined) {
      const scope = {
        ...typeScope(env),
        file: sig.file,
        sizes,
        types,
        trusting: true,
        used: undefined,
      };
      const dim = resolveWritten({ ...scope, report: () => {} }, p.decl.init);
      equate(
        solver,
        dim,
        sizes.get(p.name)!,
        reason(p.decl.init.span, `the default of \`${p.name}\``),
      );
    }
  }
}

/** For the quotient that `D % 2 == 0` of a callee speaks of: a D that is no multiple breaks that fact. */
function unmet(
  env: Env,
  sig: FnSig,
  name: string,
  sizes: ReadonlyMap<string, Dim>,
  free: ReadonlyMap<string, Dim>,
  span: Span,
): Unknown['unmet'] {
  const derived = sig.facts.derived.find((d) => d.name === name);
  const whole = derived === undefined ? undefined : S.bareVariable(derived.of);
  if (derived === undefined || whole === undefined) return undefined;
  return (needed, found) => {
    const dim = sizes.get(whole);
    const { solver } = env.fn;
    if (dim === undefined || hasUnknown(found)) return false;
    if (!S.equal(resolveSize(solver, dim.size), needed)) return false;
    const given = new Map(sizes).set(whole, atom(found));
    discharge(env, sig, derived.fact, given, free, span);
    return true;
  };
}

/** Shows one `where` fact of a callee from the facts of the caller. */
function discharge(
  env: Env,
  sig: FnSig,
  f: SizeFact,
  sizes: ReadonlyMap<string, Dim>,
  free: ReadonlyMap<string, Dim>,
  span: Span,
): void {
  const { solver, facts } = env.fn;
  const sub: Substitution = { size: (v) => sizes.get(v) ?? free.get(v), type: () => undefined };
  const value = (s: Size) => resolveSize(solver, substSize(s, sub));
  const [left, right, equals] = [value(f.left), value(f.right), value(f.equals)];
  if ([left, right, equals].some(hasUnknown) || isUndecided(env)) return;
  const positive = rangeContext(env).positive;
  const holds = ((): boolean => {
    switch (f.op) {
      case '==':
        return provesEqual(facts, left, right);
      case '<=':
        return provesNonNegative(facts, S.sub(right, left), positive);
      case '>=':
        return provesNonNegative(facts, S.sub(left, right), positive);
      case '%':
        return (
          S.divide(S.sub(left, equals), right) !== undefined ||
          knownRemainder(env, left, right, equals)
        );
    }
  })();
  if (holds) return;
  const show = (s: Size) => S.print(inUserNames(facts.derived, s));
  const here =
    f.op === '%'
      ? `${show(left)} % ${show(right)} == ${show(equals)}`
      : `${show(left)} ${f.op} ${show(right)}`;
  const closed = [left, right, equals].every((s) => S.constant(s) !== undefined);
  const same = here === f.text ? '' : `, here \`${here}\``;
  error(
    env,
    'E0503',
    span,
    closed
      ? `\`${sig.name}\` needs \`${f.text}\`${same}, which does not hold`
      : `\`${sig.name}\` needs \`${f.text}\`${same}, which does not follow from what is known here`,
    {
      hint: closed ? undefined : `add \`where ${here}\` to \`${env.fn.name}\``,
      related: [{ span: f.span, message: `\`${sig.name}\` asks for it here` }],
    },
  );
}

/** A remainder that the caller's own facts state in the same words. */
function knownRemainder(env: Env, left: Size, right: Size, equals: Size): boolean {
  return env.fn.facts.facts.some(
    (f) =>
      f.op === '%' && S.equal(f.left, left) && S.equal(f.right, right) && S.equal(f.equals, equals),
  );
}

export function resolveUse(env: Env, types: ReadonlyMap<string, Type>): Map<string, Type> {
  return new Map([...types].map(([n, t]): [string, Type] => [n, resolveType(env.fn.solver, t)]));
}
