/** `tenon bisect FILE FUNCTION --device D`: the first value of a device that is not the reference's. */
import { placeOf, renderDiagnostic } from '../../dsl/render.ts';
import { stackedName } from '../api/leaves.ts';
import { type Changed, changedValues } from '../bisect/beside.ts';
import { type Bisection, bisect, type Divergence, unflatten } from '../bisect/bisect.ts';
import { type Look, lookingDevice } from '../bisect/device.ts';
import type { Compiled } from '../devices/device.ts';
import { type Instance, load, openDevice, type Program } from '../index.ts';
import { randomInputs } from '../profile/random-inputs.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { CommandInputs, collect, type InputOptions, names, readSizes } from './inputs.ts';
import { type Common, exit, type Io, json, table } from './io.ts';

type Options = InputOptions & Common & { readonly grad?: string; readonly device: string };

export const bisectCommand: CommandSpec<Options> = {
  usage: 'bisect <file> <function>',
  summary: 'where a device first differs from the reference by more than rounding',
  options(command) {
    command
      .option('--in <NAME=FILE[#TENSOR]>', 'a parameter from a file; random without', collect)
      .option('--arg <NAME=VALUE>', 'a number, a boolean, or the seed of a key', collect)
      .option('--size <N=4>', 'a size that the inputs do not tell', collect)
      .option('--grad <NAME,...>', 'with the gradient by these parameters')
      .option('--device <D>', 'wasm, webgpu, gpujs or reference', 'wasm');
  },
  async run(io, args, options) {
    const [file, name] = args as [string, string];
    const program = await load(file);
    const inner = await openDevice(deviceName(options.device));
    try {
      using inputs = new CommandInputs(options);
      const sizes = readSizes(options);
      const grad = names(options.grad);
      /** The function with these gradients, looked at with its inputs. */
      const looked = async <T>(
        by: readonly string[],
        look: Look,
        told: (f: Instance) => T,
      ): Promise<T> => {
        const device = lookingDevice(inner, look);
        await using f = program.function(name, { sizes, grad: by, device });
        const instance = await f.prepare({ inputs: inputs.values });
        instance.write(randomInputs(instance.params, instance.written));
        await instance.run({ signal: io.signal });
        return told(instance);
      };
      let plain: Compiled | undefined;
      if (grad.length > 0) {
        const keep: Look = async (p) => {
          plain = p;
        };
        await looked([], keep, () => undefined);
      }
      let found: Bisection | undefined;
      let changed: readonly Changed[] = [];
      const search: Look = async (p, given, signal) => {
        found = await bisect(inner, p, given, signal);
        if (plain === undefined) return;
        const exact = given.map((x) => Float64Array.from(x));
        changed = changedValues(plain.source ?? plain.core, p.source ?? p.core, exact);
      };
      const { rows, values } = await looked(grad, search, (f) => ({
        rows: rowsOf(found!, f),
        values: changed.map((c) => valueChanged(c, f)),
      }));
      const ok = found!.ok && values.length === 0;
      if (options.json) {
        const more = values.length > 0 ? { ok, changed: values } : {};
        io.out(json({ ...data(found!, rows, program, options.device), ...more }));
      } else {
        print(io, found!, rows, program, options.device);
        for (const v of values) {
          const [beside, without] = [number(v.beside), number(v.without)];
          io.err(
            `Asking for the gradient changes ${at(v.name, v.element)}: ${beside} beside it, ${without} without.\n`,
          );
        }
      }
      return ok ? exit.ok : exit.wrong;
    } finally {
      inner.dispose();
    }
  },
};

type Row = {
  readonly name: string;
  readonly elements: number;
  readonly element: readonly number[];
  readonly got: number;
  readonly want: number;
  readonly bound: number;
  readonly kernel: Divergence['kernel'];
  readonly ok: boolean;
};

type ValueChanged = {
  readonly name: string;
  readonly element: readonly number[];
  readonly beside: number;
  readonly without: number;
};

function valueChanged({ output, cell }: Changed, { result }: Instance): ValueChanged {
  const spec = result[output]!;
  return {
    name: stackedName('out', spec.path),
    element: unflatten(cell.index, spec.shape),
    beside: cell.got,
    without: cell.want,
  };
}

function rowsOf(found: Bisection, { result, grads }: Instance): readonly Row[] {
  const leaves = [
    ...result.map((spec) => ({ name: stackedName('out', spec.path), spec })),
    ...grads.flatMap((p) =>
      p.leaves.map((spec) => ({ name: stackedName(`grad.${p.name}`, spec.path), spec })),
    ),
  ];
  return found.outputs.map(({ output, elements, worst, ok }) => {
    const { name, spec } = leaves[output]!;
    const { index, got, want, bound } = worst;
    const element = unflatten(index, spec.shape);
    return { name, elements, element, got, want, bound, kernel: found.kernels[output], ok };
  });
}

const at = (name: string, element: readonly number[]): string =>
  element.length === 0 ? name : `${name}[${element.map((i) => (i < 0 ? '?' : i)).join(', ')}]`;

/** As many digits as float32 has. */
const number = (v: number): string => String(Number(v.toPrecision(9)));

const kernelText = (k: Divergence['kernel']): string =>
  k === undefined ? '' : `${k.name} ${k.id}`;

function print(io: Io, b: Bisection, rows: readonly Row[], program: Program, device: string): void {
  io.out(
    table([
      ['worst element', 'of', device, 'reference', 'bound', 'kernel', ''],
      ...rows.map((r) => [
        at(r.name, r.element),
        String(r.elements),
        number(r.got),
        number(r.want),
        r.bound.toExponential(1),
        kernelText(r.kernel),
        r.ok ? 'ok' : 'FAIL',
      ]),
    ]),
  );
  printDifference(io, b, program, device);
  const verdict = b.ok ? 'no difference' : 'differs';
  io.out(`statements compared on ${device}: ${b.statements}, ${verdict}\n`);
}

/** What differs first, for people. */
export function printDifference(
  io: Pick<Io, 'err'>,
  b: Bisection,
  program: Program,
  device: string,
): void {
  if (b.first !== undefined) printFirst(io, b.first, program, device);
  else if (b.pass !== undefined) {
    io.err(`No statement differs on ${device}: the pass \`${b.pass}\` changes what is computed.\n`);
  } else if (b.rewrite !== undefined) {
    io.err(
      `No statement differs on ${device}: the schedule does after \`${b.rewrite}\`. This is a defect of Tenon.\n`,
    );
  } else if (!b.ok) {
    io.err(
      `No statement differs on ${device} when every value is stored: it lies in how kernels are joined.\n`,
    );
  }
}

function printFirst(io: Pick<Io, 'err'>, d: Divergence, program: Program, device: string): void {
  const steps = d.steps.length > 0 ? `, step ${d.steps.join(', ')}` : '';
  const message = `\`${device}\` first differs from the reference here, at \`${at(d.name, d.element)}\`${steps}.`;
  const { span } = d;
  if (span === undefined) io.err(`${message}\n`);
  else {
    const diagnostic = { code: 'E0904', severity: 'error', span, message } as const;
    io.err(`${renderDiagnostic(diagnostic, program.sources)}\n`);
  }
  io.err(
    `    ${number(d.got)} on ${device}, ${number(d.want)} on the reference (bound ${d.bound.toExponential(1)})\n`,
  );
  io.err(`    ${d.off} of ${d.cells} elements differ`);
  io.err(d.kernel === undefined ? '\n' : `; kernel ${kernelText(d.kernel)}\n`);
  for (const o of d.operands) io.err(`    ${at(o.name, o.index)} = ${number(o.value)}\n`);
}

function data(b: Bisection, rows: readonly Row[], program: Program, device: string) {
  const text = b.first?.span === undefined ? undefined : program.sources.get(b.first.span.file);
  const { span, ...first } = b.first ?? {};
  const place =
    span === undefined || text === undefined
      ? {}
      : { place: { file: span.file, ...placeOf(text, span.start) } };
  return {
    device,
    ok: b.ok,
    statements: b.statements,
    outputs: rows,
    ...(b.first === undefined ? {} : { first: { ...first, ...place } }),
    ...(b.pass === undefined ? {} : { pass: b.pass }),
    ...(b.rewrite === undefined ? {} : { rewrite: b.rewrite }),
  };
}
