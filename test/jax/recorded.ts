/**
 * What JAX gave, kept small: of each result and gradient the products with two directions, in which every
 * number counts. A line is a program.
 */
import { writeFileSync } from 'node:fs';
import { numbers } from '../../runtime/gradcheck/check-point.ts';
import type { Asked } from './judge.ts';
import type { Random } from './program.ts';

export type Recorded = {
  readonly sizes: Readonly<Record<string, number>>;
  /** For the inputs. */
  readonly seed: number;
  readonly used: readonly string[];
  readonly text: string;
  /** Of each output, then gradient: two numbers. */
  readonly products: readonly (readonly number[])[];
};

/** Programs that are kept. */
export const kept = 300;

/** Directions that a result is multiplied with. */
const directions = 2;

/** Weights of one sign and about one size, so that nothing cancels by itself: never 0. */
export function weights(length: number, direction: number): Float64Array {
  const next = numbers(7 + direction);
  return Float64Array.from({ length }, () => (next() < 0.5 ? -1 : 1) * (0.5 + next()));
}

export const productsOf = (x: ArrayLike<number>): number[] =>
  Array.from({ length: directions }, (_, n) => {
    const w = weights(x.length, n);
    return Array.from(x).reduce((total, v, i) => total + v * w[i]!, 0);
  });

export class Recorder {
  readonly #lines: string[] = [];

  async add(p: Random, asked: Asked): Promise<void> {
    if (asked.k !== 'asked' || this.#lines.length === kept) return;
    const answer = await asked.answer;
    if (answer.k !== 'values') return;
    const values = answer.points[0]!;
    if (!values.every((x) => x.every(Number.isFinite))) return;
    const line: Recorded = {
      ...{ sizes: p.sizes, seed: p.seed, used: [...p.used], text: p.tenon },
      products: values.map(productsOf),
    };
    this.#lines.push(JSON.stringify(line));
  }

  write(path: string): void {
    writeFileSync(path, `${this.#lines.join('\n')}\n`);
  }
}
