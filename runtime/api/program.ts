/**
 * `compile`: texts to a program whose functions can be called. Faults in a text are diagnostics:
 * `check` gives them as data, `compile` throws them in one ProgramError.
 *
 * Invariant: a Program has no errors, holds no device and no memory outside the heap; only what
 * `Program.function` gives does.
 */
import { check as checkSources } from '../../dsl/index.ts';
import type { Diagnostic, Sources } from '../../dsl/source.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { TenonError } from '../errors.ts';
import { type FunctionOptions, TenonFunction } from './function.ts';
import { ProgramError } from './program-error.ts';
import { bentRules } from './rules.ts';

/** File name -> text. Imports are resolved relative to the importing file's name. */
export type Files = Sources | Readonly<Record<string, string>>;

export type Checked = {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: Sources;
  /** Absent when there are errors. */
  readonly program?: Program;
};

/** Parses and type-checks; never throws for what is wrong in a text. */
export function check(files: Files, root?: string): Checked {
  const sources: Sources = files instanceof Map ? files : new Map(Object.entries(files));
  const start = root ?? [...sources.keys()].at(-1);
  if (start === undefined || !sources.has(start)) {
    throw new TenonError('usage', `there is no file ${start ?? ''} among the sources`, {
      hint: 'Give the text of every file, and name the root among them.',
    });
  }
  const { program, diagnostics: found } = checkSources(sources, start);
  const isError = (d: Diagnostic) => d.severity === 'error';
  const typed = found.some(isError) ? undefined : program;
  const diagnostics = [...found, ...(typed === undefined ? [] : bentRules(typed))];
  const wrong = typed === undefined || diagnostics.some(isError);
  return {
    diagnostics,
    sources,
    ...(wrong ? {} : { program: new Program(typed, sources, diagnostics) }),
  };
}

/**
 * A program from texts. `root` is the file whose functions are called by bare name; without it, the
 * last one given.
 * @throws ProgramError with every diagnostic when a text is wrong.
 */
export function compile(files: Files, root?: string): Program {
  const { program, diagnostics, sources } = check(files, root);
  if (program === undefined) throw new ProgramError(diagnostics, sources);
  return program;
}

export class Program {
  readonly sources: Sources;
  readonly warnings: readonly Diagnostic[];
  /** The typed program, for tools that look inside. */
  readonly typed: TProgram;

  constructor(typed: TProgram, sources: Sources, warnings: readonly Diagnostic[]) {
    this.typed = typed;
    this.sources = sources;
    this.warnings = warnings;
  }

  /** The file whose functions go by bare name. */
  get root(): string {
    return this.typed.files.at(-1)!;
  }

  /** The functions of the root file, in the order of its text. */
  get functions(): readonly TFn[] {
    return [...this.typed.fns.values()].filter((f) => f.span.file === this.root);
  }

  /**
   * A function by name: of the root file, or of an imported one by a name no other file has, or
   * `file#name`.
   * @throws TenonError (`usage`) when there is none; the hint lists what there is.
   */
  find(name: string): TFn {
    const exact = this.typed.fns.get(name);
    if (exact !== undefined) return exact;
    const named = [...this.typed.fns.values()].filter((f) => f.name === name);
    const own = named.find((f) => f.span.file === this.root);
    if (own !== undefined) return own;
    if (named.length === 1) return named[0]!;
    if (named.length > 1) {
      throw new TenonError('usage', `several files have a function ${name}`, {
        hint: `Write one of ${named.map((f) => f.id).join(', ')}.`,
      });
    }
    throw new TenonError('usage', `${this.root} has no function ${name}`, {
      hint: `It has ${this.functions.map((f) => f.name).join(', ') || 'none'}.`,
    });
  }

  /**
   * A function to call from the host; nothing is compiled until its sizes are known.
   * @throws TenonError (`usage`) for an unknown name, parameter or gradient.
   */
  function(name: string, options: FunctionOptions = {}): TenonFunction {
    return new TenonFunction(this, this.find(name), options);
  }
}
