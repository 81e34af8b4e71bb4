/**
 * Chains of integer kernels, each over what the ones before it stored: what an analysis says of the numbers
 * in a buffer (how large, of which sign) has to hold for the kernels that read it. Operands are inputs
 * with the ends of 32 bits, indices, and constants of either sign; divisors are anything.
 */
import fc from 'fast-check';
import { i32, indexE, prim } from '../../compiler/core/expr.ts';
import { ixAxis, ixConst, subIx } from '../../compiler/core/ix.ts';
import type { Core, Expr, Prim, Var } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';
import { ints, meaning } from './specials.ts';

type Operand =
  | { readonly k: 'stored'; readonly back: number; readonly turned: boolean }
  | { readonly k: 'index' }
  | { readonly k: 'const'; readonly v: number };
/** `total`: the sum of a over all that is stored, so far apart from what each element is. */
type Step = { readonly op: Prim | 'total'; readonly a: Operand; readonly b: Operand };

const N = 23;

const operand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record({ k: fc.constant('stored' as const), back: fc.nat(3), turned: fc.boolean() }),
  fc.record({ k: fc.constant('stored' as const), back: fc.constant(0), turned: fc.boolean() }),
  fc.constant({ k: 'index' as const }),
  fc.record({
    k: fc.constant('const' as const),
    v: fc.constantFrom(...ints, 5, 100, -100, 4194303),
  }),
);
const op = fc.constantFrom<Step['op']>(
  'total',
  ...(['add', 'sub', 'mul', 'min', 'max', 'neg', 'abs', 'sign'] as const),
  ...(['idiv', 'idiv', 'idiv', 'mod', 'mod', 'mod'] as const),
);
export const chain = fc.array(fc.record({ op, a: operand, b: operand }), {
  minLength: 2,
  maxLength: 6,
});

const isUnary = (o: Step['op']): boolean => o === 'neg' || o === 'abs' || o === 'sign';

export function built(steps: readonly Step[]): Core {
  const h = new Hand();
  const stored: Var[] = [h.input('x', [N], 'i32'), h.input('y', [N], 'i32')];
  for (const s of steps) {
    const i = h.supply.axis(N, 'i');
    const expr = (o: Operand): Expr => {
      if (o.k === 'const') return i32(o.v);
      if (o.k === 'index') return indexE(ixAxis(i));
      const from = stored[Math.max(0, stored.length - 1 - o.back)]!;
      return at(from, o.turned ? subIx(ixConst(N - 1), ixAxis(i)) : ixAxis(i));
    };
    if (s.op === 'total') {
      const to = h.supply.axis(N, 'to');
      const all = h.reduce('all', [], 'sum', [i], expr(s.a));
      stored.push(h.map('v', [to], prim('add', at(all), i32(1))));
      continue;
    }
    const args = isUnary(s.op) ? [expr(s.a)] : [expr(s.a), expr(s.b)];
    stored.push(h.map('v', [i], prim(s.op, ...args)));
  }
  return h.core(...stored.slice(2));
}

export function meant(steps: readonly Step[], inputs: readonly (readonly number[])[]): number[][] {
  const stored = inputs.map((x) => [...x]);
  for (const s of steps) {
    const value = (o: Operand, i: number): number => {
      if (o.k === 'const') return o.v;
      if (o.k === 'index') return i;
      return stored[Math.max(0, stored.length - 1 - o.back)]![o.turned ? N - 1 - i : i]!;
    };
    const add = meaning('add', 'i32')!;
    if (s.op === 'total') {
      const all = inputs[0]!.reduce((sum, _, i) => add(sum, value(s.a, i)), 0);
      stored.push(inputs[0]!.map(() => add(all, 1)));
      continue;
    }
    const rule = meaning(s.op, 'i32')!;
    stored.push(inputs[0]!.map((_, i) => rule(value(s.a, i), value(s.b, i))));
  }
  return stored.slice(2);
}

export const x = Array.from({ length: N }, (_, i) => ints[i % ints.length]!);
export const y = Array.from({ length: N }, (_, i) => ints[(i * 7 + 3) % ints.length]!);
