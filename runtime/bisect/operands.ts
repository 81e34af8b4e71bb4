/** What went into one element of a statement: the operands that its indices alone decide. */
import { freeAxes, readsOf, substAxes } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { ixConst, noExtents } from '../../compiler/core/ix.ts';
import type { AxisId, Core, Ix, Nest } from '../../compiler/core.ts';

export type Operand = {
  readonly name: string;
  readonly index: readonly number[];
  readonly value: number;
};

/** `core` defines its one output by its last statement; `at` is the element. */
export function operandsAt(
  core: Core,
  at: readonly number[],
  inputs: readonly Float64Array[],
): readonly Operand[] {
  const s = core.body.at(-1);
  if (s?.k !== 'nest' || core.body.length > 1) return [];
  const map = new Map<AxisId, Ix>(s.axes.map((a, i) => [a.id, ixConst(at[i]!)]));
  const body = substAxes(map, noExtents).expr(s.body);
  const red = new Set(s.red.map((a) => a.id));
  const out = new Map<string, Operand>();
  for (const r of readsOf(body)) {
    if ([...freeAxes(r)].some((id) => red.has(id))) continue;
    const index = r.ix.map((i) => (i.terms.length === 0 ? i.c : -1));
    const nest: Nest = {
      ...s,
      v: { ...s.v, t: r.t, shape: [] },
      axes: [],
      red: [],
      op: null,
      body: r,
    };
    const [value] = interpret({ ...core, body: [nest], outputs: [nest.v] }, inputs)[0]!;
    out.set(`${r.x.id}:${index}`, { name: r.x.name, index, value: value! });
  }
  return [...out.values()];
}
