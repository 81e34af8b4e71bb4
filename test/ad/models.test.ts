/**
 * Every function of models/ that takes data: both modes against each other and against differences,
 * at small sizes, and the work of its gradient.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core } from '../../compiler/core.ts';
import { CompileError } from '../../compiler/elaborate/errors.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Elaborated } from '../../compiler/elaborate/interface.ts';
import { live } from '../../compiler/passes/live.ts';
import { check } from '../../dsl/index.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { mostWork } from '../core/ties.ts';
import {
  checkPoint,
  direction,
  isReal,
  numbers,
  randomLike,
  type Values,
  type Verdict,
  vjpCore,
} from './check.ts';

const sources = new Map(
  readdirSync('models')
    .filter((f) => f.endsWith('.tn'))
    .map((f) => [f, readFileSync(`models/${f}`, 'utf8')]),
);

/** The function at small random sizes; undefined when there are none, as where it takes functions. */
function small(program: TProgram, fn: TFn, seed: number): Elaborated | undefined {
  for (let n = 0; n < 40; n++) {
    const next = numbers(1000 * seed + n);
    const sizes = new Map(fn.sizes.map((s) => [s.name, 1 + Math.floor(next() * 3)]));
    try {
      const e = elaborate(program, fn.id, sizes, { maxStatements: 2000 });
      if (work(e.core) < 5000) return e;
    } catch (e) {
      if (!(e instanceof CompileError)) throw e;
    }
  }
  return undefined;
}

/**
 * Positive inputs, which square roots and logarithms like, and small ones, so that logits stay where
 * a softmax is smooth at the scale of the differences; integers within their bounds.
 */
function inputsOf(core: Core, e: Elaborated, next: () => number): Values {
  const leaves = e.params.flatMap((p) => p.leaves);
  return randomLike(core.inputs, next).map((a, i) =>
    isReal(core.inputs[i]!)
      ? a.map((v) => 0.1 + 0.2 * Math.abs(v))
      : a.map(() => Math.floor(next() * (leaves[i]?.bound ?? 3))),
  );
}

/** The functions that a gradient was checked of. */
const checked: string[] = [];

test.each([...sources.keys()])('%s', (file) => {
  const { program } = check(sources, file);
  expect(program).toBeDefined();
  const fns = [...program!.fns.values()].filter((f) => f.id.startsWith(`${file}#`));
  for (const fn of fns) {
    let verdict: Verdict | undefined;
    for (let n = 0; n < 8 && verdict !== 'ok'; n++) {
      const e = small(program!, fn, n);
      if (e === undefined) break;
      const core = live(e.core);
      if (!core.outputs.some(isReal) || !core.inputs.some(isReal)) break;
      const next = numbers(n);
      verdict = checkPoint(core, inputsOf(core, e, next), direction(core, next));
      const cells = core.inputs.filter(isReal).reduce((m, x) => m + sizeOf(x.shape), 0);
      const ratio = work(vjpCore(core).core) / (work(core) + cells);
      expect(ratio, `work of the gradient of ${fn.id}`).toBeLessThanOrEqual(mostWork(core));
    }
    expect(verdict ?? 'ok', fn.id).toBe('ok');
    if (verdict === 'ok') checked.push(fn.id);
  }
});

test('the functions that matter were small enough to be among them', () => {
  expect(checked.length).toBeGreaterThanOrEqual(40);
  for (const id of ['redi.tn#redi', 'transformer.tn#trunk', 'conv.tn#conv', 'repa.tn#repaLoss']) {
    expect(checked).toContain(id);
  }
});
