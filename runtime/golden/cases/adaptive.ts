/**
 * dopri5 with the host's step control: `out.dopri5_*` at the public code's tolerances (its notes let
 * the step control move them), `out.exact_*` as far as the device's arithmetic goes.
 */

import type { Tensor } from '../../api/tensor.ts';
import { type Dopri5Programs, dopri5 } from '../../ode/dopri5.ts';
import { type Host, type HostCall, names, type Source, tensor, weights } from '../call.ts';
import type { Sidecar } from '../sidecar.ts';
import { network } from './networks.ts';

/** The error a device can promise: below this, float32 only sees its own rounding. */
const float32Tolerance = 2e-7;

/** @param G the guidance as a number, `scale` its strength. */
export function adaptiveCalls(
  sidecar: Sidecar,
  guidance: string,
  G: number,
  scale: Source,
): HostCall[] {
  const sizes = { ...network(sidecar, 'in.noise'), G };
  const call = (prefix: string, rtol: number, atol: number): HostCall => ({
    k: 'host',
    program: 'adaptive.tn',
    inputs: { p: weights, y: tensor('in.y'), noise: tensor('in.noise'), scale },
    expect: names({ [`out.${prefix}_${guidance}`]: 'out' }),
    run: (host) => solve(host, sizes, rtol, atol),
  });
  return [
    // Rounding moves the steps, and so the result by more than float32 is off: so the notes.
    {
      ...call('dopri5', 1e-3, 1e-6),
      against: { tensor: `out.exact_${guidance}`, within: 1e-2 },
    },
    call('exact', 1e-10, 1e-10),
  ];
}

async function solve(
  { program, device, inputs, signal }: Host,
  sizes: Record<string, number>,
  rtol: number,
  atol: number,
): Promise<ReadonlyMap<string, Tensor>> {
  const { p, y, noise, scale } = inputs as Record<'p' | 'y' | 'noise' | 'scale', Tensor>;
  const { shape } = noise;
  const least = device.name === 'reference' ? 0 : float32Tolerance;
  const network = ['start', 'probe', 'step'] as const;
  const functions = network.map((name) => program.function(name, { device, sizes }));
  const between = program.function('between', { device });
  // Shapes give the sizes; the solver writes the values.
  const zero = { shape, data: new Float32Array(noise.data.length) };
  try {
    const [start, probe, step] = await Promise.all(
      functions.map((f) => {
        const given = { p, y, scale, z: zero };
        return f.prepare({ inputs: f.name === 'start' ? given : { ...given, k: zero } });
      }),
    );
    const programs: Dopri5Programs = {
      start: start!,
      probe: probe!,
      step: step!,
      between: await between.prepare({ inputs: { z: zero } }),
    };
    const options = { rtol: Math.max(rtol, least), atol: Math.max(atol, least), signal };
    const { state } = await dopri5(programs, noise, options);
    return new Map([['out', state as Tensor]]);
  } finally {
    await Promise.all([...functions, between].map((f) => f.dispose()));
  }
}
