/**
 * Accesses of compiled plans, by what the second proof (compiler/bounds) makes of them: shown to be in
 * range, or looked after while the plan runs; those whose place data decides are counted apart.
 */
import { bounds } from '../../compiler/bounds/index.ts';
import type { Compiled } from '../../runtime/devices/device.ts';

export type Checks = Readonly<Record<string, number>>;

/** What the checker proved, and the plan does not. */
export const unshown = 'by loops alone, checked';

export function checksOf(program: Compiled): Checks {
  const { shown, shownData, checked, checkedData } = bounds(program.plan()).report;
  return {
    'by loops alone, shown': shown - shownData,
    [unshown]: checked - checkedData,
    'by data, shown': shownData,
    'by data, checked': checkedData,
  };
}
