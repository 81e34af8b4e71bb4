/**
 * Splitting a nest whose adjoint would compute the same values over and over.
 *
 * Each operand of a nest gets a cotangent nest of its own, and each of these computes what it needs
 * of the body again: with many operands, or expensive conditions, that is more than a small multiple
 * of the nest. Then the sub-expression that saves most becomes a nest: its value is computed once,
 * and its cotangent once. The choice is greedy on the count of work that the bound of reverse mode is
 * stated in, by trying: bodies are small, and most nests stay whole.
 */
import { mapNest, readAt, type Supply, sizeOf } from '../core/build.ts';
import {
  foldExpr,
  freeAxes,
  mapSame,
  type Read,
  readsOf,
  walkExpr,
  withArgs,
} from '../core/expr.ts';
import { Keys } from '../core/key.ts';
import { primsOf } from '../core/work.ts';
import type { Axis, Expr, Nest, Var } from '../core.ts';
import { add } from './arith.ts';
import { isActive, mayStandAlone, sweep } from './scalar.ts';

/** A nest stays whole while value and adjoint cost at most this many times the value. */
const enough = 4;
/** Sub-expressions tried per nest. */
const candidates = 48;
/** A reduction's body is stored only if that is at most so many times the operands and the result. */
const mostMemory = 8;

export function share(s: Nest, active: (r: Read) => boolean, supply: Supply): readonly Nest[] {
  const whole = costOf(s, active);
  const value = primsOf(s.body) + 1;
  if (whole <= enough * value) return [s];
  const stored = new Set<Var>();
  const counts = (r: Read) => active(r) || stored.has(r.x);
  let best: { cost: number; piece: Nest; rest: Nest } | undefined;
  const alone = mayStandAlone(s, active);
  for (const e of nodes(s)) {
    if (!alone(e)) continue;
    const { piece, rest } = cut(s, e, supply);
    if (piece.v.t === 'f32' && isActive(active)(e)) stored.add(piece.v);
    const part = pointsOf(piece) / pointsOf(s);
    const cost = costOf(rest, counts) + part * costOf(piece, active);
    if (best === undefined || cost < best.cost) best = { cost, piece, rest };
  }
  if (best === undefined || best.cost >= whole) return [s];
  return [...share(best.piece, active, supply), ...share(best.rest, counts, supply)];
}

const pointsOf = (s: Nest) => sizeOf([...s.axes, ...s.red].map((a) => a.extent));

/** Work of a nest and its adjoint, per iteration. */
function costOf(s: Nest, active: (r: Read) => boolean): number {
  const selected = s.op === 'max' || s.op === 'min';
  const value = primsOf(s.body) + 1;
  const keys = new Keys();
  const cts = new Map<number, Expr>();
  // Any read that is not part of the body stands for the cotangent of the nest.
  for (const { read, ct } of sweep(s.body, active, readAt(s.v, s.axes))) {
    const key = keys.expr(read);
    const old = cts.get(key);
    cts.set(key, old === undefined ? ct : add(old, ct));
  }
  let cost = selected ? 2 * value : value;
  for (const ct of cts.values()) cost += primsOf(ct) + 1 + (selected ? 2 : 0);
  return cost;
}

/** What may be stored: primitives other than the value of the nest itself, largest first. */
function nodes(s: Nest): readonly Expr[] {
  const operands = new Set(readsOf(s.body).map((r) => r.x));
  const memory = [s.v, ...operands].reduce((n, x) => n + sizeOf(x.shape), 0);
  if (s.op !== null && pointsOf(s) > mostMemory * memory) return [];
  const out: Expr[] = [];
  walkExpr((e) => {
    if (e.k === 'prim' && e.t !== 'int' && !(e === s.body && s.op === null)) out.push(e);
  }, s.body);
  return out.sort((a, b) => primsOf(b) - primsOf(a)).slice(0, candidates);
}

function cut(s: Nest, e: Expr, supply: Supply): { piece: Nest; rest: Nest } {
  const used = freeAxes(e);
  const axes: readonly Axis[] = [...s.axes, ...s.red].filter((a) => used.has(a.id));
  const v = supply.var(
    s.v.name,
    e.t,
    axes.map((a) => a.extent),
  );
  const read = readAt(v, axes);
  const put = foldExpr<Expr>((n, go) => {
    if (n === e) return read;
    if (n.k !== 'prim') return n;
    const args = mapSame(n.args, go);
    return args === n.args ? n : withArgs(n, args);
  });
  return { piece: mapNest(v, axes, e, s.spans), rest: { ...s, body: put(s.body) } };
}
