/**
 * Soundness of the checker, against the reference interpreter with checked indexing: a program that
 * is accepted has no access out of range and no shape error, at any sizes that satisfy its facts.
 *
 * Half one: random well-typed programs are accepted (so inference is complete on them) and run.
 * Half two: their mutants, most of them wrong; those that are still accepted run as well, at several
 * sizes. The construct counts say how often each one occurs; none may be rare.
 */
import { describe, expect, test } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { verify } from '../../compiler/core/verify.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { check } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import type { TProgram } from '../../dsl/typed.ts';
import { generate, Rng } from './arbitrary-program.ts';

const PROGRAMS = 1000;
const SEED = 20_000;
const MAIN = 't.tn#main';

function typed(text: string): TProgram | undefined {
  return check(new Map([['t.tn', text]]), 't.tn').program;
}

/** Elaborates, verifies and runs `main` on arbitrary data of the right shapes. */
function run(program: TProgram, sizes: Readonly<Record<string, number>>): void {
  const { core, params } = elaborate(program, MAIN, new Map(Object.entries(sizes)));
  expect(verify(core)).toEqual([]);
  const inputs = params
    .flatMap((p) => p.leaves)
    .map(({ shape, scalar, bound }) =>
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, j) =>
        scalar === 'f32' ? 3 * Math.sin(j + 1) : scalar === 'idx' ? j % bound! : (7 * j) % 5,
      ),
    );
  interpret(core, inputs);
}

/** One or two tokens that decide what is read changed for others. */
function mutate(text: string, rng: Rng): string {
  const tokens = text.match(/\w+|\s+|\?\?|\/\/|./g)!;
  const indices = tokens.flatMap((t, j) => (/^([il]\d+|at)$/.test(t) ? [j] : []));
  const others = tokens.flatMap((t, j) => (/^([AB]|\d|left|right|clamp|wrap)$/.test(t) ? [j] : []));
  for (let edits = 1 + rng.below(2); edits > 0; edits--) {
    const j = rng.pick(rng.chance(50) && indices.length > 0 ? indices : others);
    const t = tokens[j]!;
    if (/^([il]\d+|at)$/.test(t)) {
      const other = tokens[rng.pick(indices)]!;
      tokens[j] = rng.pick([`${t} + 1`, `${t} - 1`, `2 * ${t}`, other]);
    } else if (t === 'A') tokens[j] = rng.pick(['B', '(A + 1)']);
    else if (t === 'B') tokens[j] = rng.pick(['A', '2']);
    else if (/^\d$/.test(t)) tokens[j] = String(rng.below(4));
    else if (t === 'left' || t === 'right') tokens[j] = t === 'left' ? 'right' : 'left';
    else tokens[j] = '';
  }
  const mutant = tokens.join('');
  return rng.chance(25) ? mutant.replaceAll('A >= 1, ', '') : mutant;
}

describe('random programs', () => {
  test(`${PROGRAMS} well-typed ones are accepted and run`, () => {
    const uses = new Map<string, number>();
    for (let i = 0; i < PROGRAMS; i++) {
      const { text, sizes, marks } = generate(SEED + i);
      for (const m of marks) uses.set(m, (uses.get(m) ?? 0) + 1);
      const { program, diagnostics, sources } = check(new Map([['t.tn', text]]), 't.tn');
      const errors = diagnostics.filter((d) => d.severity === 'error');
      if (program === undefined) throw new Error(`${text}\n${renderDiagnostics(errors, sources)}`);
      run(program, sizes);
    }
    const rare = [...uses].filter(([, n]) => n < 0.05 * PROGRAMS).map(([what]) => what);
    expect(rare).toEqual([]);
    expect(uses.size).toBeGreaterThanOrEqual(48);
  });

  test('mutants that are accepted run at every size their facts allow', () => {
    let accepted = 0;
    let refused = 0;
    for (let i = 0; i < PROGRAMS / 2; i++) {
      const text = mutate(generate(SEED + i).text, new Rng(SEED + i));
      const program = typed(text);
      if (program === undefined) {
        refused += 1;
        continue;
      }
      accepted += 1;
      const { facts } = program.fns.get(MAIN)!;
      const least = (name: string) =>
        Math.max(
          0,
          ...facts.filter((f) => f.left[0]?.v[0] === name).map((f) => f.right[0]?.c ?? 0),
        );
      for (const [a, b] of [
        [1, 1],
        [1, 2],
        [3, 1],
        [2, 3],
      ] as const) {
        if (a >= least('A') && b >= least('B')) run(program, { A: a, B: b });
      }
    }
    expect(accepted).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(50);
  });
});
