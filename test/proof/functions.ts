/**
 * One function: sizes, a few bindings, a result of its last one. The function that is run gives a loss,
 * which every binding has a part in, and what it computed last.
 */

import { type Binding, type Draft, draftOf } from './draft.ts';
import { otherName } from './draw-size.ts';
import { add, bindLet, f32, real, record, recordType, v } from './make.ts';
import { asksMuch, hasQuotient } from './of-types.ts';
import type { Picks } from './picks.ts';
import { drawRow } from './rows.ts';
import { genericFn } from './rows-functions.ts';
import { scalarOf } from './scalars.ts';
import { name, nat } from './sizes.ts';
import type { Expr, Fn, Type } from './tree.ts';

export type Drawn = { readonly fn: Fn; readonly used: ReadonlySet<string> };
type Around = Pick<Draft, 'root' | 'helpers' | 'deviates'>;

const alphabet = ['N', 'M', 'K', 'D', 'H', 'A', 'B'];

export function drawFn(p: Picks, fnName: string, around: Around): Drawn {
  const d = draftOf(p, fnName, around);
  if (!around.root && p.chance(15)) {
    d.used.add('function over any type');
    return { fn: genericFn(d), used: d.used };
  }
  const first = p.below(3);
  const count = p.one([2, 3, 1, 4, 3, 2]);
  for (let i = 0; i < count; i++) d.sizes.push({ name: alphabet[first + i]! });
  if (!around.root && p.chance(20)) {
    d.used.add('default size');
    d.sizes.push({ name: 'S', init: p.chance(30) ? name(d.sizes[0]!.name) : nat(1 + p.below(3)) });
  }
  const rows = 1 + p.below(4);
  for (let i = 0; i < rows; i++)
    addBinding(d, around.helpers.length > 0 && i === 0 && p.chance(85));
  return { fn: around.root ? rootFn(d) : helperFn(d), used: d.used };
}

function addBinding(d: Draft, calling: boolean): void {
  const made = drawRow(d, calling);
  const own = d.fresh(made.stem ?? 'v');
  const declares = d.p.chance(hasQuotient(made.type) ? 60 : 20);
  const type = declares ? declared(d, made.type) : made.type;
  if (declares) d.used.add('typed let');
  d.lets.push({ name: own, value: made.value, ...(declares ? { type } : {}) });
  d.bindings.push({ name: own, type });
}

/** The type of a value, or one with another size in it. */
function declared(d: Draft, t: Type): Type {
  if (t.k !== 'tensor' && t.k !== 'idx') return t;
  // A quotient of a sum is no size that can be written: some name is as if it were one.
  if (!(hasQuotient(t) && d.p.chance(50)) && !d.deviates()) return t;
  if (t.k === 'idx') return { ...t, size: otherName(d, t.size) };
  return { ...t, dims: t.dims.map((s, i) => (i === 0 ? otherName(d, s) : s)) };
}

const withLets = (d: Draft, e: Expr): Expr =>
  d.lets.reduceRight((body, l) => bindLet(l.name, l.value, body, l.type), e);

const fnOf = (d: Draft, result: Type, e: Expr): Fn => ({
  ...{ name: d.name, sizes: d.sizes, types: [], params: d.params, facts: d.facts },
  ...{ result, body: withLets(d, e) },
});

function helperFn(d: Draft): Fn {
  const last = d.lets.pop()!;
  const own = d.bindings.pop()!;
  const scalar =
    asksMuch(own.type) && d.p.chance(60) ? scalarOf(d, last.name, own.type) : undefined;
  if (scalar !== undefined) {
    d.lets.push(last);
    return fnOf(d, f32, scalar);
  }
  const result = declared(d, own.type);
  // A value that is given back as it is computed, or by its name.
  if (d.p.chance(70)) return fnOf(d, result, last.value);
  d.lets.push(last);
  return fnOf(d, result, v(last.name));
}

const isDrawn = (b: Binding): boolean => b.name.startsWith('drawn');

function rootFn(d: Draft): Fn {
  const made = d.lets.map((l) => d.bindings.find((b) => b.name === l.name)!);
  const parts = made.filter((b) => !isDrawn(b)).flatMap((b) => scalarOf(d, b.name, b.type) ?? []);
  const loss = parts.length === 0 ? real(0) : parts.reduce((a, b) => add(a, b));
  const last = made.at(-1);
  const shows = (b: Binding): boolean =>
    b === last && isData(b.type) && (!asksMuch(b.type) || d.p.chance(30));
  const out = made.filter((b) => isDrawn(b) || shows(b));
  if (out.length === 0 || (d.p.chance(25) && !out.some(isDrawn))) return fnOf(d, f32, loss);
  const fields = Object.fromEntries(out.map((b) => [b.name, b.type]));
  const values = Object.fromEntries(out.map((b) => [b.name, v(b.name)]));
  return fnOf(d, recordType({ loss: f32, ...fields }), record({ loss, ...values }));
}

const isData = (t: Type): boolean => !(t.k === 'scalar' && t.of === 'key') && t.k !== 'fn';
