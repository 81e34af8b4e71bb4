/** Solvers under guidance: redi-sample-ode with fixed and adaptive steps, redi-sample-sde. */
import { TenonError } from '../../errors.ts';
import {
  type Case,
  type FunctionCall,
  names,
  type Source,
  scalar,
  tensor,
  value,
  weights,
} from '../call.ts';
import { dimension, type Sidecar, scalarNumber } from '../sidecar.ts';
import { adaptiveCalls } from './adaptive.ts';
import { network } from './networks.ts';

const guidances = ['plain', 'cfg', 'cfg_vae', 'rg'] as const;

// ---------------------------------------------------------------- ODE

function odeCall(
  sidecar: Sidecar,
  fn: string,
  inputs: Readonly<Record<string, Source>>,
  expect: Record<string, string>,
): FunctionCall {
  return {
    k: 'call',
    program: 'sample.tn',
    fn,
    sizes: { ...network(sidecar, 'in.noise'), N: dimension(sidecar, 'in.t_grid', 0) - 1 },
    inputs: { p: weights, noise: tensor('in.noise'), y: tensor('in.y'), ...inputs },
    expect: names(expect),
  };
}

const ode: Case = (sidecar) => {
  const cfgScale = scalar('cfg_scale');
  const every = (fn: string, method: string): FunctionCall =>
    odeCall(
      sidecar,
      fn,
      { cfgScale, rgScale: scalar('rg_scale') },
      Object.fromEntries(guidances.map((g) => [`out.${method}_${g}`, `out.${g}`])),
    );
  return [
    every('byEuler', 'euler'),
    every('byHeun', 'heun2'),
    odeCall(sidecar, 'eulerPath', { cfgScale }, { 'out.euler_cfg_vae_traj': 'out' }),
    odeCall(sidecar, 'heunPath', {}, { 'out.heun2_plain_traj': 'out' }),
    ...adaptiveCalls(sidecar),
  ];
};

// ---------------------------------------------------------------- SDE

/** The numbers that models/golden/sde.tn takes for the names of the public code. */
const forms = ['sigma', 'linear', 'decreasing', 'constant', 'inccreasing-decreasing', 'SBDM'];
const lasts = ['Mean', 'Euler', 'Tweedie', null];
const methods = ['Euler', 'Heun'];

/** One call for every `args.NAME` of the scalars; NAME ends in the guidance. */
const sde: Case = (sidecar) =>
  Object.entries(sidecar.scalars).flatMap(([key, args]) => {
    const name = key.startsWith('args.') ? key.slice(5) : undefined;
    if (name === undefined || typeof args !== 'object' || args === null) return [];
    return [sdeCall(sidecar, name, args as Readonly<Record<string, unknown>>)];
  });

function sdeCall(
  sidecar: Sidecar,
  name: string,
  args: Readonly<Record<string, unknown>>,
): FunctionCall {
  const oneOf = (list: readonly unknown[], option: string): number => {
    const at = list.indexOf(args[option]);
    if (at >= 0) return at;
    throw new TenonError('format', `${sidecar.case}: ${option} of ${name} is not known`);
  };
  const guidance = guidances.findLastIndex((g) => name === g || name.endsWith(`_${g}`));
  const steps = dimension(sidecar, 'noise.plain', 0);
  const last = oneOf(lasts, 'last_step');
  return {
    k: 'call',
    program: 'sde.tn',
    fn: 'sample',
    sizes: {
      ...network(sidecar, 'in.noise'),
      G: guidance,
      M: oneOf(methods, 'sampling_method'),
      N: steps,
    },
    inputs: {
      p: weights,
      start: tensor('in.noise'),
      y: tensor('in.y'),
      noise: tensor(guidance === 0 ? 'noise.plain' : 'noise.guided'),
      scale: guidance === 0 ? value(1) : scalar(guidance === 3 ? 'rg_scale' : 'cfg_scale'),
      'o.form': value(oneOf(forms, 'diffusion_form')),
      'o.norm': value(Number(args['diffusion_norm'])),
      'o.last': value(last),
      'o.size': value(lasts[last] === null ? 0 : scalarNumber(sidecar, 'last_step_size')),
    },
    expect: names({ [`out.${name}`]: 'out.last', [`out.${name}_traj`]: 'out.states' }),
  };
}

export const samplingCases: Readonly<Record<string, Case>> = {
  'redi-sample-ode': ode,
  'redi-sample-sde': sde,
};
