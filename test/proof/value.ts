/**
 * Values of the exact interpreter, and what its arithmetic does to them.
 *
 * An integer is two numbers: what it is over the whole numbers (`x`: what an index, a tuple, a range or
 * a counter means) and what it is as a value of 32 bits (`w`: what is compared, cast, stored, reduced
 * or given to clamp and wrap). An f32 is a dual number in f64 (Clifford 1873): its value and one tangent.
 *
 * Invariant: every operation gives both numbers of an integer, so that no context has to be known before.
 */

export type Int = {
  readonly k: 'int';
  readonly t: 'i32' | 'u32';
  readonly x: bigint;
  readonly w: bigint;
};
export type Real = { readonly k: 'real'; readonly v: number; readonly d: number };
export type Key = readonly [high: number, low: number];
export type RecordValue = {
  readonly k: 'record';
  readonly fields: ReadonlyMap<string, { readonly value: Value; readonly fixed: boolean }>;
};
export type Value =
  | Int
  | Real
  | { readonly k: 'bool'; readonly v: boolean }
  | { readonly k: 'key'; readonly words: Key }
  | { readonly k: 'tensor'; readonly items: readonly Value[] }
  | RecordValue
  | { readonly k: 'fn'; readonly call: (args: readonly Value[]) => Value };

export const real = (v: number, d = 0): Real => ({ k: 'real', v, d });
export const tensor = (items: readonly Value[]): Value => ({ k: 'tensor', items });

/** Not a fault of a program: a tree that no generator may make. */
export class BadTree extends Error {
  override readonly name = 'BadTree';
}

export const bad = (what: string): never => {
  throw new BadTree(what);
};

// ---------------------------------------------------------------- integers

export const wrapped = (t: Int['t'], x: bigint): bigint =>
  t === 'i32' ? BigInt.asIntN(32, x) : BigInt.asUintN(32, x);

/** A number that is exact: a literal, a size, the value of an index. */
export const whole = (x: bigint): Int => ({ k: 'int', t: 'i32', x, w: x });

/** What is left of an integer where it is stored: its value of 32 bits. */
export const stored = (n: Int): Int => (n.x === n.w ? n : { ...n, x: n.w });

/** Rounds down; x // 0 is x. */
export function floorDiv(a: bigint, b: bigint): bigint {
  if (b === 0n) return a;
  const q = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q;
}

/** Has the sign of the divisor; x % 0 is 0. */
export const floorMod = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : a - b * floorDiv(a, b));

const exact = {
  '+': (a: bigint, b: bigint) => a + b,
  '-': (a: bigint, b: bigint) => a - b,
  '*': (a: bigint, b: bigint) => a * b,
  '//': floorDiv,
  '%': floorMod,
} as const;
export type IntOp = keyof typeof exact;

/** A literal takes the type of what it meets. */
export function intOp(op: IntOp, a: Int, b: Int): Int {
  const t = a.t === 'u32' || b.t === 'u32' ? 'u32' : 'i32';
  const f = exact[op];
  return { k: 'int', t, x: f(a.x, b.x), w: wrapped(t, f(a.w, b.w)) };
}

export const negated = (a: Int): Int => ({ k: 'int', t: a.t, x: -a.x, w: wrapped(a.t, -a.w) });

// ---------------------------------------------------------------- what was met on the way

/**
 * Whether f32 arithmetic in any order gives the same numbers: all of them, and all sums of magnitudes,
 * are small multiples of 1/32. And whether a gradient has a choice: a maximum that is reached twice.
 */
export class Meter {
  #peak = 0;
  #fine = true;
  tied = false;

  note(x: Real): Real {
    this.size(Math.abs(x.v));
    if (!Number.isInteger(x.v * 32)) this.#fine = false;
    return x;
  }

  size(magnitude: number): void {
    if (!(magnitude <= this.#peak)) this.#peak = magnitude;
  }

  /** How far two devices may be apart. */
  get slack(): number {
    return this.#fine && this.#peak <= 2 ** 18 ? 0 : 1e-5 * Math.max(1, this.#peak);
  }

  get peak(): number {
    return this.#peak;
  }
}

export function realOp(op: IntOp, a: Real, b: Real): Real {
  switch (op) {
    case '+':
      return real(a.v + b.v, a.d + b.d);
    case '-':
      return real(a.v - b.v, a.d - b.d);
    case '*':
      return real(a.v * b.v, a.v * b.d + a.d * b.v);
    case '//':
    case '%':
      return bad(`${op} of f32`);
  }
}

/** An operator on scalars, on tensors of one shape, or on a tensor and a scalar. */
export function lifted(
  a: Value,
  b: Value,
  f: (x: Value, y: Value) => Value,
  unequal: () => never,
): Value {
  if (a.k === 'tensor' && b.k === 'tensor') {
    if (a.items.length !== b.items.length) unequal();
    return tensor(a.items.map((x, i) => lifted(x, b.items[i]!, f, unequal)));
  }
  if (a.k === 'tensor') return tensor(a.items.map((x) => lifted(x, b, f, unequal)));
  if (b.k === 'tensor') return tensor(b.items.map((y) => lifted(a, y, f, unequal)));
  return f(a, b);
}

// ---------------------------------------------------------------- trees

/** All scalars that are not `fixed`, in order. */
export function leavesOf(v: Value): readonly Value[] {
  if (v.k === 'tensor') return v.items.flatMap(leavesOf);
  if (v.k === 'record') {
    return [...v.fields.values()].flatMap((f) => (f.fixed ? [] : leavesOf(f.value)));
  }
  return [v];
}

/** The first tree with each scalar replaced; `fixed` leaves stay as they are. */
export function mapTrees(
  trees: readonly Value[],
  f: (leaves: readonly Value[]) => Value,
  unequal: () => never,
): Value {
  const first = trees[0]!;
  if (first.k === 'tensor') {
    const rows = trees.map((t) => (t.k === 'tensor' ? t.items : unequal()));
    if (rows.some((r) => r.length !== first.items.length)) unequal();
    return tensor(
      first.items.map((_, i) =>
        mapTrees(
          rows.map((r) => r[i]!),
          f,
          unequal,
        ),
      ),
    );
  }
  if (first.k === 'record') {
    const others = trees.map((t) => (t.k === 'record' ? t.fields : unequal()));
    const fields = [...first.fields].map(([label, { value, fixed }]) => {
      const parts = others.map((o) => o.get(label)?.value ?? unequal());
      return [label, { value: fixed ? value : mapTrees(parts, f, unequal), fixed }] as const;
    });
    return { k: 'record', fields: new Map(fields) };
  }
  return f(trees);
}
