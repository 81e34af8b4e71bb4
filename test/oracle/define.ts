/**
 * The language by definition: a typed program evaluated as docs/language.md says, one element at a
 * time, on nested arrays of f64 numbers. No index is symbolic, nothing is stored, fused or shared, and
 * a branch that is not taken is not evaluated (Reynolds 1972 calls it a definitional interpreter).
 *
 * Invariant: nothing here is shared with elaboration. A read out of range is an error of the checker.
 */
import type { ReduceOp } from '../../dsl/ast.ts';
import type { LocalId, TBinder, TExpr, TFn, TIndex, TPattern, TProgram } from '../../dsl/typed.ts';
import { dtypeOf, scalarOp, wrap } from './numbers.ts';
import { drawn, normal, split, uniform } from './threefry.ts';
import {
  build,
  countLeaves,
  fields,
  isTensor,
  type Key,
  leavesOf,
  lift,
  number,
  type Sizes,
  sizeOf,
  type Value,
  zipTrees,
} from './value.ts';

/** What has no definition here: derivatives are checked against differences instead. */
export class Undefined extends Error {
  override readonly name = 'Undefined';
}

type Scope = { readonly sizes: Sizes; readonly locals: ReadonlyMap<LocalId, Value> };

/** The leaves of the result of `fn` at the leaves of its parameters. @throws Undefined */
export function define(
  program: TProgram,
  fn: TFn,
  given: Sizes,
  inputs: readonly Float64Array[],
): number[][] {
  const sizes = sizesOf(fn, given);
  let from = 0;
  const args = fn.params.map((p) => {
    const first = from;
    from += countLeaves(p.type);
    const at = new Map<number, number>();
    return build(p.type, sizes, (leaf) => {
      const n = at.get(leaf) ?? 0;
      at.set(leaf, n + 1);
      return inputs[first + leaf]![n]!;
    });
  });
  return leavesOf(fn.result, new Definition(program).call(fn, sizes, args));
}

function sizesOf(fn: TFn, given: Sizes): Sizes {
  const sizes = new Map<string, number>();
  for (const s of fn.sizes) sizes.set(s.name, given.get(s.name) ?? sizeOf(s.init!, sizes));
  for (const d of fn.derived) {
    const by = d.by === undefined ? d.per : sizeOf(d.by, sizes);
    sizes.set(d.name, sizeOf(d.of, sizes) / by);
  }
  return sizes;
}

class Definition {
  readonly #program: TProgram;
  readonly #lets = new Map<string, Value>();

  constructor(program: TProgram) {
    this.#program = program;
  }

  call(fn: TFn, sizes: Sizes, args: readonly Value[]): Value {
    const locals = new Map(fn.params.map((p, i) => [p.id, args[i]!]));
    return this.#eval({ sizes, locals }, fn.body);
  }

  #eval(s: Scope, x: TExpr): Value {
    switch (x.k) {
      case 'num':
        return x.value;
      case 'bool':
        return x.value ? 1 : 0;
      case 'size':
        return sizeOf(x.size, s.sizes);
      case 'local':
        return s.locals.get(x.id)!;
      case 'global': {
        const known = this.#lets.get(x.id);
        if (known !== undefined) return known;
        const empty = { sizes: new Map(), locals: new Map() };
        const v = this.#eval(empty, this.#program.lets.get(x.id)!.body);
        this.#lets.set(x.id, v);
        return v;
      }
      case 'fn': {
        const fn = this.#program.fns.get(x.id)!;
        const given = new Map([...x.sizes].map(([name, n]) => [name, sizeOf(n, s.sizes)]));
        return { k: 'fn', call: (args) => this.call(fn, sizesOf(fn, given), args) };
      }
      case 'lambda': {
        const call = (args: readonly Value[]) => {
          const own = x.params.map((p, i) => [p.id, args[i]!] as const);
          return this.#eval({ ...s, locals: new Map([...s.locals, ...own]) }, x.body);
        };
        return { k: 'fn', call };
      }
      case 'call':
        return apply(
          this.#eval(s, x.fn),
          x.args.map((a) => this.#eval(s, a)),
        );
      case 'builtin':
        return this.#builtin(s, x);
      case 'counter':
        return this.#place(s, x.index);
      case 'prim':
        return this.#prim(s, x);
      case 'if':
        return this.#eval(s, number(this.#eval(s, x.cond)) === 0 ? x.else : x.then);
      case 'let':
        return this.#eval(bound(s, x.pattern, this.#eval(s, x.value)), x.body);
      case 'for':
        return this.#for(s, x.binders, x.body);
      case 'reduce': {
        const values: Value[] = [];
        for (const inner of each(s, x.binders)) values.push(this.#eval(inner, x.body));
        return this.#reduced(x, values);
      }
      case 'reduceTree': {
        const values: Value[] = [];
        zipTrees(
          x.trees.map((t) => this.#eval(s, t)),
          (leaves) => {
            values.push(this.#eval(named(s, x.names, leaves), x.body));
            return 0;
          },
        );
        return this.#reduced(x, values);
      }
      case 'each':
        return zipTrees(
          x.trees.map((t) => this.#eval(s, t)),
          (leaves) => this.#eval(named(s, x.names, leaves), x.body),
        );
      case 'fold':
      case 'scan': {
        let carry = this.#eval(s, x.init);
        const all: Value[] = [];
        for (let l = 0; l < sizeOf(x.binder.size, s.sizes); l++) {
          const inner = bound(s, x.pattern, carry);
          carry = this.#eval(withLocal(inner, x.binder.id, l), x.body);
          all.push(carry);
        }
        return x.k === 'fold' ? carry : all;
      }
      case 'index':
        return this.#index(s, x);
      case 'field':
        return fields(this.#eval(s, x.target)).get(x.label)!.value;
      case 'record': {
        const fixed = new Set(
          x.type.k === 'record' ? x.type.fields.filter((f) => f.fixed).map((f) => f.label) : [],
        );
        const out = x.fields.map(({ label, value }) => {
          return [label, { value: this.#eval(s, value), fixed: fixed.has(label) }] as const;
        });
        return { k: 'record', fields: new Map(out) };
      }
      case 'array':
        return x.items.flatMap((item): readonly Value[] => {
          const v = this.#eval(s, item.value);
          return item.spread ? (v as readonly Value[]) : [v];
        });
    }
  }

  #for(s: Scope, binders: readonly TBinder[], body: TExpr): Value {
    const [first, ...rest] = binders;
    if (first === undefined) return this.#eval(s, body);
    return [...each(s, [first])].map((inner) => this.#for(inner, rest, body));
  }

  #prim(s: Scope, x: TExpr & { k: 'prim' }): Value {
    const args = x.args.map((a) => this.#eval(s, a));
    const [t, from] = [dtypeOf(x.type), dtypeOf(x.args[0]!.type)];
    return lift(args, (vs) => {
      if (typeof vs[0] === 'number') return scalarOp(x.op, t, from, vs.map(number));
      const [a, b] = vs.map((v) => keyOf(v).join());
      return (a === b) === (x.op === 'eq') ? 1 : 0;
    });
  }

  #reduced(x: TExpr & { k: 'reduce' | 'reduceTree' }, values: readonly Value[]): Value {
    const first = values[0];
    // Of tensors: element by element, all of one shape.
    if (first !== undefined && isTensor(first)) {
      return first.map((_, i) =>
        this.#reduced(
          x,
          values.map((v) => (v as readonly Value[])[i]!),
        ),
      );
    }
    if (first === undefined && x.type.k === 'tensor') {
      return build(x.type, new Map(), () => neutral[x.op]);
    }
    return wrap(dtypeOf(x.type), reduced[x.op](values.map(number)));
  }

  /** The flat index of an index. */
  #place(s: Scope, ix: TIndex): number {
    switch (ix.k) {
      case 'at':
        return number(this.#eval(s, ix.e));
      case 'tuple':
        return ix.parts.reduce(
          (flat, part, i) => flat * sizeOf(ix.ranges[i]!, s.sizes) + this.#place(s, part),
          0,
        );
      case 'left':
        return this.#place(s, ix.part);
      case 'right':
        return sizeOf(ix.offset, s.sizes) + this.#place(s, ix.part);
    }
  }

  #index(s: Scope, x: TExpr & { k: 'index' }): Value {
    let v = this.#eval(s, x.target);
    for (const ix of x.ix) {
      const i = this.#place(s, ix);
      const there: Value | undefined = (v as readonly Value[])[i];
      if (there === undefined) {
        if (x.orElse === undefined) throw new Error(`index ${i} of a proved read is out of range`);
        const other = this.#eval(s, x.orElse);
        // A number stands for every element.
        const fill = typeof other === 'number' && (x.type.k === 'tensor' || x.type.k === 'record');
        return fill ? build(x.type, s.sizes, () => other) : other;
      }
      v = there;
    }
    return v;
  }

  #builtin(s: Scope, x: TExpr & { k: 'builtin' }): Value {
    const arg = (i: number): Value => this.#eval(s, x.args[i]!);
    const range = (): number => {
      if (x.type.k !== 'idx') throw new Error('an index was expected');
      return sizeOf(x.type.size, s.sizes);
    };
    switch (x.name) {
      case 'stop':
        return arg(0);
      case 'checkpoint':
        return apply(arg(0), [arg(1)]);
      case 'grad':
      case 'valueGrad':
      case 'vjp':
      case 'jvp':
        throw new Undefined(x.name);
      case 'split':
        return { k: 'key', words: split(keyOf(arg(0)), number(arg(1))) };
      case 'normal':
        return normal(keyOf(arg(0)), number(arg(1)));
      case 'uniform':
        return uniform(keyOf(arg(0)), number(arg(1)));
      case 'randint':
        return drawn(keyOf(arg(0)), number(arg(1)))[0] % range();
      case 'normalLike': {
        const key = keyOf(arg(0));
        const at = new Map<number, number>();
        return build(x.type, s.sizes, (leaf) => {
          const n = at.get(leaf) ?? 0;
          at.set(leaf, n + 1);
          return normal(split(key, leaf), n);
        });
      }
      case 'zerosLike':
        return zipTrees([arg(0)], () => 0);
      case 'clamp':
        return Math.min(Math.max(number(arg(0)), 0), range() - 1);
      case 'wrap': {
        const [a, n] = [number(arg(0)), range()];
        return ((a % n) + n) % n;
      }
    }
  }
}

// ---------------------------------------------------------------- reductions

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
/** The first of the best; NaN is passed over. */
const best = (xs: readonly number[], better: (a: number, b: number) => boolean): number =>
  xs.reduce((at, v, i) => (better(v, Number.isNaN(xs[at]!) ? Number.NaN : xs[at]!) ? i : at), 0);

const reduced: Record<ReduceOp, (xs: readonly number[]) => number> = {
  sum,
  prod: (xs) => xs.reduce((a, b) => a * b, 1),
  mean: (xs) => sum(xs) / xs.length,
  max: (xs) => Math.max(...xs),
  min: (xs) => Math.min(...xs),
  all: (xs) => (xs.every((v) => v !== 0) ? 1 : 0),
  any: (xs) => (xs.some((v) => v !== 0) ? 1 : 0),
  argmax: (xs) => best(xs, (a, b) => a > b),
  argmin: (xs) => best(xs, (a, b) => a < b),
};

const neutral: Record<ReduceOp, number> = {
  sum: 0,
  prod: 1,
  mean: Number.NaN,
  max: -Infinity,
  min: Infinity,
  all: 1,
  any: 0,
  argmax: 0,
  argmin: 0,
};

// ---------------------------------------------------------------- scopes

const withLocal = (s: Scope, id: LocalId, v: Value): Scope => ({
  ...s,
  locals: new Map(s.locals).set(id, v),
});

const named = (
  s: Scope,
  names: readonly { readonly id: LocalId }[],
  values: readonly Value[],
): Scope => names.reduce((inner, n, i) => withLocal(inner, n.id, values[i]!), s);

function bound(s: Scope, p: TPattern, v: Value): Scope {
  if (p.k === 'name') return withLocal(s, p.id, v);
  return p.fields.reduce((inner, f) => bound(inner, f.pattern, fields(v).get(f.label)!.value), s);
}

/** A scope for each choice of the binders, the last one fastest. */
function* each(s: Scope, binders: readonly TBinder[]): Generator<Scope> {
  const [first, ...rest] = binders;
  if (first === undefined) {
    yield s;
    return;
  }
  if (first.k === 'tuple') {
    yield* each(s, [...first.items, ...rest]);
    return;
  }
  for (let i = 0; i < sizeOf(first.size, s.sizes); i++) {
    yield* each(withLocal(s, first.id, i), rest);
  }
}

function apply(f: Value, args: readonly Value[]): Value {
  if (typeof f === 'object' && 'k' in f && f.k === 'fn') return f.call(args);
  throw new Error('a function was expected');
}

function keyOf(v: Value): Key['words'] {
  if (typeof v === 'object' && 'k' in v && v.k === 'key') return v.words;
  throw new Error('a key was expected');
}
