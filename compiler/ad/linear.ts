/**
 * Whether a tangent program is linear in its tangents, as transposition takes for granted: a custom
 * derivative is written by a user. Each variable and expression is graded, and products of two
 * tangents, functions of a tangent and sums of a tangent and a value are `other`.
 *
 * Invariant: a program without an `other` output has a transpose, and both modes agree on it.
 */
import { eachChild, eachVal } from '../core/expr.ts';
import type { Custom, Expr, Fold, Ix, Stmt, Var } from '../core.ts';

/** 0; no tangent in it; linear in tangents; anything else. */
type Grade = 'zero' | 'free' | 'linear' | 'other';

type Rule = Custom['jvp'];

/**
 * The rule with calls of other custom functions on tangents in place: such a call is linear, so it
 * is its own derivative. `lost` is the statement at which an output stops being linear, if one does.
 */
export function linearRule(rule: Rule): { readonly rule: Rule; readonly lost?: Stmt } {
  const tracker = new Tracker(rule.dins);
  tracker.run(rule.body);
  const body = inPlace(rule.body, (v) => !isValue(tracker.of(v)));
  for (const v of rule.douts) {
    if (v.t !== 'f32') continue;
    const grade = tracker.of(v);
    if (grade === 'other') return { rule, lost: tracker.first };
    if (grade === 'free') return { rule, lost: body.findLast((s) => s.k === 'nest' && s.v === v) };
  }
  return { rule: { ...rule, body } };
}

function inPlace(body: readonly Stmt[], onTangents: (v: Var) => boolean): readonly Stmt[] {
  return body.flatMap((s): readonly Stmt[] => {
    if (s.k === 'fold') return [{ ...s, body: inPlace(s.body, onTangents) }];
    return s.k === 'custom' && s.outs.some(onTangents) ? inPlace(s.body, onTangents) : [s];
  });
}

/** Of a sum, and of a choice between the two. */
function sum(a: Grade, b: Grade): Grade {
  if (a === 'zero' || a === b) return b;
  return b === 'zero' ? a : 'other';
}

function product(a: Grade, b: Grade): Grade {
  if (a === 'zero' || b === 'zero') return 'zero';
  if (a === 'free') return b;
  return b === 'free' ? a : 'other';
}

function isValue(g: Grade): boolean {
  return g === 'zero' || g === 'free';
}

class Tracker {
  /** Where a variable became `other` while what it is made of was not. */
  first: Stmt | undefined;
  readonly #grades = new Map<Var, Grade>();

  constructor(tangents: readonly Var[]) {
    for (const v of tangents) this.#grades.set(v, 'linear');
  }

  of(v: Var): Grade {
    return this.#grades.get(v) ?? 'free';
  }

  run(body: readonly Stmt[]): void {
    for (const s of body) this.#statement(s);
  }

  #set(v: Var, g: Grade, at: Stmt): void {
    if (g === 'other') this.first ??= at;
    this.#grades.set(v, g);
  }

  #statement(s: Stmt): void {
    switch (s.k) {
      case 'nest': {
        const g = this.#expr(s.body);
        const adds = s.op === null || s.op === 'sum';
        this.#set(s.v, adds ? g : ofFunction([g]), s);
        return;
      }
      case 'segsum': {
        const placed = [...s.at, ...s.guard.map((g) => g.e)];
        const fixed = placed.every((ix) => this.#isFixed(ix));
        this.#set(s.v, fixed ? this.#expr(s.body) : 'other', s);
        return;
      }
      case 'fold':
        this.#fold(s);
        return;
      case 'custom':
        // What it computes is what counts; its own rule is a program of its own.
        this.run(s.body);
        return;
    }
  }

  #fold(f: Fold): void {
    for (const c of f.carry) this.#set(c.in, this.of(c.init), f);
    for (let moved = true; moved; ) {
      moved = false;
      this.run(f.body);
      for (const c of f.carry) {
        const g = sum(this.of(c.in), this.of(c.next));
        if (g !== this.of(c.in)) moved = true;
        this.#set(c.in, g, f);
      }
    }
    for (const c of f.carry) this.#set(c.out, this.of(c.in), f);
    for (const y of f.ys) this.#set(y.v, this.of(y.elem), f);
    for (const a of f.acc) this.#set(a.v, sum(this.of(a.init), this.of(a.add)), f);
  }

  /** Where something is placed does not depend on a tangent. */
  #isFixed(ix: Ix): boolean {
    let fixed = true;
    eachVal(ix, (e) => {
      fixed &&= isValue(this.#expr(e));
    });
    return fixed;
  }

  #expr(root: Expr): Grade {
    const memo = new Map<Expr, Grade>();
    const go = (e: Expr): Grade => {
      const known = memo.get(e);
      if (known !== undefined) return known;
      const g = this.#grade(e, go);
      memo.set(e, g);
      return g;
    };
    return go(root);
  }

  #grade(e: Expr, go: (e: Expr) => Grade): Grade {
    switch (e.k) {
      case 'const':
        return e.v === 0 ? 'zero' : 'free';
      case 'index':
      case 'read': {
        let fixed = true;
        eachChild(e, (c) => {
          fixed &&= isValue(go(c));
        });
        if (!fixed) return 'other';
        return e.k === 'read' ? this.of(e.x) : 'free';
      }
      case 'prim':
        return e.t === 'f32' ? ofPrim(e, e.args.map(go)) : ofFunction(e.args.map(go));
    }
  }
}

function ofPrim(e: Extract<Expr, { k: 'prim' }>, args: readonly Grade[]): Grade {
  const [a = 'zero', b = 'zero', c = 'zero'] = args;
  switch (e.op) {
    case 'add':
    case 'sub':
      return sum(a, b);
    case 'neg':
    case 'cast':
      return a;
    case 'mul':
      return product(a, b);
    case 'div':
      return isValue(b) ? a : 'other';
    case 'select':
      return isValue(a) ? sum(b, c) : 'other';
    case 'pow':
      // The derivative of a square is written so.
      return isOne(e.args[1]!) ? a : ofFunction(args);
    default:
      // Rounding to f16 or bf16 among them: backward it would be no rounding.
      return ofFunction(args);
  }
}

function ofFunction(args: readonly Grade[]): Grade {
  return args.every(isValue) ? 'free' : 'other';
}

function isOne(e: Expr): boolean {
  return e.k === 'const' && e.v === 1;
}
