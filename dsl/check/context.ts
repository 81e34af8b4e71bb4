/**
 * What the checker knows while it walks: the program's names, the function being checked, and the
 * locals in scope.
 *
 * Invariant: a `Fn` lives for one declaration; its solver, obligations and index values are shared
 * by every `Env` derived from it, and everything that cannot be decided yet is an obligation, run
 * once by finish.ts when the sizes are known. An expression that was reported has a type which
 * agrees with everything, so one cause gives one error; it is made of the evidence that there was one
 * (reported.ts).
 */
import type { Decl, Expr, FnDecl, Param } from '../ast.ts';
import { diagnostic, type ErrorCode } from '../errors.ts';
import type { Facts } from '../facts.ts';
import type { IndexValue } from '../ranges.ts';
import type { Report, Reported } from '../reported.ts';
import type { Reason, Solver } from '../solver.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { Dim, LocalId, ScalarName, Size, TExpr, Type } from '../typed.ts';
import { errorType } from '../types.ts';

export { brokenBy, isBroken } from '../types.ts';

// ---------------------------------------------------------------- the program

export type ParamKind = 'size' | 'type';

export type AliasDecl = {
  readonly k: 'type';
  readonly id: string;
  readonly name: string;
  readonly decl: Extract<Decl, { k: 'type' }>;
  readonly file: FileScope;
  /** It is being resolved, or was. */
  busy?: boolean;
  kinds: ReadonlyMap<string, ParamKind>;
  /** Over the alias's own parameter names; undefined until it is first used. */
  body: Type | undefined;
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
  /** Defaults of sizes, over the names that are free. */
  readonly defaults: ReadonlyMap<string, Dim>;
  readonly args: readonly { readonly name: string; readonly type: Type; readonly init?: Expr }[];
  readonly result: Type;
  /** Names of the brackets that the head uses. */
  readonly used: Set<string>;
  /** Evidence that the head has an error: warnings about the body would only be noise. */
  readonly faulty: Reported | undefined;
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
  /** Names whose declaration was reported: their uses are not. */
  readonly broken: Map<string, Reported>;
  /** All files read so far. */
  readonly loaded: readonly FileScope[];
};

/** A requirement on what a type parameter stands for, passed on to callers (requirements.ts). */
export type Requirement = {
  readonly param: string;
  /** Leaves of f32, for trees or derivatives; at least one element, for reductions like `max`. */
  readonly why: 'trees' | 'gradient' | 'elements';
};

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
  /** Where it was met: what is known there. */
  readonly env: Env;
};

export type Program = {
  readonly report: Report;
  readonly edges: CallEdge[];
  readonly instances: Instance[];
  readonly requirements: Map<string, Requirement[]>;
  readonly fresh: () => number;
  readonly files: FileScope[];
  /** Top-level `let`s, by id. */
  readonly values: Set<string>;
  /** Lambdas checked at their uses; bounded, so that a small text cannot grow without end. */
  readonly budget: { left: number; spent?: Reported };
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
  readonly report: Report;
  /** Where statements begin (`let`s and results), in the order they were met. */
  readonly statements: number[];
  /** Number of errors so far in this declaration, reported here or elsewhere. */
  readonly errors: () => number;
  /** Arguments of the wrong kind, reported: what a call with one gives is not looked at further. */
  readonly unfit: WeakMap<TExpr, Reported>;
  /** The head has an error, so what it states of sizes may be missing: nothing is asked to follow. */
  readonly faulty: Reported | undefined;
  /** Counts an error that was reported elsewhere, so that its echoes here are not. */
  readonly fault: (by: Reported) => void;
  /** Evidence of the first error of this declaration, reported here or elsewhere. */
  readonly failed: () => Reported | undefined;
  /** The hint, and the edit, that states a fact in this head. */
  readonly addFact: (fact: string) => Pick<Diagnostic, 'hint' | 'fix'>;
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
  /** The range of an index, as it was written. */
  readonly range?: Dim;
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
  code: ErrorCode,
  span: Span,
  message: string,
  extra: Pick<Diagnostic, 'hint' | 'related' | 'fix'> = {},
): Reported {
  return env.fn.report(diagnostic(code, span, message, extra));
}

export function reason(
  span: Span,
  subject: string,
  extra: Omit<Reason, 'span' | 'subject'> = {},
): Reason {
  return { span, subject, ...extra };
}

/** Stands for an expression that was reported. */
export function broken(by: Reported, span: Span): TExpr {
  return { k: 'bool', value: false, type: errorType(by), span };
}

export function scalar(s: ScalarName): Type {
  return { k: 'scalar', s };
}
