/** Types, sizes, patterns, binders and signatures -> documents. */
import type { Binder, Fact, Param, Pattern, SizeExpr, TypeExpr } from './ast.ts';
import type { Comments } from './comments.ts';
import { cat, type Doc, fill, group, indent, line, list } from './doc.ts';
import { LEVEL, POWER } from './precedence.ts';
import type { Span } from './source.ts';

// ---------------------------------------------------------------- sizes

/** `H*P`, `A + B`, `D/2`: products tight, sums with spaces. */
export function size(s: SizeExpr, min = 0): string {
  switch (s.k) {
    case 'nat':
      return String(s.value);
    case 'var':
      return s.name;
    case 'op': {
      const level = LEVEL[s.op];
      // A group of the same kind is a part of its own: `(A*B)*C` has two parts, `A*B*C` three.
      const part = isGrouped(s.left) && s.left.k === 'op' && s.left.op === s.op;
      const left = size(s.left, part || level === POWER ? level + 1 : level);
      const right = size(s.right, level === POWER ? level : level + 1);
      const sign = s.op === '+' || s.op === '-' ? ` ${s.op} ` : s.op;
      return level < min ? `(${left}${sign}${right})` : `${left}${sign}${right}`;
    }
    default:
      return s satisfies never;
  }
}

/** An operation that is written in parentheses: its span begins before its left operand. */
export function isGrouped(e: {
  readonly span: Span;
  readonly left?: { readonly span: Span };
}): boolean {
  return e.left !== undefined && e.span.start < e.left.span.start;
}

function fact(f: Fact): string {
  const equals = f.equals === undefined ? '' : ` == ${size(f.equals)}`;
  return `${size(f.left)} ${f.op} ${size(f.right)}${equals}`;
}

export function where(facts: readonly Fact[]): Doc {
  if (facts.length === 0) return '';
  return group(indent(indent(cat(line, 'where ', fill(facts.map(fact))))));
}

export function params(list_: readonly Param[]): Doc {
  if (list_.length === 0) return '';
  const one = ({ name, init }: Param) =>
    init === undefined ? name.text : `${name.text} = ${size(init)}`;
  return list('[', list_.map(one), ']');
}

// ---------------------------------------------------------------- types

export function type(t: TypeExpr, c: Comments): Doc {
  switch (t.k) {
    case 'name':
      return t.name;
    case 'brackets': {
      const args = t.args.map((a) => {
        const value = a.type === undefined ? size(a.size) : type(a.type, c);
        return a.name === undefined ? value : cat(`${a.name.text} = `, value);
      });
      return cat(atom(t.base, c), list('[', args, ']'));
    }
    case 'record':
      return list(
        '{',
        t.fields.map((f) => c.around(f, field(f, c), false)),
        '}',
        line,
      );
    case 'fn': {
      const only = t.params.length === 1 ? t.params[0]! : undefined;
      const from =
        only === undefined
          ? list(
              '(',
              t.params.map((p) => type(p, c)),
              ')',
            )
          : atom(only, c);
      return cat(from, ' -> ', type(t.result, c));
    }
    default:
      return t satisfies never;
  }
}

/** Before `->` and before brackets a function type needs parentheses. */
function atom(t: TypeExpr, c: Comments): Doc {
  return t.k === 'fn' ? cat('(', type(t, c), ')') : type(t, c);
}

type Field = Extract<TypeExpr, { k: 'record' }>['fields'][number];

function field(f: Field, c: Comments): Doc {
  return cat(f.fixed ? 'fixed ' : '', `${f.label.text}: `, type(f.type, c));
}

// ---------------------------------------------------------------- names that are bound

export function pattern(p: Pattern): Doc {
  switch (p.k) {
    case 'name':
      return p.name.text;
    case 'record': {
      const one = (f: (typeof p.fields)[number]) =>
        f.pattern === undefined ? f.label.text : cat(`${f.label.text}: `, pattern(f.pattern));
      return list('{', p.fields.map(one), '}', line);
    }
    default:
      return p satisfies never;
  }
}

export function binder(b: Binder): string {
  switch (b.k) {
    case 'one':
      return b.size === undefined ? b.name.text : `${b.name.text}: ${size(b.size)}`;
    case 'tuple':
      return `(${b.items.map(binder).join(', ')})`;
    default:
      return b satisfies never;
  }
}
