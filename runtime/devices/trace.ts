/**
 * Where a value stopped being finite: a device that runs a program statement by statement in f64 and
 * looks for the first result that float32 cannot hold, with the operands that made it.
 *
 * Invariant: what is reported is the first statement in program order whose inputs are all finite
 * and whose result is not; inside a fold, the first such step and statement of its body.
 */

import {
  copyBlock,
  defsOf,
  type Supply,
  sizeOf,
  supplyAfter,
  usesOf,
} from '../../compiler/core/build.ts';
import { readsOf, substAxes } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { ixConst, noExtents } from '../../compiler/core/ix.ts';
import type { AxisId, Core, Expr, Fold, Ix, Nest, Stmt, Var } from '../../compiler/core.ts';
import type { Span } from '../../dsl/source.ts';
import type { Device, Executable } from './device.ts';

export type Operand = {
  readonly name: string;
  readonly index: readonly number[];
  readonly value: number;
};

export type Found = {
  readonly value: number;
  /** Of the element, then of the term of a reduction. */
  readonly index: readonly number[];
  readonly term: readonly number[];
  readonly operands: readonly Operand[];
  /** Steps of the enclosing folds, outermost first. */
  readonly steps: readonly number[];
  readonly span: Span | undefined;
  /** It was given, and not made: in this input. */
  readonly input?: string;
};

type Env = Map<Var, Float64Array>;

const bad = (v: number): boolean => !Number.isFinite(Math.fround(v));
const anyBad = (x: Float64Array): boolean => x.some(bad);

/** `found` is called once, by the first run that meets a value that is not finite. */
export function tracingDevice(found: (f: Found) => void): Device {
  return {
    name: 'reference',
    async prepare({ core, donate }): Promise<Executable> {
      const inputs: Float64Array[] = core.inputs.map((x) => new Float64Array(sizeOf(x.shape)));
      let outputs: readonly Float64Array[] = [];
      let told = false;
      return {
        write: (i, data, at = 0) => {
          // The array of before may be a result as well.
          if (at === 0) inputs[i] = new Float64Array(inputs[i]!.length);
          inputs[i]!.set(data, at);
        },
        async run(signal) {
          const env: Env = new Map(core.consts.map((c) => [c.v, c.data]));
          for (const [i, x] of core.inputs.entries()) env.set(x, inputs[i]!);
          const trace = new Tracer(core, signal);
          const made = trace.block(core.body, env, []);
          const f = given(core, env) ?? made;
          if (f !== undefined && !told) {
            told = true;
            found(f);
          }
          outputs = core.outputs.map((y) => env.get(y)!);
          for (const [o, i] of donate) inputs[i] = outputs[o]!;
        },
        read: async (o) => outputs[o]!,
        bytes: 0,
        dispose: () => {},
      };
    },
    dispose: () => {},
  };
}

/** The first input that is not finite: what comes of it was not made by the program. */
function given(core: Core, env: Env): Found | undefined {
  for (const x of core.inputs) {
    const values = env.get(x)!;
    const at = x.t === 'f32' ? values.findIndex(bad) : -1;
    if (at < 0) continue;
    const index = unflatten(at, x.shape);
    const [value, input] = [values[at]!, x.name];
    return { value, index, term: [], operands: [], steps: [], span: undefined, input };
  }
  return undefined;
}

class Tracer {
  readonly #supply: Supply;
  readonly #signal: AbortSignal | undefined;

  constructor(core: Core, signal: AbortSignal | undefined) {
    this.#supply = supplyAfter(core);
    this.#signal = signal;
  }

  /** Runs a block to its end, and gives the first value that was not finite. */
  block(body: readonly Stmt[], env: Env, steps: readonly number[]): Found | undefined {
    let first: Found | undefined;
    for (const s of body) {
      this.#signal?.throwIfAborted();
      const inputs = [...usesOf(s)].filter((x) => env.has(x));
      const outs = defsOf(s);
      const values = interpret(
        { inputs, consts: [], body: [s], outputs: [...outs] },
        inputs.map((x) => env.get(x)!),
      );
      for (const [i, v] of outs.entries()) env.set(v, values[i]!);
      const wrong = outs.some((v, i) => v.t === 'f32' && anyBad(values[i]!));
      if (
        first === undefined &&
        wrong &&
        !inputs.some((x) => x.t === 'f32' && anyBad(env.get(x)!))
      ) {
        first = this.#inside(s, env, steps);
      }
    }
    return first;
  }

  #inside(s: Stmt, env: Env, steps: readonly number[]): Found | undefined {
    switch (s.k) {
      case 'nest':
        return this.#nest(s, env, steps);
      case 'fold':
        return this.#fold(s, env, steps);
      case 'segsum':
        return this.#nest({ ...s, k: 'nest', red: [], op: null }, env, steps);
      case 'custom':
        return this.block(s.body, new Map(env), steps);
    }
  }

  #fold(f: Fold, env: Env, steps: readonly number[]): Found | undefined {
    let carry = f.carry.map((c) => env.get(c.init)!);
    for (let n = 0; n < f.trip; n++) {
      const l = f.rev ? f.trip - 1 - n : n;
      const vars = new Map<Var, Var>();
      const body = copyBlock(f.body, this.#supply, vars, new Map([[f.l.id, ixConst(l)]]));
      const inner: Env = new Map(env);
      for (const [i, c] of f.carry.entries()) inner.set(c.in, carry[i]!);
      const found = this.block(body, inner, [...steps, l]);
      if (found !== undefined) return found;
      carry = f.carry.map((c) => inner.get(vars.get(c.next) ?? c.next)!);
    }
    // Only what is accumulated over the steps left the range.
    return {
      value: Number.NaN,
      index: [],
      term: [],
      operands: [],
      steps,
      span: f.spans[0],
    };
  }

  #nest(s: Nest, env: Env, steps: readonly number[]): Found {
    const all = [...s.axes, ...s.red];
    const v = this.#supply.var(
      'terms',
      s.body.t,
      all.map((a) => a.extent),
    );
    const terms = this.#value({ ...s, v, axes: all, red: [], op: null }, env);
    const at = terms.findIndex(bad);
    // The terms are finite and their reduction is not: show the first.
    const where = unflatten(Math.max(at, 0), v.shape);
    const map = new Map<AxisId, Ix>(all.map((a, i) => [a.id, ixConst(where[i]!)]));
    const body = substAxes(map, noExtents).expr(s.body);
    const operands = distinct(body).map((r): Operand => {
      const index = r.ix.map((i) => (i.terms.length === 0 ? i.c : -1));
      const x = this.#supply.var('operand', r.t, []);
      const [value] = this.#value({ ...s, v: x, axes: [], red: [], op: null, body: r }, env);
      return { name: r.x.name, index, value: value! };
    });
    return {
      value: at >= 0 ? terms[at]! : Number.POSITIVE_INFINITY,
      index: where.slice(0, s.axes.length),
      term: where.slice(s.axes.length),
      operands,
      steps,
      span: s.spans[0],
    };
  }

  #value(s: Nest, env: Env): Float64Array {
    const inputs = [...usesOf(s)];
    const core: Core = { inputs, consts: [], body: [s], outputs: [s.v] };
    return interpret(
      core,
      inputs.map((x) => env.get(x)!),
    )[0]!;
  }
}

function distinct(e: Expr): readonly Extract<Expr, { k: 'read' }>[] {
  const seen = new Set<string>();
  return readsOf(e).filter((r) => {
    const id = `${r.x.id}:${JSON.stringify(r.ix)}`;
    return !seen.has(id) && seen.add(id);
  });
}

function unflatten(n: number, shape: readonly number[]): readonly number[] {
  const out: number[] = [];
  let rest = n;
  for (const d of [...shape].reverse()) {
    out.unshift(rest % d);
    rest = Math.floor(rest / d);
  }
  return out;
}
