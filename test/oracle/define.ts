/**
 * The language by definition: a typed program evaluated as docs/language.md says, one element at a
 * time, on nested arrays of f64 numbers. No index is symbolic, nothing is stored, fused or shared, and
 * a branch that is not taken is not evaluated (Reynolds 1972 calls it a definitional interpreter).
 * Derivatives are those of dual numbers (dual.ts), one number of an argument at a time.
 *
 * Invariant: nothing here is shared with elaboration or differentiation. A read out of range is an
 * error of the checker.
 */
import type { LocalId, TBinder, TExpr, TFn, TIndex, TProgram, Type } from '../../dsl/typed.ts';
import {
  add,
  dual,
  f32Op,
  mul,
  type Num,
  outermost,
  primal,
  tangentAt,
  valueAt,
  withTangent,
} from './dual.ts';
import { dtypeOf, scalarOp, wrap } from './numbers.ts';
import { neutral, reduced, wholeReduced } from './reductions.ts';
import { bound, each, named, type Scope, withLocal } from './scope.ts';
import { drawn, normal, split, uniform } from './threefry.ts';
import {
  build,
  countLeaves,
  fields,
  isNum,
  isTensor,
  type Key,
  leavesOf,
  lift,
  mapNumbers,
  num,
  number,
  numbersOf,
  type Sizes,
  sizeOf,
  type Value,
  zipTrees,
} from './value.ts';

/** The leaves of the result of `fn` at the leaves of its parameters. */
export function define(
  program: TProgram,
  fn: TFn,
  given: Sizes,
  inputs: readonly Float64Array[],
): number[][] {
  return leavesOf(
    fn.result,
    evaluate(program, fn, given, (leaf, n) => inputs[leaf]![n]!),
    primal,
  );
}

/** The tangents of the result in a direction, with 0 for what has none. */
export function defineTangent(
  program: TProgram,
  fn: TFn,
  given: Sizes,
  inputs: readonly Float64Array[],
  dx: readonly Float64Array[],
): number[][] {
  const at = (leaf: number, n: number) => dual(OUTSIDE, inputs[leaf]![n]!, dx[leaf]![n]!);
  const y = evaluate(program, fn, given, at);
  return leavesOf(fn.result, y, (x) => primal(tangentAt(OUTSIDE, x)));
}

/** The tag of a derivative that the program does not take itself: below all of its own. */
const OUTSIDE = 0;

function evaluate(
  program: TProgram,
  fn: TFn,
  given: Sizes,
  at: (leaf: number, n: number) => Num,
): Value {
  const sizes = sizesOf(fn, given);
  let from = 0;
  const args = fn.params.map((p) => {
    const first = from;
    from += countLeaves(p.type);
    const next = new Map<number, number>();
    return build(p.type, sizes, (leaf) => {
      const n = next.get(leaf) ?? 0;
      next.set(leaf, n + 1);
      return at(first + leaf, n);
    });
  });
  return new Definition(program).call(fn, sizes, args);
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
  /** Of the innermost derivative that is being taken, and one more. */
  #tags = OUTSIDE + 1;

  constructor(program: TProgram) {
    this.#program = program;
  }

  call(fn: TFn, sizes: Sizes, given: readonly (Value | undefined)[]): Value {
    const args = this.#completed(fn, sizes, given);
    const tag = fn.derivative === undefined ? -1 : outermost(args.flatMap(numbersOf));
    if (tag >= 0) return this.#custom(fn, sizes, args, tag);
    const locals = new Map(fn.params.map((p, i) => [p.id, args[i]!]));
    return this.#eval({ sizes, locals }, fn.body);
  }

  /** What is left out has its default, which sees the parameters before it. */
  #completed(fn: TFn, sizes: Sizes, given: readonly (Value | undefined)[]): readonly Value[] {
    const locals = new Map<LocalId, Value>();
    return fn.params.map((p, i) => {
      const v = given[i] ?? this.#eval({ sizes, locals: new Map(locals) }, p.init!);
      locals.set(p.id, v);
      return v;
    });
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
        const call = (args: readonly (Value | undefined)[]) => {
          const own = x.params.map((p, i) => [p.id, args[i]!] as const);
          return this.#eval({ ...s, locals: new Map([...s.locals, ...own]) }, x.body);
        };
        return { k: 'fn', call };
      }
      case 'call':
        return apply(
          this.#eval(s, x.fn),
          x.args.map((a) => a && this.#eval(s, a)),
        );
      case 'inRange':
        return this.#eval(s, x.e);
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
      if (isNum(vs[0]!)) {
        return t === 'f32'
          ? f32Op(x.op, from, vs.map(num))
          : scalarOp(x.op, t, from, vs.map(number));
      }
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
    const t = dtypeOf(x.type);
    if (t !== 'f32' && (x.op === 'sum' || x.op === 'prod')) {
      return wholeReduced(x.op, t, values.map(number));
    }
    const picked = reduced[x.op](values.map(num));
    return t === 'f32' ? picked : wrap(t, primal(picked));
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

  /** One number of the argument after the other is moved; `ct` weighs the results, 1 for a number. */
  #gradient(f: Value, at: Value, ct?: Value): Value {
    const tag = this.#tags++;
    const weights = ct === undefined ? undefined : numbersOf(ct);
    const slope = (moved: number): Num => {
      let n = 0;
      const x = mapNumbers(
        at,
        (v) => (n++ === moved ? dual(tag, v, 1) : v),
        (v) => v,
      );
      return numbersOf(apply(f, [x])).reduce<Num>((sum, v, i) => {
        const d = tangentAt(tag, v);
        return d === 0 ? sum : add(sum, mul(weights?.[i] ?? 1, d));
      }, 0);
    };
    let n = 0;
    const out = mapNumbers(
      at,
      () => slope(n++),
      () => 0,
    );
    this.#tags--;
    return out;
  }

  /**
   * A function with a derivative of its own, at arguments that are moved. What functions among them use
   * of the values around them moves the result as it does by itself.
   */
  #custom(fn: TFn, sizes: Sizes, args: readonly Value[], tag: number): Value {
    const part = (of: (tag: number, x: Num) => Num) =>
      args.map((a) => mapNumbers(a, (x) => of(tag, x)));
    const [values, tangents] = [part(valueAt), part(tangentAt)];
    const rule = fn.derivative!;
    const moved = tangents.filter((_, i) => holdsReal(fn.params[i]!.type));
    const locals = new Map<LocalId, Value>();
    for (const [i, p] of rule.params.entries()) locals.set(p.id, values[i]!);
    for (const [i, t] of rule.tangents.entries()) locals.set(t.id, moved[i]!);
    const y = this.call(fn, sizes, values);
    return zipTrees([y, this.#eval({ sizes, locals }, rule.body)], ([v, d]) =>
      isNum(v!) && isNum(d!) ? withTangent(tag, v, d) : v!,
    );
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
        if (!isNum(other) || (x.type.k !== 'tensor' && x.type.k !== 'record')) return other;
        return build(x.type, s.sizes, () => other);
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
        return zipTrees([arg(0)], ([v]) => (isNum(v!) ? primal(v) : v!));
      case 'checkpoint':
        return apply(arg(0), [arg(1)]);
      case 'grad':
        return this.#gradient(arg(0), arg(1));
      case 'valueGrad': {
        const [f, at] = [arg(0), arg(1)];
        const gradient = this.#gradient(f, at);
        return record({ value: apply(f, [at]), gradient });
      }
      case 'vjp': {
        const [f, at, ct] = [arg(0), arg(1), arg(2)];
        const gradient = this.#gradient(f, at, ct);
        return record({ value: apply(f, [at]), gradient });
      }
      case 'jvp': {
        const [f, at, dx] = [arg(0), arg(1), arg(2)];
        const tag = this.#tags++;
        const y = apply(f, [zipTrees([at, dx], ([v, d]) => perturbed(tag, v!, d!))]);
        this.#tags--;
        const part = (of: (tag: number, x: Num) => Num) =>
          zipTrees([y], ([v]) => (isNum(v!) ? of(tag, v) : v!));
        return record({ value: part(valueAt), tangent: part(tangentAt) });
      }
      case 'split':
        return { k: 'key', words: split(keyOf(arg(0)), number(arg(1))) };
      case 'normal':
        return normal(keyOf(arg(0)), number(arg(1)));
      case 'uniform':
        return uniform(keyOf(arg(0)), number(arg(1)));
      case 'randint':
        return below(range(), drawn(keyOf(arg(0)), number(arg(1))));
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

/** The remainder of the first word, or of both where n is large. */
const below = (n: number, [a, b]: readonly [number, number]): number =>
  n <= 2 ** 16 ? a % n : Number((BigInt(a) * 2n ** 32n + BigInt(b)) % BigInt(n));

const record = (of: Readonly<Record<string, Value>>): Value => ({
  k: 'record',
  fields: new Map(Object.entries(of).map(([label, value]) => [label, { value, fixed: false }])),
});

const holdsReal = (t: Type): boolean =>
  t.k === 'tensor'
    ? holdsReal(t.elem)
    : t.k === 'record'
      ? t.fields.some((f) => holdsReal(f.type))
      : t.k === 'var' || (t.k === 'scalar' && t.s === 'f32');

/** What is no number (a key, an integer's tangent) is not moved. */
const perturbed = (tag: number, v: Value, d: Value): Value =>
  isNum(v) && isNum(d) ? dual(tag, v, d) : v;

function apply(f: Value, args: readonly (Value | undefined)[]): Value {
  if (typeof f === 'object' && 'k' in f && f.k === 'fn') return f.call(args);
  throw new Error('a function was expected');
}

function keyOf(v: Value): Key['words'] {
  if (typeof v === 'object' && 'k' in v && v.k === 'key') return v.words;
  throw new Error('a key was expected');
}
