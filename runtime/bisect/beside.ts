/**
 * Values beside a derivative against those without: asking for a gradient changes none, but for the
 * order of sums and products, in f64 on the reference.
 */
import { type Prepared, prepareCore } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { rounding } from '../../compiler/gradcheck/rounding.ts';
import { type Cell, compareCells } from './cells.ts';

type Arrays = readonly Float64Array[];

export type Changed = { readonly output: number; readonly cell: Cell };

/** The first changed element of each output of `plain`; `beside` has those outputs first. */
export function changedValues(plain: Core, beside: Core, inputs: Arrays): readonly Changed[] {
  const exact = complete(prepareCore(rounding(plain, true).core), inputs);
  const bounds = exact.slice(plain.outputs.length).values();
  const got = complete(prepareCore(beside), inputs);
  return plain.outputs.flatMap((y, output) => {
    const want = exact[output]!;
    // Counted in units of f32, and both sides are off by rounding in f64.
    const off = y.t === 'f32' ? bounds.next().value!.map((e) => e * 2 ** -28) : want.map(() => 0);
    const [cell] = compareCells(got[output]!, want, off).off;
    return cell === undefined ? [] : [{ output, cell }];
  });
}

function complete(p: Prepared, inputs: Arrays): Arrays {
  const steps = p.run(inputs);
  for (;;) {
    const s = steps.next();
    if (s.done) return s.value;
  }
}
