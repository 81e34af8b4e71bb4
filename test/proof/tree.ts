/**
 * The programs of the proof lane as a tree of their own: what the generator draws, print.ts writes as
 * Tenon text and exact.ts evaluates. Nothing of dsl/ or compiler/ is used, so that a mistake there can
 * be no mistake here.
 *
 * Invariant: the tree says everything that the text leaves to inference (`written` and `elide` say what
 * is left out), so that the meaning of a program does not depend on how sizes are inferred.
 */

// ---------------------------------------------------------------- sizes and types

export type Size =
  | { readonly k: 'nat'; readonly value: number }
  | { readonly k: 'name'; readonly name: string }
  | { readonly k: 'op'; readonly op: SizeOp; readonly left: Size; readonly right: Size }
  /** Brackets that are written, and say how a product is grouped: `(A*B)*C`. */
  | { readonly k: 'group'; readonly of: Size };
export type SizeOp = '+' | '-' | '*' | '/' | '^';

export type Fact = {
  readonly left: Size;
  readonly op: '==' | '<=' | '>=' | '%';
  readonly right: Size;
  /** Of `%` only: the remainder. */
  readonly equals: Size;
};

export type Scalar = 'f32' | 'i32' | 'u32' | 'bool' | 'key';
export type Type =
  | { readonly k: 'scalar'; readonly of: Scalar }
  | { readonly k: 'idx'; readonly size: Size }
  /** `of` is no tensor: the dimensions of one that would be are here. */
  | { readonly k: 'tensor'; readonly of: Type; readonly dims: readonly Size[] }
  | { readonly k: 'record'; readonly fields: readonly TypeField[] }
  | { readonly k: 'fn'; readonly params: readonly Type[]; readonly result: Type }
  | { readonly k: 'var'; readonly name: string };
export type TypeField = { readonly label: string; readonly type: Type; readonly fixed: boolean };

// ---------------------------------------------------------------- programs

export type Fn = {
  readonly name: string;
  readonly sizes: readonly SizeParam[];
  /** Names that stand for any type. */
  readonly types: readonly string[];
  readonly params: readonly Param[];
  readonly result: Type;
  readonly facts: readonly Fact[];
  readonly body: Expr;
};
export type SizeParam = { readonly name: string; readonly init?: Size };
export type Param = { readonly name: string; readonly type: Type; readonly init?: Expr };

/** The last function is the one that is run. */
export type Program = { readonly fns: readonly Fn[] };

export const rootOf = (p: Program): Fn => p.fns.at(-1)!;

// ---------------------------------------------------------------- expressions

export type Binder =
  | { readonly k: 'one'; readonly name: string; readonly size: Size; readonly elide: boolean }
  | { readonly k: 'tuple'; readonly items: readonly Binder[] };
export type OneBinder = Extract<Binder, { k: 'one' }>;

export type Index =
  | { readonly k: 'at'; readonly e: Expr }
  /** Row-major; each part lies in its range, and the ranges make up the dimension. */
  | { readonly k: 'tuple'; readonly parts: readonly Index[]; readonly ranges: readonly Size[] }
  /** The first or the last `size` elements of a dimension. */
  | { readonly k: 'left' | 'right'; readonly part: Index; readonly size: Size };

export type ReduceOp =
  | 'sum'
  | 'prod'
  | 'max'
  | 'min'
  | 'mean'
  | 'argmax'
  | 'argmin'
  | 'all'
  | 'any';
export type NumberOp = '+' | '-' | '*' | '//' | '%';
export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Expr =
  | { readonly k: 'real'; readonly value: number }
  | { readonly k: 'int'; readonly value: bigint }
  | { readonly k: 'var'; readonly name: string }
  /** A size as a number. */
  | { readonly k: 'size'; readonly name: string }
  /** A top-level function that is passed. */
  | { readonly k: 'fn'; readonly name: string }
  | { readonly k: 'neg'; readonly arg: Expr }
  | { readonly k: 'op'; readonly op: NumberOp; readonly left: Expr; readonly right: Expr }
  | { readonly k: 'compare'; readonly op: CompareOp; readonly left: Expr; readonly right: Expr }
  | { readonly k: 'cast'; readonly to: 'f32' | 'i32' | 'u32'; readonly arg: Expr }
  | {
      readonly k: 'read';
      readonly target: Expr;
      /** The dimensions of the target as the generator knows them, for what may be left out. */
      readonly dims: readonly Size[];
      readonly ix: readonly Index[];
      readonly orElse?: Expr;
    }
  | {
      readonly k: 'let';
      readonly name: string;
      readonly type?: Type;
      readonly value: Expr;
      readonly body: Expr;
    }
  | { readonly k: 'lambda'; readonly params: readonly string[]; readonly body: Expr }
  /** Of a local function: a parameter or a lambda that a `let` names. */
  | { readonly k: 'apply'; readonly fn: string; readonly args: readonly Expr[] }
  | {
      readonly k: 'call';
      readonly fn: string;
      readonly sizes: readonly SizeArg[];
      /** None for a parameter that takes its default. */
      readonly args: readonly (Expr | undefined)[];
      /** From this argument on they are given by name. */
      readonly named: number;
      /** The types of the arguments as the generator knows them. */
      readonly types: readonly (Type | undefined)[];
    }
  | { readonly k: 'for'; readonly binders: readonly Binder[]; readonly body: Expr }
  | {
      readonly k: 'reduce';
      readonly op: ReduceOp;
      readonly binders: readonly Binder[];
      readonly body: Expr;
      /** What a sum over nothing is. */
      readonly of: 'f32' | 'i32';
    }
  | {
      readonly k: 'reduceTree';
      readonly op: ReduceOp;
      readonly names: readonly string[];
      readonly trees: readonly Expr[];
      readonly body: Expr;
      /** What a sum over nothing is. */
      readonly of: 'f32' | 'i32';
    }
  | {
      readonly k: 'each';
      readonly names: readonly string[];
      readonly trees: readonly Expr[];
      readonly body: Expr;
    }
  | {
      readonly k: 'fold' | 'scan';
      readonly name: string;
      readonly type: Type;
      readonly init: Expr;
      readonly binder: OneBinder;
      readonly body: Expr;
    }
  | { readonly k: 'if'; readonly cond: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly k: 'record'; readonly fields: readonly { label: string; value: Expr }[] }
  | { readonly k: 'field'; readonly target: Expr; readonly label: string }
  | { readonly k: 'array'; readonly items: readonly { spread: boolean; value: Expr }[] }
  /** An index below `size`, which follows from where it stands. */
  | { readonly k: 'pick'; readonly how: 'clamp' | 'wrap'; readonly arg: Expr; readonly size: Size }
  | {
      readonly k: 'draw';
      readonly what: 'uniform' | 'normal' | 'randint' | 'split';
      readonly key: Expr;
      readonly counter: Index;
      /** Of randint only, and whether it is written. */
      readonly size?: Size;
      readonly written?: boolean;
    };
export type ExprOf<K extends Expr['k']> = Extract<Expr, { k: K }>;

/** A size of a call: left out where it follows from an argument and `elide` asks for it. */
export type SizeArg = {
  readonly name: string;
  readonly size: Size;
  readonly how: 'name' | 'place' | 'default';
  readonly elide: boolean;
};
