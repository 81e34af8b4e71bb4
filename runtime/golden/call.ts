/**
 * What a golden case is made of: calls of functions in models/golden/, the inputs they take and the
 * expected tensors that their results are. Arithmetic belongs to the models; here are only names.
 */
import type { Program } from '../api/program.ts';
import type { Tensor, Tree } from '../api/tensor.ts';
import type { Device } from '../devices/device.ts';
import type { Sidecar } from './sidecar.ts';

/** A tensor of the case, every tensor of a weights file, a scalar of the sidecar, or a value. */
export type Source =
  | { readonly tensor: string }
  | { readonly weights: number }
  | { readonly scalar: string }
  | { readonly value: Tree };

/** The result that an expected tensor is, if this call gives it. */
export type Expect = (tensor: string) => string | undefined;

type Part = {
  readonly inputs: Readonly<Record<string, Source>>;
  readonly expect: Expect;
  /** The tolerance that the notes of the case give for a tensor, instead of the usual one. */
  readonly allow?: (tensor: string) => number | undefined;
  /** The tensor that the notes compare with instead, and how far off the result may be of its largest magnitude. */
  readonly against?: { readonly tensor: string; readonly within: number };
  /** Elements that the notes leave out of comparisons. */
  readonly leaveOut?: (tensor: string, index: number, length: number) => boolean;
};

/** One call of one program. */
export type FunctionCall = Part & {
  readonly k: 'call';
  /** A file of models/golden/, or a text in its place. */
  readonly program: string | { readonly text: string };
  readonly fn: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly grad?: readonly string[];
};

/** Several calls with the host's part between them: an eigen-solve, the control of steps. */
export type HostCall = Part & {
  readonly k: 'host';
  readonly program: string;
  readonly run: (host: Host) => Promise<ReadonlyMap<string, Tensor>>;
};

/** What a case asks for and no program here does: its tensors are unchecked, and the row says why. */
export type Refusal = { readonly k: 'refusal'; readonly expect: Expect; readonly why: string };

export type Call = FunctionCall | HostCall | Refusal;

export type Host = {
  readonly program: Program;
  readonly device: Device;
  readonly inputs: Readonly<Record<string, Tree>>;
  readonly signal?: AbortSignal;
};

/** The calls of a case: sizes come from its config, its scalars and the shapes of its tensors. */
export type Case = (sidecar: Sidecar) => readonly Call[];

export const weights: Source = { weights: 0 };
export const tensor = (name: string): Source => ({ tensor: name });
export const scalar = (name: string): Source => ({ scalar: name });
export const value = (v: Tree): Source => ({ value: v });

/** Expected tensor -> result, the first that fits; a trailing `*` stands for the same rest on both sides. */
export const names =
  (table: Readonly<Record<string, string>>): Expect =>
  (name) => {
    for (const [pattern, result] of Object.entries(table)) {
      if (pattern === name) return result;
      const head = pattern.slice(0, -1);
      if (!pattern.endsWith('*') || !name.startsWith(head)) continue;
      return result.slice(0, -1) + name.slice(head.length);
    }
    return undefined;
  };

/** Outputs that the program calls as the case does. */
export const same = (outputs: readonly string[]): Expect =>
  names(Object.fromEntries(outputs.map((o) => [`out.${o}`, `out.${o}`])));
