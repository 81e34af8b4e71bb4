/**
 * Every stage of a function as text, from its syntax tree to device code: what `tenon explain` shows
 * and what an issue about generated code should quote.
 */
import { printCore } from '../../compiler/core/print.ts';
import { outline, printPlan } from '../../compiler/schedule/print.ts';
import { parseModule } from '../../dsl/parse.ts';
import { type InspectOptions, inspect, refuseUnknownSizes } from './inspect.ts';
import type { Program } from './program.ts';
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

/** `kernels` and `plan` are those of the embedded default, the wasm device. */
const cpu = { resident: true };

/** Sizes are not needed for `ast` and `typed`. */
export type ExplainOptions = Pick<InspectOptions, 'sizes' | 'grad'>;

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
  refuseUnknownSizes(program, name, options.sizes);
  const special = inspect(program, name, stage, {
    ...options,
    grad: options.grad ?? (stage === 'adjoint' ? true : []),
  });
  switch (stage) {
    case 'core':
    case 'adjoint':
      return printCore(special.core);
    case 'kernels':
      return `${outline(special.compiled.plan(cpu)).join('\n')}\n`;
    case 'plan':
      return printPlan(special.compiled.plan(cpu));
    case 'wgsl':
      return (await import('../../compiler/emit/wgsl/index.ts')).emitWgsl(special.compiled.plan());
    case 'wat':
      return (await import('../../compiler/emit/wasm/index.ts')).emitWat(
        special.compiled.plan(cpu),
      );
    case 'gpujs':
      return (await import('../../compiler/emit/gpujs/index.ts')).emitGpuJs(
        special.compiled.plan(),
      );
    default:
      return stage satisfies never;
  }
}
