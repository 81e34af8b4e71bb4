/**
 * The exact interpreter: a tree at concrete sizes, every integer and size a BigInt, every f32 a dual
 * number. Every read, index value, size, quotient, fact, shape and non-empty range is checked.
 *
 * Invariant: bodies of empty loops and the branch that sizes do not choose are never looked at; both
 * branches of a choice by data are, since a condition proves nothing. Independent of the compiler.
 */
import { conform } from './conform.ts';
import { type Below, normal, splitKey, trials, uniform } from './draws.ts';
import { requireFact, type Sizes, sizeAt } from './exact-sizes.ts';
import { Outside, TooLong } from './outside.ts';
import { printer, printSize } from './print.ts';
import { neutral, reduced } from './reductions.ts';
import type { Binder, Expr, ExprOf, Fn, Index, Program } from './tree.ts';
import * as V from './value.ts';
import type { Value } from './value.ts';

/** Steps that several runs may take together. */
export type Budget = { left: number };
export type Options = { readonly below?: Below; readonly steps?: number; readonly budget?: Budget };

/** What was bound last, and what was before. */
type Bound = { readonly name: string; readonly value: Value; readonly up: Bound | undefined };
type Scope = { readonly fn: string; readonly sizes: Sizes; readonly vars: Bound | undefined };

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

class Exact {
  readonly meter = new V.Meter();
  readonly #program: Program;
  readonly #below: Below;
  readonly #text: ReturnType<typeof printer>;
  readonly #budget: Budget;
  #steps: number;

  constructor(program: Program, { below = trials[0]!, steps = 20_000, budget = { left: steps } }: Options) {
    this.#program = program;
    this.#below = below;
    this.#steps = steps;
    this.#budget = budget;
    this.#text = printer(program);
  }

  call(fn: Fn, sizes: Sizes, args: readonly (Value | undefined)[], from: string): Value {
    const where = from === fn.name ? fn.name : `${fn.name} called by ${from}`;
    for (const f of fn.facts) requireFact(f, sizes, where);
    let scope: Scope = { fn: fn.name, sizes, vars: undefined };
    for (const [i, p] of fn.params.entries()) {
      const v = args[i] ?? this.#eval(scope, p.init!);
      scope = bind(scope, p.name, conform(v, p.type, sizes, `the argument ${p.name} of ${where}`));
    }
    return conform(this.#eval(scope, fn.body), fn.result, sizes, `the result of ${where}`);
  }

  /** Written only when it is asked for. */
  #where(s: Scope, e: Expr): () => string {
    return () => `${this.#text.block(e, 2).trim()} of ${s.fn}`;
  }

  #tick(): void {
    if (this.#steps-- <= 0 || this.#budget.left-- <= 0) throw new TooLong();
  }

  // -------------------------------------------------------------- scalars

  #int(s: Scope, e: Expr): V.Int {
    const v = this.#eval(s, e);
    return v.k === 'int' ? v : V.bad(`${v.k} for an integer`);
  }

  #truth(s: Scope, e: Expr): boolean {
    const v = this.#eval(s, e);
    return v.k === 'bool' ? v.v : V.bad(`${v.k} for a condition`);
  }

  #scalarOp(op: V.IntOp, a: Value, b: Value): Value {
    if (a.k === 'int' && b.k === 'int') return V.intOp(op, a, b);
    if (a.k === 'real' && b.k === 'real') return this.meter.note(V.realOp(op, a, b));
    return V.bad(`${a.k} ${op} ${b.k}`);
  }

  #compare(s: Scope, e: ExprOf<'compare'>): boolean {
    const [a, b] = [this.#eval(s, e.left), this.#eval(s, e.right)];
    const value = (v: Value) =>
      v.k === 'int' ? (isStatic(e) ? v.x : v.w) : v.k === 'real' ? v.v : V.bad('no number');
    const [x, y] = [value(a), value(b)];
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

  // -------------------------------------------------------------- expressions

  #eval(s: Scope, e: Expr): Value {
    switch (e.k) {
      case 'real':
        return this.meter.note(V.real(e.value));
      case 'int':
        return V.whole(e.value);
      case 'size':
        return V.whole(s.sizes.get(e.name) ?? V.bad(`no size ${e.name}`));
      case 'var':
        return lookUp(s, e.name);
      case 'fn':
        return this.#passed(s, e.name);
      case 'neg': {
        const v = this.#eval(s, e.arg);
        if (v.k === 'int') return V.negated(v);
        return v.k === 'real' ? V.real(-v.v, -v.d) : V.bad(`-${v.k}`);
      }
      case 'op': {
        const [a, b] = [this.#eval(s, e.left), this.#eval(s, e.right)];
        return V.lifted(a, b, (x, y) => this.#scalarOp(e.op, x, y), this.#unequal(s, e));
      }
      case 'compare':
        return { k: 'bool', v: this.#compare(s, e) };
      case 'cast':
        return this.#cast(e.to, this.#eval(s, e.arg));
      case 'read':
        return this.#read(s, e);
      case 'let': {
        const v = this.#eval(s, e.value);
        if (e.type === undefined) return this.#eval(bind(s, e.name, v), e.body);
        // An integer that is not an index is as good as its value.
        const typed =
          e.type.k === 'scalar' && v.k === 'int'
            ? v
            : conform(v, e.type, s.sizes, `let ${e.name} of ${s.fn}`);
        return this.#eval(bind(s, e.name, typed), e.body);
      }
      case 'lambda': {
        const call = (args: readonly Value[]) => {
          this.#tick();
          const inner = e.params.reduce((at, p, i) => bind(at, p, args[i]!), s);
          return this.#eval(inner, e.body);
        };
        return { k: 'fn', call };
      }
      case 'apply': {
        const f = lookUp(s, e.fn);
        if (f.k !== 'fn') return V.bad(`${e.fn} is no function`);
        return f.call(e.args.map((a) => this.#eval(s, a)));
      }
      case 'call':
        return this.#call(s, e);
      case 'for':
        return this.#for(s, e.binders, e.body);
      case 'reduce':
        return this.#reduce(s, e);
      case 'reduceTree': {
        const values: Value[] = [];
        this.#zip(s, e, (v) => {
          values.push(v);
          return v;
        });
        return this.#reduced(s, e, values);
      }
      case 'each':
        return this.#zip(s, e, (v) => v);
      case 'fold':
      case 'scan':
        return this.#fold(s, e);
      case 'if':
        return this.#if(s, e);
      case 'record': {
        const fields = e.fields.map(({ label, value }) => {
          return [label, { value: kept(this.#eval(s, value)), fixed: false }] as const;
        });
        return { k: 'record', fields: new Map(fields) };
      }
      case 'field': {
        const v = this.#eval(s, e.target);
        if (v.k !== 'record') return V.bad(`.${e.label} of ${v.k}`);
        return v.fields.get(e.label)?.value ?? V.bad(`no field ${e.label}`);
      }
      case 'array': {
        const items = e.items.flatMap(({ spread, value }): readonly Value[] => {
          const v = this.#eval(s, value);
          if (!spread) return [kept(v)];
          return v.k === 'tensor' ? v.items : V.bad(`..${v.k}`);
        });
        return V.tensor(items);
      }
      case 'pick':
        return this.#pick(s, e);
      case 'draw':
        return this.#draw(s, e);
    }
  }

  #if(s: Scope, e: ExprOf<'if'>): Value {
    const yes = this.#truth(s, e.cond);
    if (isStatic(e.cond)) return this.#eval(s, yes ? e.then : e.else);
    const [a, b] = [this.#eval(s, e.then), this.#eval(s, e.else)];
    return yes ? a : b;
  }

  #call(s: Scope, e: ExprOf<'call'>): Value {
    this.#tick();
    const fn = this.#fn(e.fn);
    const where = this.#where(s, e);
    const sizes = e.sizes.map(({ name, size }) => [name, sizeAt(size, s.sizes, where)] as const);
    const args = e.args.map((a) => (a === undefined ? undefined : this.#eval(s, a)));
    return this.call(fn, new Map(sizes), args, s.fn);
  }

  #passed(s: Scope, name: string): Value {
    const fn = this.#fn(name);
    return { k: 'fn', call: (args) => this.call(fn, new Map(), args, s.fn) };
  }

  #fn(name: string): Fn {
    return this.#program.fns.find((f) => f.name === name) ?? V.bad(`no function ${name}`);
  }

  #unequal(s: Scope, e: Expr): () => never {
    return () => {
      throw new Outside('shape', 'different shapes', this.#where(s, e)());
    };
  }

  // -------------------------------------------------------------- reads

  #read(s: Scope, e: ExprOf<'read'>): Value {
    let v = this.#eval(s, e.target);
    const other = e.orElse === undefined ? undefined : this.#eval(s, e.orElse);
    for (const ix of e.ix) {
      if (v.k !== 'tensor') return V.bad(`a read of ${v.k}`);
      const at = this.#place(s, ix, BigInt(v.items.length), e);
      if (typeof at !== 'bigint') {
        if (other !== undefined) return other;
        throw new Outside('read', at.outside(), this.#where(s, e)());
      }
      v = v.items[Number(at)]!;
    }
    return v;
  }

  /** The row-major place of an index below `extent`, or what is wrong with it. */
  #place(s: Scope, ix: Index, extent: bigint, e: Expr): bigint | { readonly outside: () => string } {
    switch (ix.k) {
      case 'at': {
        const { x } = this.#int(s, ix.e);
        if (x >= 0n && x < extent) return x;
        return { outside: () => `${this.#text.place(ix).trim()} = ${x} is outside 0 .. ${extent - 1n}` };
      }
      case 'tuple': {
        const ranges = ix.ranges.map((r) => sizeAt(r, s.sizes, this.#where(s, e)));
        if (ranges.reduce((a, b) => a * b, 1n) !== extent) {
          throw new Outside('shape', `${ranges.join(' * ')} for ${extent}`, this.#where(s, e)());
        }
        let flat = 0n;
        for (const [i, part] of ix.parts.entries()) {
          const at = this.#place(s, part, ranges[i]!, e);
          if (typeof at !== 'bigint') return at;
          flat = flat * ranges[i]! + at;
        }
        return flat;
      }
      case 'left':
      case 'right': {
        const size = sizeAt(ix.size, s.sizes, this.#where(s, e));
        if (size > extent) {
          throw new Outside('shape', `a part of ${size} in ${extent}`, this.#where(s, e)());
        }
        const at = this.#place(s, ix.part, size, e);
        return typeof at !== 'bigint' || ix.k === 'left' ? at : extent - size + at;
      }
    }
  }

  #pick(s: Scope, e: ExprOf<'pick'>): Value {
    const { w } = this.#int(s, e.arg);
    const n = sizeAt(e.size, s.sizes, this.#where(s, e));
    this.#required(n >= 1n, s, e, `no index is below ${printSize(e.size)} = 0`);
    if (e.how === 'wrap') return V.whole(V.floorMod(w, n));
    return V.whole(w < 0n ? 0n : w >= n ? n - 1n : w);
  }

  #required(there: boolean, s: Scope, e: Expr, what: string): void {
    if (!there) throw new Outside('empty', what, this.#where(s, e)());
  }

  #draw(s: Scope, e: ExprOf<'draw'>): Value {
    const key = this.#eval(s, e.key);
    if (key.k !== 'key') return V.bad(`a draw from ${key.k}`);
    const counter = this.#counter(s, e);
    switch (e.what) {
      case 'uniform':
        return this.meter.note(V.real(uniform(key.words, counter)));
      case 'normal':
        return this.meter.note(V.real(normal(key.words, counter)));
      case 'split':
        return { k: 'key', words: splitKey(key.words, counter) };
      case 'randint': {
        const n = sizeAt(e.size!, s.sizes, this.#where(s, e));
        this.#required(n >= 1n, s, e, `no index is below ${printSize(e.size!)} = 0`);
        return V.whole(this.#below(key.words, counter, n));
      }
    }
  }

  #counter(s: Scope, e: ExprOf<'draw'>): bigint {
    const ix = e.counter;
    if (ix.k === 'at') return this.#int(s, ix.e).x;
    if (ix.k !== 'tuple') return V.bad('a counter is a number or a tuple');
    const sizes = ix.ranges.map((r) => sizeAt(r, s.sizes, this.#where(s, e)));
    const at = this.#place(s, ix, sizes.reduce((a, b) => a * b, 1n), e);
    if (typeof at === 'bigint') return at;
    throw new Outside('read', at.outside(), this.#where(s, e)());
  }

  // -------------------------------------------------------------- loops

  /** Every value of a binder with its number, the last of a tuple fastest. */
  *#values(s: Scope, b: Binder): Generator<Scope> {
    if (b.k === 'one') {
      const n = sizeAt(b.size, s.sizes, () => `the range of ${b.name} of ${s.fn}`);
      for (let i = 0n; i < n; i++) {
        this.#tick();
        yield bind(s, b.name, V.whole(i));
      }
      return;
    }
    yield* this.#product(s, b.items);
  }

  *#product(s: Scope, binders: readonly Binder[]): Generator<Scope> {
    const [first, ...rest] = binders;
    if (first === undefined) {
      yield s;
      return;
    }
    for (const inner of this.#values(s, first)) yield* this.#product(inner, rest);
  }

  #for(s: Scope, binders: readonly Binder[], body: Expr): Value {
    const [first, ...rest] = binders;
    if (first === undefined) return kept(this.#eval(s, body));
    return V.tensor([...this.#values(s, first)].map((inner) => this.#for(inner, rest, body)));
  }

  #reduce(s: Scope, e: ExprOf<'reduce'>): Value {
    const values = [...this.#product(s, e.binders)].map((inner) => kept(this.#eval(inner, e.body)));
    return this.#reduced(s, e, values);
  }

  #reduced(s: Scope, e: ExprOf<'reduce' | 'reduceTree'>, values: readonly Value[]): Value {
    if (values.length === 0) {
      const none = neutral(e.op, e.of);
      this.#required(none !== undefined, s, e, `${e.op} of nothing`);
      return none!;
    }
    return reduced(e.op, values, this.meter);
  }

  #zip(s: Scope, e: ExprOf<'each' | 'reduceTree'>, then: (v: Value) => Value): Value {
    const trees = e.trees.map((t) => this.#eval(s, t));
    const body = (leaves: readonly Value[]) => {
      this.#tick();
      const inner = e.names.reduce((at, name, i) => bind(at, name, leaves[i]!), s);
      return then(kept(this.#eval(inner, e.body)));
    };
    return V.mapTrees(trees, body, this.#unequal(s, e));
  }

  #fold(s: Scope, e: ExprOf<'fold' | 'scan'>): Value {
    const where = `the state ${e.name} of ${s.fn}`;
    let state = conform(this.#eval(s, e.init), e.type, s.sizes, where);
    const all: Value[] = [];
    for (const inner of this.#values(s, e.binder)) {
      state = conform(this.#eval(bind(inner, e.name, state), e.body), e.type, s.sizes, where);
      all.push(state);
    }
    return e.k === 'fold' ? state : V.tensor(all);
  }
}

/** Of literals and sizes alone: decided when the program is compiled. */
function isStatic(e: Expr): boolean {
  if (e.k === 'op' || e.k === 'compare') return isStatic(e.left) && isStatic(e.right);
  return e.k === 'int' || e.k === 'size' || (e.k === 'neg' && isStatic(e.arg));
}

const bind = (s: Scope, name: string, value: Value): Scope => ({
  ...{ fn: s.fn, sizes: s.sizes },
  vars: { name, value, up: s.vars },
});

function lookUp(s: Scope, name: string): Value {
  for (let at = s.vars; at !== undefined; at = at.up) if (at.name === name) return at.value;
  return V.bad(`no variable ${name}`);
}

/** As it is stored in a tensor or a record. */
const kept = (v: Value): Value => (v.k === 'int' ? V.stored(v) : v);

