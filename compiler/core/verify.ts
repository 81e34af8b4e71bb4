/**
 * Checks a core program against its rules: those of rules.ts at every node, and the scopes. Tests
 * run it after every pass.
 *
 * Invariant: a program without violations runs on every device without an out-of-range access, as
 * far as that does not depend on data.
 */
import type { Axis, Core, Expr, Ix, Stmt, Var } from '../core.ts';
import { defsOf, sizeOf } from './build.ts';
import { eachVal, walkExpr } from './expr.ts';
import { printStmt } from './print.ts';
import {
  customRules,
  exprRules,
  foldRules,
  ixRules,
  nestRules,
  type Place,
  type Rule,
  readRules,
  segsumRules,
  varText,
} from './rules.ts';

export type Violation = {
  /** What should hold. */
  readonly rule: string;
  /** What was found instead. */
  readonly found: string;
  /** The printed statement; empty for rules about the whole program. */
  readonly statement: string;
};

const scopeRule = 'a variable is defined once, before its uses, in an enclosing block';
const axisRule = 'the axes in scope are distinct';
const spanRule = 'every statement carries the source spans it came from';
const objectRule = 'one variable is one object';

class Verifier {
  readonly found: Violation[] = [];
  /** Every variable met, by id. */
  readonly #vars = new Map<number, Var>();
  readonly #defined = new Set<number>();
  readonly #spans: boolean;

  constructor(spans: boolean) {
    this.#spans = spans;
  }

  report(rule: string, found: string, s: Stmt | undefined, folds: readonly Axis[]): void {
    this.found.push({ rule, found, statement: s === undefined ? '' : printStmt(s, folds) });
  }

  /** Notes a definition; `visible` is the scope it becomes visible in. */
  define(x: Var, visible: Set<number>, s: Stmt | undefined, folds: readonly Axis[]): void {
    if (this.#defined.has(x.id)) this.report(scopeRule, `${x.name}#${x.id} twice`, s, folds);
    if (x.shape.some((n) => !Number.isSafeInteger(n) || n < 0)) {
      this.report('extents are whole numbers', varText(x), s, folds);
    }
    this.#defined.add(x.id);
    this.sameObject(x, s, folds);
    visible.add(x.id);
  }

  sameObject(x: Var, s: Stmt | undefined, folds: readonly Axis[]): void {
    const known = this.#vars.get(x.id);
    if (known === undefined) this.#vars.set(x.id, x);
    else if (known !== x) this.report(objectRule, `two objects for ${x.name}#${x.id}`, s, folds);
  }

  uses(xs: readonly Var[], visible: ReadonlySet<number>, s: Stmt, folds: readonly Axis[]): void {
    for (const x of xs) {
      this.sameObject(x, s, folds);
      if (!visible.has(x.id)) {
        this.report(scopeRule, `${x.name}#${x.id} is not defined here`, s, folds);
      }
    }
  }

  rules<T>(rules: readonly Rule<T>[], x: T, at: Place, s: Stmt, folds: readonly Axis[]): void {
    for (const r of rules) {
      const found = r.breach(x, at);
      if (found) this.report(r.says, found, s, folds);
    }
  }

  place(axes: readonly Axis[], visible: ReadonlySet<number>): Place {
    const extent = new Map(axes.map((a) => [a.id, a.extent]));
    const empty = axes.some((a) => a.extent === 0);
    return { extents: (id) => extent.get(id), axes: new Set(extent.keys()), visible, empty };
  }

  ixs(ixs: readonly Ix[], at: Place, s: Stmt, folds: readonly Axis[]): void {
    const go = (ix: Ix): void => {
      this.rules(ixRules, ix, at, s, folds);
      for (const t of ix.terms) if (t.a.k === 'div' || t.a.k === 'mod') go(t.a.e);
    };
    ixs.forEach(go);
  }

  exprs(roots: readonly Expr[], at: Place, s: Stmt, folds: readonly Axis[]): void {
    walkExpr(
      (e) => {
        this.rules(exprRules, e, at, s, folds);
        if (e.k === 'index') this.ixs([e.ix], at, s, folds);
        if (e.k !== 'read') return;
        this.sameObject(e.x, s, folds);
        this.ixs([...e.ix, ...e.guard.map((g) => g.e)], at, s, folds);
        this.rules(readRules, e, at, s, folds);
      },
      ...roots,
    );
  }

  block(body: readonly Stmt[], visible: Set<number>, folds: readonly Axis[]): void {
    for (const s of body) this.stmt(s, visible, folds);
  }

  stmt(s: Stmt, visible: Set<number>, folds: readonly Axis[]): void {
    if (this.#spans && s.spans.length === 0) this.report(spanRule, 'none', s, folds);
    const own =
      s.k === 'nest'
        ? [...s.axes, ...s.red]
        : s.k === 'fold'
          ? [s.l]
          : s.k === 'segsum'
            ? s.axes
            : [];
    const axes = [...folds, ...own];
    if (new Set(axes.map((a) => a.id)).size < axes.length) this.report(axisRule, 'twice', s, folds);
    if (own.some((a) => !Number.isSafeInteger(a.extent) || a.extent < 0)) {
      this.report('extents are whole numbers', own.map((a) => a.extent).join(), s, folds);
    }
    const at = this.place(axes, visible);
    switch (s.k) {
      case 'nest':
        this.exprs([s.body], at, s, folds);
        this.rules(nestRules, s, at, s, folds);
        break;
      case 'segsum': {
        const inIndices: Expr[] = [];
        for (const ix of [...s.at, ...s.guard.map((g) => g.e)])
          eachVal(ix, (e) => inIndices.push(e));
        this.exprs([s.body, ...inIndices], at, s, folds);
        this.ixs([...s.at, ...s.guard.map((g) => g.e)], at, s, folds);
        this.rules(segsumRules, s, at, s, folds);
        break;
      }
      case 'fold': {
        this.uses([...s.carry.map((c) => c.init), ...s.acc.map((a) => a.init)], visible, s, folds);
        const inner = new Set(visible);
        for (const c of s.carry) this.define(c.in, inner, s, folds);
        this.block(s.body, inner, axes);
        const ends = [
          ...s.carry.map((c) => c.next),
          ...s.ys.map((y) => y.elem),
          ...s.acc.map((a) => a.add),
        ];
        this.uses(ends, inner, s, folds);
        this.rules(foldRules, s, at, s, folds);
        break;
      }
      case 'custom': {
        this.uses(s.ins, visible, s, folds);
        const inner = new Set(visible);
        this.block(s.body, inner, folds);
        this.uses(s.outs, inner, s, folds);
        const tangent = new Set(inner);
        for (const d of s.jvp.dins) this.define(d, tangent, s, folds);
        this.block(s.jvp.body, tangent, folds);
        this.uses(s.jvp.douts, tangent, s, folds);
        this.rules(customRules, s, at, s, folds);
        // The outs were defined inside; here they become visible outside.
        for (const x of s.outs) visible.add(x.id);
        return;
      }
    }
    for (const d of defsOf(s)) this.define(d, visible, s, folds);
  }
}

/** All breaches of the rules of the core IR; empty for a good program. */
export function verify(core: Core): readonly Violation[] {
  const v = new Verifier(core.body.some((s) => s.spans.length > 0));
  const visible = new Set<number>();
  for (const x of core.inputs) v.define(x, visible, undefined, []);
  for (const c of core.consts) {
    v.define(c.v, visible, undefined, []);
    if (c.data.length !== sizeOf(c.v.shape)) {
      v.report('a constant has a value per cell', varText(c.v), undefined, []);
    }
  }
  v.block(core.body, visible, []);
  for (const x of core.outputs) {
    v.sameObject(x, undefined, []);
    if (!visible.has(x.id)) v.report(scopeRule, `output ${x.name}#${x.id}`, undefined, []);
  }
  return v.found;
}

/** Throws with every violation spelled out; for tests and for assertions between passes. */
export function assertCore(core: Core): Core {
  const found = verify(core);
  if (found.length === 0) return core;
  throw new Error(found.map((v) => `${v.rule}: ${v.found}\n  ${v.statement}`).join('\n'));
}
