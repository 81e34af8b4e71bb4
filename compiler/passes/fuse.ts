/**
 * Fusion on the core: reduction-free producers move into their consumers, and a value that another
 * nest computes anyway is read instead of computed again.
 *
 * Inlining (Futhark calls it vertical fusion): a producer goes away when all its readers are nests
 * of its own block and computing it there costs no more than the pass over memory it saves: read
 * once per element by one nest, or a few operations on at most two loads. A transcendental is never
 * computed more often than before. A contraction's operands stay plain reads where a tile reads each
 * of them many times; where the target packs operands first, each once, a few operations on one
 * tensor and what is smaller by rows (a modulation, a division by a row's sum) go into the packing.
 *
 * Sharing is the reverse: when a reduction's whole body is the value of some map (the sum of a
 * cotangent that is needed itself, as for a bias), it reads that map's result.
 *
 * Invariant: same values, bit for bit where no sum is involved; a read outside its guards is still 0.
 */
import { rootsOf, sizeOf, usesOf } from '../core/build.ts';
import { freeAxes, guardE, type Read, readE, rewriter, walkExpr } from '../core/expr.ts';
import { type Extents, extentsOf, ixAxis } from '../core/ix.ts';
import { Keys } from '../core/key.ts';
import type {
  Axis,
  AxisId,
  Core,
  Expr,
  Guard,
  Ix,
  Nest,
  Prim,
  SegSum,
  Stmt,
  Var,
} from '../core.ts';

export type FuseOptions = {
  /** Operands of contractions are packed, so that what makes them is computed once; default false. */
  readonly packs?: boolean;
};

export function fuse(core: Core, options: FuseOptions = {}): Core {
  const kept = new Set(core.outputs);
  return { ...core, body: block(core.body, kept, [], options) };
}

/** `kept` are read outside the block's own nests; `outer` are the axes of enclosing folds. */
function block(
  body: readonly Stmt[],
  kept: ReadonlySet<Var>,
  outer: readonly Axis[],
  options: FuseOptions,
): Stmt[] {
  const inner = body.map((s): Stmt => {
    if (s.k !== 'fold') return s;
    const wanted = new Set([
      ...s.carry.map((c) => c.next),
      ...s.ys.map((y) => y.elem),
      ...s.acc.map((a) => a.add),
    ]);
    return { ...s, body: block(s.body, wanted, [...outer, s.l], options) };
  });
  return new Block(share(inner), kept, outer, options).run();
}

const points = (n: Nest | SegSum): number =>
  [...n.axes, ...(n.k === 'nest' ? n.red : [])].reduce((p, a) => p * a.extent, 1);

// ---------------------------------------------------------------- costs

const dear: ReadonlySet<Prim> = new Set<Prim>([
  'exp',
  'log',
  'sin',
  'cos',
  'tanh',
  'erf',
  'pow',
  'bits0',
  'bits1',
  'idiv',
  'mod',
]);

type Cost = {
  readonly ops: number;
  readonly loads: number;
  /** Loads of what is nearly as large as all the points. */
  readonly whole: number;
  readonly dear: boolean;
};

function costOf(root: Expr, points = 1): Cost {
  let ops = 0;
  let loads = 0;
  let whole = 0;
  let isDear = false;
  walkExpr((e) => {
    if (e.k === 'read') {
      loads++;
      if (8 * sizeOf(e.x.shape) > points) whole++;
    }
    if (e.k !== 'prim' || e.op === 'stop') return;
    ops += e.op === 'div' || e.op === 'sqrt' ? 3 : 1;
    if (dear.has(e.op)) isDear = true;
  }, root);
  return { ops, loads, whole, dear: isDear };
}

/** A sum of a product in which two factors each have a parallel axis of their own. */
export function isContraction(n: Nest | SegSum): boolean {
  if (n.k !== 'nest' || n.op !== 'sum') return false;
  const factors = (e: Expr): Expr[] =>
    e.k === 'prim' && e.op === 'mul' ? e.args.flatMap(factors) : [e];
  const parts = factors(n.body).map(freeAxes);
  const long = n.axes.filter((a) => a.extent > 1).map((a) => a.id);
  return parts.some((p) =>
    parts.some(
      (q) => long.some((a) => p.has(a) && !q.has(a)) && long.some((a) => q.has(a) && !p.has(a)),
    ),
  );
}

/**
 * How often the packed operands of a contraction are computed from a value: once for each cell. A
 * guarded read (a padded convolution) would ask at each of them; that stays a plain read.
 */
function packings(n: Nest | SegSum, v: Var): number {
  const axes = new Map([...n.axes, ...(n.k === 'nest' ? n.red : [])].map((a) => [a.id, a.extent]));
  let times = 0;
  walkExpr(
    (e) => {
      if (e.k !== 'read' || e.x !== v) return;
      if (e.guard.length > 0) times = Number.POSITIVE_INFINITY;
      times += [...freeAxes(e)].reduce((p, a) => p * (axes.get(a) ?? 1), 1);
    },
    ...rootsOf(n),
  );
  return times;
}

// ---------------------------------------------------------------- inlining

/** Bodies longer than this gain nothing more from fusion and spill registers. */
const longest = { ops: 120, loads: 14 };

class Block {
  readonly #stmts: (Stmt | undefined)[];
  readonly #kept: ReadonlySet<Var>;
  readonly #outer: readonly Axis[];
  readonly #options: FuseOptions;
  /** Nests and segment sums that read a variable, by place. */
  readonly #readers = new Map<Var, Set<number>>();
  /** Variables that something else than a nest of this block needs. */
  readonly #fixed = new Set<Var>();

  constructor(
    stmts: readonly Stmt[],
    kept: ReadonlySet<Var>,
    outer: readonly Axis[],
    options: FuseOptions,
  ) {
    this.#stmts = [...stmts];
    this.#kept = kept;
    this.#outer = outer;
    this.#options = options;
  }

  run(): Stmt[] {
    this.#stmts.forEach((s, i) => {
      for (const v of usesOf(s!)) {
        if (s!.k === 'nest' || s!.k === 'segsum') this.#readersOf(v).add(i);
        else this.#fixed.add(v);
      }
    });
    // A value read by two nests may be read by one once those have become one.
    for (let again = true; again; ) {
      again = false;
      this.#stmts.forEach((s, i) => {
        if (s?.k === 'nest' && s.op === null && this.#inline(s, i)) again = true;
      });
    }
    return this.#stmts.filter((s) => s !== undefined);
  }

  #readersOf(v: Var): Set<number> {
    const known = this.#readers.get(v) ?? new Set<number>();
    this.#readers.set(v, known);
    return known;
  }

  #inline(p: Nest, at: number): boolean {
    if (this.#kept.has(p.v) || this.#fixed.has(p.v)) return false;
    // Guards that can never hold drop reads, so a place may no longer read the value.
    const places = [...this.#readersOf(p.v)].filter((i) => {
      const s = this.#stmts[i];
      return s !== undefined && usesOf(s).has(p.v);
    });
    const readers = places.map((i) => this.#stmts[i] as Nest | SegSum);
    if (readers.length > 0 && !this.#worthwhile(p, readers)) return false;
    places.forEach((i, n) => {
      this.#stmts[i] = this.#into(readers[n]!, p);
      for (const v of usesOf(p)) this.#readersOf(v).add(i);
    });
    for (const v of usesOf(p)) this.#readersOf(v).delete(at);
    this.#stmts[at] = undefined;
    return true;
  }

  #worthwhile(p: Nest, readers: readonly (Nest | SegSum)[]): boolean {
    const own = Math.max(1, points(p));
    const cost = costOf(p.body, own);
    let times = 0;
    let packed = false;
    for (const r of readers) {
      if (isContraction(r)) {
        if (!this.#options.packs || cost.dear || cost.ops > 4 || cost.whole > 1) return false;
        packed = true;
        times += packings(r, p.v) / own;
        continue;
      }
      const keys = new Keys();
      const sites = new Set<number>();
      let loads = 0;
      walkExpr(
        (e) => {
          if (e.k !== 'read') return;
          loads++;
          if (e.x === p.v) sites.add(keys.expr(e));
        },
        ...rootsOf(r),
      );
      const size = costOf(r.body);
      if (size.ops + cost.ops * sites.size > longest.ops) return false;
      if (loads + cost.loads * sites.size > longest.loads) return false;
      times += (sites.size * points(r)) / own;
    }
    if (packed) return times * (cost.ops + 2 * (cost.whole - 1)) <= 12;
    if (times <= 1) return true;
    if (cost.dear || cost.loads > 2) return false;
    return cost.ops <= 4 && times * (cost.ops + 2 * (cost.loads - 1)) <= 16;
  }

  #into(r: Nest | SegSum, p: Nest): Nest | SegSum {
    const red = r.k === 'nest' ? r.red : [];
    const extents = extentsOf(this.#outer, r.axes, red);
    // Equal reads become one node, which is computed once however often it stands there.
    const keys = new Keys();
    const bodies = new Map<number, Expr>();
    const body = (e: Read): Expr => {
      const key = keys.expr(e);
      const known = bodies.get(key) ?? bodyAt(p, e, extents);
      bodies.set(key, known);
      return known;
    };
    const w = rewriter({ extents, node: (e) => (e.k === 'read' && e.x === p.v ? body(e) : e) });
    if (r.k === 'nest') return { ...r, body: w.expr(r.body), spans: joined(r, p) };
    return {
      ...r,
      body: w.expr(r.body),
      at: r.at.map(w.ix),
      guard: r.guard.map(w.guard),
      spans: joined(r, p),
    };
  }
}

const joined = (a: Nest | SegSum, b: Nest): Nest['spans'] => [
  ...a.spans,
  ...b.spans.filter((s) => !a.spans.some((t) => t.file === s.file && t.start === s.start)),
];

/** The producer's body at the indices of a read, 0 where the read's guards fail. */
function bodyAt(p: Nest, r: Read, extents: Extents): Expr {
  const map = new Map<AxisId, Ix>(p.axes.map((a, d) => [a.id, r.ix[d]!]));
  const guarded = (e: Expr): Expr =>
    e.k === 'read' ? readE(e.x, e.ix, [...e.guard, ...r.guard]) : e;
  const w = rewriter({
    axis: (id) => map.get(id),
    extents,
    node: r.guard.length > 0 ? guarded : (e) => e,
  });
  const body = w.expr(p.body);
  return r.guard.length === 0 || vanishes(body, r.guard) ? body : guardE(r.guard, body, extents);
}

/** 0 times it is 0: not NaN, as for infinities, and not -0, as for what is negative. */
const isPositive = (e: Expr): boolean => e.k === 'const' && e.v > 0 && e.v < Infinity;

/** Whether an expression is 0 as soon as its reads, all under these guards, are. */
function vanishes(e: Expr, guard: readonly Guard[]): boolean {
  if (e.k === 'read') return guard.every((g) => e.guard.includes(g));
  if (e.k === 'const') return e.v === 0;
  if (e.k !== 'prim') return false;
  switch (e.op) {
    case 'mul': {
      const [a, b] = [e.args[0]!, e.args[1]!];
      if (vanishes(a, guard)) return vanishes(b, guard) || isPositive(b);
      return vanishes(b, guard) && isPositive(a);
    }
    case 'add':
    case 'sub':
    case 'cast':
    case 'stop':
      return e.args.every((a) => vanishes(a, guard));
    default:
      return false;
  }
}

// ---------------------------------------------------------------- sharing

/** Reductions read maps that compute their bodies, moved up where needed. */
function share(body: readonly Stmt[]): readonly Stmt[] {
  const maps = body.filter((s): s is Nest => {
    if (s.k !== 'nest' || s.op !== null) return false;
    const c = costOf(s.body);
    return c.loads > 1 || c.dear;
  });
  if (maps.length === 0) return body;
  const out: Stmt[] = [];
  const placed = new Set<Stmt>();
  for (const s of body) {
    if (placed.has(s)) continue;
    placed.add(s);
    if (s.k !== 'nest' || s.op === null) {
      out.push(s);
      continue;
    }
    const axes = [...s.axes, ...s.red];
    let found: Expr | undefined;
    for (const m of maps) {
      if (m.body.t !== s.body.t || points(m) !== points(s)) continue;
      const match = matchAxes(m, s.body, axes);
      if (!match) continue;
      if (!placed.has(m)) {
        placed.add(m);
        out.push(m);
      }
      found = readE(
        m.v,
        m.axes.map((a) => ixAxis(match.get(a.id)!)),
      );
      break;
    }
    out.push(found ? { ...s, body: found } : s);
  }
  return out;
}

/** The axes of `axes` for which a map's body is this expression; each is used once. */
function matchAxes(m: Nest, body: Expr, axes: readonly Axis[]): Map<AxisId, AxisId> | undefined {
  if (m.axes.length > axes.length) return undefined;
  const extents = new Map(axes.map((a) => [a.id, a.extent]));
  const own = new Map(m.axes.map((a) => [a.id, a.extent]));
  const map = new Map<AxisId, AxisId>();
  const taken = new Set<AxisId>();
  const pair = (a: AxisId, b: AxisId): boolean => {
    if (!own.has(a)) return a === b;
    if (map.has(a)) return map.get(a) === b;
    if (own.get(a) !== extents.get(b) || taken.has(b)) return false;
    map.set(a, b);
    taken.add(b);
    return true;
  };
  const ix = (a: Ix, b: Ix): boolean => {
    if (a.c !== b.c || a.terms.length !== b.terms.length) return false;
    const left = [...b.terms];
    return a.terms.every((t) => {
      const i = left.findIndex((u) => u.m === t.m && u.a.k === t.a.k);
      if (i < 0) return false;
      const u = left.splice(i, 1)[0]!.a;
      if (t.a.k === 'axis') return u.k === 'axis' && pair(t.a.id, u.id);
      if (t.a.k === 'val') return u.k === 'val' && u.extent === t.a.extent && expr(t.a.e, u.e);
      return (u.k === 'div' || u.k === 'mod') && u.by === t.a.by && ix(t.a.e, u.e);
    });
  };
  const proved = new Map<Expr, Expr>();
  const expr = (a: Expr, b: Expr): boolean => {
    if (proved.get(a) === b) return true;
    if (a.k !== b.k || a.t !== b.t) return false;
    const same = one(a, b);
    if (same) proved.set(a, b);
    return same;
  };
  const one = (a: Expr, b: Expr): boolean => {
    switch (a.k) {
      case 'const':
        return b.k === 'const' && Object.is(a.v, b.v);
      case 'index':
        return b.k === 'index' && ix(a.ix, b.ix);
      case 'read':
        return (
          b.k === 'read' &&
          a.x === b.x &&
          a.ix.every((e, d) => ix(e, b.ix[d]!)) &&
          a.guard.length === b.guard.length &&
          a.guard.every(
            (g, i) => g.lo === b.guard[i]!.lo && g.hi === b.guard[i]!.hi && ix(g.e, b.guard[i]!.e),
          )
        );
      case 'prim':
        return (
          b.k === 'prim' &&
          a.op === b.op &&
          a.args.length === b.args.length &&
          a.args.every((x, i) => expr(x, b.args[i]!))
        );
    }
  };
  if (!expr(m.body, body)) return undefined;
  // An axis that the body does not mention is the same for all its values: any free one will do.
  for (const a of m.axes) {
    if (map.has(a.id)) continue;
    const free = axes.find((b) => !taken.has(b.id) && b.extent === a.extent);
    if (!free) return undefined;
    map.set(a.id, free.id);
    taken.add(free.id);
  }
  return map;
}
