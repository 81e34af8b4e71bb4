/**
 * The typed program: what the checker hands to elaboration. Every name is resolved, every size is a
 * polynomial, every index read is proved in range (or carries its guard), every call names its
 * callee and the sizes it is specialised to.
 *
 * Invariant: elaboration needs numbers for the size variables of one function and nothing else; it
 * never infers. A typed program has no shape error and no out-of-range read (language.md, idea 2).
 */

import type { ReduceOp } from './ast.ts';
import type { Reported } from './reported.ts';
import type { Diagnostic, Span } from './source.ts';

// ---------------------------------------------------------------- sizes

/**
 * A polynomial over size variables in normal form: monomials sorted, no zero coefficient, variables
 * of a monomial sorted with repetition (`N^2` is ['N','N']). Coefficients are exact integers.
 */
export type Size = readonly Monomial[];
export type Monomial = { readonly c: number; readonly v: readonly string[] };

/**
 * How a size variable that a `where` fact introduced follows from the others:
 * `D % 2 == 0` gives { name: 'D/2', of: D, per: 2 }, `K <= L` gives { name: 'L-K', of: L - K, per: 1 }.
 * Evaluated in order; the value must be a non-negative integer, else the fact does not hold.
 */
export type DerivedSize = {
  readonly name: string;
  readonly of: Size;
  readonly per: number;
  /** A divisor that is itself a size (`D % H == 0` gives D/H); then `per` is 1. */
  readonly by?: Size;
};

/** What a caller (or the host, with numbers) must show. `%` means left % right == equals. */
export type SizeFact = {
  readonly left: Size;
  readonly op: '==' | '<=' | '>=' | '%';
  readonly right: Size;
  readonly equals: Size;
  readonly text: string;
  readonly span: Span;
};

// ---------------------------------------------------------------- types

export type ScalarName = 'f32' | 'i32' | 'u32' | 'bool' | 'key';

export type Type =
  | { readonly k: 'scalar'; readonly s: ScalarName }
  | { readonly k: 'idx'; readonly size: Size }
  /** dims.length >= 1; elem is never itself a tensor. */
  | { readonly k: 'tensor'; readonly dims: readonly Dim[]; readonly elem: Type }
  /** `alias` and `args` say how the user wrote it (`Linear`, `[D, 3*D]`); equality is structural. */
  | {
      readonly k: 'record';
      readonly alias?: string;
      /** `file#name` of the alias: two files may use one name. */
      readonly aliasId?: string;
      readonly args?: readonly AliasArg[];
      readonly fields: readonly FieldType[];
    }
  | { readonly k: 'fn'; readonly params: readonly Type[]; readonly result: Type }
  /**
   * A type parameter of the enclosing function: any record, tensor or scalar. `by` in what stands for
   * a type whose error was reported, while a declaration is checked (types.ts).
   */
  | { readonly k: 'var'; readonly name: string; readonly by?: Reported };

export type AliasArg = { readonly name: string } & (
  | { readonly k: 'size'; readonly dim: Dim }
  | { readonly k: 'type'; readonly type: Type }
);

export type FieldType = { readonly label: string; readonly type: Type; readonly fixed: boolean };

/** Extent and written form (`H*P` as factors, `A + B` as a sum); equality looks at extents only. */
export type Dim = { readonly size: Size; readonly form: Form };
export type Form =
  | { readonly k: 'atom'; readonly size: Size }
  | { readonly k: 'product'; readonly parts: readonly Form[] }
  | { readonly k: 'sum'; readonly parts: readonly Form[] };

// ---------------------------------------------------------------- expressions

/** Local variables are numbered: no shadowing, no capture. */
export type LocalId = number;

export type TBinder =
  | { readonly k: 'one'; readonly id: LocalId; readonly name: string; readonly size: Size }
  | { readonly k: 'tuple'; readonly items: readonly TBinder[] };

export type TPattern =
  | { readonly k: 'name'; readonly id: LocalId; readonly name: string }
  | {
      readonly k: 'record';
      readonly fields: readonly { readonly label: string; readonly pattern: TPattern }[];
    };

/**
 * One component of an index list. `at` is an integer expression, already proved in [0, extent) or
 * guarded; `tuple` is row-major over `ranges` (outermost first); `left` has offset 0, `right`
 * starts at `offset`.
 */
export type TIndex =
  | { readonly k: 'at'; readonly e: TExpr }
  | { readonly k: 'tuple'; readonly parts: readonly TIndex[]; readonly ranges: readonly Size[] }
  | { readonly k: 'left'; readonly part: TIndex }
  | { readonly k: 'right'; readonly part: TIndex; readonly offset: Size };

/** Pointwise scalar operations; on tensors of equal shape (or with a scalar) they act per element. */
export type ScalarOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  /** floor division and its non-negative-for-positive-divisor remainder, integers only */
  | 'idiv'
  | 'mod'
  | 'pow'
  | 'neg'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or'
  | 'not'
  | 'min'
  | 'max'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'erf'
  /** casts: to f32, i32 (truncating), u32, bool */
  | 'f32'
  | 'i32'
  | 'u32'
  | 'bool'
  /** round to the nearest half / bfloat16 value, staying f32 */
  | 'f16'
  | 'bf16'
  /** isfinite(x): bool */
  | 'isfinite';

/**
 * Built-in functions that are not pointwise. Arguments in order:
 *  stop(tree)                     identity with zero derivative
 *  checkpoint(f, x)               f(x), recomputed in the backward pass
 *  grad(f, x)                     tree like x
 *  valueGrad(f, x)                {value, gradient}
 *  vjp(f, x, ct)                  {value, gradient}
 *  jvp(f, x, dx)                  {value, tangent}
 *  split(k, n)                    key, n: an integer or tuple index (row-major counter)
 *  normal(k, i) uniform(k, i)     f32 draw at counter i (integer or tuple); uniform in [0, 1)
 *  randint(k, i)                  idx[K], K = the size of the result type
 *  normalLike(k, tree)            independent N(0,1) for every leaf element that is not fixed
 *  clamp(e) wrap(e)               integer to the expected idx[K] (result type gives K)
 *  zerosLike(tree)                zeros of the same structure
 */
export type BuiltinName =
  | 'stop'
  | 'checkpoint'
  | 'grad'
  | 'valueGrad'
  | 'vjp'
  | 'jvp'
  | 'split'
  | 'normal'
  | 'uniform'
  | 'randint'
  | 'normalLike'
  | 'clamp'
  | 'wrap'
  | 'zerosLike';

export type TExpr = { readonly type: Type; readonly span: Span } & (
  | { readonly k: 'num'; readonly value: number }
  | { readonly k: 'bool'; readonly value: boolean }
  /** A size used as a number; `type` says as which (f32, i32, u32 or idx). */
  | { readonly k: 'size'; readonly size: Size }
  | { readonly k: 'local'; readonly id: LocalId; readonly name: string }
  /** A top-level `let`, evaluated in f64 at compile time. */
  | { readonly k: 'global'; readonly id: string }
  /** A top-level function as a value or callee; `sizes` over the caller's size variables. */
  | {
      readonly k: 'fn';
      readonly id: string;
      readonly sizes: ReadonlyMap<string, Size>;
      /** what the callee's type parameters stand for, in the caller's terms */
      readonly types: ReadonlyMap<string, Type>;
    }
  | {
      readonly k: 'lambda';
      readonly params: readonly { id: LocalId; name: string; type: Type }[];
      readonly body: TExpr;
    }
  /**
   * Positional: names are resolved by the checker. What is left out has a default, which belongs to
   * the callee: it is evaluated there, with the parameters before it.
   */
  | { readonly k: 'call'; readonly fn: TExpr; readonly args: readonly (TExpr | undefined)[] }
  /** An integer that was proved to be an index of the node's type, which may be wider than its own. */
  | { readonly k: 'inRange'; readonly e: TExpr }
  | { readonly k: 'builtin'; readonly name: BuiltinName; readonly args: readonly TExpr[] }
  /** A draw's counter or a split's index: row-major over `ranges`. */
  | { readonly k: 'counter'; readonly index: TIndex }
  | { readonly k: 'prim'; readonly op: ScalarOp; readonly args: readonly TExpr[] }
  | { readonly k: 'if'; readonly cond: TExpr; readonly then: TExpr; readonly else: TExpr }
  | { readonly k: 'let'; readonly pattern: TPattern; readonly value: TExpr; readonly body: TExpr }
  | { readonly k: 'for'; readonly binders: readonly TBinder[]; readonly body: TExpr }
  | {
      readonly k: 'reduce';
      readonly op: ReduceOp;
      readonly binders: readonly TBinder[];
      readonly body: TExpr;
    }
  | {
      readonly k: 'reduceTree';
      readonly op: ReduceOp;
      readonly names: readonly { id: LocalId; name: string }[];
      readonly trees: readonly TExpr[];
      readonly body: TExpr;
    }
  | {
      readonly k: 'each';
      readonly names: readonly { id: LocalId; name: string }[];
      readonly trees: readonly TExpr[];
      readonly body: TExpr;
    }
  | {
      readonly k: 'fold' | 'scan';
      readonly pattern: TPattern;
      readonly init: TExpr;
      readonly binder: { readonly id: LocalId; readonly name: string; readonly size: Size };
      readonly body: TExpr;
    }
  /** Partial indexing leaves the trailing dims. `orElse` present: reads outside the tensor give it. */
  | {
      readonly k: 'index';
      readonly target: TExpr;
      readonly ix: readonly TIndex[];
      readonly orElse?: TExpr;
    }
  | { readonly k: 'field'; readonly target: TExpr; readonly label: string }
  | { readonly k: 'record'; readonly fields: readonly { label: string; value: TExpr }[] }
  /** Concatenation along the leading dim: an item is one element, or (spread) a tensor. */
  | {
      readonly k: 'array';
      readonly items: readonly { spread: boolean; value: TExpr; size: Size }[];
    }
);

// ---------------------------------------------------------------- declarations

export type TFn = {
  /** `file#name`, unique. */
  readonly id: string;
  readonly name: string;
  readonly doc: string;
  readonly span: Span;
  /** Size parameters in order, with defaults; type parameters apart. */
  readonly sizes: readonly { readonly name: string; readonly init?: Size }[];
  readonly typeParams: readonly string[];
  readonly derived: readonly DerivedSize[];
  readonly facts: readonly SizeFact[];
  readonly params: readonly {
    readonly id: LocalId;
    readonly name: string;
    readonly type: Type;
    readonly init?: TExpr;
  }[];
  readonly result: Type;
  readonly body: TExpr;
  /** A custom derivative (a JVP): result tangent from params and their tangents. */
  readonly derivative?: {
    readonly params: readonly { readonly id: LocalId; readonly name: string }[];
    /** `of` is the position of the parameter whose tangent it is. */
    readonly tangents: readonly {
      readonly id: LocalId;
      readonly name: string;
      readonly of: number;
    }[];
    readonly body: TExpr;
  };
};

export type TLet = {
  readonly id: string;
  readonly name: string;
  readonly type: Type;
  readonly body: TExpr;
  readonly span: Span;
};

export type TCheck = {
  readonly name: string;
  readonly file: string;
  readonly span: Span;
  /** `gradient of f` or a boolean body over generated arguments (as a function returning bool). */
  readonly what:
    | { readonly k: 'gradient'; readonly fn: string; readonly where: readonly SizeFact[] }
    | { readonly k: 'property'; readonly fn: TFn };
};

export type TProgram = {
  readonly fns: ReadonlyMap<string, TFn>;
  readonly lets: ReadonlyMap<string, TLet>;
  /** Type aliases by `file#name`, for hosts that build parameters: params and the body over them. */
  readonly aliases: ReadonlyMap<
    string,
    { readonly name: string; readonly params: readonly string[]; readonly body: Type }
  >;
  readonly checks: readonly TCheck[];
  /** The files in dependency order; the last one is the root. */
  readonly files: readonly string[];
};

export type CheckResult = {
  readonly program?: TProgram;
  readonly diagnostics: readonly Diagnostic[];
};
