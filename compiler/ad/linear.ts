/**
 * Whether a tangent program is linear in its tangents, as transposition takes for granted: a custom
 * derivative is written by a user. Each variable and expression is graded, and products of two
 * tangents, functions of a tangent and sums of a tangent and a value are `other`.
 *
 * Invariant: a program without an `other` output has a transpose, and both modes agree on it.
 */
import { copyBlock, defsOf, mapNest, readAt, type Supply, usesOfBlock } from '../core/build.ts';
import { eachChild, eachVal, type Read, readE } from '../core/expr.ts';
import type { Custom, Expr, Fold, Ix, Stmt, Var } from '../core.ts';
import { zero } from './arith.ts';
import { keepLive } from './live.ts';
import { rewriteUses } from './rewrite.ts';

/** 0; no tangent in it; linear in tangents; anything else. */
type Grade = 'zero' | 'free' | 'linear' | 'other';

type Rule = Custom['jvp'];

/**
 * The rule with its calls of other custom functions on tangents marked: such a call is linear in the
 * tangents, and its own rule says how it changes with what else it is given. Where that is nothing
 * the body stands in its place. `lost` is the statement at which an output stops being linear, if one
 * does.
 */
export function linearRule(
  rule: Rule,
  supply: Supply,
): {
  readonly rule: Rule;
  readonly lost?: Stmt;
} {
  const tracker = new Tracker(rule.dins);
  tracker.run(rule.body);
  const body = marked(rule.body, tracker, supply);
  for (const v of rule.douts) {
    if (v.t !== 'f32') continue;
    const grade = tracker.of(v);
    if (grade === 'other') return { rule, lost: tracker.first };
    if (grade === 'free') return { rule, lost: body.findLast((s) => s.k === 'nest' && s.v === v) };
  }
  return { rule: { ...rule, body } };
}

function marked(body: readonly Stmt[], tracker: Tracker, supply: Supply): readonly Stmt[] {
  const onTangents = (v: Var): boolean => !isValue(tracker.of(v));
  return body.flatMap((s): readonly Stmt[] => {
    if (s.k === 'fold') return [{ ...s, body: marked(s.body, tracker, supply) }];
    if (s.k !== 'custom' || !s.outs.some(onTangents)) return [s];
    const inner = marked(s.body, tracker, supply);
    const jvp = { ...s.jvp, body: marked(s.jvp.body, tracker, supply) };
    const block = withCaptured({ ...s, body: inner, jvp }, onTangents, supply);
    const linear = block.ins.flatMap((v, i) => (onTangents(v) ? [i] : []));
    if (linear.length === block.ins.length) return inner;
    return block.outs.every(onTangents)
      ? onCopies({ ...block, linear }, linear, supply)
      : apart(block, linear, onTangents, supply);
  });
}

/** Tangents that a function among the arguments captured: they are inputs like the others. */
function captured(s: Custom, onTangents: (v: Var) => boolean): readonly Var[] {
  return [...usesOfBlock(s.body)].filter((v) => onTangents(v) && !s.ins.includes(v));
}

/** The block with captured tangents among its inputs: its rule is for the others. */
function withCaptured(s: Custom, onTangents: (v: Var) => boolean, supply: Supply): Custom {
  const more = captured(s, onTangents);
  if (more.length === 0) return s;
  const dins = [...s.jvp.dins, ...more.map((v) => supply.like(v, `d${v.name}`))];
  return { ...s, ins: [...s.ins, ...more], jvp: { ...s.jvp, dins } };
}

/** A call of which only some results depend on the tangents, as a block of those and one of the others. */
function apart(
  c: Custom,
  linear: readonly number[],
  onTangents: (v: Var) => boolean,
  supply: Supply,
): readonly Stmt[] {
  const block = (on: boolean): readonly Stmt[] => {
    const names = new Map<Var, Var>();
    const [copy] = copyBlock([c], supply, names) as readonly [Custom];
    const of = <T>(l: readonly T[]): readonly T[] =>
      l.filter((_, i) => onTangents(c.outs[i]!) === on);
    const some = { ...copy, outs: of(copy.outs), jvp: { ...copy.jvp, douts: of(copy.jvp.douts) } };
    const own = on
      ? onCopies({ ...some, linear }, linear, supply)
      : [ofValues(some, linear, supply)];
    const named = of(c.outs).map((v) => {
      const axes = supply.axes(v.shape);
      return mapNest(v, axes, readAt(names.get(v)!, axes), c.spans);
    });
    return [...own, ...named];
  };
  return [...block(true), ...block(false)];
}

/** The block without the inputs that its results do not depend on. */
function ofValues(c: Custom, without: readonly number[], supply: Supply): Custom {
  const left = <T>(l: readonly T[]): readonly T[] => l.filter((_, i) => !without.includes(i));
  const zeroed = without.map((i) => {
    const d = c.jvp.dins[i]!;
    return mapNest(d, supply.axes(d.shape), zero, c.spans);
  });
  return {
    ...c,
    ins: left(c.ins),
    body: keepLive(c.body, new Set([...c.outs, ...hiddenIn(c)])),
    jvp: {
      dins: left(c.jvp.dins),
      douts: c.jvp.douts,
      body: keepLive([...zeroed, ...c.jvp.body], new Set(c.jvp.douts)),
    },
  };
}

/** What the rule for the results reads of the body. */
function hiddenIn(c: Custom): readonly Var[] {
  const defined = new Set(c.body.flatMap((s) => defsOf(s)));
  const rule = keepLive(c.jvp.body, new Set(c.jvp.douts));
  return [...usesOfBlock(rule)].filter((v) => defined.has(v));
}

/** The block on copies of these inputs, defined beside it: a fold reads what is outside cell by cell. */
export function onCopies(c: Custom, inputs: readonly number[], supply: Supply): readonly Stmt[] {
  const before: Stmt[] = [];
  const vars = new Map<Var, Var>();
  for (const x of new Set(inputs.map((i) => c.ins[i]!))) {
    const copy = supply.like(x);
    const axes = supply.axes(x.shape);
    before.push(mapNest(copy, axes, readAt(x, axes), c.spans));
    vars.set(x, copy);
  }
  const name = (x: Var): Var => vars.get(x) ?? x;
  const read = (r: Read): Expr | undefined =>
    vars.has(r.x) ? readE(name(r.x), r.ix, r.guard) : undefined;
  return [...before, ...rewriteUses([c], { name, read })];
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
        this.run(s.body);
        this.#inside(s);
        return;
    }
  }

  /**
   * The rule of a call on tangents: a result that is linear in them has a derivative that is, in them
   * and theirs, and one that does not depend on them has a derivative that does not.
   */
  #inside(s: Custom): void {
    const isTangent = (v: Var): boolean => !isValue(this.of(v));
    const onTangents = s.ins.map(isTangent);
    const more = captured(s, isTangent);
    if ((!onTangents.includes(true) && more.length === 0) || !onTangents.includes(false)) return;
    const inOthers =
      s.linear !== undefined &&
      (more.length > 0 || onTangents.some((on, i) => on !== s.linear!.includes(i)));
    if (inOthers) {
      for (const v of s.outs) this.#set(v, 'other', s);
      return;
    }
    s.jvp.dins.forEach((d, i) => {
      this.#grades.set(d, onTangents[i] ? 'linear' : 'free');
    });
    this.run(s.jvp.body);
    s.outs.forEach((v, i) => {
      const [value, rule] = [this.of(v), this.of(s.jvp.douts[i]!)];
      const kept = isValue(value) ? isValue(rule) : rule === 'linear' || rule === 'zero';
      if (v.t === 'f32' && !kept) this.#set(v, 'other', s);
    });
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
