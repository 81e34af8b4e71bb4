/**
 * Size polynomials at concrete sizes: the environment of one specialised function.
 *
 * Invariant: every size a program mentions is a non-negative safe integer here; a `where` fact that
 * does not hold for the numbers is an error that shows them.
 */
import type { Span } from '../../dsl/source.ts';
import type { Size, SizeFact, TFn } from '../../dsl/typed.ts';
import { CompileError } from './errors.ts';

export type SizeEnv = ReadonlyMap<string, number>;

export function evalSize(size: Size, env: SizeEnv, span?: Span): number {
  let total = 0;
  for (const { c, v } of size) {
    let m = c;
    for (const name of v) {
      const n = env.get(name);
      if (n === undefined) {
        throw new CompileError(
          'E0801',
          `The size \`${name}\` is not known here.`,
          span,
          `Give it, for example ${name}=4.`,
        );
      }
      m *= n;
    }
    total += m;
  }
  if (!Number.isSafeInteger(total)) {
    throw new CompileError('E0802', `A size here is ${total}, beyond what can be counted.`, span);
  }
  return total + 0;
}

/** An extent: not negative. */
export function evalExtent(size: Size, env: SizeEnv, span?: Span): number {
  const n = evalSize(size, env, span);
  if (n < 0) throw new CompileError('E0803', `A size here would be ${n}.`, span);
  return n;
}

/** The sizes of `fn`, completed with defaults and with what its facts introduce. */
export function bindSizes(fn: TFn, given: SizeEnv, span: Span = fn.span): SizeEnv {
  const env = new Map<string, number>();
  for (const p of fn.sizes) {
    const n = given.get(p.name);
    if (n !== undefined) env.set(p.name, n);
    else if (p.init !== undefined) env.set(p.name, evalSize(p.init, env, span));
    else {
      throw new CompileError(
        'E0801',
        `\`${fn.name}\` needs the size \`${p.name}\`.`,
        span,
        `Give it, for example ${p.name}=4.`,
      );
    }
  }
  for (const d of fn.derived) {
    const n = evalSize(d.of, env, span);
    const per = d.by === undefined ? d.per : evalSize(d.by, env, span);
    if (per === 0 || n % per !== 0 || n < 0) {
      const would = per === 0 ? 'does not exist' : `would be ${n / per}`;
      throw new CompileError(
        'E0804',
        `\`${fn.name}\` asks for a whole, non-negative ${d.name}, which ${would} here.`,
        span,
        `Sizes are ${showSizes(fn, env)}.`,
      );
    }
    env.set(d.name, n / per);
  }
  for (const f of fn.facts) checkFact(fn, f, env, span);
  return env;
}

function checkFact(fn: TFn, f: SizeFact, env: SizeEnv, span: Span): void {
  if (factHolds(f, env, span)) return;
  throw new CompileError(
    'E0804',
    `\`${fn.name}\` asks for \`${f.text}\`, which does not hold for ${showSizes(fn, env)}.`,
    span,
  );
}

/** Whether a fact of a `where` is true of these sizes. @throws CompileError at `span` */
export function factHolds(f: SizeFact, env: SizeEnv, span?: Span): boolean {
  const left = evalSize(f.left, env, span);
  const right = evalSize(f.right, env, span);
  switch (f.op) {
    case '==':
      return left === right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    case '%':
      return right > 0 && left % right === evalSize(f.equals, env, span);
  }
}

function showSizes(fn: TFn, env: SizeEnv): string {
  return fn.sizes.map((p) => `${p.name} = ${env.get(p.name)}`).join(', ');
}
