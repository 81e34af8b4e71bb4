/**
 * Precedence: the one table of operators, used by the parser (climbing over the flat chains that
 * the grammar gives) and by the printer (where parentheses are needed).
 *
 * Tightest first: suffix, `??`, `^` (right), unary `-`, `* / // %`, `+ -`, comparisons (they do not
 * chain), `not`, `and`, `or`.
 */
import type { BinOp, Expr, SizeExpr } from './ast.ts';
import { diagnostic } from './errors.ts';
import type { Diagnostic, Span } from './source.ts';

export const LEVEL: Readonly<Record<BinOp, number>> = {
  or: 1,
  and: 2,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '//': 6,
  '%': 6,
  '^': 8,
};
export const PREFIX_LEVEL: Readonly<Record<'-' | 'not', number>> = { not: 3, '-': 7 };
export const COMPARISON = 4;
export const POWER = 8;
export const OR_ELSE = 9;
export const SUFFIX = 10;

/** Longer chains make trees deeper than the recursion of later stages should go. */
export const MAX_CHAIN = 200;

/** A fault found while building the tree; parse.ts turns it into the declaration's diagnostic. */
export class SyntaxFault extends Error {
  readonly diagnostic: Diagnostic;
  constructor(d: Diagnostic) {
    super(d.message);
    this.diagnostic = d;
  }
}

export type Operand = {
  readonly prefixes: readonly { readonly op: '-' | 'not'; readonly span: Span }[];
  readonly head: Expr;
};
export type Operator = { readonly op: BinOp; readonly span: Span };

function join(a: Span, b: Span): Span {
  return { file: a.file, start: a.start, end: b.end };
}

function checkLength(operators: readonly { readonly span: Span }[]): void {
  if (operators.length <= MAX_CHAIN) return;
  const { span } = operators[MAX_CHAIN]!;
  throw new SyntaxFault(
    diagnostic('E0105', span, `More than ${MAX_CHAIN} operators stand in one expression.`, {
      hint: 'Name the parts with `let`, or write the sum as `sum i. ...`.',
    }),
  );
}

/** operands.length = operators.length + 1. */
export function climb(operands: readonly Operand[], operators: readonly Operator[]): Expr {
  checkLength(operators);
  let at = 0;

  /** The operand at `at`, from its n-th prefix on, with the operators of level `min` and up. */
  const chain = (min: number, n = 0): Expr => {
    let left = prefixed(n, min);
    for (;;) {
      const next = operators[at];
      if (next === undefined || LEVEL[next.op] < min) return left;
      const level = LEVEL[next.op];
      at++;
      const right = chain(level === POWER ? level : level + 1);
      const span = join(left.span, right.span);
      left = { k: 'binary', op: next.op, left, right, opSpan: next.span, span };
      if (level === COMPARISON) refuseSecondComparison(next, operators[at]);
    }
  };

  const prefixed = (n: number, min: number): Expr => {
    const operand = operands[at]!;
    const prefix = operand.prefixes[n];
    if (prefix === undefined) return operand.head;
    if (prefix.op === 'not' && min > PREFIX_LEVEL.not) {
      throw new SyntaxFault(
        diagnostic('E0109', prefix.span, '`not` binds weaker than the operator before it.', {
          hint: 'Put `not` and what it negates in parentheses.',
        }),
      );
    }
    const arg = chain(prefix.op === 'not' ? PREFIX_LEVEL.not : POWER, n + 1);
    return { k: 'unary', op: prefix.op, arg, span: join(prefix.span, arg.span) };
  };

  return chain(0);
}

function refuseSecondComparison(first: Operator, second: Operator | undefined): void {
  if (second === undefined || LEVEL[second.op] !== COMPARISON) return;
  throw new SyntaxFault(
    diagnostic('E0108', second.span, 'Comparisons do not chain.', {
      hint: 'Write `a < b and b < c`, or put one comparison in parentheses.',
      related: [{ span: first.span, message: 'the first comparison is here' }],
    }),
  );
}

export type SizeOp = '+' | '-' | '*' | '/' | '^';

export function climbSize(
  operands: readonly SizeExpr[],
  operators: readonly { readonly op: SizeOp; readonly span: Span }[],
): SizeExpr {
  checkLength(operators);
  let at = 0;
  const chain = (min: number): SizeExpr => {
    let left = operands[at]!;
    for (;;) {
      const next = operators[at];
      if (next === undefined || LEVEL[next.op] < min) return left;
      at++;
      const right = chain(next.op === '^' ? POWER : LEVEL[next.op] + 1);
      left = { k: 'op', op: next.op, left, right, span: join(left.span, right.span) };
    }
  };
  return chain(0);
}
