/**
 * A function body as a graph of values in a tree of loops. Values are shared by structure and are
 * computed once, in the outermost loop that binds all they depend on; loop-carried addresses step by
 * constants instead of being multiplied out.
 *
 * Invariant: a value belongs to one scope, that of its deepest operand (or a deeper one that was
 * asked for, when it reads what the function itself writes). It is emitted just before the first
 * item of that scope that needs it, so it may depend on the effects of earlier items.
 *
 * Numbers are i32, and addresses are sums modulo 2^32: however a sum is stepped or multiplied out, it
 * ends right when its value fits. Counters of loops are compared as signed numbers: axes have fewer than
 * 2^31 steps (compiler/bounds), and where a loop steps by more than one, its end is a whole number of
 * steps from its beginning or the end of something stored, far below 2^31.
 */
import { type Code, type Fn, f32Bytes, i32Bytes, ins, type Op, op, type Ty } from './binary.ts';
import * as C from './congruence.ts';

export type Node = {
  readonly id: number;
  readonly ty: Ty;
  readonly args: readonly Node[];
  readonly code: Code;
  readonly scope: Scope;
  /** Constants that are cheaper to repeat than to keep. */
  readonly cheap: boolean;
  /** The value of an i32 constant. */
  readonly value?: number;
  /** What is known of an i32 that does not wrap, as the ends of loops and what they count do not. */
  readonly congruence: C.Congruence;
  uses: number;
  local: number;
};

type Induct = { readonly node: Node; readonly prefix: Node | undefined; readonly by: number };

type Item =
  | { readonly k: 'effect'; readonly args: readonly Node[]; readonly code: Code }
  | { readonly k: 'keep'; readonly args: readonly Node[] }
  | {
      readonly k: 'loop';
      readonly body: Scope;
      readonly lo: number | Node;
      readonly hi: number | Node;
      readonly step: number;
      readonly counter: number;
    }
  | { readonly k: 'if'; readonly cond: Node; readonly then: Scope; readonly other: Scope };

export class Scope {
  readonly graph: Graph;
  readonly parent: Scope | undefined;
  readonly depth: number;
  /** Of what the loop counts. */
  readonly congruence: C.Congruence;
  readonly items: Item[] = [];
  readonly inducts: Induct[] = [];
  readonly imports = new Set<Node>();
  readonly id: number;

  constructor(graph: Graph, parent: Scope | undefined, id: number, counts = C.unknown) {
    this.graph = graph;
    this.parent = parent;
    this.congruence = counts;
    this.depth = parent ? parent.depth + 1 : 0;
    this.id = id;
  }

  /** Evaluates the arguments onto the stack and runs the code, which leaves nothing. */
  effect(args: readonly Node[], code: Code): void {
    this.items.push({ k: 'effect', args, code });
  }

  /** Computes values here and now. */
  keep(args: readonly Node[]): void {
    this.items.push({ k: 'keep', args });
  }

  loop(lo: number | Node, hi: number | Node, step: number): Scope {
    const from = typeof lo === 'number' ? C.exactly(lo) : lo.congruence;
    const counts = C.plus(from, C.congruence(step, 0));
    const body = new Scope(this.graph, this, this.graph.scopes++, counts);
    const counter = this.graph.fn.local('i32');
    this.items.push({ k: 'loop', body, lo, hi, step, counter });
    return body;
  }

  branch(cond: Node): { then: Scope; other: Scope } {
    const then = new Scope(this.graph, this, this.graph.scopes++);
    const other = new Scope(this.graph, this, this.graph.scopes++);
    this.items.push({ k: 'if', cond, then, other });
    return { then, other };
  }
}

const deeper = (a: Scope, b: Scope): Scope => (b.depth > a.depth ? b : a);

export class Graph {
  readonly fn: Fn;
  scopes = 0;
  readonly root: Scope;
  readonly #byKey = new Map<string, Node>();
  #nodes = 0;

  constructor(fn: Fn) {
    this.fn = fn;
    this.root = new Scope(this, undefined, this.scopes++);
  }

  #make(
    key: string | undefined,
    n: Omit<Node, 'id' | 'uses' | 'congruence'> & Partial<Pick<Node, 'congruence'>>,
  ): Node {
    const node: Node = { congruence: C.unknown, ...n, id: this.#nodes++, uses: 0 };
    if (key !== undefined) this.#byKey.set(key, node);
    return node;
  }

  /** The value of an instruction; `min` keeps it from moving out of a scope. */
  node(
    ty: Ty,
    code: Code,
    args: readonly Node[],
    min?: Scope,
    version = 0,
    congruence = C.unknown,
  ): Node {
    const key = `${code.join()}|${args.map((a) => a.id).join()}|${min?.id ?? ''}|${version}`;
    const known = this.#byKey.get(key);
    if (known) return known;
    const scope = args.reduce((s, a) => deeper(s, a.scope), min ?? this.root);
    return this.#make(key, { ty, args, code, scope, cheap: false, congruence, local: -1 });
  }

  op(name: Op, ty: Ty, ...args: Node[]): Node {
    return this.node(ty, op[name], args);
  }

  i32(v: number): Node {
    const key = `i${v | 0}`;
    const known = this.#byKey.get(key);
    if (known) return known;
    const code = ins.i32(v);
    return this.#make(key, {
      ty: 'i32',
      args: [],
      code,
      scope: this.root,
      cheap: true,
      value: v | 0,
      congruence: C.exactly(v | 0),
      local: -1,
    });
  }

  f32(v: number): Node {
    return this.node('f32', ins.f32(v), []);
  }

  /** Four equal lanes. */
  lanes(t: 'f32' | 'i32', v: number): Node {
    const b = t === 'f32' ? f32Bytes(v) : i32Bytes(v);
    return this.node('v128', ins.v128([...b, ...b, ...b, ...b]), []);
  }

  lanesOf(v: readonly number[]): Node {
    return this.node('v128', ins.v128(v.flatMap(i32Bytes)), []);
  }

  param(i: number, ty: Ty): Node {
    const key = `p${i}`;
    return (
      this.#byKey.get(key) ??
      this.#make(key, { ty, args: [], code: ins.get(i), scope: this.root, cheap: true, local: i })
    );
  }

  /** The value of an instruction at the one place that uses it, e.g. of memory about to change. */
  fresh(ty: Ty, code: Code, args: readonly Node[], scope: Scope): Node {
    return this.#make(undefined, { ty, args, code, scope, cheap: false, local: -1 });
  }

  /** What a local holds after the items so far of a scope. */
  read(local: number, ty: Ty, scope: Scope): Node {
    return this.#make(undefined, {
      ty,
      args: [],
      code: ins.get(local),
      scope,
      cheap: true,
      local: -1,
    });
  }

  /** prefix + by * (the value of the loop's axis); the prefix belongs to an outer scope. */
  induct(prefix: Node | undefined, loop: Scope, by: number): Node {
    const key = `n${prefix?.id ?? ''}|${loop.id}|${by}`;
    const known = this.#byKey.get(key);
    if (known) return known;
    const local = this.fn.local('i32');
    const congruence = C.plus(prefix?.congruence ?? C.exactly(0), C.times(loop.congruence, by));
    const node = this.#make(key, {
      ty: 'i32',
      args: [],
      code: ins.get(local),
      scope: loop,
      cheap: true,
      congruence,
      local,
    });
    loop.inducts.push({ node, prefix, by });
    return node;
  }

  /** Sum of by * (axis of the loop), outermost loops first so that inner ones only step. */
  affine(terms: readonly (readonly [loop: Scope, by: number])[]): Node | undefined {
    const by = new Map<Scope, number>();
    for (const [loop, m] of terms) by.set(loop, (by.get(loop) ?? 0) + m);
    return [...by]
      .sort((a, b) => a[0].depth - b[0].depth)
      .reduce<Node | undefined>((n, [loop, by]) => this.induct(n, loop, by), undefined);
  }

  add(a: Node, b: Node): Node {
    if (a.value !== undefined && b.value !== undefined) return this.i32(a.value + b.value);
    if (a.value === 0) return b;
    if (b.value === 0) return a;
    const known = C.plus(a.congruence, b.congruence);
    return this.node('i32', op['i32.add'], [a, b], undefined, 0, known);
  }

  times(a: Node, m: number): Node {
    if (a.value !== undefined) return this.i32(Math.imul(a.value, m));
    if (m === 1) return a;
    // Modulo 2^32, as all arithmetic on addresses is: shifts by 32 and more are not.
    if ((m | 0) === 0) return this.i32(0);
    const shift = m > 0 && Number.isInteger(Math.log2(m));
    const by = this.i32(shift ? Math.log2(m) : m);
    const known = C.times(a.congruence, m);
    return this.node('i32', op[shift ? 'i32.shl' : 'i32.mul'], [a, by], undefined, 0, known);
  }

  // ------------------------------------------------------------------ emission

  finish(): void {
    analyse(this.root);
    this.#scope(this.root);
  }

  #value(n: Node): void {
    const { fn } = this;
    if (n.local >= 0) {
      fn.emit(ins.get(n.local));
      return;
    }
    for (const a of n.args) this.#value(a);
    fn.emit(n.code);
    if (!n.cheap && n.uses > 1) {
      n.local = fn.local(n.ty);
      fn.emit(ins.tee(n.local));
    }
  }

  #keep(n: Node): void {
    if (n.local >= 0 || n.cheap) return;
    for (const a of n.args) this.#value(a);
    n.local = this.fn.local(n.ty);
    this.fn.emit(n.code, ins.set(n.local));
  }

  #import(child: Scope, here: Scope): void {
    for (const n of child.imports) if (n.scope === here) this.#keep(n);
  }

  #scope(s: Scope): void {
    const { fn } = this;
    for (const item of s.items) {
      switch (item.k) {
        case 'effect':
          for (const a of item.args) this.#value(a);
          fn.emit(item.code);
          break;
        case 'keep':
          for (const a of item.args) this.#keep(a);
          break;
        case 'if':
          this.#import(item.then, s);
          this.#import(item.other, s);
          this.#value(item.cond);
          fn.emit(ins.if);
          this.#scope(item.then);
          if (item.other.items.length > 0) {
            fn.emit(ins.else);
            this.#scope(item.other);
          }
          fn.emit(ins.end);
          break;
        case 'loop':
          // What would be computed for a body that never runs may not be there.
          if (isEmpty(item)) break;
          this.#import(item.body, s);
          this.#loop(item);
          break;
      }
    }
  }

  #loop(item: Extract<Item, { k: 'loop' }>): void {
    const { fn } = this;
    const { lo, hi, step, counter, body } = item;
    const known = typeof lo === 'number' && typeof hi === 'number';
    const bound = (b: number | Node): void => {
      if (typeof b === 'number') fn.emit(ins.i32(b));
      else this.#value(b);
    };
    if (typeof hi !== 'number') this.#keep(hi);
    bound(lo);
    fn.emit(ins.set(counter));
    for (const { node, prefix, by } of body.inducts) {
      if (typeof lo === 'number') {
        // Modulo 2^32, and exactly: the product of numbers may be beyond 2^53.
        const start = Math.imul(lo, by);
        if (prefix) this.#value(prefix);
        if (start !== 0 || !prefix) fn.emit(ins.i32(start));
        if (start !== 0 && prefix) fn.emit(op['i32.add']);
      } else {
        fn.emit(ins.get(counter), ins.i32(by), op['i32.mul']);
        if (prefix) {
          this.#value(prefix);
          fn.emit(op['i32.add']);
        }
      }
      fn.emit(ins.set(node.local));
    }
    const once = known && lo + step >= hi;
    if (!known) {
      fn.emit(ins.block);
      fn.emit(ins.get(counter));
      bound(hi);
      fn.emit(op['i32.ge_s'], ins.brIf(0));
    }
    if (!once) fn.emit(ins.loop);
    this.#scope(body);
    if (!once) {
      for (const { node, by } of body.inducts) {
        fn.emit(
          ins.get(node.local),
          ins.i32(Math.imul(by, step)),
          op['i32.add'],
          ins.set(node.local),
        );
      }
      fn.emit(ins.get(counter), ins.i32(step), op['i32.add'], ins.tee(counter));
      bound(hi);
      fn.emit(op['i32.lt_s'], ins.brIf(0), ins.end);
    }
    if (!known) fn.emit(ins.end);
  }
}

const isEmpty = ({ lo, hi }: Extract<Item, { k: 'loop' }>): boolean =>
  typeof lo === 'number' && typeof hi === 'number' && lo >= hi;

/** Counts uses within a scope and collects what inner scopes need from outer ones. */
function analyse(s: Scope): void {
  const use = (n: Node): void => {
    if (n.scope !== s) {
      s.imports.add(n);
      return;
    }
    n.uses++;
    if (n.uses === 1) n.args.forEach(use);
  };
  const child = (c: Scope): void => {
    analyse(c);
    for (const n of c.imports) use(n);
  };
  for (const item of s.items) {
    switch (item.k) {
      case 'effect':
      case 'keep':
        item.args.forEach(use);
        break;
      case 'if':
        use(item.cond);
        child(item.then);
        child(item.other);
        break;
      case 'loop':
        if (typeof item.lo !== 'number') use(item.lo);
        if (typeof item.hi !== 'number') use(item.hi);
        child(item.body);
        for (const i of item.body.inducts) if (i.prefix) use(i.prefix);
        break;
    }
  }
}
