/** A counter-example as text: sizes, then every leaf, short enough to type in. */
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
