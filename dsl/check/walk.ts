/** The expressions directly inside a typed expression, in the order of the text. */
import type { TExpr, TIndex } from '../typed.ts';

function inIndex(i: TIndex): TExpr[] {
  switch (i.k) {
    case 'at':
      return [i.e];
    case 'tuple':
      return i.parts.flatMap(inIndex);
    case 'left':
    case 'right':
      return inIndex(i.part);
  }
}

export function childrenOf(e: TExpr): readonly TExpr[] {
  switch (e.k) {
    case 'num':
    case 'bool':
    case 'size':
    case 'local':
    case 'global':
    case 'fn':
      return [];
    case 'lambda':
    case 'for':
    case 'reduce':
      return [e.body];
    case 'call':
      return [e.fn, ...e.args.filter((a) => a !== undefined)];
    case 'inRange':
      return [e.e];
    case 'builtin':
    case 'prim':
      return e.args;
    case 'counter':
      return inIndex(e.index);
    case 'if':
      return [e.cond, e.then, e.else];
    case 'let':
      return [e.value, e.body];
    case 'reduceTree':
    case 'each':
      return [...e.trees, e.body];
    case 'fold':
    case 'scan':
      return [e.init, e.body];
    case 'index':
      return [e.target, ...e.ix.flatMap(inIndex), ...(e.orElse === undefined ? [] : [e.orElse])];
    case 'field':
      return [e.target];
    case 'record':
      return e.fields.map((f) => f.value);
    case 'array':
      return e.items.map((i) => i.value);
  }
}
