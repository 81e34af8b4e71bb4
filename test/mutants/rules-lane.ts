/** Custom derivatives against none; values beside derivatives against those without. */
import fc from 'fast-check';
import { byHand, byMixture, functions } from '../ad/orders.ts';
import { point, program, table } from '../ad/readers.ts';
import { differences, rules } from '../ad/rules.ts';
import { windows as moved, sharing, verdicts, windowGradient } from '../ad/values.ts';
import { due, window, windows } from '../ad/windows.ts';
import { runSource } from '../elaborate/run-source.ts';
import { ProgramFault } from '../gen/run.ts';

export function rulesAndValues(): void {
  const rule = rules.flatMap((r) => differences(r.text).map((d) => `${r.name}: ${d}`));
  const value = sharing.flatMap(([name, text]) =>
    verdicts(text).flatMap((v) => (v.k === 'ok' ? [] : [`${name}: ${v.k}`])),
  );
  const still = moved.flatMap(([name, body, read]) => {
    const got = windowGradient(body, read);
    const fine = got.every((v, i) => (i < read ? v >= 0 && Number.isFinite(v) : v === 0));
    return fine ? [] : [`a window in a fold: ${name}`];
  });
  const order = Object.entries(functions).flatMap(([name, body]) => {
    const agree = byMixture(body).every((l) => l.every((v) => Math.abs(v - l.at(-1)!) < 1e-8));
    return agree ? [] : [`orders of ${name}`];
  });
  const hand = byHand.flatMap(([body, slopes]) => {
    const got = byMixture(body);
    const right = slopes.every((d, n) => got[n]!.every((v) => Math.abs(v - d) < 1e-10));
    return right ? [] : [`the rule of ${body}`];
  });
  const extreme = fc.sample(window, { numRuns: 120, seed: 143 }).flatMap((w) => {
    const { x, want } = due(w, 'max');
    const got = runSource(windows(w, 'max'), 'main', [x], {}, { grad: ['x'] })[1]!;
    return want.every((v, i) => Math.abs(v - got[i]!) < 1e-9) ? [] : ['the greatest of a window'];
  });
  const readers = fc
    .sample(fc.tuple(program, point), { numRuns: 150, seed: 142 })
    .flatMap(([text, [x, y]]) => {
      const got = runSource(text, 'main', [x, y, table], {}, { grad: ['x'] }).at(-1)!;
      return [...got].every(Number.isFinite) ? [] : ['the gradient of values with two readers'];
    });
  const [first] = [...rule, ...value, ...still, ...order, ...hand, ...extreme, ...readers];
  if (first !== undefined) throw new ProgramFault(first);
}
