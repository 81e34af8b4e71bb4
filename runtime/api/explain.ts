/**
 * Every stage of a function as text, from its syntax tree to device code: what `tenon explain` shows
 * and what an issue about generated code should quote.
 */
import { printCore } from '../../compiler/core/print.ts';
import { outline, printPlan } from '../../compiler/schedule/print.ts';
import { parseModule } from '../../dsl/parse.ts';
import type { Type } from '../../dsl/typed.ts';
import { TenonError } from '../errors.ts';
import { leavesOf } from './leaves.ts';
import type { Program } from './program.ts';
import { specialise } from './specialise.ts';
import { treeText } from './tree-text.ts';

export const stages = [
  'ast',
  'typed',
  'core',
  'adjoint',
  'kernels',
  'plan',
  'wgsl',
  'wat',
  'gpujs',
] as const;
export type Stage = (typeof stages)[number];

export type ExplainOptions = {
  /** Every size that has no default; not needed for `ast` and `typed`. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Show the differentiated program: by these parameters, or by every one that can be. */
  readonly grad?: readonly string[] | true;
};

/** @throws TenonError (`usage`), ProgramError. */
export async function explain(
  program: Program,
  name: string,
  stage: Stage,
  options: ExplainOptions = {},
): Promise<string> {
  const fn = program.find(name);
  if (stage === 'ast') {
    const { module } = parseModule(fn.span.file, program.sources.get(fn.span.file) ?? '');
    const decl = module.decls.find((d) => d.k === 'fn' && d.name.text === fn.name);
    return treeText(decl);
  }
  if (stage === 'typed') return treeText(fn);
  const wanted = options.grad ?? (stage === 'adjoint' ? true : []);
  const grad =
    wanted === true ? fn.params.filter((p) => hasFloats(p.type)).map((p) => p.name) : wanted;
  for (const p of fn.params) leavesOf(p.type, `parameter ${p.name} of ${fn.name}`);
  const missing = fn.sizes.filter(
    (s) => s.init === undefined && options.sizes?.[s.name] === undefined,
  );
  if (missing.length > 0) {
    throw new TenonError(
      'usage',
      `${stage} needs the sizes ${missing.map((s) => s.name).join(', ')}`,
      {
        hint: `Give them, for example ${missing.map((s) => `${s.name}=4`).join(',')}.`,
      },
    );
  }
  const special = specialise(
    program.typed,
    program.sources,
    fn,
    new Map(Object.entries(options.sizes ?? {})),
    { grad, present: new Set(fn.params.map((p) => p.name)), donate: new Map() },
  );
  switch (stage) {
    case 'core':
    case 'adjoint':
      return printCore(special.core);
    case 'kernels':
      return `${outline(special.compiled.plan()).join('\n')}\n`;
    case 'plan':
      return printPlan(special.compiled.plan());
    case 'wgsl':
      return (await import('../../compiler/emit/wgsl/index.ts')).emitWgsl(special.compiled.plan());
    case 'wat':
      return (await import('../../compiler/emit/wasm/index.ts')).emitWat(special.compiled.plan());
    case 'gpujs':
      return (await import('../../compiler/emit/gpujs/index.ts')).emitGpuJs(
        special.compiled.plan(),
      );
    default:
      return stage satisfies never;
  }
}

function hasFloats(t: Type): boolean {
  switch (t.k) {
    case 'scalar':
      return t.s === 'f32';
    case 'tensor':
      return hasFloats(t.elem);
    case 'record':
      return t.fields.some((f) => !f.fixed && hasFloats(f.type));
    case 'idx':
    case 'fn':
    case 'var':
      return false;
    default:
      return t satisfies never;
  }
}
