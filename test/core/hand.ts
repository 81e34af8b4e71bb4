/** Hand-made core programs for tests: short constructors and a few programs of every form. */
import { mapNest, newSupply, reduceNest, type Supply } from '../../compiler/core/build.ts';
import { constE, f32, indexE, prim, readE } from '../../compiler/core/expr.ts';
import { ixAxis, ixVal, shiftIx } from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Ix, ReduceOp, Stmt, Var } from '../../compiler/core.ts';
import type { Span } from '../../dsl/source.ts';

export const spans: readonly Span[] = [{ file: 'hand.tn', start: 0, end: 1 }];

/** Collects inputs and statements; every method returns the variable it defines. */
export class Hand {
  readonly supply: Supply = newSupply();
  readonly inputs: Var[] = [];
  body: Stmt[] = [];

  /** `bound`: the host gives whole numbers in [0, bound). */
  input(name: string, shape: readonly number[], t: Var['t'] = 'f32', bound?: number): Var {
    const made = this.supply.var(name, t, shape);
    const x = bound === undefined ? made : { ...made, bound };
    this.inputs.push(x);
    return x;
  }

  map(name: string, axes: readonly Axis[], body: Expr): Var {
    const v = this.supply.var(
      name,
      body.t,
      axes.map((a) => a.extent),
    );
    this.body.push(mapNest(v, axes, body, spans));
    return v;
  }

  reduce(name: string, axes: readonly Axis[], op: ReduceOp, red: readonly Axis[], body: Expr): Var {
    const t = op === 'argmax' || op === 'argmin' ? 'i32' : body.t;
    const v = this.supply.var(
      name,
      t,
      axes.map((a) => a.extent),
    );
    this.body.push(reduceNest(v, axes, op, red, body, spans));
    return v;
  }

  /** The statements that f makes, as a block of their own. */
  block(f: () => void): readonly Stmt[] {
    const outer = this.body;
    this.body = [];
    f();
    const inner = this.body;
    this.body = outer;
    return inner;
  }

  core(...outputs: readonly Var[]): Core {
    return { inputs: this.inputs, consts: [], body: this.body, outputs };
  }
}

export const at = (x: Var, ...ix: readonly (Axis | Ix | number)[]): Expr =>
  readE(
    x,
    ix.map((i) => (typeof i === 'number' ? { c: i, terms: [] } : 'terms' in i ? i : ixAxis(i))),
  );

/** y[o] = sum i. w[o, i] * x[i]; z[o] = y[o] / (1 + exp(-y[o])), with the exp shared. */
export function denseSilu(O: number, I: number): Core {
  const h = new Hand();
  const w = h.input('w', [O, I]);
  const x = h.input('x', [I]);
  const [o, i] = [h.supply.axis(O, 'o'), h.supply.axis(I, 'i')];
  const y = h.reduce('y', [o], 'sum', [i], prim('mul', at(w, o, i), at(x, i)));
  const e = prim('exp', prim('neg', at(y, o)));
  const d = prim('add', f32(1), e);
  const z = h.map('z', [o], prim('sub', prim('div', at(y, o), d), prim('mul', e, d)));
  return h.core(y, z);
}

/** h = fold h = x for l:3. h[i] + w[l, i] * h[(i+1) mod 4]; stacks h, and accumulates sums. */
export function foldCore(rev: boolean): Core {
  const h = new Hand();
  const x = h.input('x', [4]);
  const w = h.input('w', [3, 4]);
  const zero = h.input('zero', [3]);
  const total = h.input('total', []);
  const l = h.supply.axis(3, 'l');
  const i = h.supply.axis(4, 'i');
  const carried = h.supply.var('h', 'f32', [4]);
  let next!: Var;
  let sum!: Var;
  const body = h.block(() => {
    const [below, above] = [shiftIx(ixAxis(i), 1), shiftIx(ixAxis(i), -3)];
    // Two guarded reads make the neighbour on a ring.
    const ring = prim(
      'add',
      readE(carried, [below], [{ e: below, lo: 0, hi: 4 }]),
      readE(carried, [above], [{ e: above, lo: 0, hi: 4 }]),
    );
    next = h.map('n', [i], prim('add', at(carried, i), prim('mul', at(w, l, i), ring)));
    sum = h.reduce('s', [], 'sum', [i], at(next, i));
  });
  const out = h.supply.like(carried, 'out');
  const ys = h.supply.var('ys', 'f32', [3, 4]);
  const acc = h.supply.var('acc', 'f32', [3]);
  const all = h.supply.var('all', 'f32', []);
  h.body.push({
    k: 'fold',
    trip: 3,
    l,
    rev,
    carry: [{ in: carried, init: x, next, out }],
    ys: [{ v: ys, elem: next }],
    acc: [
      { v: acc, init: zero, add: sum, at: ixAxis(l) },
      { v: all, init: total, add: sum, at: null },
    ],
    save: 'auto',
    body,
    spans,
  });
  return h.core(out, ys, acc, all);
}

/** y[i] = table[pick[i]]; counts[pick[i]] += y[i]. */
export function gatherScatter(): Core {
  const h = new Hand();
  const table = h.input('table', [5]);
  const pick = h.input('pick', [4], 'i32', 5);
  const i = h.supply.axis(4, 'i');
  const key = ixVal(at(pick, i), 5);
  const y = h.map('y', [i], readE(table, [key]));
  const v = h.supply.var('counts', 'f32', [5]);
  h.body.push({ k: 'segsum', v, axes: [i], at: [key], guard: [], body: at(y, i), spans });
  return h.core(y, v);
}

export { constE, indexE };
