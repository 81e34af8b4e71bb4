/** Custom derivatives: the rule is used, at every order, and may read what the body computed. */
import { expect, test } from 'vitest';
import { f32, prim } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { verify } from '../../compiler/core/verify.ts';
import type { Core, Expr, Var } from '../../compiler/core.ts';
import { at, Hand, spans } from '../core/hand.ts';
import { jvpCore, vjpCore } from './check.ts';

/** y = f(x) with dy = rule(dx), over a vector; the body first computes a hidden value. */
function custom(
  hidden: (x: Expr) => Expr,
  value: (t: Expr) => Expr,
  rule: (dx: Expr, x: Expr, t: Expr, y: Expr) => Expr,
): Core {
  const h = new Hand();
  const x = h.input('x', [3]);
  const dx = h.supply.like(x, 'dx');
  let [t, y, dy] = [x, x, x] as [Var, Var, Var];
  const body = h.block(() => {
    const i = h.supply.axis(3, 'i');
    t = h.map('t', [i], hidden(at(x, i)));
    const j = h.supply.axis(3, 'j');
    y = h.map('y', [j], value(at(t, j)));
  });
  const jvp = h.block(() => {
    const i = h.supply.axis(3, 'i');
    dy = h.map('dy', [i], rule(at(dx, i), at(x, i), at(t, i), at(y, i)));
  });
  h.body.push({
    k: 'custom',
    ins: [x],
    outs: [y],
    body,
    jvp: { dins: [dx], douts: [dy], body: jvp },
    spans,
  });
  const k = h.supply.axis(3, 'k');
  return h.core(h.map('z', [k], prim('mul', at(y, k), at(y, k))));
}

const run = (core: Core, ...inputs: readonly (readonly number[])[]) => {
  expect(verify(core)).toEqual([]);
  return interpret(
    core,
    inputs.map((x) => Float64Array.from(x)),
  ).map((x) => Array.from(x));
};

const x = [0.5, -1.2, 2];
const ones = [1, 1, 1];

test('a straight-through rule is used although the body has no derivative', () => {
  const core = custom(
    (v) => prim('round', v),
    (t) => t,
    (dx) => dx,
  );
  // z = round(x)^2: dz = 2 round(x) dx
  const want = [0, -2, 4];
  expect(run(vjpCore(core).core, x, ones)[1]!.map((v) => v + 0)).toEqual(want);
  expect(run(jvpCore(core).core, x, ones)[1]!.map((v) => v + 0)).toEqual(want);
});

test('the rule is used at the second order as well', () => {
  const core = custom(
    (v) => prim('round', v),
    (t) => t,
    (dx) => dx,
  );
  // The gradient is 2 y ct; its derivative by x is 2 ct by the rule again.
  const gradient = vjpCore(core);
  const only: Core = { ...gradient.core, outputs: [gradient.core.outputs[1]!] };
  const second = vjpCore(only);
  expect(run(second.core, x, ones, ones)[1]).toEqual([2, 2, 2]);
});

test('a rule that reads what the body hides, and its derivative', () => {
  // y = exp(x) computed as t * t with t = exp(x/2); dy = t^2 dx
  const core = custom(
    (v) => prim('exp', prim('mul', f32(0.5), v)),
    (t) => prim('mul', t, t),
    (dx, _x, t) => prim('mul', dx, prim('mul', t, t)),
  );
  const got = run(vjpCore(core).core, x, ones)[1]!;
  for (const [i, g] of got.entries()) expect(g).toBeCloseTo(2 * Math.exp(2 * x[i]!), 10);
  const gradient = vjpCore(core);
  const only: Core = { ...gradient.core, outputs: [gradient.core.outputs[1]!] };
  const second = run(vjpCore(only).core, x, ones, ones)[1]!;
  for (const [i, g] of second.entries()) expect(g).toBeCloseTo(4 * Math.exp(2 * x[i]!), 9);
});
