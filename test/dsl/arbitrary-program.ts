/**
 * Random well-typed programs in surface syntax, with sizes and inputs to run them.
 *
 * Type-directed: `Gen.f32`, `Gen.tensor`, ... write an expression of a type from what is in scope, so
 * every program must be accepted, and must run without an access out of range. `marks` says which
 * constructs a program uses; soundness.test.ts prints how often each one occurs.
 * Sizes carry their run-time value, so an index literal is written only where it is in range.
 */
import fc from 'fast-check';

/** A size as written, with its value; `form` is what an index may take apart. */
export type Sz = {
  readonly text: string;
  readonly value: number;
  readonly positive: boolean;
  readonly form?: { readonly k: 'product' | 'sum'; readonly parts: readonly [Sz, Sz] };
};

export type Ty =
  | { readonly k: 'f32' | 'bool' | 'i32' | 'key' }
  | { readonly k: 'idx'; readonly size: Sz }
  | { readonly k: 'tensor'; readonly dims: readonly Sz[]; readonly elem: 'f32' | Ty }
  | { readonly k: 'record'; readonly alias: string; readonly fields: readonly Field[] };
type Field = { readonly label: string; readonly type: Ty; readonly fixed: boolean };

type Var = { readonly name: string; readonly type: Ty };
type Index = { readonly name: string; readonly size: Sz };
type Helper = {
  readonly name: string;
  readonly params: readonly Var[];
  readonly result: Ty;
  readonly sizes: readonly string[];
};

export type Program = {
  readonly text: string;
  readonly main: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly marks: ReadonlySet<string>;
};

const F32: Ty = { k: 'f32' };

export class Rng {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** 0 <= result < n (xorshift-multiply; quality enough for choices). */
  below(n: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) % n;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(xs: readonly T[]): T {
    return xs[this.below(xs.length)]!;
  }
}

export function product(a: Sz, b: Sz): Sz {
  const wrap = (s: Sz) => (s.form === undefined ? s.text : `(${s.text})`);
  return {
    text: `${wrap(a)}*${wrap(b)}`,
    value: a.value * b.value,
    positive: a.positive && b.positive,
    form: { k: 'product', parts: [a, b] },
  };
}

export function sum(a: Sz, b: Sz): Sz {
  const wrap = (s: Sz) => (s.form?.k === 'sum' ? `(${s.text})` : s.text);
  return {
    text: `${wrap(a)} + ${wrap(b)}`,
    value: a.value + b.value,
    positive: a.positive || b.positive,
    form: { k: 'sum', parts: [a, b] },
  };
}

export function written(t: Ty): string {
  switch (t.k) {
    case 'idx':
      return `idx[${t.size.text}]`;
    case 'tensor':
      return `${t.elem === 'f32' ? 'f32' : written(t.elem)}[${t.dims.map((d) => d.text).join(', ')}]`;
    case 'record':
      return t.alias;
    default:
      return t.k;
  }
}

function same(a: Ty, b: Ty): boolean {
  return written(a) === written(b);
}

/** Writes the expressions of one function. */
class Gen {
  readonly rng: Rng;
  readonly sizes: readonly Sz[];
  readonly helpers: readonly Helper[];
  readonly marks: Set<string>;
  #names = 0;

  constructor(rng: Rng, sizes: readonly Sz[], helpers: readonly Helper[], marks: Set<string>) {
    this.rng = rng;
    this.sizes = sizes;
    this.helpers = helpers;
    this.marks = marks;
  }

  fresh(prefix: string): string {
    return `${prefix}${++this.#names}`;
  }

  mark(what: string, text: string): string {
    this.marks.add(what);
    return text;
  }

  size(): Sz {
    const atom = this.rng.pick(this.sizes);
    if (this.rng.chance(70)) return atom;
    const other = this.rng.pick(this.sizes);
    if (this.rng.chance(50)) {
      this.marks.add('product of sizes');
      return product(atom, other);
    }
    this.marks.add('sum of sizes');
    return sum(atom, other);
  }

  // -------------------------------------------------------------- binders

  /** `i: N`, `(h: H, w: W)` for a product, `_`-free; returns the indices it brings. */
  binder(size: Sz): { text: string; indices: Index[] } {
    if (size.form?.k === 'product' && this.rng.chance(70)) {
      this.marks.add('tuple binder');
      const [a, b] = size.form.parts.map((p) => this.binder(p));
      return { text: `(${a!.text}, ${b!.text})`, indices: [...a!.indices, ...b!.indices] };
    }
    const name = this.fresh('i');
    return { text: `${name}: ${size.text}`, indices: [{ name, size }] };
  }

  // -------------------------------------------------------------- indices

  /** An index that is in range of a dimension, or nothing when the scope offers none. */
  index(dim: Sz, s: Scope, d: number): string | undefined {
    const own = s.indices.filter((i) => i.size.text === dim.text);
    const options: (() => string | undefined)[] = [];
    if (own.length > 0) {
      const i = () => this.rng.pick(own).name;
      options.push(i, i, i, () => this.mark('affine index', `${paren(dim)} - 1 - ${i()}`));
    }
    if (dim.form?.k === 'product') {
      options.push(() => {
        const parts = dim.form!.parts.map((p) => this.index(p, s, d - 1));
        if (parts.some((p) => p === undefined)) return undefined;
        return this.mark('tuple index', `(${parts.join(', ')})`);
      });
    }
    if (dim.form?.k === 'sum') {
      const [a, b] = dim.form.parts;
      const left = this.index(a, s, d - 1);
      const right = this.index(b, s, d - 1);
      if (left !== undefined) options.push(() => this.mark('left', `left ${tight(left)}`));
      if (right !== undefined) options.push(() => this.mark('right', `right ${tight(right)}`));
    }
    if (dim.form === undefined && /^\d+$/.test(dim.text) && dim.value > 0) {
      options.push(() => String(this.rng.below(dim.value)));
    }
    const half = s.indices.find((i) => i.size.text === `2*${dim.text}`);
    if (half !== undefined) options.push(() => this.mark('// and %', `${half.name} // 2`));
    const data = s.vars.filter((v) => v.type.k === 'idx' && v.type.size.text === dim.text);
    if (data.length > 0) options.push(() => this.mark('idx from data', this.rng.pick(data).name));
    if (dim.positive && d > 0) {
      options.push(() => this.mark('clamp', `clamp(${this.i32(s, d - 1)})`));
      options.push(() => this.mark('wrap', `wrap(${this.i32(s, d - 1)})`));
      if (s.key !== undefined) {
        options.push(() => this.mark('randint', `randint(${this.key(s)}, ${this.rng.below(4)})`));
      }
    }
    return options.length === 0 ? undefined : this.rng.pick(options)();
  }

  i32(s: Scope, d: number): string {
    const options = [() => String(this.rng.below(5))];
    if (s.indices.length > 0) {
      const i = () => this.rng.pick(s.indices).name;
      options.push(
        () => `${i()} + ${this.rng.below(3)}`,
        () => `2 * ${i()} - 1`,
      );
      options.push(() => this.mark('// and %', `${i()} % 2`));
    }
    const cast = () => this.mark('i32', `i32(3 * tanh(${this.f32(s, d - 1)}))`);
    if (d > 0) options.push(cast, cast, cast);
    return this.rng.pick(options)();
  }

  key(s: Scope): string {
    return this.mark('split', `split(${s.key}, ${this.fresh('')})`);
  }

  // -------------------------------------------------------------- scalars

  /** Always in parentheses when it could bind wrongly. */
  f32(s: Scope, d: number): string {
    const leaf: (() => string)[] = [
      () => this.rng.pick(['0.5', '2', '1.25', '3']),
      ...s.vars.filter((v) => v.type.k === 'f32').map((v) => () => v.name),
      ...s.vars.filter((v) => v.type.k === 'f32').map((v) => () => v.name),
    ];
    if (s.indices.length > 0) {
      leaf.push(() => this.mark('cast of an index', `f32(${this.rng.pick(s.indices).name})`));
    }
    const records = s.vars.filter((v) => v.type.k === 'record');
    for (const v of records) {
      const fields = v.type.k === 'record' ? v.type.fields.filter((f) => f.type.k === 'f32') : [];
      for (const f of fields) leaf.push(() => this.mark('field', `${v.name}.${f.label}`));
    }
    const tensors = s.vars.filter((v) => isF32Tensor(v.type));
    for (const v of tensors) leaf.push(() => this.read(v, s, d) ?? '1.5');
    if (d <= 0) return this.rng.pick(leaf)();
    const e = () => this.f32(s, d - 1);
    const inner: (() => string)[] = [
      () => `(${e()} + ${e()})`,
      () => `(${e()} - ${e()})`,
      () => `(${e()} * ${e()})`,
      () => `(${e()} / (1 + ${e()}^2))`,
      () =>
        this.mark(
          'scalar function',
          `${this.rng.pick(['sin', 'cos', 'tanh', 'abs', 'erf'])}(${e()})`,
        ),
      () => this.mark('scalar function', `sqrt(1 + ${e()}^2)`),
      () => this.mark('min and max of two', `${this.rng.pick(['min', 'max'])}(${e()}, ${e()})`),
      () => this.mark('size as a value', `(${e()} * ${this.rng.pick(this.sizes).text})`),
      () => this.mark('if', `(if ${this.bool(s, d - 1)} then ${e()} else ${e()})`),
      () => this.mark('cast of a bool', `f32(${this.bool(s, d - 1)})`),
      () => this.reduce(s, d),
      () => this.reduce(s, d),
      () => this.foldScalar(s, d),
      () => this.derivative(s, d),
      () => this.mark('stop', `stop(${e()})`),
      () => this.mark('rounding', `${this.rng.pick(['f16', 'bf16', 'round', 'floor'])}(${e()})`),
      () => this.mark('lambda', `(${this.lambda(s, d)})(${e()})`),
      () => this.overTree(s, d) ?? e(),
      () => this.draw(s),
      () => this.padded(s, d) ?? e(),
      () => this.call(F32, s, d) ?? e(),
      ...tensors.map((v) => () => this.read(v, s, d) ?? '1.5'),
    ];
    return this.rng.pick(inner)();
  }

  bool(s: Scope, d: number): string {
    const options = [() => `${this.f32(s, d - 1)} > ${this.f32(s, d - 1)}`];
    if (s.indices.length > 1) {
      const i = () => this.rng.pick(s.indices).name;
      options.push(() => this.mark('comparison of indices', `${i()} <= ${i()}`));
    }
    if (d > 0) {
      options.push(() =>
        this.mark('logic', `not (${this.bool(s, d - 1)}) and (${this.bool(s, d - 1)})`),
      );
      options.push(() => {
        const b = this.binder(this.size());
        return this.mark(
          'all and any',
          `(${this.rng.pick(['all', 'any'])} ${b.text}. ${this.bool(within(s, b.indices), d - 1)})`,
        );
      });
    }
    return `(${this.rng.pick(options)()})`;
  }

  reduce(s: Scope, d: number): string {
    const size = this.size();
    const b = this.binder(size);
    const body = this.f32(within(s, b.indices), d - 1);
    const op = size.positive
      ? this.rng.pick(['sum', 'mean', 'max', 'min', 'prod'])
      : this.rng.pick(['sum', 'prod']);
    if (op === 'mean' || op === 'max' || op === 'min') this.marks.add('mean, max, min');
    return this.mark('reduction', `(${op} ${b.text}. (${body}))`);
  }

  foldScalar(s: Scope, d: number): string {
    const b = this.fresh('l');
    const carry = this.fresh('c');
    const size = this.rng.pick(this.sizes);
    const inner = within({ ...s, vars: [...s.vars, { name: carry, type: F32 }] }, [
      { name: b, size },
    ]);
    const body = `0.5 * ${carry} + ${this.f32(inner, d - 1)}`;
    if (this.rng.chance(40)) {
      const at = this.fresh('i');
      return this.mark(
        'scan',
        `(sum ${at}: ${size.text}. (scan ${carry} = ${this.f32(s, 0)} for ${b}: ${size.text}. ${body})[${at}])`,
      );
    }
    return this.mark('fold', `(fold ${carry} = ${this.f32(s, 0)} for ${b}: ${size.text}. ${body})`);
  }

  lambda(s: Scope, d: number): string {
    const v = this.fresh('v');
    return `${v} -> ${this.f32({ ...s, vars: [...s.vars, { name: v, type: F32 }] }, d - 1)}`;
  }

  derivative(s: Scope, d: number, which = this.rng.below(5)): string {
    const at = this.f32(s, 0);
    switch (which) {
      case 0:
        return this.mark('grad', `grad(${this.lambda(s, d)}, ${at})`);
      case 1:
        return this.mark(
          'valueGrad',
          `valueGrad(${this.lambda(s, d)}, ${at}).${this.rng.pick(['value', 'gradient'])}`,
        );
      case 2:
        return this.mark('jvp', `jvp(${this.lambda(s, d)}, ${at}, ${this.f32(s, 0)}).tangent`);
      case 3:
        return this.mark('vjp', `vjp(${this.lambda(s, d)}, ${at}, 1).gradient`);
      default:
        return this.mark('checkpoint', `checkpoint(${this.lambda(s, d)}, ${at})`);
    }
  }

  overTree(s: Scope, d: number): string | undefined {
    const trees = s.vars.filter((v) => v.type.k === 'record' || isF32Tensor(v.type));
    if (trees.length === 0) return undefined;
    const a = this.fresh('a');
    const body = this.f32({ ...s, vars: [...s.vars, { name: a, type: F32 }] }, Math.min(d - 1, 1));
    return this.mark(
      'reduction over a tree',
      `(sum ${a} in ${this.rng.pick(trees).name}. (${a} * ${body}))`,
    );
  }

  draw(s: Scope): string {
    if (s.key === undefined) return '0.25';
    const [i] = s.indices;
    const counter =
      i === undefined ? '0' : this.rng.chance(50) ? i.name : `(${i.name}, ${this.rng.below(3)})`;
    return this.mark('draw', `${this.rng.pick(['normal', 'uniform'])}(${this.key(s)}, ${counter})`);
  }

  /** A full read of a tensor: by the indices in scope, or under a sum that brings what is missing. */
  read(v: Var, s: Scope, d: number): string | undefined {
    if (v.type.k !== 'tensor') return undefined;
    const added: string[] = [];
    let scope = s;
    const ix = v.type.dims.map((dim) => {
      const found = this.index(dim, scope, Math.min(d, 1));
      if (found !== undefined) return found;
      const b = this.binder(dim);
      added.push(b.text);
      scope = within(scope, b.indices);
      return b.indices.length === 1
        ? b.indices[0]!.name
        : tupleOf(
            dim,
            b.indices.map((i) => i.name),
          );
    });
    const access = `${v.name}[${ix.join(', ')}]`;
    return added.length === 0 ? access : `(sum ${added.join(', ')}. ${access})`;
  }

  padded(s: Scope, d: number): string | undefined {
    const v = s.vars.find(
      (x) => isF32Tensor(x.type) && x.type.k === 'tensor' && x.type.dims.length === 1,
    );
    if (v === undefined) return undefined;
    return this.mark(
      'padded read',
      `(${v.name}[${this.i32(s, 0)} - 1] ?? ${this.f32(s, Math.min(d - 1, 1))})`,
    );
  }

  /**
   * A `let` that uses one construct on purpose, so that the rare ones are not rare: `v` is its name,
   * nothing when the scope does not offer it.
   */
  spice(s: Scope, v: string): { text: string; type: Ty } | undefined {
    const [A] = this.sizes as [Sz, ...Sz[]];
    const B = this.sizes[1]!;
    const two: Sz = { text: '2', value: 2, positive: true };
    const scalar = (text: string | undefined) =>
      text === undefined ? undefined : { text, type: F32 };
    const over = (size: Sz, body: (inner: Scope) => string) => {
      const b = this.binder(size);
      return `(sum ${b.text}. ${body(within(s, b.indices))})`;
    };
    const both: Sz = this.rng.chance(50) ? product(A, B) : sum(A, B);
    const made = this.tensor([both], s, 1);
    const local = `${v}t`;
    const readOf = (dims: readonly Sz[], value: string): { text: string; type: Ty } => {
      const t: Ty = { k: 'tensor', dims, elem: 'f32' };
      const inner = { ...s, vars: [...s.vars, { name: local, type: t }] };
      const reads = dims.map((dim) => {
        const parts = dim.form?.parts ?? [dim];
        const bs = parts.map((p) => ({ name: this.fresh('i'), size: p }));
        const index =
          this.index(dim, within(inner, bs), 2) ??
          (dim.form?.k === 'product' ? `(${bs.map((b) => b.name).join(', ')})` : undefined);
        return { bs, index };
      });
      const binders = reads
        .flatMap((r) => r.bs)
        .map((b) => `${b.name}: ${b.size.text}`)
        .join(', ');
      const ix = reads.map((r) => r.index ?? '0').join(', ');
      if (reads.some((r) => r.index === undefined)) return { text: '0.75', type: F32 };
      return { text: `(${local} -> sum ${binders}. ${local}[${ix}])(${value})`, type: F32 };
    };
    const options: (() => { text: string; type: Ty } | undefined)[] = [
      ...[0, 1, 2, 3, 4].map((n) => () => scalar(this.derivative(s, 2, n))),
      () => scalar(this.foldScalar(s, 2)),
      () => scalar(this.foldScalar(s, 2)),
      () => scalar(over(A, (inner) => this.draw(inner))),
      () => scalar(over(B, (inner) => this.draw(inner))),
      () => scalar(this.call(F32, s, 2)),
      () => scalar(this.call(F32, s, 2)),
      () => scalar(this.padded(s, 1)),
      () => scalar(this.overTree(s, 1)),
      () => readOf([both], made),
      () => readOf([both], made),
      () => readOf([product(two, A)], this.tensor([product(two, A)], s, 1)),
      () => {
        const at = this.fresh('i');
        const inner = within(s, [{ name: at, size: product(two, A) }]);
        const row: Ty = { k: 'tensor', dims: [A], elem: 'f32' };
        const i = this.index(A, { ...inner, vars: [] }, 0);
        return i === undefined
          ? undefined
          : {
              text: `(${local} -> for ${at}: 2*${A.text}. ${local}[${i}])(${this.value(row, s, 1)})`,
              type: { k: 'tensor', dims: [product(two, A)], elem: 'f32' },
            };
      },
      () => {
        const dims = [B, A];
        const i = this.index(B, s, 1);
        if (i === undefined) return undefined;
        return {
          text: this.mark(
            'partial index',
            `(${local} -> ${local}[${i}])(${this.tensor(dims, s, 1)})`,
          ),
          type: { k: 'tensor', dims: [A], elem: 'f32' },
        };
      },
      () => ({
        text: this.tensor([two, A], s, 2),
        type: { k: 'tensor', dims: [two, A], elem: 'f32' },
      }),
      () => ({
        text: this.mark('array literal', `[${this.f32(s, 1)}, ${this.f32(s, 1)}]`),
        type: { k: 'tensor', dims: [two], elem: 'f32' },
      }),
      () => ({
        text: this.mark('concat', `[..${this.tensor([A], s, 1)}, ..${this.tensor([B], s, 1)}]`),
        type: { k: 'tensor', dims: [sum(A, B)], elem: 'f32' },
      }),
      () =>
        scalar(
          over(
            A,
            (inner) =>
              `f32(${this.bool(within(inner, [{ name: inner.indices.at(-1)!.name, size: A }]), 1)})`,
          ),
        ),
      () => {
        const i = this.fresh('i');
        const j = this.fresh('i');
        return scalar(
          this.mark(
            'comparison of indices',
            `(sum ${i}: ${A.text}, ${j}: ${B.text}. f32(${i} == ${j}))`,
          ),
        );
      },
      () => {
        const r = s.vars.find((x) => x.type.k === 'record');
        return r === undefined
          ? undefined
          : {
              text: this.record(r.type as Extract<Ty, { k: 'record' }>, s, 2, false),
              type: r.type,
            };
      },
    ];
    return this.rng.pick(options)();
  }

  /** A call of an earlier function at its own sizes' names, with arguments by position or by name. */
  call(t: Ty, s: Scope, d: number): string | undefined {
    const fits = this.helpers.filter((h) => same(h.result, t));
    if (fits.length === 0 || d < 1) return undefined;
    const h = this.rng.pick(fits);
    const args = h.params.map((p) => {
      const value = p.type.k === 'key' ? this.key(s) : this.value(p.type, s, Math.min(d - 1, 1));
      return value;
    });
    if (h.params.some((p) => p.type.k === 'key') && s.key === undefined) return undefined;
    this.marks.add('call');
    const named = this.rng.chance(50);
    if (named) this.marks.add('named argument');
    const list = args.map((a, i) => (named ? `${h.params[i]!.name} = ${a}` : a)).join(', ');
    return this.mark(
      'explicit size',
      `${h.name}[${h.sizes.map((n) => `${n} = ${n}`).join(', ')}](${list})`,
    );
  }

  // -------------------------------------------------------------- tensors and records

  value(t: Ty, s: Scope, d: number): string {
    switch (t.k) {
      case 'f32':
        return this.f32(s, d);
      case 'bool':
        return this.bool(s, d);
      case 'i32':
        return this.i32(s, d);
      case 'key':
        return this.key(s);
      case 'idx':
        return this.index(t.size, s, 1) ?? '0';
      case 'tensor':
        return t.elem === 'f32' ? this.tensor(t.dims, s, d) : this.records(t, s, d);
      case 'record':
        return this.record(t, s, d);
    }
  }

  tensor(dims: readonly Sz[], s: Scope, d: number): string {
    const t: Ty = { k: 'tensor', dims, elem: 'f32' };
    const equal = s.vars.filter((v) => same(v.type, t)).map((v) => v.name);
    const longer = s.vars.filter(
      (v) =>
        v.type.k === 'tensor' &&
        v.type.elem === 'f32' &&
        v.type.dims.length === dims.length + 1 &&
        v.type.dims.slice(1).every((x, i) => x.text === dims[i]!.text),
    );
    const fields = s.vars.flatMap((v) =>
      v.type.k === 'record'
        ? v.type.fields.filter((f) => same(f.type, t)).map((f) => `${v.name}.${f.label}`)
        : [],
    );
    const loop = (): string => {
      const bs = dims.map((x) => this.binder(x));
      const body = this.f32(
        within(
          s,
          bs.flatMap((b) => b.indices),
        ),
        d - 1,
      );
      return this.mark('for', `(for ${bs.map((b) => b.text).join(', ')}. ${body})`);
    };
    if (d <= 0) return equal.length > 0 && this.rng.chance(80) ? this.rng.pick(equal) : loop();
    const inner = (): string => this.tensor(dims, s, d - 1);
    const options: (() => string | undefined)[] = [
      loop,
      loop,
      () => this.mark('pointwise', `(${inner()} ${this.rng.pick(['+', '-', '*'])} ${inner()})`),
      () => this.mark('pointwise', `(${this.f32(s, d - 1)} * ${inner()})`),
      () => {
        const a = this.fresh('a');
        const scope = { ...s, vars: [...s.vars, { name: a, type: F32 }] };
        return this.mark('each', `(each ${a} in ${inner()}. ${this.f32(scope, d - 1)})`);
      },
      () => {
        const carry = this.fresh('c');
        const l = this.fresh('l');
        const size = this.rng.pick(this.sizes);
        const scope = within({ ...s, vars: [...s.vars, { name: carry, type: t }] }, [
          { name: l, size },
        ]);
        return this.mark(
          'fold of a tensor',
          `(fold ${carry} = ${inner()} for ${l}: ${size.text}. ${this.tensor(dims, scope, d - 1)})`,
        );
      },
      () => this.mark('if', `(if ${this.bool(s, d - 1)} then ${inner()} else ${inner()})`),
      () => this.gradient(t, s, d),
      () => this.call(t, s, d),
      ...equal.map((n) => () => n),
      ...fields.map((n) => () => this.mark('field', n)),
      ...longer.map((v) => () => {
        const i = this.index((v.type as Extract<Ty, { k: 'tensor' }>).dims[0]!, s, 1);
        return i === undefined ? undefined : this.mark('partial index', `${v.name}[${i}]`);
      }),
    ];
    const [first] = dims;
    if (first?.form?.k === 'sum') {
      const [a, b] = first.form.parts;
      options.push(() =>
        this.mark(
          'concat',
          `[..${this.tensor([a, ...dims.slice(1)], s, d - 1)}, ..${this.tensor([b, ...dims.slice(1)], s, d - 1)}]`,
        ),
      );
    }
    if (/^\d$/.test(first!.text)) {
      const element = () =>
        dims.length === 1 ? this.f32(s, d - 1) : this.tensor(dims.slice(1), s, d - 1);
      options.push(() =>
        this.mark('array literal', `[${Array.from({ length: first!.value }, element).join(', ')}]`),
      );
    }
    return this.rng.pick(options)() ?? loop();
  }

  gradient(t: Extract<Ty, { k: 'tensor' }>, s: Scope, d: number): string {
    const v = this.fresh('v');
    const scope = { ...s, vars: [...s.vars, { name: v, type: t }] };
    return this.mark(
      'grad of a tensor',
      `grad(${v} -> ${this.f32(scope, Math.min(d - 1, 2))}, ${this.tensor(t.dims, s, 0)})`,
    );
  }

  /** `given`: the type is known from outside, so that a literal may name its fields in any order. */
  record(t: Extract<Ty, { k: 'record' }>, s: Scope, d: number, given = true): string {
    const equal = s.vars.filter((v) => same(v.type, t)).map((v) => v.name);
    const literal = () => {
      const fields = t.fields.map(
        (f) => `${f.label}: ${this.value(f.type, s, Math.min(d - 1, 1))}`,
      );
      if (given && this.rng.chance(30)) fields.reverse();
      return this.mark('record', `{ ${fields.join(', ')} }`);
    };
    if (equal.length === 0) return literal();
    const tree = this.rng.pick(equal);
    const a = this.fresh('a');
    const scope = { ...s, vars: [...s.vars, { name: a, type: F32 }] };
    const options = [
      literal,
      () => tree,
      () =>
        this.mark(
          'each of a record',
          `(each ${a} in ${tree}. ${this.f32(scope, Math.min(d - 1, 1))})`,
        ),
      () =>
        this.mark(
          'fold of a record',
          `(fold ${a} = ${tree} for ${this.fresh('l')}: 2. each ${a}x in ${a}. 0.5 * ${a}x)`,
        ),
    ];
    return this.rng.pick(options)();
  }

  records(t: Extract<Ty, { k: 'tensor' }>, s: Scope, d: number): string {
    const bs = t.dims.map((x) => this.binder(x));
    const elem = t.elem === 'f32' ? F32 : t.elem;
    const inner = within(
      s,
      bs.flatMap((b) => b.indices),
    );
    return this.mark(
      'array of records',
      `(for ${bs.map((b) => b.text).join(', ')}. ${this.value(elem, inner, d - 1)})`,
    );
  }
}

type Scope = {
  readonly vars: readonly Var[];
  readonly indices: readonly Index[];
  readonly key?: string;
};

function within(s: Scope, indices: readonly Index[]): Scope {
  return { ...s, indices: [...s.indices, ...indices] };
}

/** What `left` and `right` take: a name, a tuple or something in parentheses. */
function tight(index: string): string {
  return /^\w+$/.test(index) || /^\([^()]*\)$/.test(index) ? index : `(${index})`;
}

function paren(s: Sz): string {
  return s.form === undefined ? s.text : `(${s.text})`;
}

function isF32Tensor(t: Ty): boolean {
  return t.k === 'tensor' && t.elem === 'f32';
}

/** The names of a tuple binder as an index, nested as the size is. */
function tupleOf(size: Sz, names: string[]): string {
  if (size.form?.k !== 'product' || names.length === 1) return names.shift()!;
  const [a, b] = size.form.parts;
  const inLeft =
    a.form?.k === 'product' && names.length > 2
      ? names.splice(0, names.length - 1)
      : [names.shift()!];
  return `(${inLeft.length > 1 ? tupleOf(a, inLeft) : inLeft[0]!}, ${tupleOf(b, names)})`;
}

/** One program: a record type, one or two functions that later ones call, and `main`. */
export function generate(seed: number): Program {
  const rng = new Rng(seed);
  const marks = new Set<string>();
  const positive = rng.chance(70);
  const values = { A: 1 + rng.below(3), B: 1 + rng.below(3) };
  const A: Sz = { text: 'A', value: values.A, positive };
  const B: Sz = { text: 'B', value: values.B, positive: true };
  const literal = (n: number): Sz => ({ text: String(n), value: n, positive: true });
  const sizes = [A, B, literal(2 + rng.below(2)), A, B];
  const facts = [positive ? 'A >= 1' : '', 'B >= 1'].filter((f) => f !== '');
  marks.add('where');
  const shapes = new Gen(rng, sizes, [], marks);
  const tensor = (n: number): Ty => ({
    k: 'tensor',
    dims: Array.from({ length: n }, () => shapes.size()),
    elem: 'f32',
  });
  const record: Ty = {
    k: 'record',
    alias: 'R[A, B]',
    fields: [
      { label: 'w', type: tensor(1 + rng.below(2)), fixed: false },
      { label: '0', type: F32, fixed: false },
    ],
  };
  if (rng.chance(30)) marks.add('numeric label');
  const declared = record.fields.map((f) => `${f.label}: ${written(f.type)}`).join(', ');
  let text = `type R[A, B] = { ${declared} }\n`;
  const helpers: Helper[] = [];
  const count = 1 + rng.below(2);
  for (let n = 0; n <= count; n++) {
    const name = n === count ? 'main' : `f${n}`;
    const gen = new Gen(rng, sizes, helpers, marks);
    const params: Var[] = [
      { name: 'x', type: tensor(1 + rng.below(2)) },
      { name: 'y', type: F32 },
    ];
    if (rng.chance(60)) params.push({ name: 'r', type: record });
    if (rng.chance(30)) params.push({ name: 'rs', type: { k: 'tensor', dims: [B], elem: record } });
    if (rng.chance(30)) params.push({ name: 'at', type: { k: 'idx', size: B } });
    const key = rng.chance(40) ? 'k' : undefined;
    if (key !== undefined) params.push({ name: key, type: { k: 'key' } });
    const result: Ty = rng.chance(40) ? F32 : rng.chance(60) ? tensor(1 + rng.below(2)) : record;
    let scope: Scope = { vars: params, indices: [], key };
    const lets: string[] = [];
    for (let i = rng.below(3); i > 0; i--) {
      const v: Var = {
        name: gen.fresh('v'),
        type: rng.chance(50) ? F32 : tensor(1 + rng.below(2)),
      };
      const type = rng.chance(30) ? gen.mark('let with a type', `: ${written(v.type)}`) : '';
      lets.push(`  let ${v.name}${type} = ${gen.value(v.type, scope, 2)}\n`);
      marks.add('let');
      scope = { ...scope, vars: [...scope.vars, v] };
    }
    for (let i = 0; i < 2; i++) {
      const name = gen.fresh('v');
      const spice = gen.spice(scope, name);
      if (spice === undefined) continue;
      lets.push(`  let ${name} = ${spice.text}\n`);
      scope = { ...scope, vars: [...scope.vars, { name, type: spice.type }] };
    }
    if (params.some((p) => p.name === 'rs')) {
      const one = gen.fresh('v');
      const at = gen.index(B, scope, 1);
      if (at !== undefined) {
        lets.push(`  let ${one} = ${gen.mark('array of records', `rs[${at}]`)}\n`);
        scope = { ...scope, vars: [...scope.vars, { name: one, type: record }] };
      }
    }
    const body = gen.value(result, scope, 3);
    const head = params.map((p) => `${p.name}: ${written(p.type)}`).join(', ');
    text += `fn ${name}[A, B](${head}): ${written(result)} where ${facts.join(', ')} =\n${lets.join('')}  ${body}\n`;
    helpers.push({ name, params, result, sizes: ['A', 'B'] });
  }
  return { text, main: 'main', sizes: values, marks };
}

export const arbitraryProgram: fc.Arbitrary<Program> = fc
  .noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 }))
  .map(generate);
