/**
 * Tenon as a library.
 *
 *   const program = await load('models/redi.tn');            // or compile({ 'a.tn': text })
 *   await using f = program.function('redi', { device: 'wasm', grad: ['p'] });
 *   const { out, grad } = await f.call({ p: weights, s: { x, z }, t: 0.5, y: 3 }, { signal });
 *
 * `check` gives diagnostics as data, `compile` and `load` throw them in one ProgramError. What is
 * wrong with data, files or devices is a TenonError with a code. Nothing here prints, exits, sets
 * global flags or installs handlers.
 */
export type { LeafSpec, ParamSpec, PathStep } from '../compiler/elaborate/interface.ts';
export { type Formatted, formatText } from '../dsl/format.ts';
export { placeOf, renderDiagnostic, renderDiagnostics } from '../dsl/render.ts';
export type { Diagnostic, Severity, Sources, Span } from '../dsl/source.ts';
export { openCheckpoint, saveCheckpoint } from './api/checkpoints.ts';
export {
  type Cost,
  type CostReport,
  cost,
  type Form,
  type KernelRow,
  type LineRow,
  type SourceLine,
} from './api/cost.ts';
export { declarations } from './api/declarations.ts';
export { type ExplainOptions, explain, type Stage, stages } from './api/explain.ts';
export type {
  CallOptions,
  FunctionOptions,
  PrepareOptions,
  TenonFunction,
} from './api/function.ts';
export type { IngestOptions } from './api/ingest.ts';
export type { InspectOptions } from './api/inspect.ts';
export type { Instance, Result } from './api/instance.ts';
export { load, readProgram } from './api/load.ts';
export { type Checked, check, compile, type Files, Program } from './api/program.ts';
export { ProgramError } from './api/program-error.ts';
export type {
  AnyArray,
  Dtype,
  HostArray,
  Inputs,
  LeafInput,
  Nested,
  Tensor,
  Tree,
  Value,
} from './api/tensor.ts';
export type { Checkpoint, CheckpointTensor, SelectOptions } from './checkpoint/checkpoint.ts';
export { oldAutoencoderNames } from './checkpoint/old-names.ts';
export {
  type CheckpointReport,
  compareCheckpoint,
  expectedTensors,
  leavesAt,
  requireMatch,
} from './checkpoint/report.ts';
export type { SaveOptions } from './checkpoint/save.ts';
export type { Availability, Device, DeviceName } from './devices/device.ts';
export { availableDevices, deviceNames, openDevice } from './devices/registry.ts';
export { type ErrorCode, isTenonError, type Place, TenonError } from './errors.ts';
export {
  type Dopri5Options,
  type Dopri5Programs,
  type Dopri5Result,
  dopri5,
} from './ode/dopri5.ts';
