/**
 * The smallest program with the same fault: what dropping and shrinking the numbers it is read off leads
 * to (fast-check), the fault's group being kept.
 */
import fc from 'fast-check';
import { type Fault, type Judge, judged } from './judge.ts';
import { type Draw, parameters, type Random, randomProgram } from './program.ts';

export type Small = { readonly program: Random; readonly fault: Fault };

/** Programs that are tried at most. */
const patience = 250;

export async function shrunk(
  j: Judge,
  draw: Draw,
  seed: number,
  n: number,
  found: Small,
): Promise<Small> {
  let smallest = found;
  let left = patience;
  const holds = async (p: Random): Promise<boolean> => {
    if (left-- <= 0) return true;
    const o = await judged(j, p);
    if (o.k !== 'fault' || o.group !== found.fault.group) return true;
    if (p.text.length <= smallest.program.text.length) smallest = { program: p, fault: o };
    return false;
  };
  await fc.check(fc.asyncProperty(randomProgram[draw], holds), parameters(seed, n));
  return smallest;
}
