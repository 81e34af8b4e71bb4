/**
 * Sizes of the proof lane: written, replaced, turned into expressions, and compared as polynomials.
 *
 * Invariant: `sameSize` never says that different polynomials are equal but with a chance of about
 * 2^-60 for each of its points: two sizes are evaluated at random points of a prime field, quotients
 * included (Schwartz 1980, Zippel 1979), which needs no normal form and so shares no mistake with one.
 */
import type { Expr, Fact, Size, SizeOp, Type } from './tree.ts';

export const nat = (value: number): Size => ({ k: 'nat', value });
export const name = (n: string): Size => ({ k: 'name', name: n });
export const group = (of: Size): Size => (of.k === 'op' ? { k: 'group', of } : of);
const op = (o: SizeOp, left: Size, right: Size): Size => ({ k: 'op', op: o, left, right });

export const plus = (a: Size, b: Size | number): Size =>
  typeof b === 'number' ? plusNumber(a, b) : op('+', a, b);
export const minus = (a: Size, b: Size): Size => op('-', a, b);
export const times = (a: Size, b: Size): Size => op('*', a, b);
export const over = (a: Size, b: Size): Size => op('/', a, b);
export const power = (a: Size, n: number): Size => op('^', a, nat(n));

const plusNumber = (a: Size, n: number): Size =>
  n === 0 ? a : n < 0 ? op('-', a, nat(-n)) : op('+', a, nat(n));

export const fact = (left: Size, o: Exclude<Fact['op'], '%'>, right: Size): Fact => ({
  ...{ left, op: o, right, equals: nat(0) },
});
export const multiple = (left: Size, right: Size, equals: Size = nat(0)): Fact => ({
  ...{ left, op: '%', right, equals },
});
export const atLeast = (s: Size, n: number): Fact => fact(s, '>=', nat(n));

// ---------------------------------------------------------------- names

export function namesOf(s: Size): readonly string[] {
  switch (s.k) {
    case 'nat':
      return [];
    case 'name':
      return [s.name];
    case 'group':
      return namesOf(s.of);
    case 'op':
      return [...namesOf(s.left), ...namesOf(s.right)];
  }
}

export type Substitution = ReadonlyMap<string, Size>;

/** What is put in for a name is one operand: it keeps its brackets. */
export function replaced(s: Size, by: Substitution): Size {
  switch (s.k) {
    case 'nat':
      return s;
    case 'name':
      return by.get(s.name) ?? s;
    case 'group':
      return group(replaced(s.of, by));
    case 'op':
      return { ...s, left: replaced(s.left, by), right: replaced(s.right, by) };
  }
}

export const replacedFact = (f: Fact, by: Substitution): Fact => ({
  ...f,
  left: replaced(f.left, by),
  right: replaced(f.right, by),
  equals: replaced(f.equals, by),
});

export function replacedType(t: Type, by: Substitution): Type {
  switch (t.k) {
    case 'scalar':
    case 'var':
      return t;
    case 'idx':
      return { k: 'idx', size: replaced(t.size, by) };
    case 'tensor': {
      const dims = t.dims.map((d) => replaced(d, by));
      return { k: 'tensor', of: replacedType(t.of, by), dims };
    }
    case 'record': {
      const fields = t.fields.map((f) => ({ ...f, type: replacedType(f.type, by) }));
      return { k: 'record', fields };
    }
    case 'fn': {
      const params = t.params.map((p) => replacedType(p, by));
      return { k: 'fn', params, result: replacedType(t.result, by) };
    }
  }
}

// ---------------------------------------------------------------- as expressions

export const int = (value: number | bigint): Expr => ({ k: 'int', value: BigInt(value) });

/** A size as a whole number: quotients are exact, powers products. */
export function asExpr(s: Size): Expr {
  switch (s.k) {
    case 'nat':
      return int(s.value);
    case 'name':
      return { k: 'size', name: s.name };
    case 'group':
      return asExpr(s.of);
    case 'op': {
      const left = asExpr(s.left);
      if (s.op === '^') {
        const times = s.right.k === 'nat' ? s.right.value : 1;
        return Array.from({ length: times - 1 }).reduce<Expr>(
          (product) => ({ k: 'op', op: '*', left: product, right: left }),
          left,
        );
      }
      const o = s.op === '/' ? '//' : s.op;
      return { k: 'op', op: o, left, right: asExpr(s.right) };
    }
  }
}

// ---------------------------------------------------------------- the same polynomial

/** 2^61 - 1. */
const prime = 2305843009213693951n;
const inField = (x: bigint): bigint => ((x % prime) + prime) % prime;

function raised(base: bigint, exponent: bigint): bigint {
  let [out, square] = [1n, inField(base)];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) out = (out * square) % prime;
    square = (square * square) % prime;
  }
  return out;
}

/** The value of a size at a point of the field. */
export function atPoint(s: Size, point: (name: string) => bigint): bigint {
  switch (s.k) {
    case 'nat':
      return BigInt(s.value);
    case 'name':
      return point(s.name);
    case 'group':
      return atPoint(s.of, point);
    case 'op': {
      const a = atPoint(s.left, point);
      if (s.op === '^') return raised(a, atPoint(s.right, point));
      const b = atPoint(s.right, point);
      if (s.op === '+') return inField(a + b);
      if (s.op === '-') return inField(a - b);
      return inField(a * (s.op === '*' ? b : raised(b, prime - 2n)));
    }
  }
}

/** A point that is the same in every run: a hash of each name. */
export const hashed = (n: string, salt = 0): bigint =>
  [...n].reduce((h, c) => inField(h * 1000003n + BigInt(c.charCodeAt(0))), BigInt(7919 + salt)) **
    3n %
  prime;

export const sameSize = (a: Size, b: Size): boolean =>
  [1, 2].every((salt) => atPoint(a, (n) => hashed(n, salt)) === atPoint(b, (n) => hashed(n, salt)));

/** A sum or a difference, whose parts would be taken for those of a sum around it. */
export const isSum = (s: Size): boolean => s.k === 'op' && (s.op === '+' || s.op === '-');
