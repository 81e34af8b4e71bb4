/**
 * Plans as text, for `tenon explain --stage plan`, tests and people: one line per nest, loops as
 * indented blocks, offsets written with axis names. Shared expression nodes are printed once, named.
 */
import type { Atom, Axis, Guard, Ix } from '../core.ts';
import type { Buf, KExpr, Kernel, KIx, KNest, Plan, Step } from '../plan.ts';
import { eachKExpr } from './flat.ts';

type Names = { readonly buf: (id: number) => string; readonly axis: (id: number) => string };

export function printPlan(plan: Plan): string {
  const lines: string[] = [];
  const names = namesOf(plan);
  for (const b of plan.bufs) if (b.words > 0) lines.push(printBuf(b, plan, names));
  lines.push(`arena ${plan.arenaWords}`);
  const step = (s: Step, indent: string): void => {
    if (s.k === 'loop') {
      const dir = s.rev ? 'down' : 'up';
      lines.push(`${indent}loop ${names.axis(s.axis.id)}:${s.axis.extent} ${dir}`);
      for (const t of s.steps) step(t, `${indent}  `);
    } else lines.push(...printKernel(s, names).map((l) => indent + l));
  };
  for (const s of plan.steps) step(s, '');
  return lines.join('\n');
}

/**
 * Kernels only, one word each: enough to say "this became one contraction and one row kernel"; and how
 * many places of a kernel are checked when it runs.
 */
export function outline(plan: Plan): string[] {
  const out: string[] = [];
  const step = (s: Step): void => {
    if (s.k === 'loop') {
      out.push(`loop ${s.axis.extent}`);
      s.steps.forEach(step);
      out.push('end');
    } else {
      const checks = checksOf(s);
      const kinds = s.nests.map((n) => n.op ?? n.store.mode).join(' ');
      out.push(`${s.name}: ${kinds}${checks > 0 ? `, ${checks} checked` : ''}`);
    }
  };
  plan.steps.forEach(step);
  return out;
}

function checksOf(k: Kernel): number {
  let n = 0;
  const count = (e: KExpr): void => {
    if (e.k === 'checked') n++;
  };
  for (const { body, store } of k.nests) {
    const seen = new Set<KExpr>();
    for (const e of [body, ...store.at.dyn.map((d) => d.e)]) eachKExpr(e, count, seen);
  }
  return n;
}

function namesOf(plan: Plan): Names {
  const axes = new Map<number, string>();
  const taken = new Set<string>();
  const axis = (a: Axis): void => {
    if (axes.has(a.id)) return;
    let name = a.name || 'i';
    if (taken.has(name)) name = `${name}_${a.id}`;
    taken.add(name);
    axes.set(a.id, name);
  };
  const walk = (s: Step): void => {
    if (s.k === 'loop') {
      axis(s.axis);
      s.steps.forEach(walk);
      return;
    }
    s.grid.forEach(axis);
    for (const n of s.nests) [...n.axes, ...n.red].forEach(axis);
  };
  plan.steps.forEach(walk);
  return {
    buf: (id) => `${plan.bufs[id]?.name ?? '?'}#${id}`,
    axis: (id) => axes.get(id) ?? `?${id}`,
  };
}

function printBuf(b: Buf, plan: Plan, names: Names): string {
  const at = plan.offsets.get(b.id);
  return `${b.kind} ${names.buf(b.id)}: ${b.t}[${b.words}]${at === undefined ? '' : ` at ${at}`}`;
}

function printKernel(k: Kernel, names: Names): string[] {
  const axes = (list: readonly Axis[]): string =>
    list.map((a) => `${names.axis(a.id)}:${a.extent}`).join(', ');
  const head = `kernel ${k.id} ${k.name}${k.grid.length ? ` [${axes(k.grid)}]` : ''}`;
  return [head, ...k.nests.flatMap((n) => printNest(n, names, axes).map((l) => `  ${l}`))];
}

function printNest(n: KNest, names: Names, axes: (l: readonly Axis[]) => string): string[] {
  const p = printer(names, [n.body, ...n.store.at.dyn.map((d) => d.e)]);
  const body = p.expr(n.body);
  const to = `${names.buf(n.store.buf)}[${p.kix(n.store.at)}]${p.guards(n.store.guard)}`;
  const red = n.op ? `${n.op} ${axes(n.red)}. ` : '';
  const loop = n.axes.length ? `for ${axes(n.axes)}. ` : '';
  const line = `${loop}${to} ${n.store.mode === 'add' ? '+=' : '='} ${red}${body}`;
  return [...p.lets(), line];
}

function printer(names: Names, roots: readonly KExpr[]) {
  const uses = new Map<KExpr, number>();
  const count = (e: KExpr): void => {
    const n = (uses.get(e) ?? 0) + 1;
    uses.set(e, n);
    if (n > 1) return;
    if (e.k === 'prim') e.args.forEach(count);
    if (e.k === 'load') for (const d of e.at.dyn) count(d.e);
    if (e.k === 'checked') count(e.e);
  };
  roots.forEach(count);
  const named = new Map<KExpr, string>();
  const lets: string[] = [];
  const atom = (a: Atom): string => {
    switch (a.k) {
      case 'axis':
        return names.axis(a.id);
      case 'div':
        return `(${ix(a.e)} / ${a.by})`;
      case 'mod':
        return `(${ix(a.e)} % ${a.by})`;
      case 'val':
        return 'val';
    }
  };
  const ix = (e: Ix): string => {
    const parts = e.terms.map((t) => (t.m === 1 ? atom(t.a) : `${t.m}*${atom(t.a)}`));
    if (e.c !== 0 || parts.length === 0) parts.push(String(e.c));
    return parts.join(' + ').replaceAll('+ -', '- ');
  };
  const kix = (e: KIx): string =>
    [
      ...(e.ix.terms.length || e.ix.c || e.dyn.length === 0 ? [ix(e.ix)] : []),
      ...e.dyn.map((d) => (d.m === 1 ? expr(d.e) : `${d.m}*${expr(d.e)}`)),
    ].join(' + ');
  const guards = (g: readonly Guard[]): string =>
    g.length === 0 ? '' : ` if ${g.map((x) => `${x.lo} <= ${ix(x.e)} < ${x.hi}`).join(' and ')}`;
  const expr = (e: KExpr): string => {
    const name = named.get(e);
    if (name) return name;
    const text = one(e);
    if ((uses.get(e) ?? 0) < 2 || e.k === 'const' || e.k === 'index') return text;
    const fresh = `$${named.size}`;
    named.set(e, fresh);
    lets.push(`${fresh} = ${text}`);
    return fresh;
  };
  const one = (e: KExpr): string => {
    switch (e.k) {
      case 'const':
        return e.t === 'bool' ? (e.v ? 'true' : 'false') : String(e.v);
      case 'index':
        return `(${ix(e.ix)})`;
      case 'load': {
        const g = guards(e.guard);
        const read = `${names.buf(e.buf)}[${kix(e.at)}]`;
        return g ? `(${read}${g})` : read;
      }
      case 'prim':
        return `${e.op === 'cast' ? e.t : e.op}(${e.args.map(expr).join(', ')})`;
      case 'checked':
        return `checked(${expr(e.e)} < ${e.extent})`;
    }
  };
  return { expr, kix, guards, lets: () => lets };
}
