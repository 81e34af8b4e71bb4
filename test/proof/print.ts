/**
 * A tree as Tenon text.
 *
 * Invariant: brackets stand wherever the tree groups otherwise than the operators of docs/language.md
 * do, and nowhere else; the lines of a block stand in one column, two spaces inside what they belong to.
 */
import type { Binder, Expr, ExprOf, Fact, Fn, Index, Param, Program, Size, Type } from './tree.ts';

export const printProgram = (p: Program): string => p.fns.map((f) => printFn(p, f)).join('\n');

function printFn(p: Program, f: Fn): string {
  const named = [
    ...f.sizes.map((s) => (s.init === undefined ? s.name : `${s.name} = ${printSize(s.init)}`)),
    ...f.types,
  ];
  const brackets = named.length === 0 ? '' : `[${named.join(', ')}]`;
  const params = f.params.map((x) => printParam(p, x)).join(', ');
  const where = f.facts.length === 0 ? '' : ` where ${f.facts.map(printFact).join(', ')}`;
  const head = `fn ${f.name}${brackets}(${params}): ${printType(f.result)}${where} =`;
  const body = printer(p).block(f.body, 2);
  return body.startsWith('\n') ? `${head}${body}\n` : `${head}\n  ${body}\n`;
}

const printParam = (p: Program, x: Param): string =>
  `${x.name}: ${printType(x.type)}${x.init === undefined ? '' : ` = ${printer(p).block(x.init, 4)}`}`;

// ---------------------------------------------------------------- sizes and types

const binds = { '+': 1, '-': 1, '*': 2, '/': 2, '^': 3 } as const;

export function printSize(s: Size, least = 0): string {
  switch (s.k) {
    case 'nat':
      return String(s.value);
    case 'name':
      return s.name;
    case 'group':
      return `(${printSize(s.of)})`;
    case 'op': {
      const own = binds[s.op];
      const [left, right] = [printSize(s.left, own), printSize(s.right, own + 1)];
      const text = own === 1 ? `${left} ${s.op} ${right}` : `${left}${s.op}${right}`;
      return own < least ? `(${text})` : text;
    }
  }
}

export function printFact(f: Fact): string {
  const [left, right] = [printSize(f.left), printSize(f.right)];
  if (f.op !== '%') return `${left} ${f.op} ${right}`;
  return `${left} % ${right} == ${printSize(f.equals)}`;
}

const sizes = (list: readonly Size[]): string => list.map((s) => printSize(s)).join(', ');

export function printType(t: Type): string {
  switch (t.k) {
    case 'scalar':
      return t.of;
    case 'var':
      return t.name;
    case 'idx':
      return `idx[${printSize(t.size)}]`;
    case 'tensor':
      return `${printType(t.of)}[${sizes(t.dims)}]`;
    case 'record': {
      const fields = t.fields.map(
        (f) => `${f.fixed ? 'fixed ' : ''}${f.label}: ${printType(f.type)}`,
      );
      return `{ ${fields.join(', ')} }`;
    }
    case 'fn':
      return `(${t.params.map(printType).join(', ')}) -> ${printType(t.result)}`;
  }
}

// ---------------------------------------------------------------- expressions

/** How tight an operator is; a loop, a choice and a block are loosest. */
const LOOSE = 0;
const COMPARED = 1;
const SUM = 2;
const PRODUCT = 3;
const NEGATED = 4;
const READ = 5;
const TIGHT = 6;
const tightness = { '+': SUM, '-': SUM, '*': PRODUCT, '//': PRODUCT, '%': PRODUCT } as const;

/** Prints expressions of a program, whose functions say how parameters and sizes are called. */
export function printer(p: Program): {
  readonly block: (e: Expr, pad: number) => string;
  readonly place: (ix: Index) => string;
} {
  const space = (pad: number): string => ' '.repeat(pad);

  /** Where a block may begin: after `=`, `.`, `->` and in brackets. */
  function block(e: Expr, pad: number): string {
    if (e.k !== 'let') return expr(e, LOOSE, pad);
    const lines: string[] = [];
    let rest: Expr = e;
    for (; rest.k === 'let'; rest = rest.body) {
      const type = rest.type === undefined ? '' : `: ${printType(rest.type)}`;
      lines.push(`let ${rest.name}${type} = ${block(rest.value, pad + 2)}`);
    }
    lines.push(expr(rest, LOOSE, pad));
    return lines.map((line) => `\n${space(pad)}${line}`).join('');
  }

  /** A body after a dot or an arrow. */
  const body = (e: Expr, pad: number): string =>
    e.k === 'let' ? block(e, pad + 2) : ` ${block(e, pad)}`;

  /** In brackets of its own where something tighter is asked for. */
  function expr(e: Expr, least: number, pad: number): string {
    const [text, own] = shape(e, pad);
    return own < least ? `(${own === LOOSE ? block(e, pad + 2) : text})` : text;
  }

  function binary(e: ExprOf<'op' | 'compare'>, own: number, pad: number): string {
    const right = expr(e.right, own + 1, pad);
    return `${expr(e.left, e.k === 'compare' ? own + 1 : own, pad)} ${e.op} ${right}`;
  }

  function shape(e: Expr, pad: number): readonly [string, number] {
    switch (e.k) {
      case 'real':
        return [printReal(e.value), e.value < 0 ? NEGATED : TIGHT];
      case 'int':
        return [String(e.value), e.value < 0n ? NEGATED : TIGHT];
      case 'var':
      case 'size':
      case 'fn':
        return [e.name, TIGHT];
      case 'neg':
        return [`-${expr(e.arg, READ, pad)}`, NEGATED];
      case 'op':
        return [binary(e, tightness[e.op], pad), tightness[e.op]];
      case 'compare':
        return [binary(e, COMPARED, pad), COMPARED];
      case 'cast':
        return [`${e.to}(${block(e.arg, pad + 2)})`, TIGHT];
      case 'read': {
        const read = `${expr(e.target, TIGHT, pad)}[${e.ix.map((i) => place(i, pad)).join(', ')}]`;
        if (e.orElse === undefined) return [read, TIGHT];
        return [`${read} ?? ${expr(e.orElse, TIGHT, pad)}`, READ];
      }
      case 'let':
        return [block(e, pad + 2), LOOSE];
      case 'lambda': {
        const params = e.params.length === 1 ? e.params[0]! : `(${e.params.join(', ')})`;
        return [`${params} ->${body(e.body, pad)}`, LOOSE];
      }
      case 'apply':
        return [`${e.fn}(${e.args.map((a) => block(a, pad + 2)).join(', ')})`, TIGHT];
      case 'call':
        return [call(e, pad), TIGHT];
      case 'for':
        return [`for ${binders(e.binders)}.${body(e.body, pad)}`, LOOSE];
      case 'reduce':
        return [`${e.op} ${binders(e.binders)}.${body(e.body, pad)}`, LOOSE];
      case 'reduceTree':
        return [`${e.op} ${trees(e, pad)}.${body(e.body, pad)}`, LOOSE];
      case 'each':
        return [`each ${trees(e, pad)}.${body(e.body, pad)}`, LOOSE];
      case 'fold':
      case 'scan': {
        const start = `${e.k} ${e.name} = ${expr(e.init, COMPARED, pad)}`;
        return [`${start} for ${binders([e.binder])}.${body(e.body, pad)}`, LOOSE];
      }
      case 'if': {
        const [yes, no] = [body(e.yes, pad), body(e.no, pad)];
        return [`if ${expr(e.cond, COMPARED, pad)} then${yes} else${no}`, LOOSE];
      }
      case 'record': {
        const fields = e.fields.map((f) => `${f.label}: ${block(f.value, pad + 2)}`);
        return [`{ ${fields.join(', ')} }`, TIGHT];
      }
      case 'field':
        return [`${expr(e.target, TIGHT, pad)}.${e.label}`, TIGHT];
      case 'array': {
        const items = e.items.map((i) => `${i.spread ? '..' : ''}${block(i.value, pad + 2)}`);
        return [`[${items.join(', ')}]`, TIGHT];
      }
      case 'pick':
        return [`${e.how}(${block(e.arg, pad + 2)})`, TIGHT];
      case 'draw': {
        const size = e.written === true && e.size !== undefined ? `[${printSize(e.size)}]` : '';
        const key = block(e.key, pad + 2);
        return [`${e.what}${size}(${key}, ${place(e.counter, pad)})`, TIGHT];
      }
    }
  }

  function place(ix: Index, pad = 0): string {
    switch (ix.k) {
      case 'at':
        return block(ix.e, pad + 2);
      case 'tuple':
        return `(${ix.parts.map((i) => place(i, pad)).join(', ')})`;
      case 'left':
      case 'right': {
        const bare = ix.part.k !== 'at' || ['var', 'size', 'int'].includes(ix.part.e.k);
        return `${ix.k} ${bare ? place(ix.part, pad) : `(${place(ix.part, pad)})`}`;
      }
    }
  }

  const trees = (e: ExprOf<'each' | 'reduceTree'>, pad: number): string =>
    `${e.names.join(', ')} in ${e.trees.map((t) => expr(t, READ, pad)).join(', ')}`;

  function call(e: ExprOf<'call'>, pad: number): string {
    const fn = p.fns.find((f) => f.name === e.fn)!;
    const own = new Set(fn.sizes.map((s) => s.name));
    let byPlace = true;
    const given = e.sizes.flatMap(({ name, size, how, elide }) => {
      const left = elide || how === 'default';
      // A bare name that is also one of the callee's would be taken by that name.
      byPlace &&= !left && how === 'place' && !(size.k === 'name' && own.has(size.name));
      if (left) return [];
      return [byPlace ? printSize(size) : `${name} = ${printSize(size)}`];
    });
    let named = false;
    const args = e.args.flatMap((a, i) => {
      named ||= i >= e.named || a === undefined;
      if (a === undefined) return [];
      const text = block(a, pad + 2);
      return [named ? `${fn.params[i]!.name} = ${text}` : text];
    });
    return `${e.fn}${given.length === 0 ? '' : `[${given.join(', ')}]`}(${args.join(', ')})`;
  }

  return { block, place };
}

const binders = (list: readonly Binder[]): string => list.map(printBinder).join(', ');

function printBinder(b: Binder): string {
  if (b.k === 'tuple') return `(${binders(b.items)})`;
  return b.elide ? b.name : `${b.name}: ${printSize(b.size)}`;
}

/** With a point, so that it is an f32 wherever it stands. */
const printReal = (v: number): string => (Number.isInteger(v) ? `${v}.0` : String(v));
