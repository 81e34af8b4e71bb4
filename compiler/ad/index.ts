/**
 * Derivatives of a list of statements, as elaboration asks for them.
 *
 * Forward mode is jvp.ts; reverse mode is forward, taken apart, transposed and cleaned:
 * statements -> values and tangents together -> values, then linear tangents -> values, then
 * cotangents. Invariant: the primal statements define everything the given ones defined, under the
 * same variables, and both lists put after each other are a program; derivatives of derivatives are
 * the same functions again. Integers, booleans and keys have no tangent: they are left out of `wrt`.
 */

import { defsOf, type Supply, usesOf } from '../core/build.ts';
import { noExtents } from '../core/ix.ts';
import type { Stmt, Var } from '../core.ts';
import { forward, type Tangents } from './jvp.ts';
import { keepLive } from './live.ts';
import { Transposer } from './transpose.ts';
import { unzip } from './unzip.ts';

export type Jvp = {
  readonly primal: readonly Stmt[];
  readonly tangent: readonly Stmt[];
  /** null where the derivative is zero whatever the values. */
  readonly tangentOf: (x: Var) => Var | null;
};

export function jvp(
  stmts: readonly Stmt[],
  wrt: readonly { readonly x: Var; readonly dx: Var }[],
  supply: Supply,
): Jvp {
  const real = wrt.filter(({ x }) => x.t === 'f32');
  const tangents: Tangents = new Map(real.map(({ x, dx }) => [x, dx]));
  const all = stmts.flatMap((s) => defsOf(s));
  const both = forward(stmts, tangents, all, supply, false);
  // A fold that carries values and tangents together stands with the values.
  const needed = new Set<Var>(all);
  const first = new Set<Stmt>();
  for (const s of [...both].reverse()) {
    if (!defsOf(s).some((d) => needed.has(d))) continue;
    first.add(s);
    for (const x of usesOf(s)) needed.add(x);
  }
  return {
    primal: both.filter((s) => first.has(s)),
    tangent: both.filter((s) => !first.has(s)),
    tangentOf: (x) => tangents.get(x) ?? null,
  };
}

export type Vjp = {
  readonly primal: readonly Stmt[];
  readonly adjoint: readonly Stmt[];
  /** null where the derivative is zero whatever the values. */
  readonly cotangentOf: (x: Var) => Var | null;
};

export function vjp(
  stmts: readonly Stmt[],
  wrt: readonly Var[],
  seeds: readonly { readonly y: Var; readonly ct: Var }[],
  supply: Supply,
): Vjp {
  const real = wrt.filter((x) => x.t === 'f32');
  const tangents: Tangents = new Map(real.map((x) => [x, supply.like(x, `d${x.name}`)]));
  const inputs = real.map((x) => tangents.get(x)!);
  const asked = seeds.map((s) => s.y);
  const both = forward(stmts, tangents, asked, supply, true);

  const original = new Set(stmts.flatMap((s) => defsOf(s)));
  const reached = new Set(original);
  for (const { y } of seeds) {
    const dy = tangents.get(y);
    if (dy !== undefined) reached.add(dy);
  }
  const linearVars = new Set(inputs);
  const { primal, linear } = unzip(keepLive(both, reached), linearVars, supply);

  const t = new Transposer(linearVars, supply, noExtents);
  for (const { y, ct } of seeds) {
    const dy = tangents.get(y);
    if (dy === undefined) continue;
    const origin = stmts.find((s) => defsOf(s).includes(y)) ?? stmts[0];
    t.giveVar(dy, ct, origin?.spans ?? []);
  }
  t.run(linear);
  const cotangents = new Map(real.map((x, i) => [x, t.take(inputs[i]!)]));

  const wanted = new Set([...cotangents.values()].filter((v) => v !== null));
  const adjoint = keepLive(t.out, wanted);
  for (const x of original) wanted.add(x);
  return {
    primal: keepLive(primal, wanted),
    adjoint,
    cotangentOf: (x) => cotangents.get(x) ?? null,
  };
}
