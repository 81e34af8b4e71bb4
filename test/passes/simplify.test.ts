/** Simplification: same values and valid programs on random ones, idempotent; its structure on hand-made ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { printCore } from '../../compiler/core/print.ts';
import { verify } from '../../compiler/core/verify.ts';
import { work } from '../../compiler/core/work.ts';
import { simplify } from '../../compiler/passes/simplify.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { sameValues } from './same-values.ts';

describe('on random programs', () => {
  it('keeps the values, the rules and the outputs, and does not add work', () => {
    fc.assert(
      fc.property(arbitraryCore({ customs: true }), ({ core, inputs }) => {
        const simple = simplify(core);
        expect(verify(simple)).toEqual([]);
        expect(simple.outputs).toEqual(core.outputs);
        sameValues(interpret(simple, inputs), interpret(core, inputs), core.outputs);
        expect(work(simple)).toBeLessThanOrEqual(work(core));
      }),
      { numRuns: 500 },
    );
  });

  it('is idempotent', () => {
    fc.assert(
      fc.property(arbitraryCore({ customs: true }), ({ core }) => {
        const once = simplify(core);
        const twice = simplify(once);
        expect(printCore(twice)).toBe(printCore(once));
        expect(twice).toBe(once);
      }),
      { numRuns: 300 },
    );
  });
});
