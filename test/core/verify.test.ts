/** Every rule of the core IR refuses the program that breaks it, and names the statement. */
import { describe, expect, it } from 'vitest';
import { tabulate } from '../../compiler/core/build.ts';
import { f32, i32, prim, readE } from '../../compiler/core/expr.ts';
import {
  divIx,
  extentsOf,
  ixAxis,
  ixConst,
  ixVal,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import { assertCore, verify } from '../../compiler/core/verify.ts';
import type { Core, Fold, Nest, Stmt, Var } from '../../compiler/core.ts';
import { at, denseSilu, foldCore, gatherScatter, Hand, spans } from './hand.ts';

const rulesBroken = (core: Core) => [...new Set(verify(core).map((v) => v.rule))];

/** denseSilu with its first statement replaced. */
function withNest(change: (s: Nest) => Partial<Nest> | Stmt): Core {
  const core = denseSilu(2, 3);
  const first = core.body[0] as Nest;
  return { ...core, body: [{ ...first, ...change(first) } as Stmt, ...core.body.slice(1)] };
}

function withFold(change: (s: Fold) => Partial<Fold>): Core {
  const core = foldCore(false);
  const fold = core.body[0] as Fold;
  return { ...core, body: [{ ...fold, ...change(fold) }] };
}

const stranger: Var = { id: 998, name: 'stranger', t: 'f32', shape: [] };
const far = { id: 999, extent: 2, name: 'far' };

describe('good programs', () => {
  it('have no violations', () => {
    for (const core of [denseSilu(2, 3), foldCore(false), foldCore(true), gatherScatter()]) {
      expect(verify(core)).toEqual([]);
      expect(assertCore(core)).toBe(core);
    }
  });

  it('may read out of a plain interval when a guard or few axes prove it', () => {
    const g = new Hand();
    const x = g.input('x', [5]);
    const [i, j] = [g.supply.axis(3, 'i'), g.supply.axis(3, 'j')];
    // 2*i + j reaches 6; the guard on i + j <= 2 keeps it below 5, which enumeration finds.
    const sum = { c: 0, terms: [...ixAxis(i).terms, ...ixAxis(j).terms] };
    const ix = { c: 0, terms: [...scaleIx(ixAxis(i), 2).terms, ...ixAxis(j).terms] };
    const read = readE(x, [ix], [{ e: sum, lo: 0, hi: 3 }]);
    expect(verify(g.core(g.map('y', [i, j], read)))).toEqual([]);
    const wide = readE(x, [ix], [{ e: sum, lo: 0, hi: 4 }]);
    expect(rulesBroken(g.core(g.map('z', [i, j], wide)))).toEqual([
      'a read is in range wherever its guards hold',
    ]);
  });
});

describe('nests and their expressions', () => {
  const cases: [string, Core][] = [
    [
      'the shape of a nest is the extents of its axes',
      withNest((s) => ({ axes: [{ ...s.axes[0]!, extent: 1 }] })),
    ],
    ['a nest has reduction axes exactly when it has a reduction', withNest(() => ({ op: null }))],
    ['a nest has the dtype of its reduction or body', withNest(() => ({ body: i32(1) }))],
    ['a reduction fits the dtype of its body', withNest(() => ({ op: 'all' }))],
    [
      'argmax and argmin reduce over exactly one axis',
      withNest((s) => ({ op: 'argmax', red: [s.red[0]!, far] })),
    ],
    [
      'max, min, argmax and argmin reduce over something',
      withNest((s) => ({ op: 'max', red: [{ ...s.red[0]!, extent: 0 }] })),
    ],
    [
      'a read is in range wherever its guards hold',
      withNest((s) => ({ red: [{ ...s.red[0]!, extent: 4 }] })),
    ],
    ['a read variable is defined before its use', withNest(() => ({ body: readE(stranger, []) }))],
    [
      'an axis in an index is bound by the statement or by an enclosing fold',
      withNest((s) => ({ body: at(denseX(s), far) })),
    ],
    ['a constant is a value of its dtype', withNest(() => ({ body: castBroken() }))],
    [
      'a primitive takes arguments of its dtypes and gives the dtype of its rule',
      withNest(() => ({ body: { k: 'prim', t: 'f32', op: 'add', args: [f32(1), i32(1)] } })),
    ],
    [
      'the terms of an index are sorted and no atom is repeated',
      withNest((s) => ({
        body: at(denseX(s), {
          c: 0,
          terms: [...ixAxis(s.red[0]!).terms, ...ixAxis(s.red[0]!).terms],
        }),
      })),
    ],
    [
      'an index has integer coefficients, none zero',
      withNest((s) => ({
        body: at(denseX(s), { c: 0, terms: [{ m: 0, a: ixAxis(s.red[0]!).terms[0]!.a }] }),
      })),
    ],
    [
      'a data-dependent index is a whole number with a positive extent',
      withNest((s) => ({ body: at(denseX(s), ixVal(at(denseX(s), 0), 3)) })),
    ],
    [
      'a read has one index per dimension',
      withNest((s) => ({ body: { ...at(denseX(s), 0), ix: [] } as never })),
    ],
    [
      'a read has the dtype of its variable',
      withNest((s) => ({ body: { ...at(denseX(s), 0), t: 'i32' } as never })),
    ],
    ['every statement carries the source spans it came from', withNest(() => ({ spans: [] }))],
    [
      'the axes in scope are distinct',
      withNest((s) => ({ axes: s.red, v: { ...s.v, shape: [3] } })),
    ],
    ['one variable is one object', withNest((s) => ({ v: { ...s.v } }))],
    ['extents are whole numbers', withNest((s) => ({ red: [{ ...s.red[0]!, extent: 1.5 }] }))],
  ];

  function denseX(s: Nest): Var {
    const mul = s.body;
    const x = mul.k === 'prim' ? mul.args[1]! : mul;
    if (x.k !== 'read') throw new Error('the dense nest has changed');
    return x.x;
  }
  function castBroken() {
    return { k: 'prim' as const, t: 'f32' as const, op: 'cast' as const, args: [i32(0.5)] };
  }

  it.each(cases)('%s', (rule, core) => {
    expect(rulesBroken(core)).toContain(rule);
  });

  it('a violation shows the statement', () => {
    const [v] = verify(withNest(() => ({ body: f32(1), op: null, red: [], spans: [] })));
    expect(v!.statement).toBe('y[o]: f32[2] = 1.0');
  });

  it('div and mod are by a positive integer', () => {
    const g = new Hand();
    const x = g.input('x', [4]);
    const i = g.supply.axis(4, 'i');
    const half = divIx(ixAxis(i), 2, extentsOf([i]));
    const bad = { c: 0, terms: [{ m: 1, a: { ...half.terms[0]!.a, by: 0 } as never }] };
    expect(rulesBroken(g.core(g.map('y', [i], at(x, bad))))).toContain(
      'div and mod are by a positive integer',
    );
  });
});

describe('scopes', () => {
  const scope = 'a variable is defined once, before its uses, in an enclosing block';

  it('no variable is defined twice, used early, or seen outside its fold', () => {
    const dense = denseSilu(2, 3);
    expect(rulesBroken({ ...dense, body: [...dense.body, dense.body[0]!] })).toEqual([scope]);
    expect(rulesBroken({ ...dense, body: [dense.body[1]!, dense.body[0]!] })).toEqual([
      'a read variable is defined before its use',
    ]);
    expect(rulesBroken({ ...dense, body: [] })).toEqual([scope]);
    const fold = foldCore(false);
    const next = (fold.body[0] as Fold).carry[0]!.next;
    expect(rulesBroken({ ...fold, outputs: [next] })).toEqual([scope]);
  });

  it('what a fold names at its ends is defined where it is named', () => {
    const other: Var = { id: 800, name: 'other', t: 'f32', shape: [4] };
    const scalar: Var = { id: 801, name: 'scalar', t: 'f32', shape: [] };
    const ends: Core[] = [
      withFold((s) => ({ carry: [{ ...s.carry[0]!, next: other }] })),
      withFold((s) => ({ carry: [{ ...s.carry[0]!, init: other }] })),
      withFold((s) => ({ ys: [{ ...s.ys[0]!, elem: other }] })),
      withFold((s) => ({ acc: [s.acc[0]!, { ...s.acc[1]!, init: scalar }] })),
      withFold((s) => ({ acc: [s.acc[0]!, { ...s.acc[1]!, add: scalar }] })),
      // An init stands outside: what the body defines is too late for it.
      withFold((s) => ({ carry: [{ ...s.carry[0]!, init: s.carry[0]!.next }] })),
    ];
    for (const core of ends) expect(rulesBroken(core)).toEqual([scope]);
  });

  it('an accumulator cannot be read inside its fold', () => {
    const core = withFold((s) => {
      const g = new Hand();
      const v: Var = { id: 500, name: 'peek', t: 'f32', shape: [] };
      g.body.push(...s.body, {
        k: 'nest',
        v,
        axes: [],
        red: [],
        op: null,
        body: at(s.acc[1]!.v),
        spans,
      });
      return { body: g.body };
    });
    expect(rulesBroken(core)).toEqual(['a read variable is defined before its use']);
  });
});

describe('folds, segment sums, customs, constants', () => {
  const x4: Var = { id: 700, name: 'four', t: 'f32', shape: [4] };
  const cases: [string, Core][] = [
    ['a fold steps through its axis', withFold(() => ({ trip: 2 }))],
    [
      'a carry has one shape and dtype',
      withFold((s) => ({ carry: [{ ...s.carry[0]!, out: stranger }] })),
    ],
    ['ys stack their elements', withFold((s) => ({ ys: [{ ...s.ys[0]!, v: x4 }] }))],
    [
      'an accumulator starts alike and adds the whole or a leading slice',
      withFold((s) => ({ acc: [{ ...s.acc[0]!, at: null }, s.acc[1]!] })),
    ],
    [
      'an accumulator slice is affine in the steps and in range',
      withFold((s) => ({ acc: [{ ...s.acc[0]!, at: shiftIx(ixAxis(s.l), 1) }, s.acc[1]!] })),
    ],
  ];
  it.each(cases)('%s', (rule, core) => {
    expect(rulesBroken(core)).toContain(rule);
  });

  it('segment sums', () => {
    const core = gatherScatter();
    const seg = core.body[1]!;
    if (seg.k !== 'segsum') throw new Error('the program has changed');
    const broken = (change: Partial<typeof seg>) =>
      rulesBroken({ ...core, body: [core.body[0]!, { ...seg, ...change }] });
    expect(broken({ at: [] })).toContain('a segment sum has one target index per dimension');
    expect(broken({ body: i32(1) })).toEqual(['a segment sum adds numbers of its dtype']);
    expect(broken({ at: [ixConst(5)] })).toEqual([
      'a segment sum stores in range wherever its guards hold',
    ]);
    expect(broken({ at: [ixConst(5)], guard: [{ e: ixConst(5), lo: 0, hi: 5 }] })).toEqual([]);
  });

  it('customs and constants', () => {
    const g = new Hand();
    const x = g.input('x', [3]);
    let y!: Var;
    let dy!: Var;
    const dx = g.supply.like(x, 'dx');
    const nest = (name: string, of: Var) => {
      const s = tabulate(g.supply, name, [3], (ix) => prim('mul', f32(2), readE(of, ix)), spans);
      g.body.push(s);
      return s.v;
    };
    const body = g.block(() => {
      y = nest('y', x);
    });
    const jvp = g.block(() => {
      dy = nest('dy', dx);
    });
    const custom = (dins: readonly Var[]): Core => ({
      ...g.core(y),
      body: [
        { k: 'custom', ins: [x], outs: [y], body, jvp: { dins, douts: [dy], body: jvp }, spans },
      ],
    });
    expect(verify(custom([dx]))).toEqual([]);
    expect(rulesBroken(custom([dx, stranger]))).toEqual([
      'tangents are shaped like what they are tangents of',
    ]);
    const consts = [
      { v: { id: 900, name: 'c', t: 'f32' as const, shape: [2] }, data: new Float64Array(3) },
    ];
    expect(rulesBroken({ ...denseSilu(1, 1), consts })).toEqual([
      'a constant has a value per cell',
    ]);
  });
});
