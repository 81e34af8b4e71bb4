/**
 * The smallest program with the same fault: first what dropping and shrinking numbers leads to, then
 * what leaving out parts of the tree does.
 *
 * Invariant: it has the fault of the program that it came from, of the same cause.
 */
import fc from 'fast-check';
import { type Depth, type Fault, type Judge, judged } from './judge.ts';
import { printProgram } from './print.ts';
import { parameters, type Random, randomProgram } from './program.ts';
import { smaller } from './reduce.ts';

export type Small = { readonly program: Random; readonly fault: Fault };

/** Programs that are tried at most, in either way. */
const patience = { numbers: 120, trees: 1200 };

export async function shrunk(
  j: Judge,
  depth: Depth,
  seed: number,
  n: number,
  found: Small,
): Promise<Small> {
  const same = async (p: Random): Promise<Fault | undefined> => {
    const o = await judged(j, p, { ...depth, faultsOnly: true }).catch(() => undefined);
    return o?.k === 'fault' && o.group === found.fault.group ? o : undefined;
  };
  return byTrees(await byNumbers(found, seed, n, same), same);
}

type Same = (p: Random) => Promise<Fault | undefined>;

async function byNumbers(found: Small, seed: number, n: number, same: Same): Promise<Small> {
  let smallest = found;
  let left = patience.numbers;
  const holds = async (p: Random): Promise<boolean> => {
    if (left-- <= 0) return true;
    const fault = await same(p);
    if (fault === undefined) return true;
    if (p.text.length <= smallest.program.text.length) smallest = { program: p, fault };
    return false;
  };
  await fc.check(fc.asyncProperty(randomProgram, holds), parameters(seed, n));
  return smallest;
}

async function byTrees(found: Small, same: Same): Promise<Small> {
  let smallest = found;
  let left = patience.trees;
  for (let moved = true; moved && left > 0; ) {
    moved = false;
    for (const tree of smaller(smallest.program.program)) {
      if (left-- <= 0) break;
      const program = { ...smallest.program, program: tree, text: printProgram(tree) };
      if (program.text.length >= smallest.program.text.length) continue;
      const fault = await same(program);
      if (fault === undefined) continue;
      smallest = { program, fault };
      moved = true;
      break;
    }
  }
  return smallest;
}
