/** Solvers under guidance: redi-sample-ode with fixed and adaptive steps, redi-sample-sde. */
import {
  type Call,
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

/** In the order of the numbers that models/golden/guided.tn takes. */
const guidances = ['plain', 'cfg', 'cfg_vae', 'rg'];

/** The scalar that is the strength of a guidance. */
const strength = (guidance: number): Source =>
  guidance === 0 ? value(1) : scalar(guidance === 3 ? 'rg_scale' : 'cfg_scale');

// ---------------------------------------------------------------- ODE

const ode: Case = (sidecar) => {
  const size = network(sidecar, 'in.noise');
  const steps = dimension(sidecar, 'in.t_grid', 0) - 1;
  return guidances.flatMap((guidance, G) => {
    const fixed = ['euler', 'heun2'].flatMap((method, M): Call[] => {
      const call = (fn: string, name: string): FunctionCall => ({
        k: 'call',
        program: 'sample.tn',
        fn,
        sizes: { ...size, G, M, N: steps },
        inputs: {
          p: weights,
          noise: tensor('in.noise'),
          y: tensor('in.y'),
          grid: tensor('in.t_grid'),
          scale: strength(G),
        },
        expect: names({ [name]: 'out' }),
      });
      const name = `out.${method}_${guidance}`;
      return [call('last', name), call('states', `${name}_traj`)];
    });
    return [...fixed, ...adaptiveCalls(sidecar, guidance, G, strength(G))];
  });
};

// ---------------------------------------------------------------- SDE

/** The numbers that models/golden/sde.tn takes for the names of the public code. */
const options = {
  diffusion_form: ['sigma', 'linear', 'decreasing', 'constant', 'inccreasing-decreasing', 'SBDM'],
  last_step: ['Mean', 'Euler', 'Tweedie', null],
  sampling_method: ['Euler', 'Heun'],
} as const;

type Arguments = Readonly<Record<string, unknown>>;

/** One call for every `args.NAME` of the scalars; NAME ends in the guidance. */
const sde: Case = (sidecar) =>
  Object.entries(sidecar.scalars).flatMap(([key, args]) => {
    const name = key.startsWith('args.') ? key.slice(5) : undefined;
    if (name === undefined || typeof args !== 'object' || args === null) return [];
    return [sdeCall(sidecar, name, args as Arguments)];
  });

function sdeCall(sidecar: Sidecar, name: string, args: Arguments): Call {
  const expect = names({ [`out.${name}`]: 'out.last', [`out.${name}_traj`]: 'out.states' });
  const refuse = (why: string): Call => ({ k: 'refusal', expect, why });
  const number: Record<string, number> = {};
  for (const [option, known] of Object.entries<readonly unknown[]>(options)) {
    number[option] = known.indexOf(args[option]);
    if (number[option] < 0) return refuse(`${option} ${JSON.stringify(args[option])} is not known`);
  }
  const guidance = guidances.findLastIndex((g) => name === g || name.endsWith(`_${g}`));
  if (guidance < 0) return refuse(`${name} does not end in a guidance that is known`);
  const noise = guidance === 0 ? 'noise.plain' : 'noise.guided';
  /** An argument of this run, else what the case has for all. */
  const own = (option: string): number =>
    typeof args[option] === 'number' ? args[option] : scalarNumber(sidecar, option);
  const rows = dimension(sidecar, noise, 0);
  return {
    k: 'call',
    program: 'sde.tn',
    fn: 'sample',
    sizes: {
      ...network(sidecar, 'in.noise'),
      G: guidance,
      M: number['sampling_method']!,
      N: args['num_steps'] === undefined ? rows : own('num_steps') - 1,
    },
    inputs: {
      p: weights,
      start: tensor('in.noise'),
      y: tensor('in.y'),
      noise: tensor(noise),
      scale: strength(guidance),
      'o.form': value(number['diffusion_form']!),
      'o.norm': value(own('diffusion_norm')),
      'o.last': value(number['last_step']!),
      // Without a last step the grid goes to the end.
      'o.size': value(args['last_step'] === null ? 0 : own('last_step_size')),
    },
    expect,
  };
}

export const samplingCases: Readonly<Record<string, Case>> = {
  'redi-sample-ode': ode,
  'redi-sample-sde': sde,
};
