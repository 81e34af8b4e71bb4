/** Programs of the shapes that models are made of, small, each with inputs. */
import { f32, i32, indexE, insideE, prim, readE, selectE, u32 } from '../../compiler/core/expr.ts';
import {
  addIx,
  ixAxis,
  ixConst,
  ixVal,
  modIx,
  noExtents,
  scaleIx,
} from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Ix, Prim, Var } from '../../compiler/core.ts';
import { at, denseSilu, foldCore, gatherScatter, Hand, spans } from '../core/hand.ts';

export type Case = { readonly core: Core; readonly inputs: readonly Float64Array[] };

/** Numbers without a pattern, exact in f32, mostly in (-2, 2). */
export function values(core: Core, seed = 1): Float64Array[] {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return core.inputs.map((x) => {
    const n = x.shape.reduce((a, b) => a * b, 1);
    return Float64Array.from({ length: n }, () => {
      if (x.t === 'f32') return Math.fround(4 * next() - 2);
      return x.t === 'bool' ? Math.round(next()) : Math.floor(next() * 3);
    });
  });
}

export const of = (core: Core): Case => ({ core, inputs: values(core) });
const mul = (...e: Expr[]): Expr => e.reduce((a, b) => prim('mul', a, b));
const add = (...e: Expr[]): Expr => e.reduce((a, b) => prim('add', a, b));

function patchify(C: number, H: number, W: number, P: number): Core {
  const h = new Hand();
  const img = h.input('img', [C, H * P, W * P]);
  const axes = h.supply.axes([H * W, P * P * C]);
  const [t, e] = axes as [Axis, Axis];
  const part = (a: Axis, by: number, mod: number): Ix => ({
    c: 0,
    terms: [
      {
        m: 1,
        a: { k: 'mod', e: { c: 0, terms: [{ m: 1, a: { k: 'div', e: ixAxis(a), by } }] }, by: mod },
      },
    ],
  });
  const row = addIx(scaleIx(part(t, W, H), P), part(e, P * C, P));
  const col = addIx(scaleIx(modIx(ixAxis(t), W, noExtents), P), part(e, C, P));
  return h.core(h.map('p', axes, at(img, modIx(ixAxis(e), C, noExtents), row, col)));
}

/** Rows of softmax(q k) v, and the maximum and sum that it uses. */
function attention(T: number, E: number): Core {
  const h = new Hand();
  const [q, k, v] = ['q', 'k', 'v'].map((n) => h.input(n, [T, E])) as [Var, Var, Var];
  const [t, s, e, d] = [h.supply.axis(T), h.supply.axis(T), h.supply.axis(E), h.supply.axis(E)];
  const dots = h.reduce('dots', [t, s], 'sum', [e], mul(at(q, t, e), at(k, s, e)));
  const top = h.reduce('top', [t], 'max', [s], at(dots, t, s));
  const z = h.map('z', [t, s], prim('exp', prim('sub', at(dots, t, s), at(top, t))));
  const sum = h.reduce('sum', [t], 'sum', [s], at(z, t, s));
  const p = prim('div', at(z, t, s), at(sum, t));
  return h.core(h.reduce('out', [t, d], 'sum', [s], mul(p, at(v, s, d))), top, sum);
}

function layernorm(T: number, D: number): Core {
  const h = new Hand();
  const [x, g, b] = [h.input('x', [T, D]), h.input('g', [D]), h.input('b', [D])];
  const [t, d] = [h.supply.axis(T), h.supply.axis(D)];
  const n = f32(D);
  const total = h.reduce('total', [t], 'sum', [d], at(x, t, d));
  const mu = prim('div', at(total, t), n);
  const c = prim('sub', at(x, t, d), mu);
  const square = h.reduce('square', [t], 'sum', [d], mul(c, c));
  const rstd = prim('div', f32(1), prim('sqrt', add(prim('div', at(square, t), n), f32(1e-5))));
  return h.core(h.map('y', [t, d], add(mul(c, rstd, at(g, d)), at(b, d))));
}

/** All four orientations of a contraction, batched over n, with a bias. */
export function matmuls(N: number, M: number, K: number, O: number): Core {
  const h = new Hand();
  const [n, m, k, o] = [N, M, K, O].map((e) => h.supply.axis(e)) as [Axis, Axis, Axis, Axis];
  const bias = h.input('bias', [O]);
  const outs = [0, 1, 2, 3].map((f) => {
    const a = h.input(`a${f}`, f & 1 ? [N, K, M] : [N, M, K]);
    const b = h.input(`b${f}`, f & 2 ? [O, K] : [K, O]);
    const body = mul(f & 1 ? at(a, n, k, m) : at(a, n, m, k), f & 2 ? at(b, o, k) : at(b, k, o));
    const y = h.reduce(`y${f}`, [n, m, o], 'sum', [k], body);
    return h.map(`z${f}`, [n, m, o], add(at(y, n, m, o), at(bias, o)));
  });
  return h.core(...outs);
}

/** w[o, i] += sum t. y[l, t, o] * x[l, t, i] * s[t] over a fold: a product that adds. */
function accumulatedProducts(L: number, T: number, O: number, I: number): Core {
  const h = new Hand();
  const [y, x] = [h.input('y', [L, T, O]), h.input('x', [L, T, I])];
  const [s, w0] = [h.input('s', [T]), h.input('w0', [O, I])];
  const [l, t, o, i] = [L, T, O, I].map((e) => h.supply.axis(e)) as [Axis, Axis, Axis, Axis];
  let add!: Var;
  const body = h.block(() => {
    add = h.reduce('dw', [o, i], 'sum', [t], mul(at(y, l, t, o), at(x, l, t, i), at(s, t)));
  });
  const w = h.supply.like(w0);
  const acc = [{ v: w, init: w0, add, at: null }];
  const fold = { k: 'fold', trip: L, l, rev: true, carry: [], ys: [], acc } as const;
  h.body.push({ ...fold, save: 'auto', body, spans });
  return h.core(w);
}

/** Every reduction over many elements, into few cells; NaN at one place of the second. */
function longReductions(n: number, nan: boolean): Case {
  const h = new Hand();
  const [x, m] = [h.input('x', [3, n]), h.input('m', [3, n], 'bool')];
  const [c, i] = [h.supply.axis(3), h.supply.axis(n)];
  const ops = ['sum', 'max', 'min', 'argmax', 'argmin'] as const;
  const near = add(f32(1), mul(f32(1e-4), at(x, c, i)));
  const outs = [
    ...ops.map((op) => h.reduce(op, [c], op, [i], at(x, c, i))),
    h.reduce('prod', [c], 'prod', [i], near),
    h.reduce('all', [c], 'all', [i], at(m, c, i)),
    h.reduce('any', [c], 'any', [i], at(m, c, i)),
    h.reduce('whole', [], 'sum', [c, i], mul(at(x, c, i), at(x, c, i))),
  ];
  const made = of(h.core(...outs));
  made.inputs[1]!.fill(1)
    .fill(0, n + 3, n + 4)
    .fill(0, 2 * n);
  if (nan) made.inputs[0]![n + 700] = Number.NaN;
  return made;
}

/** A 3x3 convolution with stride 2 and padding: guarded reads of moved indices. */
function convolution(C: number, H: number, O: number): Core {
  const h = new Hand();
  const [x, w] = [h.input('x', [C, 2 * H, 2 * H]), h.input('w', [O, C, 3, 3])];
  const [o, i, j, c] = [O, H, H, C].map((e) => h.supply.axis(e)) as [Axis, Axis, Axis, Axis];
  const [a, b] = [h.supply.axis(3), h.supply.axis(3)];
  const moved = (p: Axis, q: Axis): Ix => addIx(scaleIx(ixAxis(p), 2), ixAxis(q), ixConst(-1));
  const [r, s] = [moved(i, a), moved(j, b)];
  const guard = [r, s].map((e) => ({ e, lo: 0, hi: 2 * H }));
  const read = readE(x, [ixAxis(c), r, s], guard);
  return h.core(h.reduce('y', [o, i, j], 'sum', [c, a, b], mul(read, at(w, o, c, a, b))));
}

/** A fold up and then one down over the very same axis, as a fold and its adjoint. */
function twoFolds(): Core {
  const h = new Hand();
  const [x, w] = [h.input('x', [3]), h.input('w', [5, 3])];
  const [l, i] = [h.supply.axis(5, 'l'), h.supply.axis(3)];
  const fold = (init: Var, rev: boolean): Var => {
    const carried = h.supply.like(init);
    let next!: Var;
    const body = h.block(() => {
      const half = mul(f32(0.5), at(carried, i));
      next = h.map('n', [i], add(half, at(w, l, i)));
    });
    const out = h.supply.like(init);
    const carry = [{ in: carried, init, next, out }];
    h.body.push({ k: 'fold', trip: 5, l, rev, carry, ys: [], acc: [], save: 'auto', body, spans });
    return out;
  };
  const up = fold(x, false);
  return h.core(up, fold(up, true));
}

/** h = 0.9 h + w[l mod 7], and the sum of all h, for so many steps that no one batch holds them. */
export function longFold(trip: number): Core {
  const h = new Hand();
  const [x, w, zero] = [h.input('x', [3]), h.input('w', [7]), h.input('zero', [])];
  const [l, i] = [h.supply.axis(trip, 'l'), h.supply.axis(3)];
  const carried = h.supply.like(x);
  let next!: Var;
  let sum!: Var;
  const body = h.block(() => {
    const now = at(w, modIx(ixAxis(l), 7, noExtents));
    next = h.map('n', [i], add(mul(f32(0.9), at(carried, i)), now));
    sum = h.reduce('s', [], 'sum', [i], at(next, i));
  });
  const [out, total] = [h.supply.like(x), h.supply.like(zero)];
  const carry = [{ in: carried, init: x, next, out }];
  const acc = [{ v: total, init: zero, add: sum, at: null }];
  const fold = { k: 'fold', trip, l, rev: false, carry, ys: [], acc, save: 'auto' } as const;
  h.body.push({ ...fold, body, spans });
  return h.core(out, total);
}

/** Both words of Threefry for a few counters, and uniforms made of them. */
function randomBits(n: number): Core {
  const h = new Hand();
  const key = h.input('key', [2], 'u32');
  const i = h.supply.axis(n);
  const counter: Expr = { k: 'prim', t: 'u32', op: 'cast', args: [indexE(ixAxis(i))] };
  const args = [at(key, 0), at(key, 1), counter, u32(7)];
  const w0 = h.map('w0', [i], prim('bits0', ...args));
  const w1 = h.map('w1', [i], prim('bits1', ...args));
  const top: Expr = { k: 'prim', t: 'f32', op: 'cast', args: [prim('idiv', at(w0, i), u32(256))] };
  return h.core(w0, w1, h.map('uniform', [i], mul(top, f32(2 ** -24))));
}

/** Values on which targets disagree: NaN, infinities, zeros, halves, large and tiny numbers. */
export const awkward = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1,
  -1,
  3,
  -3,
  100,
  -100,
  1e-3,
  8388609,
  2147483648,
  -2147483648,
  4294967296,
  1e20,
  -1e20,
  3e38,
  1e-30,
  0.1,
  65519,
  65520,
  1e-7,
].map(Math.fround);

const unary: readonly Prim[] = [
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'tanh',
  'erf',
  'isfinite',
  'f16',
  'bf16',
];
const binary: readonly Prim[] = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'min',
  'max',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
];

/** Every f32 primitive at awkward values and pairs of them. */
function floatCorners(): Case {
  const h = new Hand();
  const x = h.input('x', [awkward.length]);
  const [i, j] = h.supply.axes([awkward.length, awkward.length]) as [Axis, Axis];
  // Far from zero sin and cos promise nothing.
  const near = selectE(prim('lt', prim('abs', at(x, i)), f32(1000)), at(x, i), f32(0.25));
  const outs = [
    ...unary.map((op) => h.map(op, [i], prim(op, op === 'sin' || op === 'cos' ? near : at(x, i)))),
    ...binary.map((op) => h.map(op, [i, j], prim(op, at(x, i), at(x, j)))),
    ...[2, 3, -1, 0, -2, 1.7].map((e) => h.map('power', [i], prim('pow', at(x, i), f32(e)))),
    h.map('root', [i], prim('pow', prim('abs', at(x, i)), f32(0.5))),
    ...(['i32', 'u32', 'bool'] as const).map((t) =>
      h.map(t, [i], { k: 'prim', t, op: 'cast', args: [at(x, i)] }),
    ),
    ...(['max', 'min'] as const).map((op) => h.reduce(op, [], op, [i], at(x, i))),
    ...(['argmax', 'argmin'] as const).map((op) => h.reduce(op, [], op, [i], at(x, i))),
  ];
  return { core: h.core(...outs), inputs: [Float64Array.from(awkward)] };
}

/** Every i32 primitive at the corners of its range. */
function integerCorners(): Case {
  const h = new Hand();
  const corners = [0, 1, -1, 2, -2, 7, -7, 2147483647, -2147483648, 65536, 12345];
  const x = h.input('x', [corners.length], 'i32');
  const [i, j] = h.supply.axes([corners.length, corners.length]) as [Axis, Axis];
  const u = (a: Axis): Expr => ({ k: 'prim', t: 'u32', op: 'cast', args: [at(x, a)] });
  const ops: readonly Prim[] = [
    'add',
    'sub',
    'mul',
    'idiv',
    'mod',
    'min',
    'max',
    'eq',
    'ne',
    'lt',
    'le',
    'gt',
    'ge',
  ];
  const outs = [
    ...ops.map((op) => h.map(op, [i, j], prim(op, at(x, i), at(x, j)))),
    ...ops.map((op) => h.map(`u${op}`, [i, j], prim(op, u(i), u(j)))),
    ...(['neg', 'abs', 'sign'] as const).map((op) => h.map(op, [i], prim(op, at(x, i)))),
    ...(['f32', 'bool'] as const).map((t) =>
      h.map(t, [i], { k: 'prim', t, op: 'cast', args: [at(x, i)] }),
    ),
    h.map('byConst', [i], prim('idiv', at(x, i), i32(-3))),
    h.map('byZero', [i], prim('mod', at(x, i), i32(0))),
    h.map('folded', [i], prim('add', prim('mul', i32(65536), i32(65536)), at(x, i))),
  ];
  return { core: h.core(...outs), inputs: [Float64Array.from(corners)] };
}

/** Logic, bool storage and reductions; an argmax used as an index; empty reductions. */
function logic(): Core {
  const h = new Hand();
  const [x, m] = [h.input('x', [4, 5]), h.input('m', [4, 5], 'bool')];
  const [i, j, none] = [h.supply.axis(4), h.supply.axis(5), h.supply.axis(0)];
  const b = h.map('b', [i, j], prim('and', at(m, i, j), prim('gt', at(x, i, j), f32(0))));
  const n = h.map(
    'n',
    [i, j],
    prim('or', prim('not', at(b, i, j)), prim('eq', at(b, i, j), at(m, i, j))),
  );
  const all = h.reduce('all', [i], 'all', [j], at(n, i, j));
  const any = h.reduce('any', [j], 'any', [i], at(b, i, j));
  const best = h.reduce('best', [i], 'argmax', [j], at(x, i, j));
  const pick = h.map('pick', [i], at(x, i, ixVal(at(best, i), 5)));
  const empty = h.reduce('empty', [i], 'sum', [none], f32(1));
  const corner = h.map(
    'corner',
    [i, j],
    selectE(insideE([{ e: addIx(ixAxis(i), ixAxis(j)), lo: 2, hi: 5 }]), at(x, i, j), f32(-1)),
  );
  return h.core(b, n, all, any, best, pick, empty, corner);
}

export const handCases: readonly { name: string; make: () => Case }[] = [
  { name: 'dense layer with a gate', make: () => of(denseSilu(7, 9)) },
  { name: 'fold up with ys and sums', make: () => of(foldCore(false)) },
  { name: 'fold down with ys and sums', make: () => of(foldCore(true)) },
  { name: 'two folds over one axis, up and down', make: () => of(twoFolds()) },
  { name: 'a fold of many steps', make: () => of(longFold(700)) },
  { name: 'gather and segment sum', make: () => of(gatherScatter()) },
  { name: 'patchify', make: () => of(patchify(3, 4, 2, 4)) },
  { name: 'attention', make: () => of(attention(17, 8)) },
  { name: 'layer norm', make: () => of(layernorm(5, 33)) },
  { name: 'many rows of attention', make: () => of(attention(40, 8)) },
  { name: 'many rows of layer norm', make: () => of(layernorm(70, 33)) },
  { name: 'contractions in every orientation', make: () => of(matmuls(2, 9, 19, 6)) },
  { name: 'contractions in tiles', make: () => of(matmuls(2, 33, 40, 21)) },
  { name: 'contractions in large tiles', make: () => of(matmuls(1, 70, 50, 130)) },
  { name: 'products added over a fold', make: () => of(accumulatedProducts(3, 20, 18, 37)) },
  { name: 'long reductions', make: () => longReductions(1500, false) },
  { name: 'long reductions over NaN', make: () => longReductions(900, true) },
  { name: 'strided padded convolution', make: () => of(convolution(3, 5, 4)) },
  { name: 'random bits', make: () => of(randomBits(300)) },
  { name: 'float corners', make: floatCorners },
  { name: 'integer corners', make: integerCorners },
  { name: 'logic, argmax and empty reductions', make: () => of(logic()) },
];
