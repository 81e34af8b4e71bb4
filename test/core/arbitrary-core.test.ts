/** Random programs are valid, run without a fault, stay tame, and cover what they promise. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { walkStmts } from '../../compiler/core/build.ts';
import { walkExpr } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { eachAtom } from '../../compiler/core/ix.ts';
import { verify } from '../../compiler/core/verify.ts';
import { arbitraryCore } from './arbitrary-core.ts';

describe('random programs', () => {
  it.each([{}, { smooth: true }, { customs: true }])('are valid and tame: %j', (options) => {
    fc.assert(
      fc.property(arbitraryCore(options), ({ core, inputs }) => {
        expect(verify(core)).toEqual([]);
        for (const [i, out] of interpret(core, inputs).entries()) {
          const limit = core.outputs[i]!.t === 'f32' ? 1e4 : 2 ** 32;
          expect(out.every((v) => Math.abs(v) <= limit)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('hold every form of statement, index and reduction', () => {
    const seen = new Map<string, number>();
    const see = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
    for (const { core } of fc.sample(arbitraryCore({ customs: true }), { numRuns: 400, seed: 1 })) {
      walkStmts(core.body, (s) => {
        see(s.k);
        if (s.k === 'nest') {
          see(`${s.op}`);
          walkExpr((e) => {
            if (e.k === 'prim') see(e.op);
            if (e.k !== 'read') return;
            if (e.guard.length > 0) see('guard');
            const axes = e.ix.flatMap((ix) =>
              ix.terms.flatMap((t) => (t.a.k === 'axis' ? [t.a.id] : [])),
            );
            if (new Set(axes).size < axes.length) see('diagonal');
            for (const ix of e.ix) {
              if (ix.terms.some((t) => t.m < 0)) see('reversed');
              if (ix.terms.some((t) => t.m > 1)) see('strided');
              eachAtom(ix, (a) => see(`atom ${a.k}`));
            }
          }, s.body);
        } else if (s.k === 'fold') {
          if (s.rev) see('rev');
          if (s.ys.length > 0) see('ys');
          if (s.carry.length > 1) see('carries');
          for (const a of s.acc) see(a.at === null ? 'acc whole' : 'acc slice');
          if (s.body.some((b) => b.k === 'fold')) see('nested fold');
          if (s.carry.some((c) => s.carry.some((d) => d.in === c.next))) see('swap');
        }
      });
    }
    const forms = [
      ...['nest', 'segsum', 'fold', 'custom', 'guard', 'diagonal', 'reversed', 'strided'],
      ...[
        'atom axis',
        'atom div',
        'atom mod',
        'atom val',
        'select',
        'bits0',
        'rev',
        'ys',
        'carries',
      ],
      ...['acc whole', 'acc slice', 'nested fold', 'swap', 'sum', 'prod', 'max', 'min', 'argmax'],
      ...[
        'argmin',
        'all',
        'any',
        'null',
        'exp',
        'log',
        'sqrt',
        'div',
        'idiv',
        'mod',
        'cast',
        'erf',
      ],
    ];
    expect(forms.filter((f) => (seen.get(f) ?? 0) < 5)).toEqual([]);
  });
});
