/** Leaves, elements and counter-examples as text, short enough to type in. */
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import type { Point } from './generate.ts';

const shown = 24;

export function showPoint(point: Point, indent: string): string {
  const sizes = [...point.sizes].map(([n, v]) => `${n} = ${v}`).join(', ');
  const leaves = point.leaves.map(({ name, spec }, i) => {
    const xs = Array.from(point.inputs[i]!.slice(0, shown), (v) => String(v)).join(', ');
    const more = point.inputs[i]!.length > shown ? ', ...' : '';
    return `${indent}${name}: ${spec.scalar}[${spec.shape.join(', ')}] = ${xs}${more}\n`;
  });
  return `${sizes === '' ? '' : `${indent}${sizes}\n`}${leaves.join('')}`;
}

/** The same for scripts. */
export function pointData(point: Point) {
  return {
    sizes: Object.fromEntries(point.sizes),
    leaves: point.leaves.map(({ name, spec }, i) => ({
      name,
      scalar: spec.scalar,
      shape: spec.shape,
      values: [...point.inputs[i]!],
    })),
  };
}

export function leafName(root: string, spec: LeafSpec): string {
  return [root, ...spec.path.map((s) => (typeof s === 'string' ? s : '*'))].join('.');
}

/** Where a row-major element stands. */
export function indexOf(element: number, shape: readonly number[]): readonly number[] {
  const at: number[] = [];
  let rest = element;
  for (const n of shape.toReversed()) {
    at.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return at;
}

/** `[0, 3]`, and nothing for a scalar. */
export function indexText(element: number, shape: readonly number[]): string {
  return shape.length === 0 ? '' : `[${indexOf(element, shape).join(', ')}]`;
}
