/**
 * The reference device: the f64 interpreter of the core IR behind the common device interface. The
 * oracle of every differential test; `read` gives Float64Arrays.
 *
 * Invariant: values are those of compiler/core/interpret.ts, nothing is rounded to f32. The event
 * loop gets its turn between statements, so an AbortSignal is heeded in long runs.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import { prepareCore } from '../../compiler/core/interpret.ts';
import type { Var } from '../../compiler/core.ts';
import { TenonError } from '../errors.ts';
import {
  type Compiled,
  checkPiece,
  type Device,
  type Executable,
  type HostArray,
} from './device.ts';

/** Milliseconds of work between two turns of the event loop. */
const slice = 20;

export function referenceDevice(): Device {
  return {
    name: 'reference',
    prepare: (program) => Promise.resolve(prepare(program)),
    dispose: () => {},
  };
}

function prepare(program: Compiled): Executable {
  const { core, donate } = program;
  const prepared = prepareCore(core);
  let inputs: (Float64Array | undefined)[] = core.inputs.map(() => undefined);
  let outputs: readonly Float64Array[] | undefined;
  const words = (xs: readonly Var[]) => xs.reduce((n, x) => n + sizeOf(x.shape), 0);

  return {
    write(input, data, at) {
      const x = core.inputs[input];
      if (x === undefined) throw new TenonError('usage', `there is no input ${input}`);
      const size = sizeOf(x.shape);
      checkPiece(x.name, size, data, at);
      // A first piece goes to an array of its own: the one before may be a result as well.
      if (!at) inputs[input] = new Float64Array(size);
      inputs[input]!.set(data, at);
    },

    async run(signal) {
      const given = inputs.map((data, i) => {
        if (data !== undefined) return data;
        throw new TenonError('usage', `input ${core.inputs[i]!.name} was never written`);
      });
      // Until the end the inputs count as lost, as device.ts says of failed and aborted runs.
      inputs = core.inputs.map(() => undefined);
      outputs = undefined;
      const results = await drain(prepared.run(given), signal);
      inputs = given;
      for (const [output, input] of donate) inputs[input] = results[output]!;
      outputs = results;
    },

    read(output) {
      const data: HostArray | undefined = outputs?.[output];
      if (data === undefined) {
        return Promise.reject(new TenonError('usage', `output ${output} was not computed`));
      }
      return Promise.resolve(data.slice());
    },

    get bytes() {
      const consts = core.consts.map((c) => c.v);
      return 8 * (words(core.inputs) + words(core.outputs) + words(consts));
    },

    dispose() {
      inputs = core.inputs.map(() => undefined);
      outputs = undefined;
    },
  };
}

async function drain(
  steps: Generator<void, Float64Array[]>,
  signal: AbortSignal | undefined,
): Promise<Float64Array[]> {
  let turn = performance.now() + slice;
  for (;;) {
    if (signal?.aborted) {
      throw new TenonError('aborted', 'the run was aborted', { cause: signal.reason });
    }
    const r = steps.next();
    if (r.done === true) return r.value;
    if (performance.now() > turn) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = performance.now() + slice;
    }
  }
}
