/**
 * Using a top-level function: fresh unknowns for its sizes and types, explicit sizes and defaults
 * first, and its `where` facts, which the caller must show (language.md, step 2 and decision 5).
 *
 * Invariant: the sizes of a callee are polynomials over its free names (facts.ts); each free name
 * gets one unknown, so a fact `D % 2 == 0` makes the caller's D an exact double or nothing.
 */
import type { Expr, TypeExpr } from '../ast.ts';
import { equate, equateSizes } from '../equations.ts';
import { diagnostic } from '../errors.ts';
import { gcd, inUserNames, type KnownFact, knownRemainder, quotientIn } from '../facts.ts';
import { provesEqual, provesNonNegative } from '../prove.ts';
import { isReported, type Reported } from '../reported.ts';
import * as S from '../size.ts';
import { hasUnknown, newSize, newType, resolveSize, resolveType, type Unknown } from '../solver.ts';
import type { Span } from '../source.ts';
import type { Dim, Size, SizeFact, TExpr, Type } from '../typed.ts';
import { atom, type Substitution, substDim, substSize, substType, visitType } from '../types.ts';
import { unify } from '../unify.ts';
import { type Env, error, type FnSig, reason } from './context.ts';
import { isUndecided, rangeContext, reportNegative } from './proofs.ts';
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

/** Which parameter each bracket argument gives. */
function matchSizes(
  env: Env,
  sig: FnSig,
  given: readonly SizeArg[],
): Map<string, SizeArg> | Reported {
  const out = new Map<string, SizeArg>();
  let position = 0;
  for (const a of given) {
    const name = a.name?.text ?? sig.params[position++]?.name;
    const names = sig.params.map((p) => p.name).join(', ');
    const span = a.name?.span ?? a.value.span;
    if (name === undefined || !sig.params.some((p) => p.name === name)) {
      return error(
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
    }
    if (out.has(name)) {
      return error(env, 'E0412', span, `\`${name}\` of \`${sig.name}\` is given twice`);
    }
    out.set(name, a);
    warnOtherName(env, sig, name, a);
  }
  return out;
}

/** A position is what counts; a size that is named like another one there may be meant for that one. */
function warnOtherName(env: Env, sig: FnSig, name: string, a: SizeArg): void {
  if (a.name !== undefined || a.value.k !== 'size' || a.value.name === name) return;
  const own = a.value.name;
  if (!sig.params.some((p) => p.name === own)) return;
  const { span } = a.value;
  const message = `\`${own}\` is given for the size \`${name}\` of \`${sig.name}\`, which has a size \`${own}\` too`;
  env.fn.report(
    diagnostic('W0006', span, message, {
      hint: `sizes without a name are given by position: write \`${name} = ${own}\` if that is meant, or \`${own} = ${own}\``,
      fix: [{ span: { ...span, end: span.start }, text: `${name} = ` }],
    }),
  );
}

export function instantiate(
  env: Env,
  sig: FnSig,
  given: readonly SizeArg[],
  span: Span,
): Use | Reported {
  const { solver, obligations, program } = env.fn;
  const explicit = matchSizes(env, sig, given);
  if (isReported(explicit)) return explicit;
  if (sig.faulty !== undefined) env.fn.fault(sig.faulty);
  const free = new Map<string, Dim>();
  const sizes = new Map<string, Dim>();
  const types = new Map<string, Type>();
  const sub: Substitution = { size: (v) => free.get(v), type: (v) => types.get(v) };
  for (const size of [...sig.facts.sizes.values()].map((d) => d.size).concat(quotientsIn(sig))) {
    for (const name of S.variables(size)) {
      if (free.has(name)) continue;
      const hint = `write \`${sig.name}[${declaredOf(sig, name)} = ...](...)\``;
      const unknown = newSize(solver, {
        label: name,
        span,
        hint,
        owner: sig.name,
        inside: env.ranges,
        unmet: unmet(env, sig, name, { sizes, sub }, span),
      });
      free.set(name, atom(unknown));
    }
  }
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
  for (const [name, d] of sig.facts.sizes) sizes.set(name, substDim(d, sub));
  for (const d of sig.facts.derived) {
    const name = bareName(free.get(d.name));
    if (name === undefined) continue;
    // Shown by the callee's name of the whole.
    const own = (s: Size) => substSize(s, { ...sub, size: (v) => sizes.get(v) ?? free.get(v) });
    solver.derived.push({ ...d, name, by: d.by && own(d.by) });
  }
  giveSizes(env, sig, explicit, { sizes, sub }, types);
  program.edges.push({ from: env.fn.id, to: sig.id, span });
  env.fn.instances.push({ to: sig.id, types, span, env });
  for (const f of sig.facts.facts) {
    if (f.op === '==') solver.guesses.push(() => equateFact(env, sig, f, sub, span));
    if (f.quotient !== undefined && quotientsIn(sig).includes(f.quotient)) {
      const { left, right, equals } = f.now;
      const [whole, of] = [S.mul(right, f.quotient), S.sub(left, equals)];
      const why = reason(span, `\`${f.text}\` of \`${sig.name}\``);
      equateSizes(solver, substSize(of, sub), substSize(whole, sub), why);
    }
  }
  // What a head with an error states may be none of what is meant.
  for (const f of sig.faulty === undefined ? sig.facts.facts : []) {
    obligations.push(() => void discharge(env, sig, f, sub, span));
  }
  for (const [name, d] of sizes) obligations.push(() => requireSize(env, sig, name, d.size, span));
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

/** An equation of the callee says what a size is that nothing else does: `H*W == 2*Q`. */
function equateFact(env: Env, sig: FnSig, f: KnownFact, sub: Substitution, span: Span): boolean {
  const { solver } = env.fn;
  const [a, b] = [f.now.left, f.now.right].map((s) => resolveSize(solver, substSize(s, sub)));
  if (S.equal(a!, b!) || ![a!, b!].some(hasUnknown)) return false;
  const why = reason(span, `\`${sig.name}\``, {
    sizes: (left, right) => `\`${sig.name}\` needs \`${f.text}\`, but ${left} is not ${right}`,
  });
  equate(solver, atom(a!), atom(b!), why);
  return true;
}

/** Quotients that no declared size is made of, and parameters or the result are. */
function quotientsIn(sig: FnSig): Size[] {
  const own = new Set([...sig.facts.sizes.values()].flatMap((d) => S.variables(d.size)));
  const used = new Set<string>();
  for (const t of [...sig.args.map((a) => a.type), sig.result]) {
    visitType(t, (s) => {
      for (const v of S.variables(s)) used.add(v);
    });
  }
  return sig.facts.facts.flatMap(({ quotient }) => {
    const name = quotient && S.bareVariable(quotient);
    return name !== undefined && used.has(name) && !own.has(name) ? [quotient!] : [];
  });
}

function bareName(d: Dim | undefined): string | undefined {
  return d === undefined ? undefined : S.bareVariable(d.size);
}

/** The declared size behind a derived one: what a user can give. */
function declaredOf(sig: FnSig, name: string): string {
  const derived = sig.facts.derived.find((d) => d.name === name);
  return (derived && S.variables(derived.of)[0]) ?? name;
}

/**
 * A declared size that a fact of the callee replaces (`D == A - B`) is not negative there, so it must
 * not be here. That of an unknown is asked for where it was made (finish.ts).
 */
function requireSize(env: Env, sig: FnSig, name: string, size: Size, span: Span): void {
  const now = resolveSize(env.fn.solver, size);
  if (S.bareVariable(size) !== undefined || hasUnknown(now) || isUndecided(env)) return;
  if (provesNonNegative(env.fn.facts, now, rangeContext(env).positive)) return;
  reportNegative(env.fn, `\`${name}\` of \`${sig.name}\``, now, span);
}

/** Explicit sizes, and defaults for the ones that are not given. */
function giveSizes(
  env: Env,
  sig: FnSig,
  explicit: ReadonlyMap<string, SizeArg>,
  { sizes, sub }: { sizes: ReadonlyMap<string, Dim>; sub: Substitution },
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
    } else {
      const init = sig.defaults.get(p.name);
      if (init === undefined) continue;
      const why = reason(p.decl.init!.span, `the default of \`${p.name}\``);
      equate(solver, substDim(init, sub), sizes.get(p.name)!, why);
    }
  }
}

/** For the quotient that `D % 2 == 0` of a callee speaks of: a D that is no multiple breaks that fact. */
function unmet(
  env: Env,
  sig: FnSig,
  name: string,
  { sizes, sub }: { sizes: ReadonlyMap<string, Dim>; sub: Substitution },
  span: Span,
): Unknown['unmet'] {
  const derived = sig.facts.derived.find((d) => d.name === name);
  const whole = derived === undefined ? undefined : S.bareVariable(derived.of);
  const fact = sig.facts.facts.find((f) => f.text === derived?.fact.text);
  if (fact === undefined) return undefined;
  if (whole === undefined) return () => discharge(env, sig, fact, sub, span);
  return (needed, found) => {
    const dim = sizes.get(whole);
    const { solver } = env.fn;
    if (dim === undefined || hasUnknown(found)) return undefined;
    if (!S.equal(resolveSize(solver, dim.size), needed)) return undefined;
    const now = (s: Size) =>
      resolveSize(
        solver,
        S.substitute(s, (v) => sizes.get(v)?.size),
      );
    const given = { left: found, right: now(fact.right), equals: now(fact.equals) };
    if (hasUnknown(given.right) || hasUnknown(given.equals)) return undefined;
    return shown(env, sig, fact, given, span);
  };
}

type Sides = { readonly left: Size; readonly right: Size; readonly equals: Size };

/** Shows one `where` fact of a callee from the facts of the caller; evidence when it cannot. */
function discharge(
  env: Env,
  sig: FnSig,
  f: KnownFact,
  sub: Substitution,
  span: Span,
): Reported | undefined {
  const { solver } = env.fn;
  const value = (s: Size) => resolveSize(solver, substSize(s, sub));
  const now = { left: value(f.now.left), right: value(f.now.right), equals: value(f.now.equals) };
  // Unknown sizes are reported as such, and so is an error around.
  if ([now.left, now.right, now.equals].some(hasUnknown) || isUndecided(env)) return undefined;
  return shown(env, sig, f, now, span);
}

/** Whether a remainder may be stated by someone: one of 1 by 2 of `2*N` may not. */
function isPossible({ left, right, equals }: Sides): boolean {
  const k = S.constant(right);
  if (k === undefined || k < 1) return true;
  const difference = S.sub(left, equals);
  const g = difference.reduce((d, m) => (m.v.length === 0 ? d : gcd(d, m.c)), k);
  const rest = difference.find((m) => m.v.length === 0)?.c ?? 0;
  return rest % g === 0;
}

/** What is not known to hold, in words; `open` when a caller may state it. */
type Missing = { readonly fact: string; readonly open: boolean };

/** What has to hold for a fact and is not known to. */
function missingOf(env: Env, op: SizeFact['op'], { left, right, equals }: Sides): Missing[] {
  const { facts } = env.fn;
  const { positive } = rangeContext(env);
  const show = (s: Size) => S.print(inUserNames(facts.derived, s));
  const differ = (a: Size, b: Size) => S.constant(S.sub(a, b)) !== undefined;
  const atLeast = (a: Size, b: Size, fact = `${show(a)} >= ${show(b)}`): Missing[] =>
    provesNonNegative(facts, S.sub(a, b), positive) ? [] : [{ fact, open: !differ(a, b) }];
  switch (op) {
    case '==':
      return provesEqual(facts, left, right)
        ? []
        : [{ fact: `${show(left)} == ${show(right)}`, open: !differ(left, right) }];
    case '<=':
      return atLeast(right, left, `${show(left)} <= ${show(right)}`);
    case '>=':
      return atLeast(left, right);
    case '%': {
      const divides = quotientIn(facts, S.sub(left, equals), right) !== undefined;
      const numbers = [left, right, equals].every((s) => S.constant(s) !== undefined);
      const open = !numbers && isPossible({ left, right, equals });
      return !divides && !knownRemainder(facts, { left, right, equals })
        ? [{ fact: `${show(left)} % ${show(right)} == ${show(equals)}`, open }]
        : // A remainder is below its divisor, which so is 1 or more.
          [...atLeast(equals, S.ZERO), ...atLeast(right, S.add(equals, S.ONE))];
    }
  }
}

function shown(env: Env, sig: FnSig, f: KnownFact, now: Sides, span: Span): Reported | undefined {
  const [missing] = missingOf(env, f.op, now);
  if (missing === undefined) return undefined;
  const { fact, open } = missing;
  const asks = `\`${sig.name}\` needs \`${f.text}\`${fact === f.text ? '' : `, here \`${fact}\``}`;
  const fails = open ? 'does not follow from what is known here' : 'does not hold';
  return error(env, 'E0503', span, `${asks}, which ${fails}`, {
    ...(open ? env.fn.addFact(fact) : {}),
    related: [{ span: f.span, message: `\`${sig.name}\` asks for it here` }],
  });
}

export function resolveUse(env: Env, types: ReadonlyMap<string, Type>): Map<string, Type> {
  return new Map([...types].map(([n, t]): [string, Type] => [n, resolveType(env.fn.solver, t)]));
}
