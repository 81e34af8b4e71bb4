/**
 * Golden cases at sizes of one's own: inputs and weights without order, expected tensors of the right
 * shape that are all zero. What a program gives is then its own error, which two devices must agree
 * on; a shape that was taken for granted shows as a failure.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostTensor } from '../../runtime/io/safetensors.ts';
import { writeSafetensorsFile } from '../../runtime/io/safetensors-file.ts';

type Shapes = Record<string, readonly number[]>;

export type Sizes = {
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
  readonly input: number;
  readonly patch: number;
  readonly classes: number;
  readonly batch: number;
  readonly latents: number;
  readonly rank: number;
  readonly steps: number;
};

const linear = (name: string, o: number, i: number): Shapes => ({
  [`${name}.weight`]: [o, i],
  [`${name}.bias`]: [o],
});

function blocks(depth: number, D: number): Shapes {
  return Object.assign(
    {},
    ...Array.from({ length: depth }, (_, n) => ({
      ...linear(`blocks.${n}.attn.qkv`, 3 * D, D),
      ...linear(`blocks.${n}.attn.proj`, D, D),
      ...linear(`blocks.${n}.mlp.fc1`, 4 * D, D),
      ...linear(`blocks.${n}.mlp.fc2`, D, 4 * D),
      ...linear(`blocks.${n}.adaLN_modulation.1`, 6 * D, D),
    })),
  );
}

function sit(s: Sizes, channels: number): Shapes {
  const { hidden: D, patch: P } = s;
  return {
    pos_embed: [1, (s.input / P) ** 2, D],
    'x_embedder.proj.weight': [D, channels, P, P],
    'x_embedder.proj.bias': [D],
    ...linear('t_embedder.mlp.0', D, 256),
    ...linear('t_embedder.mlp.2', D, D),
    'y_embedder.embedding_table.weight': [s.classes + 1, D],
    ...blocks(s.depth, D),
    ...linear('final_layer.linear', P * P * channels, D),
    ...linear('final_layer.adaLN_modulation.1', 2 * D, D),
  };
}

const under = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([n, s]) => [`${prefix}${n}`, s]));

const trained = (weights: Shapes): Shapes =>
  Object.fromEntries(Object.entries(weights).filter(([n]) => n !== 'pos_embed'));

/** A case in the folder: a sidecar, its tensors, its weights. */
export class CaseFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  write(
    name: string,
    config: Record<string, unknown>,
    scalars: Record<string, unknown>,
    tensors: Shapes,
    integers: Record<string, number>,
    weights: Readonly<Record<string, Shapes>> = {},
    description = '',
  ): void {
    for (const [file, shapes] of Object.entries(weights)) this.#file(`${name}-${file}`, shapes, {});
    this.#file(name, tensors, integers);
    const sidecar = {
      case: name,
      config,
      scalars,
      description,
      tensors,
      weights_file:
        Object.keys(weights)
          .map((f) => `${name}-${f}.safetensors`)
          .join(' + ') || null,
      f32_max_abs_err: {},
    };
    writeFileSync(join(this.#folder, `${name}.json`), JSON.stringify(sidecar));
  }

  /** Integer tensors take values below their bound. */
  #file(name: string, shapes: Shapes, integers: Record<string, number>): void {
    const tensors = Object.entries(shapes).map(([n, shape]): [string, HostTensor] => {
      const length = shape.reduce((a, b) => a * b, 1);
      const bound = integers[n];
      if (bound !== undefined) {
        const sorted = n.startsWith('in.steps');
        const at = (i: number) => (sorted ? Math.floor((i * bound) / length) : (7 * i + 3) % bound);
        return [n, { dtype: 'I32', shape, data: Int32Array.from({ length }, (_, i) => at(i)) }];
      }
      const expected = /^(out|grad)\./.test(n);
      const fraction = /^noise\.t$|^in\.t(_guided)?$/.test(n);
      const value = (i: number) => {
        if (expected) return 0;
        const v = Math.sin(12.9898 * (i + 1) + length) * 43758.5453;
        const u = v - Math.floor(v);
        return fraction
          ? 0.1 + 0.8 * u
          : n.startsWith('in.') || n.startsWith('noise.')
            ? 2 * u - 1
            : 0.4 * u - 0.2;
      };
      return [n, { dtype: 'F32', shape, data: Float32Array.from({ length }, (_, i) => value(i)) }];
    });
    writeSafetensorsFile(join(this.#folder, `${name}.safetensors`), new Map(tensors));
  }
}

/** Every case of the transformer. */
export function writeNetworkCases(folder: CaseFolder, s: Sizes): void {
  const channels = s.latents + s.rank;
  const state = [s.batch, channels, s.input, s.input];
  const B = [s.batch];
  const net = sit(s, channels);
  const tokens = (s.input / s.patch) ** 2;
  const config = { ...s, input_size: s.input };
  const label = {
    'in.y': s.classes,
    'in.y_after_drop': s.classes,
    'in.y_guided': s.classes,
    'in.label_drop': 2,
  };
  const twice = [2 * s.batch, ...state.slice(1)];
  const scales = { cfg_scale: 2, rg_scale: 1.5 };
  folder.write(
    'redi-forward',
    config,
    scales,
    {
      'in.x': state,
      'in.t': B,
      'in.y': B,
      'in.y_guided': B,
      'in.t_guided': [1],
      'out.t_freq': [s.batch, 256],
      'out.c': [s.batch, s.hidden],
      'out.tokens_in': [s.batch, tokens, s.hidden],
      'out.block0': [s.batch, tokens, s.hidden],
      'out.v': state,
      'out.cfg': twice,
      'out.cfg_vae': twice,
      'out.rg': twice,
    },
    label,
    { weights: net },
  );
  const losses = { xt: state, pred: state, loss_vae: B, loss_dino: B, loss: B, loss_mean: [] };
  folder.write(
    'redi-loss-grad',
    config,
    {},
    {
      'in.x1': state,
      'in.y_after_drop': B,
      'noise.x0': state,
      'noise.t': B,
      ...under('out.nodrop.', { ...losses, ut: state }),
      ...under('out.drop.', losses),
      ...under('grad.nodrop.', trained(net)),
      ...under('grad.drop.', trained(net)),
    },
    label,
    { weights: net },
  );
  const features = 6;
  const projector = {
    ...linear('projector.0', 10, s.hidden),
    ...linear('projector.2', 10, 10),
    ...linear('projector.4', features, 10),
  };
  folder.write(
    'repa',
    config,
    { repa_layer: s.depth - 1, repa_weight: 0.5 },
    {
      'in.x1': state,
      'in.y': B,
      'in.label_drop': B,
      'noise.x0': state,
      'noise.t': B,
      'in.dino_feats': [s.batch, tokens, features],
      'out.pred': state,
      'out.loss': B,
      'out.proj_loss': [],
      'out.total': [],
      ...under('grad.', { ...trained(net), ...projector }),
    },
    label,
    { weights: net, projector },
  );
  folder.write(
    'adamw-ema',
    config,
    {},
    {
      'in.x1': state,
      'in.y': B,
      'in.label_drop': B,
      'noise.x0': state,
      'noise.t': B,
      ...under('out.step1.param.', trained(net)),
      ...under(`out.step${s.steps}.ema.`, trained(net)),
    },
    label,
    { weights: net },
    'AdamW(lr 3e-4, betas .8/.99, eps 1e-7, weight_decay 0), EMA 0.75 starts as a copy',
  );
  const D = s.hidden;
  const {
    'final_layer.linear.weight': _w,
    'final_layer.linear.bias': _b,
    ...rest
  } = sit(s, s.latents);
  folder.write(
    'separate-tokens',
    config,
    {},
    { 'in.x': state, 'in.t': B, 'in.y': B, 'out.v': state },
    label,
    {
      weights: {
        ...rest,
        'z_embedder.proj.weight': [D, s.rank, s.patch, s.patch],
        'z_embedder.proj.bias': [D],
        ...linear('final_layer.linear', s.patch ** 2 * s.latents, D),
        ...linear('final_layer.linear_z', s.patch ** 2 * s.rank, D),
      },
    },
  );
  writeSamplingCases(folder, s, net, config, state, scales);
}

function writeSamplingCases(
  folder: CaseFolder,
  s: Sizes,
  net: Shapes,
  config: Record<string, unknown>,
  state: readonly number[],
  scales: Record<string, number>,
): void {
  const B = [s.batch];
  const label = { 'in.y': s.classes, 'in.sample_y': s.classes, 'in.label_drop': 2 };
  const grid = s.steps + 1;
  const guidances = ['plain', 'cfg', 'cfg_vae', 'rg'];
  const all = (prefix: string, names: readonly string[], shape: readonly number[]): Shapes =>
    Object.fromEntries(names.map((n) => [`out.${prefix}_${n}`, shape]));
  folder.write(
    'redi-sample-ode',
    config,
    scales,
    {
      'in.noise': state,
      'in.y': B,
      'in.t_grid': [grid],
      ...all('euler', guidances, state),
      ...all('heun2', guidances, state),
      'out.euler_cfg_vae_traj': [grid, ...state],
      'out.heun2_rg_traj': [grid, ...state],
      'out.heun2_plain_traj': [grid, ...state],
      'out.dopri5_plain': state,
      'out.dopri5_rg': state,
    },
    label,
    { weights: net },
  );
  const args = (form: string, last: string | null, method = 'Euler', own = {}) => ({
    sampling_method: method,
    diffusion_form: form,
    diffusion_norm: 0.7,
    last_step: last,
    ...own,
  });
  const runs: Record<string, ReturnType<typeof args>> = {
    default_plain: args('sigma', 'Mean'),
    default_cfg: args('sigma', 'Mean'),
    default_cfg_vae: args('sigma', 'Mean'),
    default_rg: args('sigma', 'Mean'),
    sbdm_plain: args('SBDM', 'Tweedie'),
    constant_plain: args('constant', null),
    heun_rg: args('linear', 'Euler', 'Heun'),
    short_cfg: args('linear', 'Euler', 'Euler', { num_steps: s.steps, last_step_size: 0.2 }),
  };
  folder.write(
    'redi-sample-sde',
    config,
    {
      ...scales,
      last_step_size: 0.05,
      ...Object.fromEntries(Object.entries(runs).map(([n, a]) => [`args.${n}`, a])),
    },
    {
      'in.noise': state,
      'in.y': B,
      'noise.plain': [s.steps, ...state],
      'noise.guided': [s.steps, 2 * s.batch, ...state.slice(1)],
      'out.default_plain_traj': [grid, ...state],
      ...Object.fromEntries(Object.keys(runs).map((n) => [`out.${n}`, state])),
    },
    label,
    { weights: net },
  );
  folder.write(
    'dit-ddpm',
    config,
    { cfg_scale: 1.5 },
    {
      'in.x0': state,
      'in.y': B,
      'in.t': B,
      'noise.eps': state,
      'in.label_drop': B,
      'in.sample_noise': state,
      'in.sample_y': B,
      'noise.steps': [s.steps, ...state],
      'in.steps_ddpm': [s.steps],
      'in.steps_ddim': [s.steps - 1],
      'out.betas': [1000],
      'out.alphas_cumprod': [1000],
      'out.xt': state,
      'out.eps': state,
      'out.loss_x': B,
      'out.loss_z': B,
      'out.loss_lambda1': [],
      'out.loss_lambda0.25': [],
      ...under('grad.lambda0.25.', trained(net)),
      'out.sample_ddpm': state,
      'out.sample_ddpm_cfg_vae': state,
      'out.sample_ddim_eta0': state,
      'out.sample_ddim_eta0.3': state,
      'out.ddpm_first_step': state,
    },
    { ...label, 'in.t': 1000, 'in.steps_ddpm': 1000, 'in.steps_ddim': 1000 },
    { weights: net },
  );
}
