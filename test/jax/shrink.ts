/**
 * The smallest program with the same fault: what dropping and shrinking the numbers it is read off leads
 * to (fast-check), the fault's group being kept.
 */
import fc from 'fast-check';
import type { Named } from '../compiled/devices.ts';
import { ask, type Fault, judged } from './judge.ts';
import type { Oracle } from './oracle.ts';
import { drawOf, type Random, randomProgram } from './program.ts';

export type Small = { readonly program: Random; readonly fault: Fault };
export type Sides = { readonly devices: readonly Named[]; readonly oracle: Oracle };

/** Programs that are tried at most. */
const patience = 80;

export async function shrunk(
  { devices, oracle }: Sides,
  seed: number,
  n: number,
  found: Small,
): Promise<Small> {
  let smallest = found;
  let left = patience;
  const holds = async (p: Random): Promise<boolean> => {
    if (left-- <= 0) return true;
    const o = await judged(devices, ask(oracle, p));
    if (o.k !== 'fault' || o.group !== found.fault.group) return true;
    if (p.tenon.length <= smallest.program.tenon.length) smallest = { program: p, fault: o };
    return false;
  };
  await fc.check(fc.asyncProperty(randomProgram, holds), drawOf(seed, n));
  return smallest;
}
