/**
 * The exact interpreter: a tree at concrete sizes, every integer and size a BigInt, every f32 a dual
 * number. Every read, index value, size, quotient, fact, shape and non-empty range is checked.
 *
 * Invariant: bodies of empty loops and the branch that sizes do not choose are never looked at; both
 * branches of a choice by data are, since a condition proves nothing. Independent of the compiler.
 */
import { conform, extentIn } from './conform.ts';
import { type Below, trials } from './draws.ts';
import { each, fold, forLoop, reduce, reduceTree } from './exact-loops.ts';
import { draw, pick, read } from './exact-reads.ts';
import { bind, kept, lookUp, outside, type Run, type Scope } from './exact-run.ts';
import { requireFact, type Sizes, sizeAt } from './exact-sizes.ts';
import { TooLong } from './outside.ts';
import { printer } from './print.ts';
import type { Expr, ExprOf, Fn, Program } from './tree.ts';
import type { Value } from './value.ts';
import * as V from './value.ts';

/** Steps that several runs may take together. */
export type Budget = { left: number };
export type Options = { readonly below?: Below; readonly steps?: number; readonly budget?: Budget };

export type Result = { readonly value: Value; readonly meter: V.Meter };

/** @throws Outside where the program is wrong at these sizes, TooLong for one that takes too long. */
export function evaluate(
  program: Program,
  fn: Fn,
  sizes: Sizes,
  args: readonly (Value | undefined)[],
  options: Options = {},
): Result {
  const run = new Exact(program, options);
  return { value: run.call(fn, sizes, args, fn.name), meter: run.meter };
}

class Exact implements Run {
  readonly meter = new V.Meter();
  readonly below: Below;
  readonly #program: Program;
  readonly #text: ReturnType<typeof printer>;
  readonly #budget: Budget;
  #steps: number;

  constructor(
    program: Program,
    { below = trials[0]!, steps = 8_000, budget = { left: steps } }: Options,
  ) {
    this.#program = program;
    this.below = below;
    this.#steps = steps;
    this.#budget = budget;
    this.#text = printer(program);
  }

  readonly where: Run['where'] = (s, e) => () => `${this.#text.block(e, 2).trim()} of ${s.fn}`;
  readonly written: Run['written'] = (ix) => this.#text.place(ix).trim();
  readonly tick = (): void => {
    if (this.#steps-- <= 0 || this.#budget.left-- <= 0) throw new TooLong();
  };

  call(fn: Fn, sizes: Sizes, args: readonly (Value | undefined)[], from: string): Value {
    const where = from === fn.name ? fn.name : `${fn.name} called by ${from}`;
    for (const f of fn.facts) requireFact(f, sizes, where);
    let scope: Scope = { fn: fn.name, sizes, vars: undefined };
    for (const [i, p] of fn.params.entries()) {
      const v = args[i] ?? this.eval(scope, p.init!);
      scope = bind(scope, p.name, conform(v, p.type, sizes, `the argument ${p.name} of ${where}`));
    }
    return conform(this.eval(scope, fn.body), fn.result, sizes, `the result of ${where}`);
  }

  eval(s: Scope, e: Expr): Value {
    switch (e.k) {
      case 'real':
        return this.meter.note(V.real(e.value));
      case 'int':
        return V.whole(e.value);
      case 'size':
        return V.whole(s.sizes.get(e.name) ?? V.bad(`no size ${e.name}`));
      case 'var':
        return lookUp(s, e.name);
      case 'fn': {
        const fn = this.#fn(e.name);
        return { k: 'fn', call: (args) => this.call(fn, new Map(), args, s.fn) };
      }
      case 'neg': {
        const v = this.eval(s, e.arg);
        if (v.k === 'int') return V.negated(v);
        return v.k === 'real' ? V.real(-v.v, -v.d) : V.bad(`-${v.k}`);
      }
      case 'op': {
        const [a, b] = [this.eval(s, e.left), this.eval(s, e.right)];
        const unequal = () => outside(this, s, e, 'shape', 'different shapes');
        return V.lifted(a, b, (x, y) => this.#scalarOp(e.op, x, y), unequal);
      }
      case 'compare':
        return { k: 'bool', v: this.#compare(s, e) };
      case 'cast':
        return this.#cast(e.to, this.eval(s, e.arg));
      case 'read':
        return read(this, s, e);
      case 'let':
        return this.eval(bind(s, e.name, this.#bound(s, e)), e.body);
      case 'lambda': {
        const call = (args: readonly Value[]) => {
          this.tick();
          const inner = e.params.reduce((at, p, i) => bind(at, p, args[i]!), s);
          return this.eval(inner, e.body);
        };
        return { k: 'fn', call };
      }
      case 'apply': {
        const f = lookUp(s, e.fn);
        if (f.k !== 'fn') return V.bad(`${e.fn} is no function`);
        return f.call(e.args.map((a) => this.eval(s, a)));
      }
      case 'call':
        return this.#call(s, e);
      case 'for':
        return forLoop(this, s, e.binders, e.body);
      case 'reduce':
        return reduce(this, s, e);
      case 'reduceTree':
        return reduceTree(this, s, e);
      case 'each':
        return each(this, s, e);
      case 'fold':
      case 'scan':
        return fold(this, s, e);
      case 'if':
        return this.#if(s, e);
      case 'record': {
        const fields = e.fields.map(({ label, value }) => {
          return [label, { value: kept(this.eval(s, value)), fixed: false }] as const;
        });
        return { k: 'record', fields: new Map(fields) };
      }
      case 'field': {
        const v = this.eval(s, e.target);
        if (v.k !== 'record') return V.bad(`.${e.label} of ${v.k}`);
        return v.fields.get(e.label)?.value ?? V.bad(`no field ${e.label}`);
      }
      case 'array': {
        const items = e.items.flatMap(({ spread, value }): readonly Value[] => {
          const v = this.eval(s, value);
          if (!spread) return [kept(v)];
          return v.k === 'tensor' ? v.items : V.bad(`..${v.k}`);
        });
        return V.tensor(items);
      }
      case 'pick':
        return pick(this, s, e);
      case 'draw':
        return draw(this, s, e);
    }
  }

  /** An integer that is not an index is as good as its value, whatever type its `let` says. */
  #bound(s: Scope, e: ExprOf<'let'>): Value {
    const v = this.eval(s, e.value);
    if (e.type === undefined || (e.type.k === 'scalar' && v.k === 'int')) return v;
    return conform(v, e.type, s.sizes, `let ${e.name} of ${s.fn}`);
  }

  #if(s: Scope, e: ExprOf<'if'>): Value {
    const cond = this.eval(s, e.cond);
    if (cond.k !== 'bool') return V.bad(`${cond.k} for a condition`);
    if (isStatic(e.cond)) return this.eval(s, cond.v ? e.yes : e.no);
    const [a, b] = [this.eval(s, e.yes), this.eval(s, e.no)];
    return cond.v ? a : b;
  }

  #call(s: Scope, e: ExprOf<'call'>): Value {
    this.tick();
    const where = this.where(s, e);
    const sizes = e.sizes.map(({ name, size }) => [name, sizeAt(size, s.sizes, where)] as const);
    const args = e.args.map((a) => (a === undefined ? undefined : this.eval(s, a)));
    const fn = this.#fn(e.fn);
    // What is not written is what the arguments say, whatever was meant.
    const all = new Map(sizes);
    for (const { name, how } of e.sizes.filter((x) => x.elide || x.how === 'default')) {
      const init = fn.sizes.find((p) => p.name === name)?.init;
      if (how === 'default' && init !== undefined) {
        all.set(name, sizeAt(init, all, where));
        continue;
      }
      const own = fn.params.map((p, i) => extentIn(args[i], p.type, name));
      const said = own.find((n) => n !== undefined);
      if (said !== undefined) all.set(name, said);
    }
    return this.call(fn, all, args, s.fn);
  }

  #fn(name: string): Fn {
    return this.#program.fns.find((f) => f.name === name) ?? V.bad(`no function ${name}`);
  }

  #scalarOp(op: V.IntOp, a: Value, b: Value): Value {
    if (a.k === 'int' && b.k === 'int') return V.intOp(op, a, b);
    if (a.k === 'real' && b.k === 'real') return this.meter.note(V.realOp(op, a, b));
    return V.bad(`${a.k} ${op} ${b.k}`);
  }

  /** Sizes are compared as they are, data by its 32 bits. */
  #compare(s: Scope, e: ExprOf<'compare'>): boolean {
    const fixed = isStatic(e);
    const [x, y] = [e.left, e.right].map((side) => {
      const v = this.eval(s, side);
      if (v.k === 'int') return fixed ? v.x : v.w;
      return v.k === 'real' ? v.v : V.bad(`${v.k} is compared`);
    }) as [number | bigint, number | bigint];
    switch (e.op) {
      case '==':
        return x === y;
      case '!=':
        return x !== y;
      case '<':
        return x < y;
      case '<=':
        return x <= y;
      case '>':
        return x > y;
      case '>=':
        return x >= y;
    }
  }

  #cast(to: 'f32' | 'i32' | 'u32', v: Value): Value {
    if (v.k !== 'int') return v.k === 'real' && to === 'f32' ? v : V.bad(`${to} of ${v.k}`);
    if (to === 'f32') return this.meter.note(V.real(Number(v.w)));
    // A cast to its own type changes nothing: it is as good as what it casts.
    if (to === v.t) return v;
    const w = V.wrapped(to, v.w);
    return { k: 'int', t: to, x: w, w };
  }
}

/** Of literals and sizes alone: decided when the program is compiled. */
function isStatic(e: Expr): boolean {
  if (e.k === 'op' || e.k === 'compare') return isStatic(e.left) && isStatic(e.right);
  return e.k === 'int' || e.k === 'size' || (e.k === 'neg' && isStatic(e.arg));
}
