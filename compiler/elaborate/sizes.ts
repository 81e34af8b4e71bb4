/**
 * Size polynomials at concrete sizes: the environment of one specialised function.
 *
 * Invariant: every size a program mentions is a non-negative safe integer here; a `where` fact that
 * does not hold for the numbers is an error that shows them.
 */
import { constant, evaluate, print } from '../../dsl/size.ts';
import type { Span } from '../../dsl/source.ts';
import type { DerivedSize, Size, SizeFact, TFn } from '../../dsl/typed.ts';
import { floorMod } from '../core/ix.ts';
import { CompileError } from './errors.ts';

export type SizeEnv = ReadonlyMap<string, number>;

export function evalSize(size: Size, env: SizeEnv, span?: Span): number {
  const missing = size.flatMap((m) => m.v).find((name) => !env.has(name));
  if (missing !== undefined) {
    throw new CompileError(
      'E0801',
      `The size \`${missing}\` is not known here.`,
      span,
      `Give it, for example ${missing}=4.`,
    );
  }
  const of = (name: string): number => env.get(name)!;
  const n = evaluate(size, of);
  if (n !== undefined) return n + 0;
  const far = size.reduce((sum, m) => sum + m.v.reduce((p, name) => p * of(name), m.c), 0);
  throw new CompileError('E0802', `A size here is ${far}, beyond what can be counted.`, span);
}

/** An extent: not negative. */
export function evalExtent(size: Size, env: SizeEnv, span?: Span): number {
  const n = evalSize(size, env, span);
  if (n < 0) throw new CompileError('E0803', `A size here would be ${n}.`, span);
  return n;
}

/** How many values an index may take: what is stored is an i32. */
const MOST_VALUES = 2 ** 31;
/** Steps of one loop. */
const MOST_STEPS = 2 ** 31 - 1;

/** The K of an idx[K] whose values are made or taken from outside. */
export function evalBound(size: Size, env: SizeEnv, span?: Span): number {
  const n = evalExtent(size, env, span);
  if (n <= MOST_VALUES) return n;
  throw new CompileError(
    'E0802',
    `An index takes at most ${MOST_VALUES} values, and idx[${print(size)}] has ${n} here.`,
    span,
  );
}

/** The range of a binder. */
export function evalRange(size: Size, env: SizeEnv, span?: Span): number {
  const n = evalExtent(size, env, span);
  if (n <= MOST_STEPS) return n;
  const over = constant(size) === undefined ? ` over ${print(size)}` : '';
  throw new CompileError(
    'E0806',
    `A loop${over} has ${n} steps here, more than the ${MOST_STEPS} that can be counted.`,
    span,
  );
}

/** The sizes of `fn`, completed with defaults and with what its facts introduce. */
export function bindSizes(fn: TFn, given: SizeEnv, span: Span = fn.span): SizeEnv {
  const env = new Map<string, number>();
  for (const p of fn.sizes) {
    const n = given.get(p.name);
    if (n !== undefined) env.set(p.name, n);
    else if (p.init === undefined) {
      throw new CompileError(
        'E0801',
        `\`${fn.name}\` needs the size \`${p.name}\`.`,
        span,
        `Give it, for example ${p.name}=4.`,
      );
    }
  }
  // A default may be over what a fact introduces, and that over what is given.
  const open = fn.sizes.filter((p) => !env.has(p.name));
  const derived = [...fn.derived];
  for (let moved = true; moved; ) {
    const isKnown = (s: Size) => s.every((m) => m.v.every((v) => env.has(v)));
    const size = open.findIndex((p) => isKnown(p.init!));
    const [p] = size < 0 ? [] : open.splice(size, 1);
    if (p !== undefined) env.set(p.name, evalExtent(p.init!, env, span));
    const at = derived.findIndex((d) => isKnown(d.of) && (d.by === undefined || isKnown(d.by)));
    const [d] = at < 0 ? [] : derived.splice(at, 1);
    if (d !== undefined) env.set(d.name, quotientOf(fn, d, env, span));
    moved = p !== undefined || d !== undefined;
  }
  for (const p of open) evalExtent(p.init!, env, span); // says which size is missing
  for (const f of fn.facts) checkFact(fn, f, env, span);
  return env;
}

function quotientOf(fn: TFn, d: DerivedSize, env: SizeEnv, span: Span): number {
  const n = evalSize(d.of, env, span);
  const per = d.by === undefined ? d.per : evalSize(d.by, env, span);
  if (per > 0 && n % per === 0 && n >= 0) return n / per;
  const would = per === 0 ? 'does not exist' : `would be ${n / per}`;
  throw new CompileError(
    'E0804',
    `\`${fn.name}\` asks for a whole, non-negative ${d.name}, which ${would} here.`,
    span,
    `Sizes are ${showSizes(fn, env)}.`,
  );
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
      return right > 0 && floorMod(left, right) === evalSize(f.equals, env, span);
  }
}

function showSizes(fn: TFn, env: SizeEnv): string {
  return fn.sizes.map((p) => `${p.name} = ${env.get(p.name)}`).join(', ');
}
