/** Losses, their gradients, and optimiser steps: redi-loss-grad, repa, dit-ddpm, adamw-ema. */
import {
  type Case,
  type Expect,
  type FunctionCall,
  names,
  type Source,
  same,
  scalar,
  tensor,
  value,
  weights,
} from '../call.ts';
import { describedNumber, type Sidecar, scalarNumber } from '../sidecar.ts';
import { ddpmSampling } from './ddpm.ts';
import { network } from './networks.ts';

/** The weight of the error of z where the case names one; a drop makes it 0 by itself. */
const weightOfZ = (sidecar: Sidecar, part: string): Source =>
  part === 'nodrop' && typeof sidecar.scalars['nodrop.lam'] === 'number'
    ? scalar('nodrop.lam')
    : value(1);

function lossCall(
  sidecar: Sidecar,
  part: 'nodrop' | 'drop',
  keep: number,
  outputs: readonly string[],
): FunctionCall {
  return {
    k: 'call',
    program: 'redi.tn',
    fn: 'loss',
    sizes: network(sidecar, 'in.x1'),
    inputs: {
      p: weights,
      x1: tensor('in.x1'),
      x0: tensor('noise.x0'),
      t: tensor('noise.t'),
      y: tensor('in.y_after_drop'),
      keep: value(keep),
      lam: weightOfZ(sidecar, part),
    },
    grad: ['p'],
    expect: names({
      ...Object.fromEntries(outputs.map((o) => [`out.${part}.${o}`, `out.${o}`])),
      [`grad.${part}.*`]: 'grad.p.*',
    }),
  };
}

const lossOutputs = ['xt', 'ut', 'pred', 'loss_vae', 'loss_dino', 'loss', 'loss_mean'];

const rediLoss: Case = (sidecar) => [
  lossCall(sidecar, 'nodrop', 1, lossOutputs),
  lossCall(sidecar, 'drop', 0, lossOutputs),
];

const repa: Case = (sidecar) => [
  {
    k: 'call',
    program: 'repa.tn',
    fn: 'loss',
    sizes: { ...network(sidecar, 'in.x1'), U: scalarNumber(sidecar, 'repa_layer') },
    inputs: {
      p: weights,
      projector: { weights: 1 },
      x1: tensor('in.x1'),
      x0: tensor('noise.x0'),
      t: tensor('noise.t'),
      y: tensor('in.y'),
      labelDrop: tensor('in.label_drop'),
      features: tensor('in.dino_feats'),
      weight: scalar('repa_weight'),
    },
    grad: ['p', 'projector'],
    expect: names({
      'out.*': 'out.*',
      'grad.projector.*': 'grad.projector.projector.*',
      'grad.*': 'grad.p.*',
    }),
  },
];

/** One call for every lambda_z that a tensor of the case names: `out.loss_lambda0.5`, `grad.lambda0.5.x`. */
const ddpmLosses: Case = (sidecar) => {
  const found = Object.keys(sidecar.tensors).flatMap(
    (name) => /^(?:out\.loss_|grad\.)lambda(\d+(?:\.\d+)?)(?:\.[a-z]|$)/.exec(name)?.[1] ?? [],
  );
  return [...new Set(found)].map(
    (lam): FunctionCall => ({
      k: 'call',
      program: 'ddpm.tn',
      fn: 'loss',
      sizes: network(sidecar, 'in.x0'),
      inputs: {
        p: weights,
        x0: tensor('in.x0'),
        noise: tensor('noise.eps'),
        t: tensor('in.t'),
        y: tensor('in.y'),
        labelDrop: tensor('in.label_drop'),
        lam: value(Number(lam)),
      },
      grad: Object.keys(sidecar.tensors).some((n) => n.startsWith(`grad.lambda${lam}.`))
        ? ['p']
        : [],
      expect: names({
        [`out.loss_lambda${lam}`]: 'out.loss',
        'out.xt': 'out.xt',
        'out.eps': 'out.eps',
        'out.loss_x': 'out.loss_x',
        'out.loss_z': 'out.loss_z',
        [`grad.lambda${lam}.*`]: 'grad.p.*',
      }),
    }),
  );
};

const schedule: Case = () => [
  {
    k: 'call',
    program: 'ddpm.tn',
    fn: 'schedule',
    sizes: {},
    inputs: {},
    expect: same(['betas', 'alphas_cumprod']),
  },
];

const ddpm: Case = (sidecar) => {
  const { T = 1000 } = sidecar.scalars;
  return T === 1000
    ? [...schedule(sidecar), ...ddpmLosses(sidecar), ...ddpmSampling(sidecar)]
    : [{ k: 'refusal', expect: (name) => name, why: `models/ddpm.tn has 1000 steps, not ${T}` }];
};

/** `out.step3.param.w` is what the program gives for item 2. */
const stepNames: Expect = (name) => {
  const [, step, rest] = /^out\.step([1-9]\d*)\.((?:param|ema)\..+)$/.exec(name) ?? [];
  if (step !== undefined) return `out.step.${Number(step) - 1}.${rest}`;
  return name === 'out.losses' ? name : undefined;
};

/** What only the description says: "AdamW(lr 1e-3, betas .9/.999, eps 1e-8, weight_decay .01)", "EMA 0.9". */
const optimiserNumbers = {
  lr: /\blr ([\d.e-]*\d)/,
  beta1: /\bbetas ([\d.]+)\//,
  beta2: /\bbetas [\d.]+\/([\d.]*\d)/,
  eps: /\beps ([\d.e-]*\d)/,
  weightDecay: /\bweight_decay ([\d.e-]*\d)/,
  emaDecay: /\bEMA ([\d.]*\d)/,
};

const optimiser: Case = (sidecar) => {
  const steps = Object.keys(sidecar.tensors).map((name) =>
    Number(/^out\.step(\d+)\./.exec(name)?.[1] ?? 0),
  );
  return [
    {
      k: 'call',
      program: 'train.tn',
      fn: 'steps',
      sizes: { ...network(sidecar, 'in.x1'), N: Math.max(...steps) },
      inputs: {
        p: weights,
        x1: tensor('in.x1'),
        x0: tensor('noise.x0'),
        t: tensor('noise.t'),
        y: tensor('in.y'),
        labelDrop: tensor('in.label_drop'),
        ...Object.fromEntries(
          Object.entries(optimiserNumbers).map(([name, pattern]) => [
            name,
            value(describedNumber(sidecar, name, pattern)),
          ]),
        ),
      },
      expect: stepNames,
      // The true gradient of the key third is 0, and Adam makes steps of the round-off.
      leaveOut: (name, index, length) =>
        name.endsWith('attn.qkv.bias') && Math.floor((3 * index) / length) === 1,
    },
  ];
};

export const trainingCases: Readonly<Record<string, Case>> = {
  'redi-loss-grad': rediLoss,
  repa,
  'dit-ddpm': ddpm,
  'adamw-ema': optimiser,
};
