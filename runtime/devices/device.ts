/**
 * What every device offers: a compiled program becomes an executable with named slots. Inputs stay
 * on the device until written again, and an output may be donated the storage of an input, so that a
 * training loop moves a batch in and a loss out and nothing else (after XLA's buffer donation).
 *
 * Invariant: an executable holds its memory until `dispose`; after a failed or aborted `run` its
 * inputs are unspecified and must be written again.
 */
import type { Core } from '../../compiler/core.ts';
import type { Plan } from '../../compiler/plan.ts';
import type { Span } from '../../dsl/source.ts';
import { type Place, TenonError } from '../errors.ts';

/** f32 -> Float32Array, i32 and bool -> Int32Array, u32 -> Uint32Array; the reference keeps f64. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint32Array;

/** A program in the forms a device may want; the plan is made on first use. */
export type Executable = {
  /**
   * A whole input, row-major; or, with `at`, its elements from there on. Such pieces come in order,
   * from 0, until they make up the input, which need not be in one piece on the host.
   */
  write(input: number, data: HostArray, at?: number): void;
  run(signal?: AbortSignal): Promise<void>;
  read(output: number): Promise<HostArray>;
  /** Bytes this executable holds on its device. */
  readonly bytes: number;
  dispose(): void;
};

/** [output, input] pairs: after a run the input slot holds the output's value. */
export type Donation = readonly (readonly [output: number, input: number])[];

export type Compiled = {
  readonly core: Core;
  /** The program before the passes, for tools that compare; absent where there is none. */
  readonly source?: Core;
  /** `resident`: contractions joined with the kernels around them, for devices that run them so. */
  readonly plan: (options?: { readonly resident?: boolean }) => Plan;
  readonly donate: Donation;
  /** Where in its text a part of the program stands; without, errors of a run name the file only. */
  readonly locate?: (span: Span) => Place;
};

export type DeviceName = 'reference' | 'wasm' | 'webgpu' | 'gpujs';

export type Device = {
  readonly name: DeviceName;
  prepare(program: Compiled): Promise<Executable>;
  dispose(): void;
};

/** Why a device cannot be had here, for `doctor` and error messages. */
export type Availability =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly reason: string };

/** @throws TenonError (`input`) for a piece that does not lie in an input of `size` elements. */
export function checkPiece(name: string, size: number, data: HostArray, at?: number): void {
  if (at === undefined ? data.length === size : at + data.length <= size) return;
  const from = at === undefined ? '' : ` from element ${at}`;
  throw new TenonError('input', `${name} has ${size} elements, got ${data.length}${from}`);
}
