/**
 * Parameter and result types at concrete sizes: the structure of a value and the specification of
 * its leaves (what a host must bring, and where it stands in a state dict).
 *
 * Invariant: leaf k of `skeletonOfType` and of `leafSpecs` are the same leaf.
 */
import type { Span } from '../../dsl/source.ts';
import type { Type } from '../../dsl/typed.ts';
import { CompileError } from './errors.ts';
import type { LeafSpec, PathStep } from './interface.ts';
import type { Skeleton } from './leaves.ts';
import { evalBound, evalExtent, type SizeEnv } from './sizes.ts';
import type { Names } from './value.ts';

export function skeletonOfType(t: Type, env: Names, span?: Span): Skeleton {
  switch (t.k) {
    case 'scalar':
      return t.s === 'key' ? { k: 'key' } : { k: 'scalar', t: t.s };
    case 'idx':
      return { k: 'scalar', t: 'i32' };
    case 'tensor': {
      const dims = t.dims.map((d) => evalExtent(d.size, env.sizes, span));
      const elem = skeletonOfType(t.elem, env, span);
      return { k: 'tensor', dims, radices: dims.map((d) => [d]), elem };
    }
    case 'record':
      return {
        k: 'record',
        fields: t.fields.map((f) => ({
          label: f.label,
          fixed: f.fixed,
          of: skeletonOfType(f.type, env, span),
        })),
      };
    case 'fn':
      return { k: 'fn', value: { k: 'fn', f: { k: 'none' } } };
    case 'var': {
      const meant = env.types.get(t.name);
      if (meant === undefined) throw notData(span);
      return skeletonOfType(meant.t, meant.in, span);
    }
  }
}

function notData(span?: Span): CompileError {
  return new CompileError(
    'E0807',
    'Only a function whose parameters and result are data can be called from outside.',
    span,
    'Write a function without type parameters that passes its functions itself.',
  );
}

export function leafSpecs(t: Type, env: SizeEnv, span?: Span): readonly LeafSpec[] {
  const out: LeafSpec[] = [];
  walk(t, env, { path: [], shape: [], fixed: false }, out, span);
  return out;
}

type Around = Pick<LeafSpec, 'path' | 'shape' | 'fixed'>;

function walk(t: Type, env: SizeEnv, around: Around, out: LeafSpec[], span?: Span): void {
  switch (t.k) {
    case 'scalar':
      out.push({
        ...around,
        shape: t.s === 'key' ? [...around.shape, 2] : around.shape,
        scalar: t.s,
      });
      return;
    case 'idx':
      out.push({ ...around, scalar: 'idx', bound: evalBound(t.size, env, span) });
      return;
    case 'tensor': {
      const dims = t.dims.map((d) => evalExtent(d.size, env, span));
      const steps: PathStep[] = t.elem.k === 'record' ? dims.map((over) => ({ over })) : [];
      walk(
        t.elem,
        env,
        {
          path: [...around.path, ...steps],
          shape: [...around.shape, ...dims],
          fixed: around.fixed,
        },
        out,
        span,
      );
      return;
    }
    case 'record':
      for (const f of t.fields) {
        walk(
          f.type,
          env,
          { ...around, path: [...around.path, f.label], fixed: around.fixed || f.fixed },
          out,
          span,
        );
      }
      return;
    case 'fn':
    case 'var':
      throw notData(span);
  }
}
