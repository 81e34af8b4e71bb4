/**
 * What a checkpoint and a parameter have in common: every leaf that is missing, every tensor that is
 * extra, every shape that differs, all at once and by state-dict name.
 */
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import { bindSizes } from '../../compiler/elaborate/sizes.ts';
import { leafSpecs } from '../../compiler/elaborate/types.ts';
import type { TFn } from '../../dsl/typed.ts';
import { itemName, overExtents, positions } from '../api/leaves.ts';
import { TenonError } from '../errors.ts';

export type Misshapen = {
  readonly name: string;
  readonly found: readonly number[];
  readonly expected: readonly number[];
};

export type CheckpointReport = {
  readonly matched: number;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly misshapen: readonly Misshapen[];
};

type Shaped = { readonly shape: readonly number[] };

/**
 * The leaves of a parameter at concrete sizes, without preparing the function.
 * @throws TenonError (`usage`) for a name that is no parameter; CompileError for sizes that do not fit.
 */
export function leavesAt(
  fn: TFn,
  name: string,
  sizes: Readonly<Record<string, number>>,
): readonly LeafSpec[] {
  const param = fn.params.find((p) => p.name === name);
  if (param === undefined) throw new TenonError('usage', `${fn.name} has no parameter ${name}`);
  return leafSpecs(param.type, bindSizes(fn, new Map(Object.entries(sizes))));
}

/** The state-dict names of leaves and their shapes, arrays of records item by item. */
export function expectedTensors(leaves: readonly LeafSpec[]): Map<string, readonly number[]> {
  const out = new Map<string, readonly number[]>();
  for (const { path, shape } of leaves) {
    const extents = overExtents(path);
    for (const at of positions(extents))
      out.set(itemName('', path, at), shape.slice(extents.length));
  }
  return out;
}

export function compareCheckpoint(
  tensors: ReadonlyMap<string, Shaped>,
  leaves: readonly LeafSpec[],
): CheckpointReport {
  const expected = expectedTensors(leaves);
  const missing: string[] = [];
  const misshapen: Misshapen[] = [];
  for (const [name, shape] of expected) {
    const found = tensors.get(name)?.shape;
    if (found === undefined) missing.push(name);
    else if (found.join() !== shape.join()) misshapen.push({ name, found, expected: shape });
  }
  const extra = [...tensors.keys()].filter((n) => !expected.has(n));
  const matched = expected.size - missing.length - misshapen.length;
  return { matched, missing, extra, misshapen };
}

/** @throws TenonError (`input`) that lists everything that does not fit. */
export function requireMatch(report: CheckpointReport, file: string): void {
  const { missing, extra, misshapen } = report;
  const shapes = misshapen.map(
    ({ name, found, expected }) =>
      `${name} is [${found.join(', ')}] and not [${expected.join(', ')}]`,
  );
  const faults = [
    ...group('missing', missing),
    ...group('extra', extra),
    ...group('of another shape', shapes),
  ];
  if (faults.length === 0) return;
  throw new TenonError('input', `${file} does not fit the parameters: ${faults.join('; ')}`, {
    hint: `${report.matched} tensors fit.`,
    place: { file, leaf: (missing[0] ?? misshapen[0]?.name ?? extra[0])! },
  });
}

const shown = 20;

function group(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return [`${names.length} ${what} (${names.slice(0, shown).join(', ')}${more})`];
}
