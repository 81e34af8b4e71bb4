import fc from 'fast-check';
import { work } from '../../compiler/core/work.ts';
import { sizeOf } from '../../compiler/core/build.ts';
import { live } from '../../compiler/passes/live.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { isReal, vjpCore } from './check.ts';
import { printCore } from '../../compiler/core/print.ts';
import type { Core } from '../../compiler/core.ts';
const saving = (core: Core): Core => ({ ...core, body: core.body.map((s) => (s.k === 'fold' ? { ...s, save: 'auto' } : s)) });
const [n, seed] = process.argv.slice(2).map(Number);
let over = 0, max = 0;
for (const c of fc.sample(arbitraryCore({ customs: true }), { numRuns: n, seed })) {
  const core = live(saving(c.core));
  const cells = core.inputs.filter(isReal).reduce((m, x) => m + sizeOf(x.shape), 0);
  const adj = vjpCore(core).core;
  const r = work(adj) / (work(core) + cells);
  if (r > max) max = r;
  if (r > 5) { over++; console.log('OVER', r, work(core), cells, work(adj)); console.log(printCore(core)); console.log(printCore(adj)); }
}
console.log(over, max);
