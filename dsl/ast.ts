/**
 * The abstract syntax tree: what the parser makes of a text, before any name is resolved.
 *
 * Invariant: every node has its span, comments are attached to declarations (doc) or kept in
 * `Module.comments` for the formatter, and parse(print(ast)) equals ast up to spans.
 * Sizes in expression brackets are parsed as expressions (`attention[H*E](..)` and `x[i]` look the
 * same); the checker decides which is which.
 */
import type { Span } from './source.ts';

export type Name = { readonly text: string; readonly span: Span };

// ---------------------------------------------------------------- modules and declarations

export type Module = {
  readonly file: string;
  readonly decls: readonly Decl[];
  readonly comments: readonly { readonly text: string; readonly span: Span }[];
};

export type Decl =
  | { k: 'import'; names: readonly Name[]; from: string; fromSpan: Span; span: Span; doc: string }
  | { k: 'type'; name: Name; params: readonly Param[]; body: TypeExpr; span: Span; doc: string }
  | FnDecl
  | { k: 'let'; name: Name; type: TypeExpr; body: Expr; span: Span; doc: string }
  | { k: 'derivative'; of: Name; args: readonly Name[]; body: Expr; span: Span; doc: string }
  | {
      k: 'checkGradient';
      of: Name;
      where: readonly Fact[];
      headEnd: Span;
      span: Span;
      doc: string;
    }
  | {
      k: 'check';
      name: Name;
      params: readonly Param[];
      args: readonly Arg[];
      where: readonly Fact[];
      headEnd: Span;
      body: Expr;
      span: Span;
      doc: string;
    };

export type FnDecl = {
  k: 'fn';
  name: Name;
  params: readonly Param[];
  args: readonly Arg[];
  result: TypeExpr;
  where: readonly Fact[];
  /** The place after the head, where a fact can be added. */
  headEnd: Span;
  body: Expr;
  span: Span;
  doc: string;
};

/** `[N, S = 1]`: a size or a type; which one is inferred from its uses. */
export type Param = { readonly name: Name; readonly init?: SizeExpr };
export type Arg = { readonly name: Name; readonly type: TypeExpr; readonly init?: Expr };

/** `D % 2 == 0` has op '%' and `equals`; the others compare two sizes. */
export type Fact = {
  readonly left: SizeExpr;
  readonly op: '==' | '<=' | '>=' | '%';
  readonly right: SizeExpr;
  readonly equals?: SizeExpr;
  readonly span: Span;
};

// ---------------------------------------------------------------- types and sizes

export type SizeExpr =
  | { k: 'nat'; value: number; span: Span }
  | { k: 'var'; name: string; span: Span }
  | { k: 'op'; op: '+' | '-' | '*' | '/' | '^'; left: SizeExpr; right: SizeExpr; span: Span };

export type TypeExpr =
  /** `f32`, `key`, `S`, `Linear`, before brackets. */
  | { k: 'name'; name: string; span: Span }
  /** `f32[A, B]`, `Block[D]`, `Block[D][L]`, `SiT[D = H*E]`, `idx[K]`: one node per bracket pair. */
  | { k: 'brackets'; base: TypeExpr; args: readonly TypeArg[]; span: Span }
  | { k: 'record'; fields: readonly TypeField[]; span: Span }
  | { k: 'fn'; params: readonly TypeExpr[]; result: TypeExpr; span: Span };

/**
 * A size, or a type where the alias takes one: a bare uppercase name parses as a size var; where
 * `type` is present (`Pair[f32]`), `size` is the variable `_`.
 */
export type TypeArg = { readonly name?: Name; readonly size: SizeExpr; readonly type?: TypeExpr };
export type TypeField = {
  readonly label: Name;
  readonly type: TypeExpr;
  readonly fixed: boolean;
};

// ---------------------------------------------------------------- expressions

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

export type BinOp =
  | '+'
  | '-'
  | '*'
  | '/'
  | '//'
  | '%'
  | '^'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'and'
  | 'or';

export type Binder =
  | { k: 'one'; name: Name /* '_' for none */; size?: SizeExpr; span: Span }
  | { k: 'tuple'; items: readonly Binder[]; span: Span };

export type Pattern =
  | { k: 'name'; name: Name; span: Span }
  | {
      k: 'record';
      fields: readonly { readonly label: Name; readonly pattern?: Pattern }[];
      span: Span;
    };

export type Expr =
  | { k: 'num'; text: string; value: number; isInt: boolean; span: Span }
  | { k: 'bool'; value: boolean; span: Span }
  | { k: 'var'; name: string; span: Span }
  /** An uppercase name used as a value: a size. */
  | { k: 'size'; name: string; span: Span }
  | { k: 'lambda'; params: readonly Name[]; body: Expr; span: Span }
  | { k: 'let'; pattern: Pattern; type?: TypeExpr; value: Expr; body: Expr; span: Span }
  | { k: 'for'; ix: readonly Binder[]; body: Expr; span: Span }
  | { k: 'reduce'; op: ReduceOp; ix: readonly Binder[]; body: Expr; span: Span }
  | {
      k: 'reduceTree';
      op: ReduceOp;
      names: readonly Name[];
      trees: readonly Expr[];
      body: Expr;
      span: Span;
    }
  | { k: 'each'; names: readonly Name[]; trees: readonly Expr[]; body: Expr; span: Span }
  | {
      k: 'fold' | 'scan';
      pattern: Pattern;
      init: Expr;
      ix: Binder;
      body: Expr;
      span: Span;
    }
  | { k: 'if'; cond: Expr; then: Expr; else: Expr; span: Span }
  | { k: 'unary'; op: '-' | 'not'; arg: Expr; span: Span }
  | { k: 'binary'; op: BinOp; left: Expr; right: Expr; opSpan: Span; span: Span }
  /** `x[i] ?? 0` */
  | { k: 'orElse'; read: Expr; fallback: Expr; span: Span }
  | { k: 'left' | 'right'; arg: Expr; span: Span }
  | { k: 'field'; target: Expr; label: Name; span: Span }
  /** Indexing or size arguments: the checker decides by what the target is. */
  | {
      k: 'brackets';
      target: Expr;
      args: readonly { readonly name?: Name; readonly value: Expr }[];
      span: Span;
    }
  | {
      k: 'call';
      fn: Expr;
      args: readonly { readonly name?: Name; readonly value: Expr }[];
      span: Span;
    }
  /** Two or more components; always an index (or a row-major counter of a draw). */
  | { k: 'tuple'; items: readonly Expr[]; span: Span }
  | { k: 'array'; items: readonly { readonly spread: boolean; readonly value: Expr }[]; span: Span }
  | {
      k: 'record';
      fields: readonly { readonly label: Name; readonly value: Expr /* `{x}` is `{x: x}` */ }[];
      span: Span;
    };
