/**
 * What the checker knows while it walks: the program's names, the function being checked, and the
 * locals in scope.
 *
 * Invariant: a `Fn` lives for one declaration; its solver, obligations and index values are shared
 * by every `Env` derived from it, and everything that cannot be decided yet is an obligation, run
 * once by finish.ts when the sizes are known. An expression that was reported has type ERROR, which
 * agrees with everything, so one cause gives one error.
 */
import type { Decl, Expr, FnDecl, Param } from '../ast.ts';
import { type Code, diagnostic } from '../errors.ts';
import type { Facts } from '../facts.ts';
import type { IndexValue } from '../ranges.ts';
import type { Reason, Solver } from '../solver.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { Dim, LocalId, ScalarName, Size, TExpr, Type } from '../typed.ts';

// ---------------------------------------------------------------- the program

export type ParamKind = 'size' | 'type';

export type AliasDecl = {
  readonly k: 'type';
  readonly id: string;
  readonly name: string;
  readonly decl: Extract<Decl, { k: 'type' }>;
  readonly file: FileScope;
  state: 'new' | 'busy' | 'done';
  kinds: ReadonlyMap<string, ParamKind>;
  /** Over the alias's own parameter names. */
  body: Type;
};

export type SigParam = { readonly name: string; readonly kind: ParamKind; readonly decl: Param };

export type FnSig = {
  readonly k: 'fn';
  readonly id: string;
  readonly name: string;
  readonly decl: FnDecl;
  readonly file: FileScope;
  readonly params: readonly SigParam[];
  readonly facts: Facts;
  readonly typeNames: ReadonlyMap<string, Type>;
  /** Defaults of sizes, over the sizes before them. */
  readonly defaults: ReadonlyMap<string, Size>;
  readonly args: readonly { readonly name: string; readonly type: Type; readonly init?: Expr }[];
  readonly result: Type;
  /** Names of the brackets that the head uses. */
  readonly used: Set<string>;
  /** The head has an error of its own: warnings about the body would only be noise. */
  readonly faulty: boolean;
};

export type LetSig = {
  readonly k: 'let';
  readonly id: string;
  readonly name: string;
  readonly decl: Extract<Decl, { k: 'let' }>;
  readonly file: FileScope;
  readonly type: Type;
};

export type FileScope = {
  readonly file: string;
  readonly types: Map<string, AliasDecl>;
  readonly values: Map<string, FnSig | LetSig>;
  /** Names whose declaration failed: uses are not reported again. */
  readonly broken: Set<string>;
  /** All files read so far. */
  readonly loaded: readonly FileScope[];
};

/** A requirement on what a type parameter stands for, passed on to callers (requirements.ts). */
export type Requirement = { readonly param: string; readonly why: 'trees' | 'gradient' };

export type CallEdge = {
  readonly from: string;
  readonly to: string;
  readonly span: Span;
  /** Met in the custom derivative of `from`, not in its body. */
  readonly inDerivative?: boolean;
};

export type Instance = {
  readonly from: string;
  readonly to: string;
  readonly types: ReadonlyMap<string, Type>;
  readonly span: Span;
};

export type Program = {
  readonly report: (d: Diagnostic) => void;
  readonly edges: CallEdge[];
  readonly instances: Instance[];
  readonly requirements: Map<string, Requirement[]>;
  readonly fresh: () => number;
  readonly files: FileScope[];
  /** Top-level `let`s, by id. */
  readonly values: Set<string>;
  /** Lambdas checked at their uses; bounded, so that a small text cannot grow without end. */
  budget: number;
};

// ---------------------------------------------------------------- one declaration

export type Obligation = () => void;

export type Fn = {
  readonly program: Program;
  readonly id: string;
  readonly name: string;
  readonly file: FileScope;
  readonly facts: Facts;
  readonly sizes: ReadonlyMap<string, Dim>;
  readonly types: ReadonlyMap<string, Type>;
  readonly solver: Solver;
  readonly obligations: Obligation[];
  /** Run when sizes are left over: reports a reason that says more than `cannot infer`. */
  readonly explanations: Obligation[];
  /** Calls with the types given to the callee's type parameters, until these are known. */
  readonly instances: Omit<Instance, 'from'>[];
  readonly indexValues: Map<string, IndexValue>;
  readonly locals: Map<LocalId, Local>;
  readonly report: (d: Diagnostic) => void;
  /** Where statements begin (`let`s and results), in the order they were met. */
  readonly statements: number[];
  /** Number of errors so far in this declaration, reported here or elsewhere. */
  readonly errors: () => number;
  /** Arguments of the wrong kind, reported: what a call with one gives is not looked at further. */
  readonly unfit: WeakSet<TExpr>;
  /** The head has an error, so what it states of sizes may be missing: nothing is asked to follow. */
  readonly faulty: boolean;
  /** Counts an error that was reported elsewhere, so that its echoes here are not. */
  readonly fault: () => void;
  /** Sizes that were used, for the lint. */
  readonly usedSizes: Set<string>;
};

export type Local = {
  readonly id: LocalId;
  readonly name: string;
  readonly type: Type;
  readonly span: Span;
  readonly kind: 'parameter' | 'let' | 'index' | 'element' | 'carry' | 'tangent';
  used: boolean;
  /** Its value as a polynomial over index values and sizes, for integers. */
  readonly index?: Size;
  /** An index without a written range: where it is used bare, range and extent are equal. */
  readonly free?: boolean;
  /** A lambda bound by `let`: checked anew at each use. */
  readonly template?: { readonly lambda: Extract<Expr, { k: 'lambda' }>; readonly env: Env };
};

export type Scope = { readonly local: Local; readonly next: Scope | undefined };

export type Env = {
  readonly fn: Fn;
  readonly scope: Scope | undefined;
  /** Ranges of the enclosing binders, which are not empty where the body runs. */
  readonly ranges: readonly Size[];
  /** Inside a branch of an `if`. */
  readonly branch?: boolean;
};

export function lookup(env: Env, name: string): Local | undefined {
  for (let s = env.scope; s !== undefined; s = s.next) if (s.local.name === name) return s.local;
  return undefined;
}

export function localNames(env: Env): string[] {
  const out: string[] = [];
  for (let s = env.scope; s !== undefined; s = s.next) out.push(s.local.name);
  return out;
}

// ---------------------------------------------------------------- reporting and building

export function error(
  env: Env,
  code: Code,
  span: Span,
  message: string,
  extra: Pick<Diagnostic, 'hint' | 'related'> = {},
): void {
  env.fn.report(diagnostic(code, span, message, extra));
}

export function reason(
  span: Span,
  subject: string,
  extra: Omit<Reason, 'span' | 'subject'> = {},
): Reason {
  return { span, subject, ...extra };
}

export const ERROR_TYPE: Type = { k: 'var', name: '!' };

/** Stands for an expression that was reported. */
export function broken(span: Span): TExpr {
  return { k: 'bool', value: false, type: ERROR_TYPE, span };
}

export function isBroken(t: Type): boolean {
  return t.k === 'var' && t.name === '!';
}

export function scalar(s: ScalarName): Type {
  return { k: 'scalar', s };
}
