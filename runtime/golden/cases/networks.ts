/** Forward passes and guidance of one evaluation: redi-forward, separate-tokens. */
import { type Case, type FunctionCall, same, scalar, tensor, weights } from '../call.ts';
import { configCount, dimension, type Sidecar } from '../sidecar.ts';

/** Heads, and the latent channels among those of `image`; the others are the features'. */
export function network(sidecar: Sidecar, image: string): Record<string, number> {
  return {
    A: configCount(sidecar, 'heads'),
    C: dimension(sidecar, image, 1) - configCount(sidecar, 'rank'),
  };
}

const evaluation = (sidecar: Sidecar) => ({
  k: 'call' as const,
  sizes: network(sidecar, 'in.x'),
  inputs: { p: weights, x: tensor('in.x'), t: tensor('in.t'), y: tensor('in.y') },
});

const forward: Case = (sidecar) => {
  const first = evaluation(sidecar);
  const guided: FunctionCall = {
    ...first,
    program: 'redi.tn',
    fn: 'guided',
    inputs: {
      ...first.inputs,
      t: tensor('in.t_guided'),
      y: tensor('in.y_guided'),
      cfgScale: scalar('cfg_scale'),
      rgScale: scalar('rg_scale'),
    },
    expect: same(['cfg', 'cfg_vae', 'rg']),
  };
  const outputs = ['t_freq', 'c', 'tokens_in', 'block0', 'v'];
  return [{ ...first, program: 'redi.tn', fn: 'forward', expect: same(outputs) }, guided];
};

const separate: Case = (sidecar) => [
  { ...evaluation(sidecar), program: 'separate.tn', fn: 'forward', expect: same(['v']) },
];

export const networkCases: Readonly<Record<string, Case>> = {
  'redi-forward': forward,
  'separate-tokens': separate,
};
