/**
 * The program whose differences a derivative should match: what has no derivative by definition
 * (stop, step functions, integers, conditions) is held at its value at the base point, and rounding
 * to half precision passes changes straight through.
 *
 * Every statement stands twice, at the base point and moved; the moved one takes held values from
 * the base one. Inputs are the base inputs and then the moved f32 inputs; outputs are the moved ones.
 */
import { type Supply, supplyAfter } from '../core/build.ts';
import { foldExpr, prim, readE, withArgs } from '../core/expr.ts';
import type { Core, Expr, Fold, Prim, Stmt, Var } from '../core.ts';

const held: ReadonlySet<Prim> = new Set(['stop', 'floor', 'ceil', 'round', 'sign']);
const straight: ReadonlySet<Prim> = new Set(['f16', 'bf16']);

export function frozen(core: Core): Core {
  const supply = supplyAfter(core);
  const moved = new Map<Var, Var>();
  const inputs = core.inputs.filter((x) => x.t === 'f32').map((x) => put(moved, x, supply));
  const body = twice(core.body, moved, supply);
  return {
    inputs: [...core.inputs, ...inputs],
    consts: core.consts,
    body,
    outputs: core.outputs.map((y) => moved.get(y) ?? y),
  };
}

function put(moved: Map<Var, Var>, x: Var, supply: Supply): Var {
  const y = supply.like(x, `${x.name}'`);
  moved.set(x, y);
  return y;
}

function mover(moved: ReadonlyMap<Var, Var>): (e: Expr) => Expr {
  return foldExpr((e, go) => {
    if (e.t !== 'f32') return e;
    if (e.k === 'read') {
      const y = moved.get(e.x);
      return y === undefined ? e : readE(y, e.ix, e.guard);
    }
    if (e.k !== 'prim' || held.has(e.op)) return e;
    const args = e.args.map(go);
    if (straight.has(e.op)) return prim('add', e, prim('sub', args[0]!, e.args[0]!));
    return withArgs(e, args);
  });
}

function twice(body: readonly Stmt[], moved: Map<Var, Var>, supply: Supply): Stmt[] {
  const one = (s: Stmt): readonly Stmt[] => {
    switch (s.k) {
      case 'nest':
      case 'segsum': {
        if (s.v.t !== 'f32') return [s];
        const e = mover(moved)(s.body);
        return [s, { ...s, v: put(moved, s.v, supply), body: e }];
      }
      case 'fold':
        return [twiceFold(s, moved, supply)];
      case 'custom': {
        // Its rule is the true derivative: the body is what it is.
        return [s, ...twice(s.body, moved, supply).filter((b) => !s.body.includes(b))];
      }
    }
  };
  return body.flatMap(one);
}

function twiceFold(f: Fold, moved: Map<Var, Var>, supply: Supply): Fold {
  const to = (x: Var): Var => moved.get(x) ?? x;
  const real = f.carry.filter((c) => c.in.t === 'f32');
  const inits = real.map((c) => to(c.init));
  const ins = real.map((c) => put(moved, c.in, supply));
  const body = twice(f.body, moved, supply);
  const carry = real.map((c, i) => ({ in: ins[i]!, init: inits[i]!, next: to(c.next) }));
  const ys = f.ys.filter((y) => y.v.t === 'f32').map((y) => ({ elem: to(y.elem), y }));
  const acc = f.acc.filter((a) => a.v.t === 'f32');
  return {
    ...f,
    carry: [...f.carry, ...carry.map((c, i) => ({ ...c, out: put(moved, real[i]!.out, supply) }))],
    ys: [...f.ys, ...ys.map(({ elem, y }) => ({ v: put(moved, y.v, supply), elem }))],
    acc: [
      ...f.acc,
      ...acc.map((a) => ({
        v: put(moved, a.v, supply),
        init: to(a.init),
        add: to(a.add),
        at: a.at,
      })),
    ],
    body,
  };
}
