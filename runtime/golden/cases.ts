/**
 * Which program computes which golden tensor: a table from a case to calls of functions in
 * models/golden/, which inputs they take and which expected tensors their results are. Arithmetic
 * belongs to the models; here are only names.
 */
import type { Config, Sidecar } from './sidecar.ts';

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
  readonly sizes: (config: Config, scalars: Sidecar['scalars']) => Record<string, number>;
  readonly inputs: Readonly<Record<string, Source>>;
  readonly grad?: readonly string[];
  /** The result that an expected tensor is, if this call gives it. */
  readonly expect: (tensor: string) => string | undefined;
  /** Tolerances that the notes of the case give, by the end of a tensor's name. */
  readonly allow?: Readonly<Record<string, number>>;
};

const weights: Source = { weights: 0 };
const tensor = (name: string): Source => ({ tensor: name });

/** Expected tensor -> result; a trailing `*` stands for the same rest on both sides. */
const names =
  (table: Readonly<Record<string, string>>): Call['expect'] =>
  (name) => {
    for (const [pattern, result] of Object.entries(table)) {
      if (pattern === name) return result;
      const head = pattern.slice(0, -1);
      if (!pattern.endsWith('*') || !name.startsWith(head)) continue;
      return result.slice(0, -1) + name.slice(head.length);
    }
    return undefined;
  };

/** Outputs that the program calls as the case does. */
const same = (outputs: readonly string[]): Call['expect'] =>
  names(Object.fromEntries(outputs.map((o) => [`out.${o}`, `out.${o}`])));

/** `out.step3.param.w` is what the program gives for item 2. */
const optimiserNames: Call['expect'] = (name) =>
  name === 'out.losses'
    ? name
    : name.replace(/^out\.step(\d+)\./, (_, step) => `out.step.${Number(step) - 1}.`);

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
  expect: names({
    ...Object.fromEntries(outputs.map((o) => [`out.${part}.${o}`, `out.${o}`])),
    [`grad.${part}.*`]: 'grad.p.*',
  }),
});

const lossOutputs = ['xt', 'pred', 'loss_vae', 'loss_dino', 'loss', 'loss_mean'];

const guidances = ['plain', 'cfg', 'cfg_vae', 'rg'];
const scales: Readonly<Record<string, Source>> = {
  cfgScale: { scalar: 'cfg_scale' },
  rgScale: { scalar: 'rg_scale' },
};

const odeCall = (fn: string, inputs: Call['inputs'], expect: Record<string, string>): Call => ({
  file: 'sample.tn',
  fn,
  sizes: (c, scalars) => ({ ...network(c), N: Number(scalars['solver_steps']) }),
  inputs: { p: weights, noise: tensor('in.noise'), y: tensor('in.y'), ...inputs },
  expect: names(expect),
});

const everyGuidance = (fn: string, method: string): Call =>
  odeCall(fn, scales, Object.fromEntries(guidances.map((g) => [`out.${method}_${g}`, `out.${g}`])));

export const cases: Readonly<Record<string, readonly Call[]>> = {
  'redi-forward': [
    {
      file: 'redi.tn',
      fn: 'forward',
      sizes: network,
      inputs: { p: weights, x: tensor('in.x'), t: tensor('in.t'), y: tensor('in.y') },
      expect: same(['t_freq', 'c', 'tokens_in', 'block0', 'v']),
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
      expect: same(['cfg', 'cfg_vae', 'rg']),
    },
  ],
  'redi-loss-grad': [
    lossCall('nodrop', 1, [...lossOutputs, 'ut']),
    lossCall('drop', 0, lossOutputs),
  ],
  'redi-sample-ode': [
    everyGuidance('byEuler', 'euler'),
    everyGuidance('byHeun', 'heun2'),
    odeCall(
      'eulerPath',
      { cfgScale: { scalar: 'cfg_scale' } },
      { 'out.euler_cfg_vae_traj': 'out' },
    ),
    odeCall('heunPath', {}, { 'out.heun2_plain_traj': 'out' }),
  ],
  'separate-tokens': [
    {
      file: 'separate.tn',
      fn: 'forward',
      sizes: network,
      inputs: { p: weights, x: tensor('in.x'), t: tensor('in.t'), y: tensor('in.y') },
      expect: same(['v']),
    },
  ],
  'adamw-ema': [
    {
      file: 'train.tn',
      fn: 'steps',
      sizes: (c, scalars) => ({ ...network(c), N: (scalars['losses'] as number[]).length }),
      inputs: {
        p: weights,
        x1: tensor('in.x1'),
        x0: tensor('noise.x0'),
        t: tensor('noise.t'),
        y: tensor('in.y'),
        labelDrop: tensor('in.label_drop'),
        lr: { number: 1e-3 },
        weightDecay: { number: 0.01 },
        emaDecay: { number: 0.9 },
      },
      expect: optimiserNames,
      // Its true gradient is 0 in the key third, and Adam makes steps of the round-off.
      allow: { 'attn.qkv.bias': 5e-3 },
    },
  ],
};
