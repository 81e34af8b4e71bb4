/**
 * Python as a child process that runs the JAX half: one line a program in, one line an answer out, in
 * order. Several may be under way, so that it works while the other half does.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Random, wholeParameters } from './program.ts';

export type Answer =
  | { readonly k: 'values'; readonly points: readonly (readonly Float64Array[])[] }
  | { readonly k: 'failed'; readonly error: string };

export type Input = { readonly shape: readonly number[]; readonly data: Float64Array };

export type Oracle = {
  /** The results, then the gradient of the first by each parameter of f32, at each point. */
  ask(p: Random, points: readonly (readonly Input[])[]): Promise<Answer>;
  dispose(): void;
};

type Line = {
  readonly points?: readonly (readonly (readonly (number | string)[])[])[];
  readonly error?: string;
};

const words: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };

export function openOracle(python: string): Oracle {
  const script = fileURLToPath(new URL('./jax_side.py', import.meta.url));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((a: Answer) => void)[] = [];
  let gone: string | undefined;
  const leave = (why: string): void => {
    gone = why;
    for (const done of waiting.splice(0)) done({ k: 'failed', error: why });
  };
  child.on('error', (e) => leave(`${python}: ${e.message}`));
  child.on('exit', (code) => leave(`${python} ended with ${code}`));
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (text) => {
    const { points, error }: Line = JSON.parse(text);
    const number = (v: number | string): number => (typeof v === 'string' ? words[v]! : v);
    waiting.shift()?.(
      points === undefined
        ? { k: 'failed', error: error ?? 'no answer' }
        : { k: 'values', points: points.map((p) => p.map((x) => Float64Array.from(x, number))) },
    );
  });
  return {
    ask: (p, points) => {
      if (gone !== undefined) return Promise.resolve({ k: 'failed', error: gone });
      const inputs = points.map((x) => x.map((v) => [v.shape, [...v.data]]));
      const job = { text: p.python, ruled: p.ruled, ints: wholeParameters, inputs };
      return new Promise((done) => {
        waiting.push(done);
        child.stdin.write(`${JSON.stringify(job)}\n`);
      });
    },
    dispose: () => void child.stdin.end(),
  };
}
