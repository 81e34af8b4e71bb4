/**
 * Keys of statements up to the names of what they bind: two statements with one key compute the same
 * values. Axes are named by position, variables defined inside a fold by order; operands of
 * commutative primitives are taken in any order.
 */

import { defsOf } from '../core/build.ts';
import { foldExpr } from '../core/expr.ts';
import { hashExpr, mix } from '../core/key.ts';
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

/**
 * Equal statements seen so far, in scopes. Keys are made only for statements whose form (a cheap
 * hash) was seen before: most statements are like no other.
 */
export class Equals {
  readonly #keys: AlphaKeys;
  readonly #own = new Map<number, Stmt[]>();
  readonly #up: Equals | undefined;

  constructor(up?: Equals) {
    this.#up = up;
    this.#keys = up === undefined ? new AlphaKeys() : up.#keys;
  }

  /** An equal statement in this scope or around it; the statement is noted if there is none. */
  find(s: Exclude<Stmt, { k: 'custom' }>): Stmt | undefined {
    const form = formOf(s);
    for (let scope: Equals | undefined = this; scope !== undefined; scope = scope.#up) {
      for (const t of scope.#own.get(form) ?? []) {
        const key = this.#keys.stmt(s);
        if (key !== undefined && key === this.#keys.stmt(t)) return t;
      }
    }
    const list = this.#own.get(form);
    if (list === undefined) this.#own.set(form, [s]);
    else list.push(s);
    return undefined;
  }
}

/** Equal for statements with equal keys. */
function formOf(s: Exclude<Stmt, { k: 'custom' }>): number {
  switch (s.k) {
    case 'nest': {
      let h = s.op === null ? 0 : s.op.length;
      for (const a of [...s.axes, ...s.red]) h = mix(h, a.extent);
      return mix(h, formOfExpr(s.body));
    }
    case 'segsum': {
      let h = 1;
      for (const a of s.axes) h = mix(h, a.extent);
      return mix(h, formOfExpr(s.body));
    }
    case 'fold': {
      let h = mix(2, s.trip);
      for (const c of s.carry) h = mix(h, c.init.shape.length);
      return mix(h, s.body.length);
    }
  }
}

const forms = new WeakMap<Expr, number>();

/** Variables and primitives, but neither axes nor the order of operands. */
function formOfExpr(e: Expr): number {
  const known = forms.get(e);
  if (known !== undefined) return known;
  let h: number;
  switch (e.k) {
    case 'const':
      h = hashExpr(e);
      break;
    case 'index':
      h = mix(3, e.ix.c);
      break;
    case 'read':
      h = mix(4, e.x.id);
      for (const ix of e.ix) h = mix(h, ix.c);
      break;
    case 'prim':
      h = 0;
      for (const a of e.args) h = (h + formOfExpr(a)) | 0;
      h = mix(mix(h, e.op.charCodeAt(0)), e.op.length);
      break;
  }
  forms.set(e, h);
  return h;
}

class AlphaKeys {
  readonly #ids = new Map<string, number>();
  readonly #stmts = new WeakMap<Stmt, string>();

  /** undefined for statements that are never merged (folds around customs). */
  stmt(s: Stmt): string | undefined {
    const known = this.#stmts.get(s);
    if (known !== undefined) return known;
    const key = this.#stmt(s, { axes: new Map(), vars: new Map() });
    if (key !== undefined) this.#stmts.set(s, key);
    return key;
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
