/**
 * The end of inference: every unknown in a typed expression replaced by its solution.
 *
 * Invariant: the result mentions no name that begins with `?` or `#`.
 */

import * as S from '../size.ts';
import { resolveSize, resolveType, type Solver } from '../solver.ts';
import type { Span } from '../source.ts';
import type { Size, TBinder, TExpr, TIndex, Type } from '../typed.ts';
import { I32 } from '../types.ts';

export function zonkType(s: Solver, t: Type): Type {
  const now = resolveType(s, t);
  return now.k === 'var' && now.name.startsWith('?') ? I32 : now;
}

function zonkBinder(s: Solver, b: TBinder): TBinder {
  return b.k === 'one'
    ? { ...b, size: resolveSize(s, b.size) }
    : { k: 'tuple', items: b.items.map((i) => zonkBinder(s, i)) };
}

function zonkIndex(s: Solver, i: TIndex, tooLarge: TooLarge): TIndex {
  const go = (x: TIndex) => zonkIndex(s, x, tooLarge);
  switch (i.k) {
    case 'at':
      return { k: 'at', e: zonk(s, i.e, tooLarge) };
    case 'tuple':
      return {
        k: 'tuple',
        parts: i.parts.map(go),
        ranges: i.ranges.map((r) => resolveSize(s, r)),
      };
    case 'left':
      return { k: 'left', part: go(i.part) };
    case 'right':
      return { k: 'right', part: go(i.part), offset: resolveSize(s, i.offset) };
  }
}

type TooLarge = (at: Span) => void;

function isTooLarge(t: Type): boolean {
  if (t.k === 'idx') return S.isTooLarge(t.size);
  return t.k === 'tensor' && t.dims.some((d) => S.isTooLarge(d.size));
}

export function zonk(s: Solver, e: TExpr, tooLarge: TooLarge): TExpr {
  const type = zonkType(s, e.type);
  if (isTooLarge(type)) tooLarge(e.span);
  const go = (x: TExpr) => zonk(s, x, tooLarge);
  const goIndex = (i: TIndex) => zonkIndex(s, i, tooLarge);
  switch (e.k) {
    case 'num':
    case 'bool':
    case 'local':
    case 'global':
      return { ...e, type };
    case 'size':
      return { ...e, type, size: resolveSize(s, e.size) };
    case 'fn': {
      const sizes = new Map([...e.sizes].map(([n, x]): [string, Size] => [n, resolveSize(s, x)]));
      const types = new Map([...e.types].map(([n, t]): [string, Type] => [n, zonkType(s, t)]));
      return { ...e, type, sizes, types };
    }
    case 'lambda':
      return {
        ...e,
        type,
        params: e.params.map((p) => ({ ...p, type: zonkType(s, p.type) })),
        body: go(e.body),
      };
    case 'call':
      return { ...e, type, fn: go(e.fn), args: e.args.map((a) => a && go(a)) };
    case 'inRange':
      return { ...e, type, e: go(e.e) };
    case 'builtin':
    case 'prim':
      return { ...e, type, args: e.args.map(go) };
    case 'counter':
      return { ...e, type, index: goIndex(e.index) };
    case 'if':
      // biome-ignore lint/suspicious/noThenProperty: the AST's own word, never awaited
      return { ...e, type, cond: go(e.cond), then: go(e.then), else: go(e.else) };
    case 'let':
      return { ...e, type, value: go(e.value), body: go(e.body) };
    case 'for':
    case 'reduce':
      return { ...e, type, binders: e.binders.map((b) => zonkBinder(s, b)), body: go(e.body) };
    case 'reduceTree':
    case 'each':
      return { ...e, type, trees: e.trees.map(go), body: go(e.body) };
    case 'fold':
    case 'scan':
      return {
        ...e,
        type,
        init: go(e.init),
        binder: { ...e.binder, size: resolveSize(s, e.binder.size) },
        body: go(e.body),
      };
    case 'index':
      return {
        ...e,
        type,
        target: go(e.target),
        ix: e.ix.map(goIndex),
        orElse: e.orElse === undefined ? undefined : go(e.orElse),
      };
    case 'field':
      return { ...e, type, target: go(e.target) };
    case 'record':
      return { ...e, type, fields: e.fields.map((f) => ({ ...f, value: go(f.value) })) };
    case 'array':
      return {
        ...e,
        type,
        items: e.items.map((i) => ({ ...i, value: go(i.value), size: resolveSize(s, i.size) })),
      };
  }
}
