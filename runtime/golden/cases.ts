/**
 * Which program computes which golden tensor: a table from a case to calls of functions in
 * models/golden/, which inputs they take and which expected tensors their results are. Arithmetic
 * belongs to the models; here are only names.
 */
import type { Config } from './sidecar.ts';

/** Where an input comes from: a tensor of the case, every tensor of its weight files, a scalar, a number. */
export type Source =
  | { readonly tensor: string }
  | { readonly weights: number }
  | { readonly scalar: string }
  | { readonly number: number };

export type Call = {
  /** A file of models/golden/ and a function in it. */
  readonly file: string;
  readonly fn: string;
  readonly sizes: (config: Config) => Record<string, number>;
  readonly inputs: Readonly<Record<string, Source>>;
  readonly grad?: readonly string[];
  /** Expected tensor -> result; a trailing `*` stands for the same rest on both sides. */
  readonly expect: Readonly<Record<string, string>>;
};

const weights: Source = { weights: 0 };
const tensor = (name: string): Source => ({ tensor: name });

/** Latent channels of every case; the others are the features'. */
const latents = 4;
const network = (c: Config): Record<string, number> => ({ A: c['heads']!, C: latents });

const lossCall = (part: 'nodrop' | 'drop', keep: number, outputs: readonly string[]): Call => ({
  file: 'redi.tn',
  fn: 'loss',
  sizes: network,
  inputs: {
    p: weights,
    x1: tensor('in.x1'),
    x0: tensor('noise.x0'),
    t: tensor('noise.t'),
    y: tensor('in.y_after_drop'),
    keep: { number: keep },
  },
  grad: ['p'],
  expect: {
    ...Object.fromEntries(outputs.map((o) => [`out.${part}.${o}`, `out.${o}`])),
    [`grad.${part}.*`]: 'grad.p.*',
  },
});

const lossOutputs = ['xt', 'pred', 'loss_vae', 'loss_dino', 'loss', 'loss_mean'];

export const cases: Readonly<Record<string, readonly Call[]>> = {
  'redi-forward': [
    {
      file: 'redi.tn',
      fn: 'forward',
      sizes: network,
      inputs: { p: weights, x: tensor('in.x'), t: tensor('in.t'), y: tensor('in.y') },
      expect: Object.fromEntries(
        ['t_freq', 'c', 'tokens_in', 'block0', 'v'].map((o) => [`out.${o}`, `out.${o}`]),
      ),
    },
    {
      file: 'redi.tn',
      fn: 'guided',
      sizes: network,
      inputs: {
        p: weights,
        x: tensor('in.x'),
        t: tensor('in.t_guided'),
        y: tensor('in.y_guided'),
        cfgScale: { scalar: 'cfg_scale' },
        rgScale: { scalar: 'rg_scale' },
      },
      expect: Object.fromEntries(['cfg', 'cfg_vae', 'rg'].map((o) => [`out.${o}`, `out.${o}`])),
    },
  ],
  'redi-loss-grad': [
    lossCall('nodrop', 1, [...lossOutputs, 'ut']),
    lossCall('drop', 0, lossOutputs),
  ],
};
