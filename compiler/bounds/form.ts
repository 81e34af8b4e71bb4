/**
 * Ranges of indices, and of linear forms over indices and opaque values, exactly where the atoms are
 * digits of one number in a mixed radix (div and mod by numbers that divide each other), and in the
 * light of conditions that are known to hold.
 *
 * Invariant: every value that a form takes, at axis values within their box that satisfy the
 * conditions, lies in its range.
 */
import { addIx, ixConst, ixZero, scaleIx } from '../core/ix.ts';
import type { Atom, AxisId, Ix } from '../core.ts';
import { axesOf, ixKey } from '../schedule/flat.ts';
import { add, isNothing, meet, only, type Range, range, scale, union } from './range.ts';

/** What is known of a place: the range of each axis, and of each sum that is divided there. */
export type Box = {
  readonly axis: (id: AxisId) => Range;
  readonly sum: (e: Ix) => Range;
};

/** Where nothing is known but axes; sums are remembered. */
export function boxOf(axis: Box['axis']): Box {
  const sums = new Map<Ix, Range>();
  const sum = (e: Ix): Range => {
    const known = sums.get(e) ?? rangeOfIx(e, box);
    sums.set(e, known);
    return known;
  };
  const box = { axis, sum };
  return box;
}

// ---------------------------------------------------------------- indices

export function rangeOfIx(ix: Ix, box: Box): Range {
  const apart = ix.terms.reduce((r, t) => add(r, scale(rangeOfAtom(t.a, box), t.m)), only(ix.c));
  return ix.terms.length > 1 && isEntangled(ix) ? meet(apart, byDigits(ix, box)) : apart;
}

export function rangeOfAtom(a: Atom, box: Box): Range {
  switch (a.k) {
    case 'axis':
      return box.axis(a.id);
    case 'div': {
      const { lo, hi } = box.sum(a.e);
      return { lo: Math.floor(lo / a.by), hi: Math.floor(hi / a.by) };
    }
    case 'mod': {
      const { lo, hi } = box.sum(a.e);
      const q = Math.floor(lo / a.by);
      if (Number.isFinite(q) && q === Math.floor(hi / a.by))
        return range(lo - q * a.by, hi - q * a.by);
      return { lo: 0, hi: a.by - 1 };
    }
    case 'val':
      return { lo: 0, hi: Math.max(0, a.extent - 1) };
  }
}

/** Whether two of the terms depend on one axis, so that they cannot be looked at apart. */
function isEntangled(ix: Ix): boolean {
  if (ix.terms.every((t) => t.a.k === 'axis')) return false;
  const seen = new Set<AxisId>();
  for (const t of ix.terms) {
    const own = axesOf({ c: 0, terms: [t] });
    for (const id of own) if (seen.has(id)) return true;
    for (const id of own) seen.add(id);
  }
  return false;
}

/** The digits of a number from weight `from` up to weight `to`: floor(v mod to / from), m times. */
type Window = { readonly m: number; readonly from: number; readonly to: number };
type Group = { readonly base: Ix; readonly windows: Window[] };

/** The sum of what depends on one base number is taken over that number; bases are taken apart. */
function byDigits(ix: Ix, box: Box): Range {
  const groups = new Map<string, Group>();
  let plain: Ix = ixConst(ix.c);
  for (const t of ix.terms) {
    const w = t.a.k === 'axis' || t.a.k === 'val' ? undefined : windowOf(t.a);
    if (w === undefined) {
      plain = addIx(plain, { c: 0, terms: [t] });
      continue;
    }
    const key = ixKey(w.base);
    const group = groups.get(key) ?? { base: w.base, windows: [] };
    groups.set(key, group);
    group.windows.push({ m: t.m, from: w.from, to: w.to });
  }
  let out = only(0);
  for (const g of groups.values()) {
    const m = multipleOf(g.base, plain);
    if (m !== 0) {
      g.windows.push({ m, from: 1, to: Infinity });
      plain = addIx(plain, scaleIx(g.base, -m));
    }
    out = add(out, rangeOfDigits(g.windows, box.sum(g.base)));
  }
  return plain.terms.reduce(
    (r, t) => add(r, scale(rangeOfAtom(t.a, box), t.m)),
    add(out, only(plain.c)),
  );
}

/** How often all the terms of `e` stand in `of`; 0 when they do not. */
function multipleOf(e: Ix, of: Ix): number {
  let m: number | undefined;
  for (const t of e.terms) {
    const key = ixKey({ c: 0, terms: [{ m: 1, a: t.a }] });
    const found = of.terms.find((s) => ixKey({ c: 0, terms: [{ m: 1, a: s.a }] }) === key);
    const own = (found?.m ?? 0) / t.m;
    if (!Number.isInteger(own) || own === 0 || (m !== undefined && m !== own)) return 0;
    m = own;
  }
  return m ?? 0;
}

type Digits = { readonly base: Ix; readonly from: number; readonly to: number };

/** An atom as a stretch of digits of a base, through nested div and mod. */
function windowOf(a: Extract<Atom, { k: 'div' | 'mod' }>): Digits {
  const only =
    a.e.c === 0 && a.e.terms.length === 1 && a.e.terms[0]!.m === 1 ? a.e.terms[0]!.a : undefined;
  const inner: Digits =
    only && (only.k === 'div' || only.k === 'mod')
      ? windowOf(only)
      : { base: a.e, from: 1, to: Infinity };
  const { base, from, to } = inner;
  if (a.k === 'div') return { base, from: from * a.by, to };
  // The remainder of a stretch is its lower part only where the part ends on a digit.
  if (to === Infinity || to % (from * a.by) === 0) return { base, from, to: from * a.by };
  return { base: a.e, from: 1, to: a.by };
}

/** The range of a sum of stretches of digits of v. */
function rangeOfDigits(windows: readonly Window[], v: Range): Range {
  const cuts = [...new Set(windows.flatMap((w) => [w.from, w.to]))]
    .filter((c) => c > 1 && c < Infinity)
    .sort((a, b) => a - b);
  const isChain = cuts.every((c, i) => c % (cuts[i - 1] ?? 1) === 0);
  if (!isChain || !Number.isFinite(v.lo) || !Number.isFinite(v.hi)) return apart(windows, v);
  const weights = [1, ...cuts];
  const coefs = weights.map((w) =>
    windows.reduce((n, x) => (x.from <= w && w < x.to ? n + x.m * (w / x.from) : n), 0),
  );
  /** Of the digits below `level`, all of them free. */
  const free: Range[] = [only(0)];
  for (let j = 0; j + 1 < weights.length; j++)
    free.push(add(free[j]!, scale({ lo: 0, hi: weights[j + 1]! / weights[j]! - 1 }, coefs[j]!)));
  /** Of the digits up to `level`, for v from lo to hi. */
  const of = (level: number, lo: number, hi: number): Range => {
    if (level < 0) return only(0);
    const w = weights[level]!;
    const m = coefs[level]!;
    const [a, b] = [Math.floor(lo / w), Math.floor(hi / w)];
    if (a === b) return add(only(m * a), of(level - 1, lo - a * w, hi - a * w));
    const ends = union(
      add(only(m * a), lo === a * w ? free[level]! : of(level - 1, lo - a * w, w - 1)),
      add(only(m * b), hi === b * w + w - 1 ? free[level]! : of(level - 1, 0, hi - b * w)),
    );
    return b - a < 2 ? ends : union(ends, add(scale({ lo: a + 1, hi: b - 1 }, m), free[level]!));
  };
  return isNothing(v) ? v : of(weights.length - 1, v.lo, v.hi);
}

/** The same without looking at how they hang together. */
function apart(windows: readonly Window[], v: Range): Range {
  return windows.reduce((r, w) => {
    const whole = { lo: Math.floor(v.lo / w.from), hi: Math.floor(v.hi / w.from) };
    const size = Math.ceil(w.to / w.from);
    const part = w.to === Infinity ? whole : { lo: 0, hi: size - 1 };
    return add(r, scale(part, w.m));
  }, only(0));
}

// ---------------------------------------------------------------- forms

/** An opaque value: equal keys are equal values. */
export type Opaque = { readonly m: number; readonly key: number; readonly of: Range };
/** The sum of an index and of multiples of opaque values. */
export type Form = { readonly ix: Ix; readonly rest: readonly Opaque[] };

export const formOfIx = (ix: Ix): Form => ({ ix, rest: [] });
export const formOf = (key: number, of: Range): Form => ({ ix: ixZero, rest: [{ m: 1, key, of }] });

/** f + m * g. */
export function addForm(f: Form, g: Form, m = 1): Form {
  const rest = [...f.rest];
  for (const o of g.rest) {
    const at = rest.findIndex((x) => x.key === o.key);
    if (at < 0) rest.push({ ...o, m: o.m * m });
    else if (rest[at]!.m + o.m * m === 0) rest.splice(at, 1);
    else rest[at] = { ...o, m: rest[at]!.m + o.m * m };
  }
  return { ix: addIx(f.ix, scaleIx(g.ix, m)), rest };
}

/** What is known: lo <= form <= hi. */
export type Condition = { readonly form: Form; readonly lo: number; readonly hi: number };

/** Ranges of axes and of opaque values. */
export type Known = { readonly box: Box; readonly opaque: (o: Opaque) => Range };

export const plainly = (box: Box): Known => ({ box, opaque: (o) => o.of });

export function rangeOfForm(f: Form, known: Known): Range {
  return f.rest.reduce((r, o) => add(r, scale(known.opaque(o), o.m)), rangeOfIx(f.ix, known.box));
}

// ---------------------------------------------------------------- conditions

/**
 * What conditions say of single axes and values: m * a = form - rest, so a lies where the range of
 * form - rest allows (bounds propagation). Two rounds, since what one condition says helps another.
 */
export function narrowed(known: Known, conditions: readonly Condition[]): Known {
  const axes = new Map<AxisId, Range>();
  const values = new Map<number, Range>();
  const axis = (id: AxisId): Range => axes.get(id) ?? known.box.axis(id);
  const opaque = (o: Opaque): Range => values.get(o.key) ?? meet(known.opaque(o), o.of);
  // Ranges of sums change as those of axes do: nothing is remembered yet.
  const box: Box = { axis, sum: (e) => rangeOfIx(e, box) };
  const now: Known = { box, opaque };
  const learn = ({ form, lo, hi }: Condition, depth: number): void => {
    for (const t of form.ix.terms) {
      const others = addForm(form, { ix: { c: 0, terms: [t] }, rest: [] }, -1);
      const of = solved(others, t.m, lo, hi, now);
      if (t.a.k === 'axis') axes.set(t.a.id, meet(axis(t.a.id), of));
      else if (t.a.k === 'div' && depth < 3) {
        const inside = { lo: of.lo * t.a.by, hi: of.hi * t.a.by + t.a.by - 1 };
        learn({ form: formOfIx(t.a.e), ...inside }, depth + 1);
      }
    }
    for (const o of form.rest) {
      const others = addForm(form, { ix: ixZero, rest: [o] }, -1);
      values.set(o.key, meet(opaque(o), solved(others, o.m, lo, hi, now)));
    }
  };
  for (let round = 0; round < 2; round++) for (const c of conditions) learn(c, 0);
  // What is divided may be what a condition speaks of.
  const plain: Known = { box: boxOf(axis), opaque };
  const sums = new Map<Ix, Range>();
  const sum = (e: Ix): Range => {
    const of = sums.get(e) ?? boundForm(formOfIx(e), plain, conditions);
    sums.set(e, of);
    return of;
  };
  return { box: { axis, sum }, opaque };
}

/** The a of m * a + others in [lo, hi]. */
function solved(others: Form, m: number, lo: number, hi: number, known: Known): Range {
  const r = rangeOfForm(others, known);
  const [from, to] = [lo - r.hi, hi - r.lo];
  const ends = m > 0 ? [from / m, to / m] : [to / m, from / m];
  const [a, b] = [Math.ceil(ends[0]!), Math.floor(ends[1]!)];
  return range(a, b);
}

/** More conditions than this are not combined: the best choice is looked for among all. */
const MOST = 5;

/**
 * The range of a form under conditions: f = sum of multiples of the conditions' forms + a remainder,
 * for the multiples that make some term vanish (one step of Fourier-Motzkin elimination for each).
 */
export function boundForm(f: Form, known: Known, conditions: readonly Condition[]): Range {
  const plain = rangeOfForm(f, known);
  if (conditions.length === 0) return plain;
  const other = absorbed(f, conditions);
  const out = meet(plain, combined(f, known, conditions));
  return other === f ? out : meet(out, combined(other, known, conditions));
}

function combined(f: Form, known: Known, conditions: readonly Condition[]): Range {
  const about = conditions.filter((c) => ratios(f, c.form).length > 0).slice(0, MOST);
  const best = (g: Form, i: number): Range => {
    const c = about[i];
    if (c === undefined) return rangeOfForm(g, known);
    let out = best(g, i + 1);
    for (const m of ratios(g, c.form)) {
      const rest = best(addForm(g, c.form, -m), i + 1);
      out = meet(out, add(rest, scale(c, m)));
    }
    return out;
  };
  return best(f, 0);
}

/**
 * Multiples of a divisor taken into the quotient where that makes its dividend the form of a condition:
 * m * floor(e / by) + m * k * a = m * floor((e + by * k * a) / by).
 */
function absorbed(f: Form, conditions: readonly Condition[]): Form {
  let ix = f.ix;
  for (const t of f.ix.terms) {
    if (t.a.k !== 'div') continue;
    const { e, by } = t.a;
    for (const { form } of conditions) {
      const more = addIx(form.ix, scaleIx(e, -1)).terms;
      if (form.rest.length > 0 || more.length === 0 || more.some((x) => x.m % by !== 0)) continue;
      const inside = addIx(e, { c: 0, terms: more });
      const outside = { c: 0, terms: more.map((x) => ({ m: (x.m / by) * t.m, a: x.a })) };
      const quotient = { c: 0, terms: [{ m: t.m, a: { k: 'div', e: inside, by } as const }] };
      ix = addIx(ix, { c: 0, terms: [{ m: -t.m, a: t.a }] }, quotient, scaleIx(outside, -1));
      break;
    }
  }
  return ix === f.ix ? f : { ix, rest: f.rest };
}

/** The multiples of g that take away a term of f. */
function ratios(f: Form, g: Form): number[] {
  const out = new Set<number>();
  const consider = (a: number, b: number): void => {
    if (a % b === 0) out.add(a / b);
  };
  for (const t of g.ix.terms)
    for (const s of f.ix.terms) if (sameTerm(t.a, s.a)) consider(s.m, t.m);
  for (const t of g.rest) for (const s of f.rest) if (s.key === t.key) consider(s.m, t.m);
  return [...out];
}

function sameTerm(a: Atom, b: Atom): boolean {
  if (a.k === 'axis' || b.k === 'axis') return a.k === 'axis' && b.k === 'axis' && a.id === b.id;
  if (a.k !== b.k) return false;
  const whole = (x: Atom): string => ixKey({ c: 0, terms: [{ m: 1, a: x }] });
  return whole(a) === whole(b);
}
