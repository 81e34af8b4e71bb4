/**
 * Readable text of core programs: `y[o]: f32[4] = sum i:3. w[o, i] * x[i]`, one statement a line,
 * blocks indented, a guard as `x[i - 1]{0 <= i - 1 < 3}`, shared sub-expressions as `where` lines.
 *
 * Invariant: the text depends on structure and names, not on ids. Names that occur twice are
 * numbered in order of appearance (`h`, `h_2`), so goldens survive a change of the id supply.
 */
import type { Atom, Axis, AxisId, Core, Expr, Guard, Ix, Prim, Stmt, Var } from '../core.ts';
import { eachChild, foldExpr } from './expr.ts';

/** Gives every identity a name, the same one each time. */
class Names {
  readonly #names = new Map<number, string>();
  readonly #count = new Map<string, number>();

  of(id: number, name: string): string {
    let s = this.#names.get(id);
    if (s === undefined) {
      const n = (this.#count.get(name) ?? 0) + 1;
      this.#count.set(name, n);
      s = n === 1 ? name : `${name}_${n}`;
      this.#names.set(id, s);
    }
    return s;
  }
}

/** Axes are named within the statement they stand in: outer folds first, then the nest's own. */
class Scope {
  readonly #axes = new Map<AxisId, string>();
  readonly #taken = new Set<string>();

  constructor(axes: readonly Axis[]) {
    for (const a of axes) {
      let s = a.name;
      for (let n = 2; this.#taken.has(s); n++) s = `${a.name}_${n}`;
      this.#taken.add(s);
      this.#axes.set(a.id, s);
    }
  }

  axis(id: AxisId): string {
    return this.#axes.get(id) ?? `?${id}`;
  }
}

const infix: Partial<Record<Prim, readonly [text: string, level: number]>> = {
  or: ['or', 1],
  and: ['and', 2],
  eq: ['==', 3],
  ne: ['!=', 3],
  lt: ['<', 3],
  le: ['<=', 3],
  gt: ['>', 3],
  ge: ['>=', 3],
  add: ['+', 4],
  sub: ['-', 4],
  mul: ['*', 5],
  div: ['/', 5],
  idiv: ['//', 5],
  mod: ['%', 5],
  pow: ['^', 6],
};

class Printer {
  readonly #vars = new Names();

  v(x: Var): string {
    return this.#vars.of(x.id, x.name);
  }

  typed(x: Var): string {
    return `${this.v(x)}: ${x.t}${x.shape.length > 0 ? `[${x.shape.join(', ')}]` : ''}`;
  }

  // -------------------------------------------------------------- indices

  ix(ix: Ix, s: Scope, sub: (e: Expr) => string): string {
    const only = ix.terms[0];
    if (ix.c === 0 && ix.terms.length === 1 && only!.m === 1) return this.atom(only!.a, s, sub);
    const parts: string[] = [];
    const add = (negative: boolean, text: string) => {
      parts.push(
        parts.length === 0 ? (negative ? `-${text}` : text) : `${negative ? '-' : '+'} ${text}`,
      );
    };
    // `5 - i` rather than `-i + 5`
    const first = ix.c > 0 && only !== undefined && only.m < 0;
    if (first) add(false, `${ix.c}`);
    for (const t of ix.terms) {
      const a = this.atom(t.a, s, sub);
      const tight = /^\w+$/.test(a) || t.a.k === 'val' ? a : `(${a})`;
      add(t.m < 0, Math.abs(t.m) === 1 ? tight : `${Math.abs(t.m)}*${tight}`);
    }
    if (!first && (ix.c !== 0 || parts.length === 0)) add(ix.c < 0, `${Math.abs(ix.c)}`);
    return parts.join(' ');
  }

  atom(a: Atom, s: Scope, sub: (e: Expr) => string): string {
    switch (a.k) {
      case 'axis':
        return s.axis(a.id);
      case 'div':
      case 'mod': {
        const e = this.ix(a.e, s, sub);
        return `${/^\w+$/.test(e) ? e : `(${e})`} ${a.k === 'div' ? '//' : '%'} ${a.by}`;
      }
      case 'val':
        return `idx[${a.extent}](${sub(a.e)})`;
    }
  }

  guards(gs: readonly Guard[], s: Scope, sub: (e: Expr) => string): string {
    if (gs.length === 0) return '';
    return `{${gs.map((g) => `${g.lo} <= ${this.ix(g.e, s, sub)} < ${g.hi}`).join(', ')}}`;
  }

  // -------------------------------------------------------------- expressions

  /** The text of the roots, and `where` lines for what they share. */
  exprs(roots: readonly Expr[], s: Scope): { texts: readonly string[]; where: readonly string[] } {
    const shared = sharedPrims(roots);
    const names = new Map<Expr, string>();
    const where: string[] = [];
    const at = (e: Expr, level: number): string => {
      if (shared.has(e)) {
        let name = names.get(e);
        if (name === undefined) {
          const t = text(e, 0);
          name = `$${names.size + 1}`;
          names.set(e, name);
          where.push(`${name} = ${t}`);
        }
        return name;
      }
      return text(e, level);
    };
    const sub = (e: Expr) => at(e, 0);
    const text = (e: Expr, level: number): string => {
      switch (e.k) {
        case 'const':
          return constText(e);
        case 'index':
          return `i32(${this.ix(e.ix, s, sub)})`;
        case 'read': {
          const ixs = e.ix.map((i) => this.ix(i, s, sub)).join(', ');
          return `${this.v(e.x)}${e.ix.length > 0 ? `[${ixs}]` : ''}${this.guards(e.guard, s, sub)}`;
        }
        case 'prim':
          return primText(e, level, at);
      }
    };
    return { texts: roots.map((r) => at(r, 0)), where };
  }

  // -------------------------------------------------------------- statements

  stmt(st: Stmt, outer: readonly Axis[]): string[] {
    switch (st.k) {
      case 'nest': {
        const s = new Scope([...outer, ...st.axes, ...st.red]);
        const { texts, where } = this.exprs([st.body], s);
        const cells = st.axes.map((a) => s.axis(a.id)).join(', ');
        const red = st.red.map((a) => `${s.axis(a.id)}:${a.extent}`).join(', ');
        const body = st.op === null ? texts[0]! : `${st.op} ${red}. ${texts[0]}`;
        return [`${this.#cell(st.v, cells)} = ${body}`, ...where.map((w) => `  where ${w}`)];
      }
      case 'segsum': {
        const s = new Scope([...outer, ...st.axes]);
        const wheres: string[] = [];
        const sub = (e: Expr) => {
          const r = this.exprs([e], s);
          wheres.push(...r.where);
          return r.texts[0]!;
        };
        const at = st.at.map((i) => this.ix(i, s, sub)).join(', ');
        const guard = this.guards(st.guard, s, sub);
        const body = sub(st.body);
        const over = st.axes.map((a) => `${s.axis(a.id)}:${a.extent}`).join(', ');
        return [
          `${this.#cell(st.v, at)} += for ${over}. ${body}${guard === '' ? '' : ` ${guard}`}`,
          ...wheres.map((w) => `  where ${w}`),
        ];
      }
      case 'fold': {
        const s = new Scope([...outer, st.l]);
        const flags = `${st.rev ? ' rev' : ''}${st.save === 'carries' ? ' save carries' : ''}`;
        const head = [`fold ${s.axis(st.l.id)}:${st.trip}${flags}`];
        for (const c of st.carry) head.push(`  carry ${this.typed(c.in)} = ${this.v(c.init)}`);
        const inner = this.block(st.body, [...outer, st.l]);
        const tail: string[] = [];
        for (const c of st.carry) {
          tail.push(`  next ${this.v(c.in)} = ${this.v(c.next)}; out ${this.typed(c.out)}`);
        }
        for (const y of st.ys) tail.push(`  ys ${this.typed(y.v)} = ${this.v(y.elem)}`);
        for (const a of st.acc) {
          const at = a.at === null ? '' : `[${this.ix(a.at, s, () => '?')}]`;
          const to = `${this.v(a.v)}${at}`;
          tail.push(`  acc ${this.typed(a.v)} = ${this.v(a.init)}; ${to} += ${this.v(a.add)}`);
        }
        return [...head, ...inner.map((l) => `  ${l}`), ...tail];
      }
      case 'custom': {
        const ins = st.ins.map((x) => this.v(x)).join(', ');
        const body = this.block(st.body, outer).map((l) => `  ${l}`);
        const outs = st.outs.map((x) => this.v(x)).join(', ');
        const dins = st.jvp.dins.map((x) => this.typed(x)).join(', ');
        const jvp = this.block(st.jvp.body, outer).map((l) => `  ${l}`);
        const douts = st.jvp.douts.map((x) => this.v(x)).join(', ');
        return [
          `custom (${ins})`,
          ...body,
          `  -> ${outs}`,
          `jvp (${dins})`,
          ...jvp,
          `  -> ${douts}`,
        ];
      }
    }
  }

  block(body: readonly Stmt[], outer: readonly Axis[]): string[] {
    return body.flatMap((s) => this.stmt(s, outer));
  }

  core(core: Core): string {
    const lines = core.inputs.map((x) => `input ${this.typed(x)}`);
    for (const c of core.consts) {
      const some = [...c.data.slice(0, 6)].join(', ');
      lines.push(`const ${this.typed(c.v)} = [${some}${c.data.length > 6 ? ', ...' : ''}]`);
    }
    lines.push(...this.block(core.body, []));
    lines.push(`output ${core.outputs.map((x) => this.v(x)).join(', ')}`);
    return `${lines.join('\n')}\n`;
  }

  #cell(v: Var, cells: string): string {
    const shape = v.shape.length > 0 ? `[${v.shape.join(', ')}]` : '';
    return `${this.v(v)}${v.shape.length > 0 ? `[${cells}]` : ''}: ${v.t}${shape}`;
  }
}

function constText(e: Extract<Expr, { k: 'const' }>): string {
  switch (e.t) {
    case 'bool':
      return e.v !== 0 ? 'true' : 'false';
    case 'f32':
      return Object.is(e.v, -0) ? '-0.0' : Number.isInteger(e.v) ? e.v.toFixed(1) : `${e.v}`;
    case 'i32':
    case 'int':
      return `${e.v}`;
    case 'u32':
      return `${e.v}u`;
  }
}

function primText(
  e: Extract<Expr, { k: 'prim' }>,
  level: number,
  at: (e: Expr, level: number) => string,
): string {
  const [a, b, c] = e.args;
  const op = infix[e.op];
  if (op !== undefined) {
    const [sym, mine] = op;
    const t = `${at(a!, mine)} ${sym} ${at(b!, mine + 1)}`;
    return level > mine ? `(${t})` : t;
  }
  switch (e.op) {
    case 'neg':
      return `-${at(a!, 7)}`;
    case 'select': {
      const t = `if ${at(a!, 0)} then ${at(b!, 0)} else ${at(c!, 0)}`;
      return level > 0 ? `(${t})` : t;
    }
    case 'cast':
      return `${e.t}(${at(a!, 0)})`;
    default:
      return `${e.op}(${e.args.map((x) => at(x, 0)).join(', ')})`;
  }
}

/** Prim nodes reached by more than one edge. */
function sharedPrims(roots: readonly Expr[]): ReadonlySet<Expr> {
  const shared = new Set<Expr>();
  const seen = new Set<Expr>();
  const go = foldExpr<void>((e, down) => {
    eachChild(e, (c) => {
      if (c.k === 'prim' && seen.has(c)) shared.add(c);
      seen.add(c);
      down(c);
    });
  });
  for (const r of roots) go(r);
  return shared;
}

// ---------------------------------------------------------------- entry points

export function printCore(core: Core): string {
  return new Printer().core(core);
}

export function printStmts(body: readonly Stmt[], outer: readonly Axis[] = []): string {
  return new Printer().block(body, outer).join('\n');
}

/** `outer` names the axes of enclosing folds. */
export function printStmt(s: Stmt, outer: readonly Axis[] = []): string {
  return printStmts([s], outer);
}

export function printExpr(e: Expr, axes: readonly Axis[] = []): string {
  const { texts, where } = new Printer().exprs([e], new Scope(axes));
  return [texts[0], ...where.map((w) => `  where ${w}`)].join('\n');
}

/** An index alone; data-dependent parts are not spelled out. */
export function printIx(ix: Ix, axes: readonly Axis[] = []): string {
  return new Printer().ix(ix, new Scope(axes), () => '...');
}
