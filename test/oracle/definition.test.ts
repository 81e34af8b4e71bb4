/**
 * Elaboration against the definition of the language: random programs and the functions of the models,
 * at random sizes and inputs, have the values that docs/language.md says, element by element.
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { work } from '../../compiler/core/work.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { check } from '../../dsl/index.ts';
import { domains, pointAt } from '../../runtime/gradcheck/generate.ts';
import { instantiate } from '../../runtime/gradcheck/instantiate.ts';
import { prepareProgram } from '../../runtime/gradcheck/point.ts';
import { allowedSizes, coveringSizes } from '../../runtime/gradcheck/sizes.ts';
import { randomProgram } from '../gen/program.ts';
import { elaborated, inputsOf } from '../gen/run.ts';
import { agree, tangentsDiffer, valuesDiffer } from './agree.ts';

/** The definition takes about a third of a second for this many operations. */
const affordable = 3e4;

describe('programs mean what the reference says', () => {
  it('random ones, with their tangents', () => {
    fc.assert(
      fc.property(randomProgram, (p) => {
        const e = elaborated(p);
        const inputs = inputsOf(e, p.seed);
        agree(p, inputs, interpret(e.core, inputs), prepareProgram(e.core));
      }),
      { numRuns: 100, seed: 91 },
    );
  });

  const folder = 'models';
  const sources = new Map(
    readdirSync(folder)
      .filter((f) => f.endsWith('.tn'))
      .map((f) => [`${folder}/${f}`, readFileSync(`${folder}/${f}`, 'utf8')]),
  );
  const compared = new Set<string>();
  for (const file of sources.keys()) {
    it(file, () => {
      const program = check(sources, file).program!;
      const own = [...program.fns.values()].filter((fn) => fn.span.file === file);
      for (const fn of own) {
        const instance = instantiate(fn);
        if (instance === undefined) continue;
        const whole = { ...program, fns: new Map(program.fns).set(instance.id, instance) };
        for (const sizes of coveringSizes(allowedSizes(instance, { maxElements: 400 })).slice(
          0,
          3,
        )) {
          const { core } = elaborate(whole, instance.id, sizes);
          if (work(core) > affordable) continue;
          const [point] = fc.sample(pointAt(instance, sizes, domains[2]!), { numRuns: 1, seed: 7 });
          const { inputs } = point!;
          const where = `${fn.name} at ${JSON.stringify([...sizes])}`;
          const values = valuesDiffer(whole, instance, sizes, inputs, interpret(core, inputs));
          expect(values, where).toBeUndefined();
          const tangents = tangentsDiffer(whole, instance, sizes, inputs, prepareProgram(core));
          expect(tangents, where).toBeUndefined();
          compared.add(fn.id);
        }
      }
    });
  }

  it('and most of the models were small enough to say so', () => {
    expect(compared.size).toBeGreaterThanOrEqual(100);
  });
});
