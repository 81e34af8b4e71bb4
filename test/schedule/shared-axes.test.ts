/** Loops of one kernel that share axes: what is merged for one of them must be there in the other. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addIx, divIx, evalIx, ixAxis, modIx, noExtents, scaleIx } from '../../compiler/core/ix.ts';
import type { AxisId, Ix } from '../../compiler/core.ts';
import type { KExpr, Kernel, KNest } from '../../compiler/plan.ts';
import { tidyAxes } from '../../compiler/schedule/axes.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { onDevice } from '../../runtime/gradcheck/device.ts';
import { coreOf, inputsOf } from './chains.ts';
import { someAxes } from './some-axes.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice('wasm');
});
afterAll(() => device.dispose());

it('a sum over all axes and one over some of them', async () => {
  const core = coreOf(someAxes, { M: 2 }, ['y', 'x']);
  const run = await onDevice(device, core);
  expect(await run.compare(inputsOf(core))).toMatchObject({ ok: true });
  run.dispose();
});

/** The cells that a nest stores to, each with the word of buffer 9 that it reads. */
function copied(n: KNest): string[] {
  const axes = [...n.axes];
  const points = axes.reduce((p, a) => p * a.extent, 1);
  return Array.from({ length: points }, (_, p) => {
    const at = new Map<AxisId, number>();
    let rest = p;
    for (const a of axes) {
      at.set(a.id, rest % a.extent);
      rest = Math.floor(rest / a.extent);
    }
    const value = (ix: Ix): number =>
      evalIx(
        ix,
        (id) => at.get(id)!,
        () => 0,
      );
    const body = n.body as Extract<KExpr, { k: 'load' }>;
    return `${value(n.store.at.ix)} <- ${value(body.at.ix)}`;
  }).sort();
}

it.each([
  [1, 6],
  [6, 1],
  [4, 6],
  [6, 4],
  [2, 4],
])('loops over %i and %i steps that have the same name keep their steps', (n, m) => {
  const nest = (extent: number, buf: number): KNest => {
    const a = { id: 0, extent, name: 'i' };
    const ix = ixAxis(a);
    const halves = addIx(divIx(ix, 2, noExtents), scaleIx(modIx(ix, 2, noExtents), extent));
    const body: KExpr = { k: 'load', t: 'f32', buf: 9, at: { ix: halves, dyn: [] }, guard: [] };
    const store = { buf, at: { ix, dyn: [] }, guard: [], mode: 'set' as const };
    return { axes: [a], red: [], op: null, body, store, spans: [] };
  };
  const nests = [nest(n, 1), nest(m, 2)];
  const k: Kernel = { k: 'kernel', id: 0, name: 'k', grid: [], nests, loops: [] };
  const [tidy] = tidyAxes({ steps: [k] }).steps as [Kernel];
  expect(tidy.nests.map(copied)).toEqual(nests.map(copied));
});
