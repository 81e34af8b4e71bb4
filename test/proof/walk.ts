/** The parts of an expression: one way to go over them all and one to replace them. */
import type { Binder, Expr, Index, OneBinder } from './tree.ts';

const mapIndex = (ix: Index, f: (e: Expr) => Expr): Index => {
  switch (ix.k) {
    case 'at':
      return { k: 'at', e: f(ix.e) };
    case 'tuple':
      return { ...ix, parts: ix.parts.map((p) => mapIndex(p, f)) };
    case 'left':
    case 'right':
      return { ...ix, part: mapIndex(ix.part, f) };
  }
};

/** The expression with each direct part replaced. */
export function mapParts(e: Expr, f: (part: Expr) => Expr): Expr {
  switch (e.k) {
    case 'real':
    case 'int':
    case 'var':
    case 'size':
    case 'fn':
      return e;
    case 'neg':
    case 'cast':
    case 'pick':
      return { ...e, arg: f(e.arg) };
    case 'op':
    case 'compare':
      return { ...e, left: f(e.left), right: f(e.right) };
    case 'read': {
      const ix = e.ix.map((i) => mapIndex(i, f));
      const read = { ...e, target: f(e.target), ix };
      return e.orElse === undefined ? read : { ...read, orElse: f(e.orElse) };
    }
    case 'let':
      return { ...e, value: f(e.value), body: f(e.body) };
    case 'lambda':
    case 'for':
    case 'reduce':
      return { ...e, body: f(e.body) };
    case 'apply':
      return { ...e, args: e.args.map(f) };
    case 'call':
      return { ...e, args: e.args.map((a) => (a === undefined ? a : f(a))) };
    case 'reduceTree':
    case 'each':
      return { ...e, trees: e.trees.map(f), body: f(e.body) };
    case 'fold':
    case 'scan':
      return { ...e, init: f(e.init), body: f(e.body) };
    case 'if':
      return { ...e, cond: f(e.cond), yes: f(e.yes), no: f(e.no) };
    case 'record':
      return { ...e, fields: e.fields.map((x) => ({ ...x, value: f(x.value) })) };
    case 'field':
      return { ...e, target: f(e.target) };
    case 'array':
      return { ...e, items: e.items.map((x) => ({ ...x, value: f(x.value) })) };
    case 'draw':
      return { ...e, key: f(e.key), counter: mapIndex(e.counter, f) };
  }
}

/** The expression and everything in it. */
export function visit(e: Expr, f: (e: Expr) => void): void {
  f(e);
  mapParts(e, (part) => {
    visit(part, f);
    return part;
  });
}

export const onesOf = (b: Binder): readonly OneBinder[] =>
  b.k === 'one' ? [b] : b.items.flatMap(onesOf);

export const mapOnes = (b: Binder, f: (b: OneBinder) => OneBinder): Binder =>
  b.k === 'one' ? f(b) : { ...b, items: b.items.map((i) => mapOnes(i, f)) };
