import {
  bool,
  castE,
  f32,
  i32,
  indexE,
  insideE,
  prim,
  readE,
  selectE,
  u32,
} from '../../compiler/core/expr.ts';
import {
  addIx,
  divIx,
  extentsOf,
  interval,
  ixAxis,
  ixConst,
  ixVal,
  modIx,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import type { Axis, Expr, Guard, Ix, Prim, Var } from '../../compiler/core.ts';

export type CoreOptions = {
  /** Everything f32 is smooth in the f32 inputs (for finite differences). Default false. */
  readonly smooth?: boolean;
  /** Default true each. */
  readonly ints?: boolean;
  readonly folds?: boolean;
  readonly segsums?: boolean;
  /** Data-dependent indices. */
  readonly vals?: boolean;
  readonly bits?: boolean;
  readonly consts?: boolean;
  /** Blocks with a custom derivative (the true one). Default false. */
  readonly customs?: boolean;
  /** Statements at the top level, at most; default 6. */
  readonly statements?: number;
  /** Default [1, 2, 3, 5]. */
  readonly extents?: readonly number[];
};

export function withDefaults(o: CoreOptions): Required<CoreOptions> {
  return {
    smooth: o.smooth ?? false,
    ints: o.ints ?? true,
    folds: o.folds ?? true,
    segsums: o.segsums ?? true,
    vals: o.vals ?? true,
    bits: o.bits ?? true,
    consts: o.consts ?? true,
    customs: o.customs ?? false,
    statements: o.statements ?? 6,
    extents: o.extents ?? [1, 2, 3, 5],
  };
}

/** A list of numbers read as choices; past its end every choice is 0, the simplest. */
export class Choices {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get spent(): boolean {
    return this.#at >= this.#numbers.length;
  }

  /** 0..n-1 */
  pick(n: number): number {
    const c = this.#numbers[this.#at++] ?? 0;
    return n <= 1 ? 0 : c % n;
  }

  chance(oneIn: number): boolean {
    return this.pick(oneIn) === oneIn - 1;
  }

  of<T>(xs: readonly T[]): T {
    return xs[this.pick(xs.length)]!;
  }

  /** Few digits, or any value in [-1.5, 1.5] with 16 bits. */
  literal(): number {
    const any = ((this.pick(0x10000) - 0x8000) / 0x8000) * 1.5;
    return this.of([1, 0, 0.5, -1, 2, any]);
  }
}

/** An expression with a bound on |value| (f32) or the interval [0, bound) (i32). */
export type Bounded = { readonly e: Expr; readonly bound: number };
/** A variable in scope, likewise. */
export type Known = { readonly x: Var; readonly bound: number };

export const tame = 3;

const smoothUnary: readonly ((x: Bounded) => Bounded)[] = [
  (x) => ({ e: prim('neg', x.e), bound: x.bound }),
  (x) => ({ e: prim('sin', x.e), bound: 1 }),
  (x) => ({ e: prim('tanh', x.e), bound: 1 }),
  (x) => ({ e: prim('cos', x.e), bound: 1 }),
  (x) => ({ e: prim('erf', x.e), bound: 1 }),
  (x) => ({ e: prim('exp', small(x).e), bound: Math.exp(small(x).bound) }),
  (x) => ({ e: prim('log', onePlusSquare(x)), bound: Math.log1p(x.bound ** 2) }),
  (x) => ({ e: prim('sqrt', onePlusSquare(x)), bound: 1 + x.bound }),
  (x) => ({ e: prim('pow', onePlusSquare(x), f32(1.5)), bound: (1 + x.bound ** 2) ** 1.5 }),
  (x) => ({ e: prim('stop', x.e), bound: x.bound }),
];

const kinkedUnary: readonly ((x: Bounded) => Bounded)[] = [
  (x) => ({ e: prim('abs', x.e), bound: x.bound }),
  (x) => ({ e: prim('sign', x.e), bound: 1 }),
  (x) => ({ e: prim('floor', x.e), bound: x.bound + 1 }),
  (x) => ({ e: prim('ceil', x.e), bound: x.bound + 1 }),
  (x) => ({ e: prim('round', x.e), bound: x.bound + 1 }),
  (x) => ({ e: prim('f16', x.e), bound: x.bound * 1.01 }),
  (x) => ({ e: prim('bf16', x.e), bound: x.bound * 1.01 }),
];

const smoothBinary: readonly ((x: Bounded, y: Bounded) => Bounded)[] = [
  (x, y) => ({ e: prim('mul', x.e, y.e), bound: x.bound * y.bound }),
  (x, y) => ({ e: prim('add', x.e, y.e), bound: x.bound + y.bound }),
  (x, y) => ({ e: prim('sub', x.e, y.e), bound: x.bound + y.bound }),
  (x, y) => ({ e: prim('div', x.e, onePlusSquare(y)), bound: x.bound }),
];

const kinkedBinary: readonly ((x: Bounded, y: Bounded) => Bounded)[] = [
  (x, y) => ({ e: prim('min', x.e, y.e), bound: Math.max(x.bound, y.bound) }),
  (x, y) => ({ e: prim('max', x.e, y.e), bound: Math.max(x.bound, y.bound) }),
];

function onePlusSquare(x: Bounded): Expr {
  return prim('add', f32(1), prim('mul', x.e, x.e));
}

/** Scaled down until it is tame; linear, so it keeps whatever depends on it visible. */
export function small(x: Bounded): Bounded {
  if (x.bound <= tame) return x;
  const scale = 2 ** -Math.ceil(Math.log2(x.bound / tame));
  return { e: prim('mul', f32(scale), x.e), bound: x.bound * scale };
}

/** Expressions over the axes of one nest; earlier ones may be shared. */
export class Body {
  readonly #g: Choices;
  readonly #o: Required<CoreOptions>;
  readonly #scope: readonly Known[];
  readonly #axes: readonly Axis[];
  readonly #made: Bounded[] = [];

  constructor(
    g: Choices,
    o: Required<CoreOptions>,
    scope: readonly Known[],
    axes: readonly Axis[],
  ) {
    this.#g = g;
    this.#o = o;
    this.#scope = scope;
    this.#axes = axes;
  }

  // -------------------------------------------------------------- values

  f32(depth: number): Bounded {
    const out = small(this.#f32(depth));
    this.#made.push(out);
    return out;
  }

  #f32(depth: number): Bounded {
    const g = this.#g;
    const { smooth, ints, bits } = this.#o;
    if (depth === 0) return this.#leaf();
    switch (g.pick(10)) {
      case 0:
      case 1:
      case 2:
        return this.#leaf();
      case 3:
      case 4:
        return g.of(smooth ? smoothUnary : [...smoothUnary, ...kinkedUnary])(this.f32(depth - 1));
      case 5:
        return this.#made.length > 0 ? g.of(this.#made) : this.#leaf();
      case 6: {
        const [a, b] = [this.f32(depth - 1), this.f32(depth - 1)];
        return { e: selectE(this.bool(2), a.e, b.e), bound: Math.max(a.bound, b.bound) };
      }
      case 7:
        if (bits && g.chance(3)) return this.#uniform();
        if (ints && g.chance(2)) return this.#fromInt();
        break;
    }
    const f = g.of(smooth ? smoothBinary : [...smoothBinary, ...kinkedBinary]);
    return f(this.f32(depth - 1), this.f32(depth - 1));
  }

  #leaf(): Bounded {
    const g = this.#g;
    if (g.chance(6)) {
      const v = g.literal();
      return { e: f32(v), bound: Math.abs(v) };
    }
    const floats = this.#scope.filter((k) => k.x.t === 'f32');
    // Later values more often, so that programs are chains and not only fans.
    const k = g.chance(2) ? floats.at(-1)! : g.of(floats);
    return { e: this.read(k.x), bound: k.bound };
  }

  #fromInt(): Bounded {
    const n = this.i32(2);
    // Any integer is made small by a remainder.
    const e = prim('mod', n.e, i32(7));
    return { e: prim('mul', f32(0.25), castE('f32', e)), bound: 1.5 };
  }

  /** Uniform in [0, 1) with 24 bits, as a draw of the language. */
  #uniform(): Bounded {
    const counter = castE('u32', this.i32(1).e);
    const word = prim(this.#g.of(['bits0', 'bits1'] as const), u32(7), u32(1), u32(0), counter);
    const top = castE('f32', prim('idiv', word, u32(256)));
    return { e: prim('mul', f32(2 ** -24), top), bound: 1 };
  }

  bool(depth: number): Expr {
    const g = this.#g;
    const { smooth, ints } = this.#o;
    if (depth > 0) {
      switch (g.pick(5)) {
        case 3:
          return prim('not', this.bool(depth - 1));
        case 4:
          return prim(
            g.of(['and', 'or', 'eq', 'ne'] as const),
            this.bool(depth - 1),
            this.bool(depth - 1),
          );
      }
    }
    const compare = g.of<Prim>(['lt', 'le', 'gt', 'ge', 'eq', 'ne']);
    const bools = this.#scope.filter((k) => k.x.t === 'bool');
    if (bools.length > 0 && g.chance(3)) return this.read(g.of(bools).x);
    if (!smooth && g.chance(3)) return prim(compare, this.f32(1).e, this.f32(1).e);
    if (!smooth && g.chance(8)) return prim('isfinite', this.f32(1).e);
    if (ints && g.chance(2)) return prim(compare, this.i32(1).e, this.i32(1).e);
    if (this.#axes.length > 0) {
      const a = g.of(this.#axes);
      const lo = g.pick(a.extent);
      return insideE([{ e: ixAxis(a), lo, hi: lo + 1 + g.pick(a.extent) }]);
    }
    return bool(g.chance(2));
  }

  /** An i32 in [0, bound); infinite where it may be anything. */
  i32(depth: number): Bounded {
    const g = this.#g;
    const ints = this.#o.ints ? this.#scope.filter((k) => k.x.t === 'i32') : [];
    if (depth > 0 && g.chance(3)) {
      const [a, b] = [this.i32(depth - 1), this.i32(depth - 1)];
      switch (g.pick(7)) {
        case 0:
          return { e: prim('add', a.e, b.e), bound: a.bound + b.bound };
        case 1:
          return { e: prim('mul', a.e, b.e), bound: a.bound * b.bound };
        case 2:
          return { e: prim('mod', a.e, i32(3)), bound: 3 };
        case 3:
          return { e: prim('idiv', a.e, i32(2)), bound: a.bound };
        case 4:
          return { e: prim('sub', a.e, b.e), bound: Infinity };
        case 5:
          return { e: prim('max', a.e, b.e), bound: Math.max(a.bound, b.bound) };
        default:
          return { e: selectE(this.bool(1), a.e, b.e), bound: Math.max(a.bound, b.bound) };
      }
    }
    if (ints.length > 0 && g.chance(2)) {
      const k = g.of(ints);
      return { e: this.read(k.x), bound: k.bound };
    }
    if (this.#axes.length > 0) {
      const a = g.of(this.#axes);
      return { e: indexE(ixAxis(a)), bound: a.extent };
    }
    const v = g.pick(4);
    return { e: i32(v), bound: v + 1 };
  }

  // -------------------------------------------------------------- reads

  read(x: Var): Expr {
    const { ixs, guard } = this.indices(x.shape);
    return readE(x, ixs, guard);
  }

  /** An index per dimension, in range wherever the guards hold. */
  indices(shape: readonly number[]): { ixs: readonly Ix[]; guard: readonly Guard[] } {
    const guard: Guard[] = [];
    const ixs = shape.map((n) => this.#index(n, guard));
    if (this.#axes.length > 0 && this.#g.chance(12)) {
      // A guard that has nothing to do with ranges.
      const a = this.#g.of(this.#axes);
      guard.push({ e: ixAxis(a), lo: this.#g.pick(2), hi: a.extent });
    }
    return { ixs, guard };
  }

  #index(n: number, guard: Guard[]): Ix {
    const g = this.#g;
    const extents = extentsOf(this.#axes);
    // The candidate forms in order of difficulty; those that do not fit are made to, by a guard.
    const form = g.pick(10);
    const fit = this.#axes.filter((a) => a.extent <= n);
    if (form < 4 && fit.length > 0) {
      const a = g.of(fit);
      const shift = g.pick(n - a.extent + 1);
      const last = a.extent - 1 + shift;
      return form < 3 ? shiftIx(ixAxis(a), shift) : shiftIx(scaleIx(ixAxis(a), -1), last);
    }
    if (this.#axes.length === 0 || form === 4) return ixConst(g.pick(n));
    if (form === 5 && this.#o.vals) {
      const k = this.i32(1);
      const e = k.bound <= n ? k.e : prim('mod', k.e, i32(n));
      return ixVal(e, n);
    }
    const a = ixAxis(g.of(this.#axes));
    const b = ixAxis(g.of(this.#axes));
    const free = this.#free(a, b);
    const { lo, hi } = interval(free, extents);
    if (lo >= 0 && hi < n) return free;
    if (hi - lo < n && g.chance(2)) return shiftIx(free, -lo);
    if (g.chance(2)) return modIx(free, n, extents);
    const whole = !g.chance(4);
    guard.push({ e: free, lo: whole ? 0 : g.pick(n), hi: n });
    return free;
  }

  /** Any index over two axes. */
  #free(a: Ix, b: Ix): Ix {
    const g = this.#g;
    const extents = extentsOf(this.#axes);
    switch (g.pick(7)) {
      case 0:
        return shiftIx(a, g.of([-1, 1, -2, 2]));
      case 1:
        return shiftIx(scaleIx(a, g.of([2, 3, -2])), g.of([0, 1, -1]));
      case 2:
        return addIx(a, b);
      case 3:
        return addIx(scaleIx(a, 1 + interval(b, extents).hi), b);
      case 4:
        return divIx(shiftIx(a, g.of([0, 1])), g.of([2, 3]), extents);
      case 5:
        return modIx(addIx(scaleIx(a, 2), b), g.of([2, 3, 5]), extents);
      default:
        return shiftIx(addIx(scaleIx(a, g.of([2, 1, -1])), scaleIx(b, -1)), g.of([0, 1, 2]));
    }
  }
}
