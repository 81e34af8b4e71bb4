/**
 * The names the language brings: scalar functions, casts, built-in functions and constants.
 *
 * One table each, so that a new one is a row; whether a name is taken is asked here.
 */
import { didYouMean as nearest } from '../suggest.ts';
import type { BuiltinName, ScalarOp } from '../typed.ts';

/** Scalar functions of one f32. */
export const FLOAT_FUNCTIONS: ReadonlySet<string> = new Set<ScalarOp>([
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'tanh',
  'erf',
  'floor',
  'ceil',
  'round',
  'f16',
  'bf16',
]);

/** Scalar functions of one number of any kind, and of two. */
export const NUMBER_FUNCTIONS: ReadonlySet<string> = new Set<ScalarOp>(['abs', 'sign']);
export const PAIR_FUNCTIONS: ReadonlySet<string> = new Set<ScalarOp>(['min', 'max']);

export const CASTS: ReadonlySet<string> = new Set<ScalarOp>(['f32', 'i32', 'u32', 'bool']);

const BUILTINS: Readonly<Record<BuiltinName, readonly string[]>> = {
  stop: ['tree'],
  checkpoint: ['f', 'x'],
  grad: ['f', 'x'],
  valueGrad: ['f', 'x'],
  vjp: ['f', 'x', 'ct'],
  jvp: ['f', 'x', 'dx'],
  split: ['key', 'index'],
  normal: ['key', 'index'],
  uniform: ['key', 'index'],
  randint: ['key', 'index'],
  normalLike: ['key', 'tree'],
  clamp: ['index'],
  wrap: ['index'],
  zerosLike: ['tree'],
};

export function builtinParams(name: string): readonly string[] | undefined {
  return Object.hasOwn(BUILTINS, name) ? BUILTINS[name as BuiltinName] : undefined;
}

export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['inf', Number.POSITIVE_INFINITY],
]);

export function isScalarFunction(name: string): boolean {
  return (
    FLOAT_FUNCTIONS.has(name) ||
    NUMBER_FUNCTIONS.has(name) ||
    PAIR_FUNCTIONS.has(name) ||
    CASTS.has(name) ||
    name === 'isfinite'
  );
}

export function isBuiltin(name: string): boolean {
  return isScalarFunction(name) || builtinParams(name) !== undefined || CONSTANTS.has(name);
}

export function builtinNames(): string[] {
  return [
    ...FLOAT_FUNCTIONS,
    ...NUMBER_FUNCTIONS,
    ...PAIR_FUNCTIONS,
    ...CASTS,
    'isfinite',
    ...Object.keys(BUILTINS),
    ...CONSTANTS.keys(),
  ];
}

/** `Did you mean ...?`; of a name of one letter nothing can be said. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  return name.length < 2 ? undefined : nearest(name, candidates);
}
