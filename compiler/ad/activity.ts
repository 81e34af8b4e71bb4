/**
 * Which variables can carry a tangent: those that depend on an active variable through f32
 * operations with a derivative. The carries of a fold by fixpoint: a carry is active when its init
 * or its next is.
 *
 * Invariant: what is not active has the derivative zero; the forward pass gives a tangent to active
 * variables only.
 */

import { usesOfBlock } from '../core/build.ts';
import type { Read } from '../core/expr.ts';
import type { Fold, Stmt, Var } from '../core.ts';
import { reductions } from './reductions.ts';
import { isActive } from './scalar.ts';

/** `active` grows by what the statements define, at any depth. */
export function spreadActivity(body: readonly Stmt[], active: Set<Var>): void {
  for (const s of body) spread(s, active);
}

function spread(s: Stmt, active: Set<Var>): void {
  const reads = isActive((r: Read) => active.has(r.x));
  switch (s.k) {
    case 'nest':
      if (s.op !== null && reductions[s.op].k === 'constant') return;
      if (reads(s.body)) active.add(s.v);
      return;
    case 'segsum':
      if (reads(s.body)) active.add(s.v);
      return;
    case 'fold':
      activeCarries(s, active);
      for (const y of s.ys) if (active.has(y.elem)) active.add(y.v);
      for (const a of s.acc) if (active.has(a.init) || active.has(a.add)) active.add(a.v);
      return;
    case 'custom':
      // What its body reads besides the inputs was captured by a function among the arguments.
      if ([...s.ins, ...usesOfBlock(s.body)].some((x) => active.has(x))) {
        for (const x of s.outs) if (x.t === 'f32') active.add(x);
      }
      return;
  }
}

function activeCarries(f: Fold, active: Set<Var>): void {
  for (let grown = true; grown; ) {
    grown = false;
    for (const c of f.carry) {
      if (active.has(c.in) || !(active.has(c.init) || active.has(c.next))) continue;
      active.add(c.in).add(c.out);
      grown = true;
    }
    spreadActivity(f.body, active);
    grown ||= f.carry.some((c) => active.has(c.next) && !active.has(c.in));
  }
}
