/** Arguments of any type that a call needs: what is there, a parameter, or something made for it. */
import { addParam, type Draft, inLoop, need } from './draft.ts';
import { drawName, otherName } from './draw-size.ts';
import { anyI32, anyInt, anyKey, ofType } from './forms-data.ts';
import { add, array, at, cast, f32, idx, loop, mod, mul, one, read, real, u32, v } from './make.ts';
import { sameType } from './of-types.ts';
import { drawScalar, isF32, number, summed, tensorOf } from './reads.ts';
import { drawTreeType } from './rows-data.ts';
import { atLeast, int, plus } from './sizes.ts';
import type { Expr, Size, Type } from './tree.ts';

const existing = (d: Draft, t: Type): Expr | undefined => {
  const there = d.bindings.filter((b) => sameType(b.type, t));
  return there.length > 0 && d.p.chance(70) ? v(d.p.one(there).name) : undefined;
};

type Given = { readonly e: Expr; readonly type: Type };

export function argument(d: Draft, t: Type): Given {
  switch (t.k) {
    case 'scalar':
      return { e: scalarArgument(d, t), type: t };
    case 'idx':
      return indexArgument(d, t.size);
    case 'tensor': {
      if (isF32(t.of)) return tensorArgument(d, t.dims);
      return { e: existing(d, t) ?? v(addParam(d, 'y', t).name), type: t };
    }
    case 'record': {
      const there = existing(d, t);
      if (there !== undefined) return { e: there, type: t };
      if (d.p.chance(50) && !t.fields.some((f) => f.fixed)) {
        const given = t.fields.map((f) => argument(d, f.type));
        const fields = t.fields.map((f, i) => ({ label: f.label, value: given[i]!.e }));
        const types = t.fields.map((f, i) => ({ ...f, type: given[i]!.type }));
        return { e: { k: 'record', fields }, type: { k: 'record', fields: types } };
      }
      return { e: v(addParam(d, 'r', t).name), type: t };
    }
    case 'fn':
      return { e: functionArgument(d, t.params, t.result), type: t };
    case 'var':
      return argument(d, drawTreeType(d));
  }
}

function scalarArgument(d: Draft, t: Type & { k: 'scalar' }): Expr {
  switch (t.of) {
    case 'f32':
      return d.p.one([
        () => existing(d, t) ?? number(d),
        () => number(d),
        () => summed(drawScalar(d)),
      ])();
    case 'u32':
      return v(ofType(d, 'u', (x) => sameType(x, t), u32));
    case 'key':
      return anyKey(d);
    case 'i32':
    case 'bool':
      return d.p.one([() => anyI32(d), () => add(anyI32(d), int(1)), () => anyInt(d, undefined)])();
  }
}

function indexArgument(d: Draft, size: Size): Given {
  const own = d.deviates() ? d.p.one([plus(size, 1), otherName(d, size)]) : size;
  const type = idx(own);
  const there = existing(d, type);
  if (there !== undefined) return { e: there, type };
  return d.p.one([
    () => ({ e: v(addParam(d, 'at', type).name), type }),
    () => {
      need(d, atLeast(size, 1));
      return {
        e: { k: 'pick', how: d.p.one(['clamp', 'wrap']), arg: anyI32(d), size } as Expr,
        type,
      };
    },
    () => {
      const c = d.p.below(2);
      need(d, atLeast(size, c + 1));
      return { e: int(c), type };
    },
  ])();
}

function tensorArgument(d: Draft, dims: readonly Size[]): Given {
  if (!d.p.chance(30)) {
    const t = tensorOf(d, dims);
    return { e: t.e, type: array(f32, ...t.dims) };
  }
  const over = dims.map((s) => one(d.fresh('i'), s));
  const made = over.reduceRight<() => Expr>(
    (f, b) => () => inLoop(d, b.size, f),
    () => summed(drawScalar(d, over[0])),
  )();
  return { e: loop(over, made), type: array(f32, ...dims) };
}

function functionArgument(d: Draft, params: readonly Type[], result: Type): Expr {
  const names = params.map(() => d.fresh('j'));
  const first = params[0];
  const j = names[0]!;
  const lambda = (body: Expr): Expr => ({ k: 'lambda', params: names, body });
  if (first?.k === 'idx') return lambda(summed(drawScalar(d, one(j, first.size))));
  if (first !== undefined && isF32(first)) return lambda(add(mul(number(d), v(j)), number(d)));
  if (first?.k === 'scalar') return lambda(ofInteger(d, v(j)));
  const a = d.fresh('a');
  if (result.k === 'scalar') return lambda(number(d));
  return lambda({ k: 'each', names: [a], trees: [v(j)], body: mul(number(d), v(a)) });
}

/** An f32 of any integer. */
function ofInteger(d: Draft, j: Expr): Expr {
  const dims = () => [drawName(d)];
  return d.p.one([
    () => cast('f32', mod(j, int(5))),
    () => {
      const t = tensorOf(d, dims());
      if (t.e.k !== 'var') return number(d);
      const e = read(t.e, t.dims, at(j));
      return e.k === 'read' ? { ...e, orElse: real(0) } : e;
    },
    () => {
      const t = tensorOf(d, dims());
      if (t.e.k !== 'var') return number(d);
      need(d, atLeast(t.dims[0]!, 1));
      return read(t.e, t.dims, at({ k: 'pick', how: 'wrap', arg: j, size: t.dims[0]! }));
    },
  ])();
}
