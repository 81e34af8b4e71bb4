/**
 * How far a float32 device may be from the exact value: running error analysis (Wilkinson 1963) as a
 * transformation of the program. Beside every f32 variable stands a bound on its error, from the
 * partial derivatives of each primitive, half an ULP for each arithmetic operation, four for each
 * transcendental, and for a sum as many half ULPs of the sum of |terms| as terms go one after the other
 * into a number: targets add long sums up in parts (emit/wasm/wide-sum.ts, emit/cascade.ts).
 *
 * Invariant: the bounds are evaluated with the exact values; errors are first-order, so a result
 * near a kink (a condition or an extremum decided by rounding) may lie outside.
 */

import type { Span } from '../../dsl/source.ts';
import { partialOf } from '../ad/partials.ts';
import { mapNest, readAt, type Supply, supplyAfter } from '../core/build.ts';
import { constE, f32, foldExpr, prim, readE, selectE } from '../core/expr.ts';
import type { ConstData, Core, Expr, Fold, Nest, Prim, Stmt, Var } from '../core.ts';
import { isContraction } from '../passes/fuse.ts';

/** Half an ULP of float32, relative. */
const u = 2 ** -24;
/** Absolute floor: results below the normal range lose relative accuracy. */
const tiny = 2 ** -126;

const exact: ReadonlySet<Prim> = new Set([
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'min',
  'max',
  'select',
  'stop',
]);
const transcendental: ReadonlySet<Prim> = new Set([
  'exp',
  'log',
  'sin',
  'cos',
  'tanh',
  'erf',
  'pow',
]);

/** Partial derivatives may be infinite or not a number. */
const steep: ReadonlySet<Prim> = new Set(['div', 'log', 'pow']);

/** In half ULPs: 4 ULP for a transcendental, 1 for what IEEE rounds (with slack for fused forms). */
function ulps(op: Prim): number {
  if (exact.has(op)) return 0;
  return transcendental.has(op) ? 8 : 2;
}

/**
 * inputs -> outputs, then one bound for every element of every f32 output. `rounded`: the inputs
 * themselves are off by half an ULP, as those at the end of a step of differences are.
 */
export function rounding(core: Core, rounded = false): { core: Core; bounds: number } {
  const supply = supplyAfter(core);
  const errors = new Map<Var, Var>();
  const consts = core.consts.flatMap((c) => constError(c, errors, supply));
  const inputs = rounded ? core.inputs.flatMap((x) => inputError(x, errors, supply)) : [];
  const body = [...inputs, ...core.body.flatMap((s) => withErrors(s, errors, supply))];
  const zeros: Stmt[] = [];
  const outs = core.outputs
    .filter((y) => y.t === 'f32')
    .map((y) => errors.get(y) ?? zeroLike(y, zeros, supply, core.body.at(-1)?.spans ?? []));
  return {
    core: {
      ...core,
      consts: [...core.consts, ...consts],
      body: [...body, ...zeros],
      outputs: [...core.outputs, ...outs],
    },
    bounds: outs.length,
  };
}

/** A table is computed in f64 and stored in f32. */
function constError(
  { v, data }: ConstData,
  errors: Map<Var, Var>,
  supply: Supply,
): readonly ConstData[] {
  const off = data.map((x) => Math.abs(x - Math.fround(x)));
  if (v.t !== 'f32' || off.every((e) => e === 0)) return [];
  return [{ v: put(errors, v, supply), data: off }];
}

function inputError(x: Var, errors: Map<Var, Var>, supply: Supply): readonly Stmt[] {
  if (x.t !== 'f32') return [];
  const axes = supply.axes(x.shape);
  const body = scale(abs(readAt(x, axes)), u);
  return [mapNest(put(errors, x, supply), axes, body, [])];
}

function zeroLike(x: Var, into: Stmt[], supply: Supply, spans: readonly Span[]): Var {
  const v = supply.like(x, `${x.name}_err`);
  const axes = supply.axes(x.shape);
  into.push({ k: 'nest', v, axes, red: [], op: null, body: f32(0), spans });
  return v;
}

function put(errors: Map<Var, Var>, x: Var, supply: Supply): Var {
  const e = supply.like(x, `${x.name}_err`);
  errors.set(x, e);
  return e;
}

const abs = (e: Expr): Expr => (e.k === 'const' ? constE('f32', Math.abs(e.v)) : prim('abs', e));
const add = (a: Expr, b: Expr): Expr =>
  a.k === 'const' && a.v === 0 ? b : b.k === 'const' && b.v === 0 ? a : prim('add', a, b);
const scale = (e: Expr, c: number): Expr => prim('mul', e, f32(c));

/** The error of an expression whose reads are off by what `errors` says. */
function errorOf(errors: ReadonlyMap<Var, Var>): (e: Expr) => Expr {
  return foldExpr((e, go) => {
    if (e.t !== 'f32') return f32(0);
    switch (e.k) {
      case 'const':
        return f32(Math.fround(e.v) === e.v ? 0 : Math.abs(e.v) * u);
      case 'read': {
        const x = errors.get(e.x);
        return x === undefined ? f32(0) : readE(x, e.ix, e.guard);
      }
      case 'prim': {
        let total: Expr = f32(0);
        for (const [i, a] of e.args.entries()) {
          const from = go(a);
          if (a.t !== 'f32' || (from.k === 'const' && from.v === 0)) continue;
          const p = passed(e, i, from);
          if (p !== undefined) total = add(total, p);
        }
        const n = ulps(e.op);
        if (e.op === 'cast') return castError(e, total);
        return n === 0 ? total : add(total, add(scale(abs(e), n * u), f32(tiny)));
      }
    }
  });
}

/** Booleans are exact, and whole numbers up to 2^24. */
function castError(e: PrimNode, from: Expr): Expr {
  if (e.args[0]!.t === 'bool' || e.args[0]!.t === 'f32') return from;
  return selectE(prim('lt', f32(2 ** 24), abs(e)), scale(abs(e), u), f32(0));
}

type PrimNode = Extract<Expr, { k: 'prim' }>;

function passed(e: PrimNode, i: number, from: Expr): Expr | undefined {
  if (e.op === 'stop' || e.op === 'min' || e.op === 'max') return from;
  if (e.op === 'sqrt') {
    // |sqrt(a) - sqrt(b)| is below |a - b| / sqrt(a) and below sqrt(|a - b|): finite at 0, too.
    const off = prim('div', from, prim('max', e, prim('sqrt', from)));
    return selectE(prim('lt', f32(0), from), off, f32(0));
  }
  // A step may fall either way when its argument is off: that is a kink, not an error.
  const p = partialOf(e, i);
  if (p === null) return undefined;
  if ('when' in p) return selectE(p.when(e), from, f32(0));
  const off = abs(p(e, from));
  // What is exact passes nothing on, though the partial derivative is infinite or not a number.
  return steep.has(e.op) ? selectE(prim('lt', f32(0), from), off, f32(0)) : off;
}

function withErrors(s: Stmt, errors: Map<Var, Var>, supply: Supply): readonly Stmt[] {
  switch (s.k) {
    case 'nest':
      return s.v.t === 'f32' ? [s, ...nestError(s, errors, supply)] : [s];
    case 'segsum': {
      const body = add(errorOf(errors)(s.body), scale(abs(s.body), 2 * u * cells(s.axes)));
      return [s, { ...s, v: put(errors, s.v, supply), body }];
    }
    case 'fold':
      return foldError(s, errors, supply);
    case 'custom':
      return s.body.flatMap((b) => withErrors(b, errors, supply));
  }
}

const cells = (axes: readonly { readonly extent: number }[]): number =>
  axes.reduce((n, a) => n * a.extent, 1);

/** Terms of a sum of n that a number takes one after the other, at most. */
function chain(s: Nest, n: number): number {
  if (isContraction(s)) return Math.min(n, 512 + n / 256);
  return Math.min(n, 64 + 3 * Math.log2(Math.max(1, n)));
}

function nestError(s: Nest, errors: Map<Var, Var>, supply: Supply): readonly Stmt[] {
  const own = errorOf(errors)(s.body);
  const n = cells(s.red);
  switch (s.op) {
    case 'sum': {
      const body = add(own, scale(abs(s.body), 2 * chain(s, n) * u));
      return [{ ...s, v: put(errors, s.v, supply), body }];
    }
    case 'prod': {
      // prod(|x| + e) - prod |x|, with the rounding of each factor.
      const size = { ...s, v: supply.like(s.v), body: abs(s.body) };
      const grown = add(scale(abs(s.body), 1 + 4 * u), own);
      const big = { ...s, v: supply.like(s.v), body: grown };
      const at = s.axes.map((a) => ({
        c: 0,
        terms: [{ m: 1, a: { k: 'axis' as const, id: a.id } }],
      }));
      const v = put(errors, s.v, supply);
      const body = prim('sub', readE(big.v, at), readE(size.v, at));
      return [size, big, { ...s, v, red: [], op: null, body }];
    }
    case 'max':
    case 'min':
      return [{ ...s, v: put(errors, s.v, supply), op: 'max', body: own }];
    case null:
      return [{ ...s, v: put(errors, s.v, supply), body: own }];
    case 'argmax':
    case 'argmin':
    case 'all':
    case 'any':
      return [];
  }
}

function foldError(f: Fold, errors: Map<Var, Var>, supply: Supply): readonly Stmt[] {
  const before: Stmt[] = [];
  const real = f.carry.filter((c) => c.in.t === 'f32');
  const inits = real.map((c) => errors.get(c.init));
  const ins = real.map((c) => put(errors, c.in, supply));
  const body = f.body.flatMap((s) => withErrors(s, errors, supply));
  const more: Stmt[] = [];
  const zero = (x: Var): Var => zeroLike(x, more, supply, f.spans);
  const carry = real.map((c, i) => ({
    in: ins[i]!,
    init: inits[i],
    next: errors.get(c.next) ?? zero(c.next),
    of: c,
  }));
  const ys = f.ys
    .filter((y) => y.v.t === 'f32')
    .map((y) => ({ y, elem: errors.get(y.elem) ?? zero(y.elem) }));
  const acc = f.acc
    .filter((a) => a.v.t === 'f32')
    .map((a) => ({ a, add: errors.get(a.add) ?? zero(a.add), init: errors.get(a.init) }));
  // An input without an error has none as an initial value either; zeros stand in the outer block.
  const outer = (x: Var | undefined, like: Var): Var =>
    x ?? zeroLike(like, before, supply, f.spans);
  const fold: Fold = {
    ...f,
    carry: [
      ...f.carry,
      ...carry.map((c) => ({
        in: c.in,
        init: outer(c.init, c.of.init),
        next: c.next,
        out: put(errors, c.of.out, supply),
      })),
    ],
    ys: [...f.ys, ...ys.map(({ y, elem }) => ({ v: put(errors, y.v, supply), elem }))],
    acc: [
      ...f.acc,
      ...acc.map(({ a, add: x, init }) => ({
        v: put(errors, a.v, supply),
        init: outer(init, a.init),
        add: x,
        at: a.at,
      })),
    ],
    body: [...body, ...more],
  };
  return [...before, fold];
}
