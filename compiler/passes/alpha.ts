/**
 * Keys of statements up to the names of what they bind: two statements with one key compute the same
 * values. Axes are named by position, variables defined inside a fold by order; operands of
 * commutative primitives are taken in any order.
 */

import { defsOf } from '../core/build.ts';
import { foldExpr } from '../core/expr.ts';
import type {
  Atom,
  AxisId,
  Expr,
  Fold,
  Guard,
  Ix,
  Nest,
  Prim,
  SegSum,
  Stmt,
  Var,
} from '../core.ts';

const commutative: ReadonlySet<Prim> = new Set([
  'add',
  'mul',
  'min',
  'max',
  'and',
  'or',
  'eq',
  'ne',
]);

/** Names of what is bound around an expression; what is absent goes by its id. */
type Bound = {
  readonly axes: Map<AxisId, string>;
  readonly vars: Map<Var, string>;
};

export class AlphaKeys {
  readonly #ids = new Map<string, number>();

  /** undefined for statements that are never merged (customs). */
  stmt(s: Stmt): string | undefined {
    return this.#stmt(s, { axes: new Map(), vars: new Map() });
  }

  #stmt(s: Stmt, bound: Bound): string | undefined {
    switch (s.k) {
      case 'nest':
        return this.#nest(s, bound);
      case 'segsum':
        return this.#segsum(s, bound);
      case 'fold':
        return this.#fold(s, bound);
      case 'custom':
        return undefined;
    }
  }

  #nest(s: Nest, bound: Bound): string {
    const axes = new Map(bound.axes);
    s.axes.forEach((a, i) => {
      axes.set(a.id, `i${i}`);
    });
    s.red.forEach((a, i) => {
      axes.set(a.id, `r${i}`);
    });
    const body = this.#keyer({ axes, vars: bound.vars }).expr(s.body);
    const red = s.red.map((a) => a.extent);
    return `nest ${s.v.shape.join()} ${s.op} ${red.join()} ${body}`;
  }

  #segsum(s: SegSum, bound: Bound): string {
    const axes = new Map(bound.axes);
    s.axes.forEach((a, i) => {
      axes.set(a.id, `i${i}`);
    });
    const k = this.#keyer({ axes, vars: bound.vars });
    const at = s.at.map(k.ix).join();
    const over = s.axes.map((a) => a.extent).join();
    return `segsum ${s.v.shape.join()} ${over} ${at} ${s.guard.map(k.guard).join()} ${k.expr(s.body)}`;
  }

  #fold(s: Fold, outer: Bound): string | undefined {
    const bound: Bound = { axes: new Map(outer.axes), vars: new Map(outer.vars) };
    const depth = outer.axes.size;
    bound.axes.set(s.l.id, `l${depth}`);
    const name = (x: Var) => bound.vars.set(x, `$${bound.vars.size}`);
    const use = (x: Var) => bound.vars.get(x) ?? `${x.id}`;
    const inits = s.carry.map((c) => `${c.in.t}${c.in.shape.join()}=${use(c.init)}`);
    for (const c of s.carry) name(c.in);
    const parts: string[] = [];
    for (const b of s.body) {
      const key = this.#stmt(b, bound);
      if (key === undefined) return undefined;
      parts.push(key);
      for (const d of defsOf(b)) name(d);
    }
    const k = this.#keyer(bound);
    const nexts = s.carry.map((c) => use(c.next));
    const ys = s.ys.map((y) => use(y.elem));
    const acc = s.acc.map((a) => `${use(a.init)}+${use(a.add)}@${a.at === null ? '' : k.ix(a.at)}`);
    // The texts of the parts may be long: number them.
    const body = parts.map((p) => this.#number(p)).join();
    return `fold ${s.trip} ${s.rev} ${inits.join(';')} {${body}} ${nexts.join()} ${ys.join()} ${acc.join()}`;
  }

  #number(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(text, id);
    }
    return id;
  }

  #keyer(bound: Bound): {
    expr: (e: Expr) => number;
    ix: (ix: Ix) => string;
    guard: (g: Guard) => string;
  } {
    const atom = (a: Atom): string => {
      switch (a.k) {
        case 'axis':
          return bound.axes.get(a.id) ?? `a${a.id}`;
        case 'div':
        case 'mod':
          return `${a.k}${a.by}(${ix(a.e)})`;
        case 'val':
          return `v${a.extent}(${expr(a.e)})`;
      }
    };
    const ix = (i: Ix): string => {
      // The order of terms depends on ids.
      const terms = i.terms.map((t) => `${t.m}*${atom(t.a)}`);
      return `${i.c}+${terms.sort().join('+')}`;
    };
    const guard = (g: Guard) => `${g.lo}<=${ix(g.e)}<${g.hi}`;
    const expr: (e: Expr) => number = foldExpr((e) => {
      switch (e.k) {
        case 'const':
          return this.#number(`c${e.t}${Object.is(e.v, -0) ? '-0' : e.v}`);
        case 'index':
          return this.#number(`i${ix(e.ix)}`);
        case 'read': {
          const x = bound.vars.get(e.x) ?? `${e.x.id}`;
          return this.#number(`r${x}[${e.ix.map(ix).join()}]{${e.guard.map(guard).sort().join()}}`);
        }
        case 'prim': {
          const args = e.args.map(expr);
          if (commutative.has(e.op)) args.sort((p, q) => p - q);
          return this.#number(`${e.op}:${e.t}(${args.join()})`);
        }
      }
    });
    return { expr, ix, guard };
  }
}
