/**
 * The places of a module where a comment can stand: declarations, lets, results of blocks, and items
 * of lists (parameters, fields, arguments). See comments.ts for who uses them.
 */
import type { Arg, Decl, Expr, Module, TypeExpr } from './ast.ts';

/** `node` is the key; the range is that of the part a comment would go before or behind. */
export type Anchor = { readonly node: object; readonly start: number; readonly end: number };

export function anchorsOf(module: Module, text: string): readonly Anchor[] {
  const out: Anchor[] = [];
  const add = (node: object, start: number, end: number) => out.push({ node, start, end });

  const decl = (d: Decl): void => {
    add(d, d.span.start, d.span.end);
    switch (d.k) {
      case 'import':
      case 'checkGradient':
        break;
      case 'type':
        type(d.body);
        break;
      case 'let':
        type(d.type);
        block(d.body);
        break;
      case 'derivative':
        block(d.body);
        break;
      case 'fn':
        d.args.forEach(arg);
        type(d.result);
        block(d.body);
        break;
      case 'check':
        d.args.forEach(arg);
        block(d.body);
        break;
      default:
        d satisfies never;
    }
  };

  const arg = (a: Arg): void => {
    add(a, a.name.span.start, a.init?.span.end ?? a.type.span.end);
    type(a.type);
    if (a.init) expr(a.init);
  };

  const type = (t: TypeExpr): void => {
    switch (t.k) {
      case 'name':
        break;
      case 'brackets':
        type(t.base);
        for (const a of t.args) if (a.type) type(a.type);
        break;
      case 'record':
        for (const f of t.fields) {
          const { start } = f.label.span;
          add(f, f.fixed ? text.lastIndexOf('fixed', start - 1) : start, f.type.span.end);
          type(f.type);
        }
        break;
      case 'fn':
        t.params.forEach(type);
        type(t.result);
        break;
      default:
        t satisfies never;
    }
  };

  const block = (e: Expr): void => {
    let at = e;
    while (at.k === 'let') {
      add(at, at.span.start, at.value.span.end);
      if (at.type) type(at.type);
      block(at.value);
      at = at.body;
    }
    add(at, at.span.start, at.span.end);
    expr(at);
  };

  /** An item of a list; the lines of a block have their own anchors. */
  const item = (key: object, value: Expr, start: number): void => {
    if (value.k !== 'let') add(key, start, value.span.end);
    expr(value);
  };

  const expr = (e: Expr): void => {
    switch (e.k) {
      case 'num':
      case 'bool':
      case 'var':
      case 'size':
        break;
      case 'let':
        block(e);
        break;
      case 'lambda':
      case 'for':
      case 'reduce':
        block(e.body);
        break;
      case 'reduceTree':
      case 'each':
        e.trees.forEach(expr);
        block(e.body);
        break;
      case 'fold':
      case 'scan':
        expr(e.init);
        block(e.body);
        break;
      case 'if':
        expr(e.cond);
        block(e.then);
        block(e.else);
        break;
      case 'unary':
      case 'left':
      case 'right':
        expr(e.arg);
        break;
      case 'binary':
        expr(e.left);
        expr(e.right);
        break;
      case 'orElse':
        expr(e.read);
        expr(e.fallback);
        break;
      case 'field':
        expr(e.target);
        break;
      case 'brackets':
      case 'call':
        expr(e.k === 'call' ? e.fn : e.target);
        for (const a of e.args) item(a, a.value, (a.name ?? a.value).span.start);
        break;
      case 'tuple':
        for (const i of e.items) item(i, i, i.span.start);
        break;
      case 'array':
        for (const i of e.items) {
          const { start } = i.value.span;
          item(i, i.value, i.spread ? text.lastIndexOf('..', start - 1) : start);
        }
        break;
      case 'record':
        for (const f of e.fields) item(f, f.value, f.label.span.start);
        break;
      default:
        e satisfies never;
    }
  };

  module.decls.forEach(decl);
  return out;
}
