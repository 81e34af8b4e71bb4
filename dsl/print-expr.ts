/**
 * Expressions -> documents, with the parentheses that the grammar needs and no others.
 *
 * Two questions decide: does the operator bind weaker than its place allows (`min`), and does an
 * expression whose body extends to the right (a binder, `if`) stand at the end of its brackets
 * (`tail`)? If something followed it there, it would become part of the body.
 */
import type { Binder, BinOp, Expr, Name } from './ast.ts';
import { binderNames, meantInside } from './check/lints.ts';
import { type Comments, inIndex } from './comments.ts';
import {
  after,
  cat,
  type Doc,
  group,
  indent,
  join,
  line,
  list,
  newline,
  type Open,
  softline,
} from './doc.ts';
import { COMPARISON, LEVEL, OR_ELSE, POWER, PREFIX_LEVEL, SUFFIX } from './precedence.ts';
import { binder, isGrouped, pattern, type } from './print-types.ts';

/** `left a` is an operand of any operator, but nothing follows it as a suffix. */
const HEAD = POWER + 0.5;

/** The body of a `let`, binder or lambda, as what follows its `=`, `.` or `->`. */
export function body(e: Expr, c: Comments): Doc {
  return after(block(e, c), c.has(e) ? 'never' : opens(e));
}

/**
 * The body of a reduction. `sum i. (x[i] - mu)` keeps its parentheses: without them the last term
 * reads as if it were outside, which is what the checker's warning is about.
 */
function reduced(names: readonly string[], e: Expr, c: Comments): Doc {
  if (!meantInside(names, e)) return body(e, c);
  return after(parens(c.around(e, bare(e, c, true), false), false), 'never');
}

/** Lets and a result, each on its own line, or an expression. */
export function block(e: Expr, c: Comments): Doc {
  const parts: Doc[] = [];
  let at = e;
  while (at.k === 'let') {
    const head = cat('let ', pattern(at.pattern), at.type ? cat(': ', type(at.type, c)) : '', ' =');
    parts.push(c.around(at, cat(head, body(at.value, c)), at !== e), newline);
    at = at.body;
  }
  const result = c.around(at, expr(at, c), at !== e);
  return parts.length === 0 ? result : cat(...parts, result);
}

function opens(e: Expr): Open {
  switch (e.k) {
    case 'record':
    case 'array':
    case 'lambda':
    case 'for':
    case 'reduce':
    case 'reduceTree':
    case 'each':
    case 'fold':
    case 'scan':
      return 'first';
    case 'call':
      return 'last';
    default:
      return 'never';
  }
}

export function expr(e: Expr, c: Comments, min = 0, tail = true): Doc {
  if (!needsParens(e, min, tail)) return bare(e, c, tail);
  return parens(bare(e, c, true), e.k === 'let');
}

function parens(doc: Doc, lines: boolean): Doc {
  const edge = lines ? newline : softline;
  return group(cat('(', indent(cat(edge, doc)), edge, ')'));
}

function needsParens(e: Expr, min: number, tail: boolean): boolean {
  switch (e.k) {
    case 'num':
    case 'bool':
    case 'var':
    case 'size':
    case 'tuple':
    case 'array':
    case 'record':
    case 'field':
    case 'brackets':
    case 'call':
      return false;
    case 'let':
      return true;
    case 'lambda':
      return min > 0;
    case 'for':
    case 'reduce':
    case 'reduceTree':
    case 'each':
    case 'fold':
    case 'scan':
    case 'if':
      // After `+` a body to the right reads well; after `*` it would look like a factor.
      return !tail || min > LEVEL['*'];
    case 'left':
    case 'right':
      return min > HEAD;
    case 'orElse':
      // `a * x[i] ?? 0` would be right, and read wrong.
      return min > 0;
    case 'unary':
      return min > PREFIX_LEVEL[e.op];
    case 'binary':
      return min > LEVEL[e.op];
    default:
      return e satisfies never;
  }
}

/** The expression without parentheses around it. */
function bare(e: Expr, c: Comments, tail: boolean): Doc {
  switch (e.k) {
    case 'num':
      return e.text;
    case 'bool':
      return String(e.value);
    case 'var':
    case 'size':
      return e.name;
    case 'let':
      return block(e, c);
    case 'lambda':
      return cat(lambdaHead(e.params), body(e.body, c));
    case 'for':
      return cat('for ', ix(e.ix), '.', body(e.body, c));
    case 'reduce':
      return cat(`${e.op} `, ix(e.ix), '.', reduced(binderNames(e.ix), e.body, c));
    case 'reduceTree': {
      const names = e.names.map((n) => n.text);
      return cat(`${e.op} `, trees(e.names, e.trees, c), reduced(names, e.body, c));
    }
    case 'each':
      return cat('each ', trees(e.names, e.trees, c), body(e.body, c));
    case 'fold':
    case 'scan': {
      const init = expr(e.init, c, 1, false);
      const head = cat(`${e.k} `, pattern(e.pattern), ' = ', init, ` for ${binder(e.ix)}.`);
      return cat(head, body(e.body, c));
    }
    case 'if':
      return branches(e, c);
    case 'unary': {
      const level = e.op === 'not' ? PREFIX_LEVEL.not : POWER;
      return cat(e.op === 'not' ? 'not ' : '-', expr(e.arg, c, level, tail));
    }
    case 'binary':
      return chain(e, c, tail);
    case 'orElse':
      return cat(expr(e.read, c, SUFFIX), ' ?? ', fallback(e.fallback, c));
    case 'left':
    case 'right': {
      const nested = e.arg.k === 'left' || e.arg.k === 'right';
      return cat(`${e.k} `, expr(e.arg, c, nested ? HEAD : SUFFIX));
    }
    case 'field': {
      // `1.0` would be a number.
      const target =
        e.target.k === 'num' ? cat('(', e.target.text, ')') : expr(e.target, c, SUFFIX);
      return cat(target, `.${e.label.text}`);
    }
    case 'brackets':
      return cat(expr(e.target, c, SUFFIX), items('[', e.args, ']', inIndex(c, true)));
    case 'call':
      return cat(expr(e.fn, c, SUFFIX), items('(', e.args, ')', inIndex(c, false)));
    case 'tuple':
      return list(
        '(',
        e.items.map((i) => item(i, i, '', c)),
        ')',
      );
    case 'array':
      return list(
        '[',
        e.items.map((i) => item(i, i.value, i.spread ? '..' : '', c)),
        ']',
      );
    case 'record':
      return list(
        '{',
        e.fields.map((f) => recordField(f, c)),
        '}',
        line,
      );
    default:
      return e satisfies never;
  }
}

function lambdaHead(names: readonly Name[]): string {
  const text = names.map((n) => n.text).join(', ');
  return names.length === 1 ? `${text} ->` : `(${text}) ->`;
}

function ix(binders: readonly Binder[]): string {
  return binders.map(binder).join(', ');
}

function trees(names: readonly Name[], of: readonly Expr[], c: Comments): Doc {
  const from = join(
    ', ',
    of.map((t) => expr(t, c, OR_ELSE)),
  );
  return cat(`${names.map((n) => n.text).join(', ')} in `, from, '.');
}

function fallback(e: Expr, c: Comments): Doc {
  if (e.k === 'unary' && e.op === '-') return cat('-', expr(e.arg, c, SUFFIX));
  return expr(e, c, SUFFIX);
}

function branches(e: Extract<Expr, { k: 'if' }>, c: Comments): Doc {
  const parts: Doc[] = [];
  let at: Expr = e;
  let word = 'if ';
  while (at.k === 'if' && (at === e || !c.has(at))) {
    parts.push(word, expr(at.cond, c), ' then', indent(cat(line, block(at.then, c))), line);
    word = 'else if ';
    at = at.else;
  }
  return group(cat(...parts, 'else', indent(cat(line, block(at, c)))));
}

// ---------------------------------------------------------------- operators

type Binary = Extract<Expr, { k: 'binary' }>;

/** Operators of one level make one flat list, which breaks before each of them or nowhere. */
function chain(e: Binary, c: Comments, tail: boolean): Doc {
  const level = LEVEL[e.op];
  if (level === POWER) {
    return cat(expr(e.left, c, POWER + 1, false), '^', expr(e.right, c, POWER, tail));
  }
  const rest: { op: BinOp; right: Expr; tight: boolean }[] = [];
  let first: Expr = e;
  // In brackets it may be a size, whose groups are parts of their own.
  const isPart = (at: Binary): boolean =>
    c.inIndex && at.op === rest[0]?.op && isGrouped(at) && isSize(at) && hasSize(at);
  const again = (at: Binary): boolean =>
    LEVEL[at.op] === level && (at === e || (level !== COMPARISON && !isPart(at)));
  while (first.k === 'binary' && again(first)) {
    rest.unshift({ op: first.op, right: first.right, tight: isTight(first, c) });
    first = first.left;
  }
  const part = first.k === 'binary' && isPart(first);
  const left = expr(first, c, part || level === COMPARISON ? level + 1 : level, false);
  const parts = rest.map(({ op, right, tight }, n) => {
    const operand = expr(right, c, level + 1, tail && n === rest.length - 1);
    return tight ? cat(op, operand) : cat(line, `${op} `, operand);
  });
  return group(cat(left, indent(cat(...parts))));
}

/** Products are written close in an index (`x[S*y + a]`) and between sizes (`H*W`), as in types. */
function isTight(e: Binary, c: Comments): boolean {
  if (LEVEL[e.op] !== LEVEL['*']) return false;
  return c.inIndex || (e.op === '*' && isSize(e.left) && isSize(e.right) && hasSize(e));
}

function isSize(e: Expr): boolean {
  if (e.k === 'size') return true;
  if (e.k === 'num') return e.isInt;
  return e.k === 'binary' && '+-*^'.includes(e.op) && isSize(e.left) && isSize(e.right);
}

function hasSize(e: Expr): boolean {
  return e.k === 'size' || (e.k === 'binary' && (hasSize(e.left) || hasSize(e.right)));
}

// ---------------------------------------------------------------- lists

type Arg = { readonly name?: Name; readonly value: Expr };

function items(open: string, args: readonly Arg[], close: string, c: Comments): Doc {
  const only = args.length === 1 ? args[0]! : undefined;
  if (only !== undefined && only.name === undefined && !c.has(only) && hugs(only.value)) {
    return cat(open, expr(only.value, c), close);
  }
  const docs = args.map((a) => {
    if (a.name === undefined) return item(a, a.value, '', c);
    return c.around(a, cat(`${a.name.text} =`, body(a.value, c)), false);
  });
  return list(open, docs, close);
}

/** As the only argument, it opens on the line of the bracket. */
function hugs(e: Expr): boolean {
  return e.k === 'lambda' || e.k === 'record' || e.k === 'array';
}

function item(key: object, value: Expr, before: string, c: Comments): Doc {
  // A block's own lines carry its comments; after `..` it needs parentheses.
  if (value.k === 'let') return before === '' ? block(value, c) : cat(before, expr(value, c));
  return c.around(key, cat(before, expr(value, c)), false);
}

type RecordField = Extract<Expr, { k: 'record' }>['fields'][number];

function recordField(f: RecordField, c: Comments): Doc {
  const { label, value } = f;
  const short = value.k === 'var' && value.name === label.text;
  return c.around(f, short ? label.text : cat(`${label.text}:`, body(value, c)), false);
}
