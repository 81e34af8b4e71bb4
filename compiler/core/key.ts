/**
 * Structural identity of indices and expressions: hash, equality and order.
 *
 * Expressions are DAGs, so nothing here walks a node twice: hashes are remembered per node (nodes
 * are immutable, hence the memory is a pure cache) and equality remembers the pairs it has proved.
 * `Keys` numbers structurally distinct nodes (hash-consing after Filliâtre & Conchon), which gives
 * passes exact map keys of constant size.
 */
import type { Atom, Expr, Guard, Ix } from '../core.ts';

// ---------------------------------------------------------------- hashes

const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;

/** Mix of two 32-bit words into one. */
export function mix(h: number, x: number): number {
  let z = Math.imul(h ^ x, P1);
  z = Math.imul(z ^ (z >>> 15), P2);
  return (z ^ (z >>> 13)) | 0;
}

const f64 = new Float64Array(1);
const u32 = new Uint32Array(f64.buffer);
/** By bits, so that 0 and -0 differ and NaN equals itself. */
function hashNumber(v: number): number {
  f64[0] = v;
  return mix(u32[0]!, u32[1]!);
}

function hashString(s: string): number {
  let h = s.length;
  for (let i = 0; i < s.length; i++) h = mix(h, s.charCodeAt(i));
  return h;
}

const names = new Map<string, number>();
function hashName(s: string): number {
  let h = names.get(s);
  if (h === undefined) {
    h = hashString(s);
    names.set(s, h);
  }
  return h;
}

const exprHashes = new WeakMap<Expr, number>();

export function hashExpr(e: Expr): number {
  let h = exprHashes.get(e);
  if (h !== undefined) return h;
  switch (e.k) {
    case 'const':
      h = mix(mix(1, hashName(e.t)), hashNumber(e.v));
      break;
    case 'read':
      h = mix(2, e.x.id);
      for (const ix of e.ix) h = mix(h, hashIx(ix));
      for (const g of e.guard) h = mix(h, hashGuard(g));
      break;
    case 'index':
      h = mix(3, hashIx(e.ix));
      break;
    case 'prim':
      h = mix(mix(4, hashName(e.op)), hashName(e.t));
      for (const a of e.args) h = mix(h, hashExpr(a));
      break;
  }
  exprHashes.set(e, h);
  return h;
}

export function hashAtom(a: Atom): number {
  switch (a.k) {
    case 'axis':
      return mix(5, a.id);
    case 'div':
      return mix(mix(6, a.by), hashIx(a.e));
    case 'mod':
      return mix(mix(7, a.by), hashIx(a.e));
    case 'val':
      return mix(mix(8, a.extent), hashExpr(a.e));
  }
}

export function hashIx(ix: Ix): number {
  let h = mix(9, ix.c);
  for (const t of ix.terms) h = mix(mix(h, t.m), hashAtom(t.a));
  return h;
}

function hashGuard(g: Guard): number {
  return mix(mix(mix(10, g.lo), g.hi), hashIx(g.e));
}

// ---------------------------------------------------------------- equality

/** Pairs already proved equal within one question. */
type Proved = Map<Expr, Expr>;

export function sameExpr(a: Expr, b: Expr, proved: Proved = new Map()): boolean {
  if (a === b || proved.get(a) === b) return true;
  if (a.k !== b.k || a.t !== b.t || hashExpr(a) !== hashExpr(b)) return false;
  if (!sameNode(a, b, proved)) return false;
  proved.set(a, b);
  return true;
}

function sameNode(a: Expr, b: Expr, proved: Proved): boolean {
  switch (a.k) {
    case 'const':
      return b.k === 'const' && Object.is(a.v, b.v);
    case 'read':
      return (
        b.k === 'read' &&
        a.x.id === b.x.id &&
        sameIxs(a.ix, b.ix, proved) &&
        a.guard.length === b.guard.length &&
        a.guard.every((g, i) => sameGuard(g, b.guard[i]!, proved))
      );
    case 'index':
      return b.k === 'index' && sameIx(a.ix, b.ix, proved);
    case 'prim':
      return (
        b.k === 'prim' &&
        a.op === b.op &&
        a.args.length === b.args.length &&
        a.args.every((x, i) => sameExpr(x, b.args[i]!, proved))
      );
  }
}

export function sameIxs(a: readonly Ix[], b: readonly Ix[], proved: Proved = new Map()): boolean {
  return a.length === b.length && a.every((x, i) => sameIx(x, b[i]!, proved));
}

export function sameIx(a: Ix, b: Ix, proved: Proved = new Map()): boolean {
  if (a === b) return true;
  if (a.c !== b.c || a.terms.length !== b.terms.length) return false;
  for (let i = 0; i < a.terms.length; i++) {
    const s = a.terms[i]!;
    const t = b.terms[i]!;
    if (s.m !== t.m || !sameAtom(s.a, t.a, proved)) return false;
  }
  return true;
}

export function sameAtom(a: Atom, b: Atom, proved: Proved = new Map()): boolean {
  if (a === b) return true;
  switch (a.k) {
    case 'axis':
      return b.k === 'axis' && a.id === b.id;
    case 'div':
    case 'mod':
      return b.k === a.k && a.by === b.by && sameIx(a.e, b.e, proved);
    case 'val':
      return b.k === 'val' && a.extent === b.extent && sameExpr(a.e, b.e, proved);
  }
}

export function sameGuard(a: Guard, b: Guard, proved: Proved = new Map()): boolean {
  return a.lo === b.lo && a.hi === b.hi && sameIx(a.e, b.e, proved);
}

// ---------------------------------------------------------------- order

const rank = { axis: 0, div: 1, mod: 2, val: 3 } as const;

/** Axes by id first, then div, mod and val atoms; total up to structural equality (and hash ties). */
export function compareAtoms(a: Atom, b: Atom): number {
  if (a === b) return 0;
  if (a.k === 'axis' && b.k === 'axis') return a.id - b.id;
  if (a.k !== b.k) return rank[a.k] - rank[b.k];
  if (a.k === 'val')
    return b.k !== 'val' ? 0 : a.extent - b.extent || hashExpr(a.e) - hashExpr(b.e);
  if (a.k === 'axis' || b.k === 'axis' || b.k === 'val') return 0;
  return a.by - b.by || compareIx(a.e, b.e);
}

export function compareIx(a: Ix, b: Ix): number {
  const n = Math.min(a.terms.length, b.terms.length);
  for (let i = 0; i < n; i++) {
    const s = a.terms[i]!;
    const t = b.terms[i]!;
    const d = compareAtoms(s.a, t.a) || s.m - t.m;
    if (d !== 0) return d;
  }
  return a.terms.length - b.terms.length || a.c - b.c;
}

// ---------------------------------------------------------------- numbering

/**
 * Numbers structurally distinct expressions and indices: equal structure, equal number. `rep` gives
 * the first node seen with a structure, so that passes can share it.
 */
export class Keys {
  /** Numbers by a hash of the node over the numbers of its children. */
  readonly #buckets = new Map<number, number[]>();
  readonly #byNode = new WeakMap<Expr, number>();
  readonly #reps: Expr[] = [];

  expr(e: Expr): number {
    const known = this.#byNode.get(e);
    if (known !== undefined) return known;
    const hash = this.#hash(e);
    const bucket = this.#buckets.get(hash) ?? [];
    let id = bucket.find((n) => this.#same(e, this.#reps[n]!));
    if (id === undefined) {
      id = this.#reps.length;
      this.#reps.push(e);
      bucket.push(id);
      this.#buckets.set(hash, bucket);
    }
    this.#byNode.set(e, id);
    return id;
  }

  rep(e: Expr): Expr {
    return this.#reps[this.expr(e)]!;
  }

  ix(ix: Ix): string {
    let s = `${ix.c}`;
    for (const t of ix.terms) s += `+${t.m}*${this.atom(t.a)}`;
    return s;
  }

  atom(a: Atom): string {
    switch (a.k) {
      case 'axis':
        return `a${a.id}`;
      case 'div':
        return `d${a.by}(${this.ix(a.e)})`;
      case 'mod':
        return `m${a.by}(${this.ix(a.e)})`;
      case 'val':
        return `v${a.extent}(${this.expr(a.e)})`;
    }
  }

  guard(g: Guard): string {
    return `${g.lo}<=${this.ix(g.e)}<${g.hi}`;
  }

  #hash(e: Expr): number {
    if (e.k !== 'prim') return hashExpr(e);
    let h = mix(hashName(e.op), hashName(e.t));
    for (const a of e.args) h = mix(h, this.expr(a));
    return h;
  }

  #same(a: Expr, b: Expr): boolean {
    if (a.k !== 'prim' || b.k !== 'prim') return a.t === b.t && sameExpr(a, b);
    return (
      a.op === b.op &&
      a.t === b.t &&
      a.args.length === b.args.length &&
      a.args.every((x, i) => this.expr(x) === this.expr(b.args[i]!))
    );
  }
}
