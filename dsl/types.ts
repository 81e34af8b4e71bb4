/**
 * Types as data: constructors, substitution of sizes and type parameters, leaves, printing.
 *
 * Invariant: a tensor's element is never a tensor (`tensorOf` flattens), so that `Block[D][L]` and
 * `f32[L, A, B]` have one representation each. While a function is checked, a type variable whose
 * name begins with `?` is unknown (see unify.ts), one that begins with an upper-case letter is a
 * type parameter of the function, and `!` stands for a type whose error was reported: it agrees with
 * everything, and takes evidence of the report to make.
 */

import type { Reported } from './reported.ts';
import * as S from './size.ts';
import type { AliasArg, Dim, FieldType, Form, ScalarName, Size, Type } from './typed.ts';

export const F32: Type = { k: 'scalar', s: 'f32' };
export const I32: Type = { k: 'scalar', s: 'i32' };
export const U32: Type = { k: 'scalar', s: 'u32' };
export const BOOL: Type = { k: 'scalar', s: 'bool' };
export const KEY: Type = { k: 'scalar', s: 'key' };

/** Stands for a type that was reported. */
export function errorType(by: Reported): Type {
  return { k: 'var', name: '!', by };
}

/** Evidence of the report, when the type stands for one. */
export function brokenBy(t: Type): Reported | undefined {
  return t.k === 'var' ? t.by : undefined;
}

export function isBroken(t: Type): boolean {
  return brokenBy(t) !== undefined;
}

export const SCALARS: ReadonlyMap<string, Type> = new Map(
  [F32, I32, U32, BOOL, KEY].map((t) => [(t as { s: ScalarName }).s, t]),
);

export function isUnknown(t: Type): boolean {
  return t.k === 'var' && t.name.startsWith('?');
}

export function isScalar(t: Type): boolean {
  return t.k === 'scalar' || t.k === 'idx';
}

export function isScalarNamed(t: Type, s: ScalarName): boolean {
  return t.k === 'scalar' && t.s === s;
}

// ---------------------------------------------------------------- dimensions

export function atom(size: Size): Dim {
  return { size, form: { k: 'atom', size } };
}

export function productDim(parts: readonly Dim[]): Dim {
  if (parts.length === 1) return parts[0]!;
  return {
    size: S.product(parts.map((p) => p.size)),
    form: { k: 'product', parts: parts.map((p) => p.form) },
  };
}

export function sumDim(parts: readonly Dim[]): Dim {
  if (parts.length === 1) return parts[0]!;
  return {
    size: parts.reduce((s, p) => S.add(s, p.size), S.ZERO),
    form: { k: 'sum', parts: parts.map((p) => p.form) },
  };
}

export function sizeOfForm(f: Form): Size {
  switch (f.k) {
    case 'atom':
      return f.size;
    case 'product':
      return S.product(f.parts.map(sizeOfForm));
    case 'sum':
      return f.parts.reduce((s, p) => S.add(s, sizeOfForm(p)), S.ZERO);
  }
}

export function dimOfForm(form: Form): Dim {
  return { size: sizeOfForm(form), form };
}

/** Factors multiplied out: `3*(H*E)` gives 3, H, E. */
export function flatFactors(f: Form): Form[] {
  return f.k === 'product' ? f.parts.flatMap(flatFactors) : [f];
}

// ---------------------------------------------------------------- building

/** An array of `elem` with these leading dimensions; flattens tensors of tensors. */
export function tensorOf(dims: readonly Dim[], elem: Type): Type {
  if (dims.length === 0) return elem;
  if (elem.k === 'tensor') return { k: 'tensor', dims: [...dims, ...elem.dims], elem: elem.elem };
  return { k: 'tensor', dims, elem };
}

/** What is left of a tensor type after `n` of its dimensions are indexed. */
export function dropDims(t: Type, n: number): Type {
  return t.k === 'tensor' ? tensorOf(t.dims.slice(n), t.elem) : t;
}

// ---------------------------------------------------------------- substitution

export type Substitution = {
  readonly size: (name: string) => Dim | undefined;
  readonly type: (name: string) => Type | undefined;
};

export function substSize(s: Size, sub: Substitution): Size {
  return S.substitute(s, (v) => sub.size(v)?.size);
}

function substForm(f: Form, sub: Substitution): Form {
  switch (f.k) {
    case 'atom': {
      const name = S.bareVariable(f.size);
      const dim = name === undefined ? undefined : sub.size(name);
      if (dim !== undefined) return dim.form;
      const size = substSize(f.size, sub);
      return size === f.size ? f : { k: 'atom', size };
    }
    case 'product':
    case 'sum':
      return { k: f.k, parts: f.parts.map((p) => substForm(p, sub)) };
  }
}

export function substDim(d: Dim, sub: Substitution): Dim {
  return { size: substSize(d.size, sub), form: substForm(d.form, sub) };
}

export function substType(t: Type, sub: Substitution): Type {
  switch (t.k) {
    case 'scalar':
      return t;
    case 'idx':
      return { k: 'idx', size: substSize(t.size, sub) };
    case 'tensor':
      return tensorOf(
        t.dims.map((d) => substDim(d, sub)),
        substType(t.elem, sub),
      );
    case 'record': {
      const fields = t.fields.map((f) => ({ ...f, type: substType(f.type, sub) }));
      const args = t.args?.map(
        (a): AliasArg =>
          a.k === 'size'
            ? { ...a, dim: substDim(a.dim, sub) }
            : { ...a, type: substType(a.type, sub) },
      );
      return { k: 'record', alias: t.alias, aliasId: t.aliasId, args, fields };
    }
    case 'fn':
      return {
        k: 'fn',
        params: t.params.map((p) => substType(p, sub)),
        result: substType(t.result, sub),
      };
    case 'var':
      return sub.type(t.name) ?? t;
  }
}

/** Calls `size` on every size and `type` on every type variable inside. */
export function visitType(
  t: Type,
  size: (s: Size) => void,
  type: (name: string, by: Reported | undefined) => void = () => {},
): void {
  switch (t.k) {
    case 'scalar':
      return;
    case 'idx':
      size(t.size);
      return;
    case 'tensor':
      for (const d of t.dims) size(d.size);
      visitType(t.elem, size, type);
      return;
    case 'record':
      for (const f of t.fields) visitType(f.type, size, type);
      return;
    case 'fn':
      for (const p of t.params) visitType(p, size, type);
      visitType(t.result, size, type);
      return;
    case 'var':
      type(t.name, t.by);
  }
}

// ---------------------------------------------------------------- how large

/**
 * Types nest copies of each other (`type A1 = { x: A0, y: A0 }`, a generic function called on its own
 * result), so thirty lines could mean 2^30 leaves: more parts than this are refused where they arise.
 */
export const MAX_PARTS = 20_000;

const parts = new WeakMap<Type, number>();

/** The number of parts; `unknown` says how many an unknown stands for, and then nothing is kept. */
export function countParts(t: Type, unknown?: (name: string) => number): number {
  const known = parts.get(t);
  if (known !== undefined) return known;
  const count = (inner: Type): number => countParts(inner, unknown);
  const n = ((): number => {
    switch (t.k) {
      case 'scalar':
      case 'idx':
        return 1;
      case 'tensor':
        return 1 + count(t.elem);
      case 'record':
        return t.fields.reduce((sum, f) => sum + count(f.type), 1);
      case 'fn':
        return t.params.reduce((sum, p) => sum + count(p), 1 + count(t.result));
      case 'var':
        return unknown?.(t.name) ?? 1;
    }
  })();
  if (unknown === undefined || isClosed(t)) parts.set(t, n);
  return n;
}

// ---------------------------------------------------------------- what is known

export function isUnknownName(v: string): boolean {
  return v.startsWith('?');
}

export function hasUnknown(size: Size): boolean {
  return S.mentions(size, isUnknownName);
}

/** Types without an unknown inside, so that resolving them is free. */
const closed = new WeakSet<Type>();

export function isClosed(t: Type): boolean {
  if (closed.has(t)) return true;
  const yes = ((): boolean => {
    switch (t.k) {
      case 'scalar':
        return true;
      case 'idx':
        return !hasUnknown(t.size);
      case 'tensor':
        return t.dims.every((d) => !hasUnknown(d.size)) && isClosed(t.elem);
      case 'record':
        return t.fields.every((f) => isClosed(f.type));
      case 'fn':
        return t.params.every(isClosed) && isClosed(t.result);
      case 'var':
        return !isUnknownName(t.name);
    }
  })();
  if (yes) closed.add(t);
  return yes;
}

// ---------------------------------------------------------------- leaves

export type Leaf = { readonly path: string; readonly type: Type; readonly fixed: boolean };

/** The leaves of a tree with their paths; the elements of an array of records share one path. */
export function leavesOf(t: Type, path = '', fixed = false): Leaf[] {
  switch (t.k) {
    case 'record':
      return t.fields.flatMap((f) =>
        leavesOf(f.type, path === '' ? f.label : `${path}.${f.label}`, fixed || f.fixed),
      );
    case 'tensor':
      return t.elem.k === 'record' || t.elem.k === 'var'
        ? leavesOf(t.elem, path, fixed)
        : [{ path, type: t.elem, fixed }];
    case 'scalar':
    case 'idx':
    case 'fn':
    case 'var':
      return [{ path, type: t, fixed }];
  }
}

/**
 * How many scalars the leaves that are not fixed have: a size, and how often a type parameter stands
 * there.
 */
export type Elements = {
  readonly count: Size;
  readonly params: readonly { readonly name: string; readonly times: Size }[];
};

export function elementsOf(t: Type): Elements {
  switch (t.k) {
    case 'scalar':
    case 'idx':
      return { count: S.ONE, params: [] };
    case 'fn':
      return { count: S.ZERO, params: [] };
    case 'var':
      return { count: S.ZERO, params: [{ name: t.name, times: S.ONE }] };
    case 'tensor': {
      const rows = S.product(t.dims.map((d) => d.size));
      const { count, params } = elementsOf(t.elem);
      return {
        count: S.mul(rows, count),
        params: params.map((p) => ({ ...p, times: S.mul(rows, p.times) })),
      };
    }
    case 'record': {
      const fields = t.fields.filter((f) => !f.fixed).map((f) => elementsOf(f.type));
      return {
        count: fields.reduce((n, f) => S.add(n, f.count), S.ZERO),
        params: fields.flatMap((f) => f.params),
      };
    }
  }
}

/** The tree with another scalar in every leaf that is not fixed. */
export function withLeaf(t: Type, leaf: Type): Type {
  switch (t.k) {
    case 'record':
      return {
        k: 'record',
        fields: t.fields.map(
          (f): FieldType => (f.fixed ? f : { ...f, type: withLeaf(f.type, leaf) }),
        ),
      };
    case 'tensor':
      return tensorOf(t.dims, withLeaf(t.elem, leaf));
    case 'scalar':
    case 'idx':
      return leaf;
    case 'fn':
    case 'var':
      return t;
  }
}

// ---------------------------------------------------------------- printing

/** How a size is shown: the caller knows the user's show for derived and unknown sizes. */
export type ShowSize = (s: Size) => string;
const plain: ShowSize = (s) => S.print(s);

function printForm(f: Form, show: ShowSize, tight: boolean): string {
  switch (f.k) {
    case 'atom': {
      const text = show(f.size);
      return tight && /[ +-]/.test(text) ? `(${text})` : text;
    }
    case 'product': {
      const parts = f.parts.map((p, i) => {
        const text = printForm(p, show, true);
        return p.k === 'product' && i > 0 ? `(${text})` : text;
      });
      return parts.join('*');
    }
    case 'sum': {
      const text = f.parts.map((p) => printForm(p, show, false)).join(' + ');
      return tight ? `(${text})` : text;
    }
  }
}

export function printDim(d: Dim, show: ShowSize = plain): string {
  if (d.form.k === 'atom') return show(d.size);
  return printForm(d.form, show, false);
}

/** As the user would write it; records by their alias, long anonymous ones shortened. */
export function printType(t: Type, show: ShowSize = plain, depth = 0): string {
  switch (t.k) {
    case 'scalar':
      return t.s;
    case 'idx':
      return `idx[${show(t.size)}]`;
    case 'tensor': {
      const elem = printType(t.elem, show, depth);
      const wrapped = t.elem.k === 'fn' ? `(${elem})` : elem;
      return `${wrapped}[${t.dims.map((d) => printDim(d, show)).join(', ')}]`;
    }
    case 'record': {
      if (t.alias !== undefined) {
        const args = (t.args ?? []).map((a) =>
          a.k === 'size' ? printDim(a.dim, show) : printType(a.type, show, depth + 1),
        );
        return args.length === 0 ? t.alias : `${t.alias}[${args.join(', ')}]`;
      }
      const shown =
        t.fields.length > 6 || depth > 2 ? t.fields.slice(0, depth > 2 ? 2 : 5) : t.fields;
      const parts = shown.map(
        (f) => `${f.fixed ? 'fixed ' : ''}${f.label}: ${printType(f.type, show, depth + 1)}`,
      );
      if (shown.length < t.fields.length) parts.push('...');
      return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
    }
    case 'fn': {
      const params = t.params.map((p) => printType(p, show, depth + 1));
      const only = t.params.length === 1 && t.params[0]!.k !== 'fn';
      return `${only ? params[0] : `(${params.join(', ')})`} -> ${printType(t.result, show, depth + 1)}`;
    }
    case 'var':
      return /^[!?]/.test(t.name) ? '...' : t.name;
  }
}
