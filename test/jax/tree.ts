/**
 * Programs that two languages can say: elements of tensors, loops that carry something, derivatives of
 * functions. Both printers (print-tenon.ts, print-python.ts) read this and nothing of each other.
 *
 * Invariant: names are unique in a program, so that no printer has to look where one is bound.
 */

/** A size as the language writes it, and its number. */
export type Dim = { readonly text: string; readonly extent: number };
export type Binder = { readonly name: string; readonly dim: Dim };

/** Whole numbers of 32 bits, which wrap; indices count as such. */
export type Int =
  | { readonly k: 'whole'; readonly n: number }
  /** An index, a parameter or a carry. */
  | { readonly k: 'count'; readonly name: string; readonly index: boolean }
  | { readonly k: 'size'; readonly dim: Dim }
  | {
      readonly k: 'arith';
      readonly op: '+' | '-' | '*' | '//' | '%';
      readonly a: Int;
      readonly b: Int;
    }
  | { readonly k: 'pick'; readonly op: 'min' | 'max'; readonly a: Int; readonly b: Int }
  | { readonly k: 'entry'; readonly of: string; readonly at: Place }
  /** The floor of a number, times a factor and moved off the steps. */
  | { readonly k: 'floor'; readonly of: Expr }
  | {
      readonly k: 'extremum';
      readonly op: 'argmax' | 'argmin';
      readonly over: Binder;
      readonly body: Expr;
    };

/** Where a dimension is read. */
export type Place =
  /** Proved to be in range; as an integer that is written. */
  | { readonly k: 'at'; readonly e: Int }
  | { readonly k: 'wrap' | 'clamp'; readonly e: Int; readonly dim: Dim }
  /** Out of range it is what the read falls back to. */
  | { readonly k: 'padded'; readonly e: Int; readonly dim: Dim }
  | { readonly k: 'pair'; readonly a: Int; readonly b: Int; readonly inner: Dim }
  | { readonly k: 'left' | 'right'; readonly e: Int; readonly offset: Dim };

export type Cond =
  | { readonly k: 'reals'; readonly op: '<' | '>'; readonly a: Expr; readonly b: Expr }
  | {
      readonly k: 'ints';
      readonly op: '<' | '<=' | '==' | '!=' | '>';
      readonly a: Int;
      readonly b: Int;
    }
  | { readonly k: 'both' | 'either'; readonly a: Cond; readonly b: Cond }
  | { readonly k: 'not'; readonly a: Cond };

/** Functions of one number. */
export type Unary =
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'erf'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'abs'
  | 'neg'
  | 'floor'
  | 'round'
  | 'ceil'
  | 'sign';

export type Carry =
  | { readonly of: 'f32'; readonly name: string; readonly init: Expr; readonly next: Expr }
  | { readonly of: 'i32'; readonly name: string; readonly init: Int; readonly next: Int };

/** Functions with derivatives of their own (prelude.ts), by what they take. */
export type RuleCall =
  | { readonly f: 'gate' | 'steep'; readonly x: Expr; readonly u: Expr }
  | { readonly f: 'half' | 'ident'; readonly x: Expr }
  | { readonly f: 'leaned'; readonly x: Expr; readonly n: Int };

/** What a lambda uses of the values around it. */
export type Captured = { readonly reals: readonly string[]; readonly ints: readonly string[] };

export type Expr =
  | { readonly k: 'lit'; readonly v: number }
  | { readonly k: 'name'; readonly name: string }
  | {
      readonly k: 'read';
      readonly of: string;
      readonly at: readonly Place[];
      readonly other?: Expr | undefined;
    }
  | { readonly k: 'real'; readonly of: Int }
  | { readonly k: 'map'; readonly f: Unary; readonly x: Expr }
  | {
      readonly k: 'arith';
      readonly op: '+' | '-' | '*' | '/';
      readonly a: Expr;
      readonly b: Expr;
    }
  | { readonly k: 'power'; readonly x: Expr; readonly n: number }
  | { readonly k: 'pick'; readonly op: 'min' | 'max'; readonly a: Expr; readonly b: Expr }
  | { readonly k: 'choice'; readonly c: Cond; readonly yes: Expr; readonly no: Expr }
  /** `if x > edge then f(x - edge + slack) else no`: the other side has no value there. */
  | {
      readonly k: 'guarded';
      readonly f: 'sqrt' | 'log';
      readonly x: Expr;
      readonly edge: number;
      readonly no: Expr;
    }
  | {
      readonly k: 'reduce';
      readonly op: 'sum' | 'prod' | 'max' | 'min' | 'mean';
      readonly over: readonly Binder[];
      readonly body: Expr;
    }
  | { readonly k: 'for'; readonly over: readonly Binder[]; readonly body: Expr }
  | { readonly k: 'join'; readonly parts: readonly Expr[] }
  /** `take` says which of the carries is the value. */
  | {
      readonly k: 'fold';
      readonly carries: readonly Carry[];
      readonly step: string;
      readonly steps: number;
      readonly take: number;
    }
  | { readonly k: 'let'; readonly name: string; readonly value: Expr; readonly body: Expr }
  | { readonly k: 'stop'; readonly x: Expr }
  | { readonly k: 'checkpoint'; readonly name: string; readonly body: Expr; readonly x: Expr }
  /** Derivatives of `name -> body` at x; `dir` is a tangent or a cotangent. */
  | { readonly k: 'grad'; readonly name: string; readonly body: Expr; readonly x: Expr }
  | {
      readonly k: 'jvp' | 'vjp';
      readonly name: string;
      readonly body: Expr;
      readonly x: Expr;
      readonly dir: Expr;
    }
  | { readonly k: 'rule'; readonly call: RuleCall }
  /** A function with a rule, given `name -> body`. */
  | {
      readonly k: 'higher';
      readonly f: 'through' | 'along' | 'mapped';
      readonly name: string;
      readonly body: Expr;
      readonly captured: Captured;
      readonly x: Expr;
    }
  /** `let fn = name -> of` around `body`, and a call of it. */
  | {
      readonly k: 'closure';
      readonly fn: string;
      readonly name: string;
      readonly of: Expr;
      readonly body: Expr;
    }
  | { readonly k: 'apply'; readonly fn: string; readonly x: Expr };

// ---------------------------------------------------------------- short forms

export const lit = (v: number): Expr => ({ k: 'lit', v });
export const name = (n: string): Expr => ({ k: 'name', name: n });
export const map = (f: Unary, x: Expr): Expr => ({ k: 'map', f, x });
export const add = (a: Expr, b: Expr): Expr => ({ k: 'arith', op: '+', a, b });
export const sub = (a: Expr, b: Expr): Expr => ({ k: 'arith', op: '-', a, b });
export const mul = (a: Expr, b: Expr): Expr => ({ k: 'arith', op: '*', a, b });
export const div = (a: Expr, b: Expr): Expr => ({ k: 'arith', op: '/', a, b });
export const choice = (c: Cond, yes: Expr, no: Expr): Expr => ({ k: 'choice', c, yes, no });
export const above = (a: Expr, v: number): Cond => ({ k: 'reals', op: '>', a, b: lit(v) });
export const below = (a: Expr, v: number): Cond => ({ k: 'reals', op: '<', a, b: lit(v) });
export const real = (of: Int): Expr => ({ k: 'real', of });
export const loop = (over: readonly Binder[], body: Expr): Expr =>
  over.length === 0 ? body : { k: 'for', over, body };
export const sum = (over: readonly Binder[], body: Expr): Expr => ({
  ...{ k: 'reduce', op: 'sum', over, body },
});
export const mean = (over: readonly Binder[], body: Expr): Expr => ({
  ...{ k: 'reduce', op: 'mean', over, body },
});

export const whole = (n: number): Int => ({ k: 'whole', n });
export const index = (n: string): Int => ({ k: 'count', name: n, index: true });
export const count = (n: string): Int => ({ k: 'count', name: n, index: false });
export const int = (op: '+' | '-' | '*' | '//' | '%', a: Int, b: Int | number): Int => ({
  ...{ k: 'arith', op, a, b: typeof b === 'number' ? whole(b) : b },
});
export const at = (e: Int): Place => ({ k: 'at', e });
/** `x[i, j]` at indices by name. */
export const read = (of: string, ...ix: readonly (string | Place)[]): Expr =>
  ix.length === 0
    ? name(of)
    : { k: 'read', of, at: ix.map((i) => (typeof i === 'string' ? at(index(i)) : i)) };
