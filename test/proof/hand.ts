/** Trees written by hand: a function, and what it is at sizes and arguments. */
import { evaluate, type Options } from './exact.ts';
import { Outside, type Reason } from './outside.ts';
import type { Expr, Fact, Fn, Param, Program, SizeParam, Type } from './tree.ts';
import { type Int, real, tensor, type Value, whole } from './value.ts';

type Head = {
  readonly sizes?: readonly (string | SizeParam)[];
  readonly types?: readonly string[];
  readonly params?: Readonly<Record<string, Type | Param>>;
  readonly facts?: readonly Fact[];
};

export function fn(name: string, head: Head, result: Type, body: Expr): Fn {
  const sizes = (head.sizes ?? []).map((s) => (typeof s === 'string' ? { name: s } : s));
  const params = Object.entries(head.params ?? {}).map(([n, t]) =>
    'type' in t ? { ...t, name: n } : { name: n, type: t },
  );
  return { name, sizes, types: head.types ?? [], params, result, facts: head.facts ?? [], body };
}

export const program = (...fns: readonly Fn[]): Program => ({ fns });

export const f32s = (...numbers: readonly number[]): Value => tensor(numbers.map((n) => real(n)));
export const ints = (...numbers: readonly number[]): Value =>
  tensor(numbers.map((n) => whole(BigInt(n))));
export const u32 = (n: number): Int => ({ k: 'int', t: 'u32', x: BigInt(n), w: BigInt(n) });

/** Numbers, nested as they are in tensors and records. */
export type Plain = number | boolean | readonly Plain[] | { readonly [label: string]: Plain };

export function plain(v: Value): Plain {
  switch (v.k) {
    case 'real':
      return v.v;
    case 'int':
      return Number(v.w);
    case 'bool':
      return v.v;
    case 'tensor':
      return v.items.map(plain);
    case 'record':
      return Object.fromEntries([...v.fields].map(([label, f]) => [label, plain(f.value)]));
    case 'key':
    case 'fn':
      throw new Error(`${v.k} is no number`);
  }
}

type Given = {
  readonly sizes?: Readonly<Record<string, number>>;
  readonly args?: readonly (Value | undefined)[];
} & Options;

/** The value of the last function. */
export function valueAt(p: Program, { sizes = {}, args = [], ...options }: Given = {}): Value {
  const numbers = new Map(Object.entries(sizes).map(([name, n]) => [name, BigInt(n)]));
  return evaluate(p, p.fns.at(-1)!, numbers, args, options).value;
}

export const plainOf = (p: Program, given?: Given): Plain => plain(valueAt(p, given));

/** Why a program is wrong at these sizes; undefined where it is not. */
export function reasonOf(p: Program, given?: Given): Reason | undefined {
  try {
    valueAt(p, given);
    return undefined;
  } catch (e) {
    if (e instanceof Outside) return e.reason;
    throw e;
  }
}
