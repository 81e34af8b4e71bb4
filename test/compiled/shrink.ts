/**
 * The smallest program with the same fault: what dropping and shrinking the numbers it is read off leads
 * to (fast-check), the fault's group being kept.
 */
import fc from 'fast-check';
import type { Named } from './devices.ts';
import { type Fault, judged } from './judge.ts';
import { parameters, type Random, randomProgram } from './program.ts';

export type Small = { readonly program: Random; readonly fault: Fault };

/** Programs that are tried at most. */
const patience = 250;

export async function shrunk(
  devices: readonly Named[],
  seed: number,
  n: number,
  found: Small,
): Promise<Small> {
  let smallest = found;
  let left = patience;
  const holds = async (p: Random): Promise<boolean> => {
    if (left-- <= 0) return true;
    const o = await judged(devices, p);
    if (o.k !== 'fault' || o.group !== found.fault.group) return true;
    if (p.text.length <= smallest.program.text.length) smallest = { program: p, fault: o };
    return false;
  };
  await fc.check(fc.asyncProperty(randomProgram, holds), parameters(seed, n));
  return smallest;
}
