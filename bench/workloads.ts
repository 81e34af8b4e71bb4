/**
 * What is measured: W1 to W6 and a training step, each with its sizes, its inputs, what every peer's
 * results are compared in, and what it costs at least (operations of its products, or bytes).
 *
 * A workload is data: the peers' processes are given its id and build the same computation from it.
 * With `odd` the sizes are such that nothing divides by a tile or a vector, and the functions are
 * renamed, so that speed cannot come from knowing a size or a name.
 */
import type { Input } from './fill.ts';

export type Kind = 'matmul' | 'gelu' | 'softmax' | 'layerNorm' | 'block' | 'blockGrad' | 'step';

export type Workload = {
  readonly id: string;
  readonly kind: Kind;
  readonly title: string;
  readonly program: string;
  readonly fn: string;
  readonly grad: readonly string[];
  readonly sizes: Readonly<Record<string, number>>;
  readonly inputs: readonly Input[];
  /** Names of the results that are compared. */
  readonly compared: readonly string[];
  /** Largest error that is still the same computation, relative to the largest element. */
  readonly tolerance: number;
  /** Operations of its products, forward and backward; 0 where bytes bound it. */
  readonly flops: number;
  /** Bytes that must be read and written; 0 where operations bound it. */
  readonly bytes: number;
};

const input = (
  name: string,
  shape: readonly number[],
  seed: number,
  spread = 2,
  mid = 0,
): Input => ({
  ...{ name, shape, seed, spread, mid },
});

const base = {
  program: 'kernels.tn',
  grad: [],
  compared: ['out'],
  tolerance: 1e-4,
  flops: 0,
  bytes: 0,
};

export function matmul(part: string, M: number, K: number, N: number): Workload {
  return {
    ...base,
    ...{ id: `W1${part}`, kind: 'matmul', fn: 'matmul', sizes: { M, K, N }, flops: 2 * M * K * N },
    title: `[${M}, ${K}] @ [${K}, ${N}]`,
    inputs: [input('a', [M, K], 1), input('b', [K, N], 2)],
  };
}

function gelu(N: number): Workload {
  return {
    ...base,
    ...{ id: 'W2', kind: 'gelu', fn: 'geluOfAffine', sizes: { N }, bytes: 8 * N },
    title: `gelu(a x + b), ${N}`,
    inputs: [input('x', [N], 1, 8), input('a', [], 2, 0, 1.25), input('b', [], 3, 0, 0.125)],
  };
}

function softmax(R: number, C: number): Workload {
  return {
    ...base,
    ...{ id: 'W3', kind: 'softmax', fn: 'softmaxRows', sizes: { R, C }, bytes: 8 * R * C },
    title: `softmax [${R}, ${C}]`,
    inputs: [input('x', [R, C], 1, 8)],
  };
}

function layerNorm(R: number, C: number): Workload {
  return {
    ...base,
    ...{ id: 'W4', kind: 'layerNorm', fn: 'layerNormRows', sizes: { R, C }, bytes: 8 * R * C },
    title: `layer norm [${R}, ${C}]`,
    inputs: [input('x', [R, C], 1), input('weight', [C], 2, 1, 1), input('bias', [C], 3)],
  };
}

/** Linear maps of a block: weights [out, in] under PyTorch's names. */
const linear = (name: string, O: number, I: number, seed: number): Input[] => [
  input(`${name}.weight`, [O, I], seed, 0.2),
  input(`${name}.bias`, [O], seed + 1, 0.2),
];
const blockParameters = (at: string, D: number, seed: number): Input[] => [
  ...linear(`${at}.attn.qkv`, 3 * D, D, seed),
  ...linear(`${at}.attn.proj`, D, D, seed + 2),
  ...linear(`${at}.mlp.fc1`, 4 * D, D, seed + 4),
  ...linear(`${at}.mlp.fc2`, D, 4 * D, seed + 6),
  ...linear(`${at}.adaLN_modulation.1`, 6 * D, D, seed + 8),
];

/** Operations of one block forward: four linear maps, scores and values, the modulation. */
function blockFlops(B: number, T: number, D: number): number {
  return 2 * B * T * D * 12 * D + 4 * B * T * T * D + 2 * B * D * 6 * D;
}

function block(id: string, B: number, T: number, A: number, E: number): Workload {
  const D = A * E;
  return {
    ...base,
    ...{ id, kind: 'block', program: 'block.tn', fn: 'forward', sizes: { B, T, A, E } },
    title: `SiT block, batch ${B}, ${T} tokens, ${A} heads of ${E}`,
    inputs: [input('x', [B, T, D], 11), input('c', [B, D], 12), ...blockParameters('p', D, 13)],
    flops: blockFlops(B, T, D),
    tolerance: 1e-3,
  };
}

function blockGrad(B: number, T: number, A: number, E: number): Workload {
  const forward = block('W6', B, T, A, E);
  return {
    ...forward,
    ...{ kind: 'blockGrad', fn: 'energy', grad: ['p', 'x', 'c'], flops: 3 * forward.flops },
    title: `${forward.title}, and its gradient`,
    compared: ['out', ...forward.inputs.map((i) => `grad.${i.name}`)],
  };
}

export type StepSizes = Readonly<
  Record<'B' | 'L' | 'K' | 'C' | 'R' | 'H' | 'W' | 'P' | 'A' | 'E', number>
>;

export function sitStep(s: StepSizes): Workload {
  const { B, L, K, C, R, H, W, P, A, E } = s;
  const D = A * E;
  const T = H * W;
  const Q = C + R;
  const at = 'state.params';
  const params: Input[] = [
    input(`${at}.pos_embed`, [1, T, D], 100),
    input(`${at}.x_embedder.proj.weight`, [D, Q, P, P], 101, 0.4),
    input(`${at}.x_embedder.proj.bias`, [D], 102, 0.2),
    ...linear(`${at}.t_embedder.mlp.0`, D, 256, 103),
    ...linear(`${at}.t_embedder.mlp.2`, D, D, 105),
    input(`${at}.y_embedder.embedding_table.weight`, [K + 1, D], 107, 0.1),
    ...Array.from({ length: L }, (_, l) =>
      blockParameters(`${at}.blocks.${l}`, D, 1000 + 20 * l),
    ).flat(),
    ...linear(`${at}.final_layer.linear`, P * P * Q, D, 108),
    ...linear(`${at}.final_layer.adaLN_modulation.1`, 2 * D, D, 110),
  ];
  const moments = ['m', 'v'].flatMap((m) =>
    params.map((p) => ({ ...p, name: p.name.replace(at, `state.moments.${m}`), spread: 0 })),
  );
  const image = [B, Q, H * P, W * P];
  const outside = 2 * B * T * D * P * P * Q * 2 + 2 * B * D * (256 + D + 2 * D);
  return {
    ...{ id: 'step', kind: 'step', program: 'step.tn', fn: 'step', grad: [] },
    title: `SiT training step: ${L} blocks of ${D}, batch ${B}, ${T} tokens`,
    sizes: s,
    inputs: [
      ...params,
      ...moments,
      input('x1', image, 1),
      input('x0', image, 2),
      input('t', [B], 3, 0.8, 0.5),
      { ...input('y', [B], 4), below: K },
      input('n', [], 5, 0, 1),
      input('lr', [], 6, 0, 1e-4),
      input('decay', [], 7, 0, 0.01),
    ],
    // Not the parameters: where a gradient is zero, AdamW's first step is the sign of its rounding.
    compared: [
      'out.loss',
      ...[
        'x_embedder.proj.weight',
        'blocks.0.attn.qkv.weight',
        `blocks.${L - 1}.mlp.fc1.weight`,
      ].map((n) => `out.state.moments.m.${n}`),
    ],
    tolerance: 2e-3,
    flops: 3 * (L * blockFlops(B, T, D) + outside),
    bytes: 0,
  };
}

export const named: readonly Workload[] = [
  matmul('a', 1024, 1024, 1024),
  matmul('b', 1024, 384, 1536),
  matmul('c', 1024, 384, 1152),
  gelu(2 ** 22),
  softmax(6144, 256),
  layerNorm(1024, 384),
  block('W5', 4, 256, 6, 64),
  blockGrad(4, 256, 6, 64),
  sitStep({ B: 4, L: 12, K: 1000, C: 4, R: 8, H: 16, W: 16, P: 2, A: 6, E: 64 }),
];

export const odd: readonly Workload[] = [
  matmul('a', 1000, 1000, 1000),
  matmul('b', 1000, 383, 1531),
  matmul('c', 1000, 383, 1149),
  gelu(4_000_003),
  softmax(7000, 250),
  layerNorm(1000, 383),
  block('W5', 4, 250, 7, 55),
  blockGrad(4, 250, 7, 55),
];

/** Everything at sizes that the f64 interpreter can follow, for tests. */
export const tiny: readonly Workload[] = [
  matmul('a', 5, 7, 9),
  gelu(37),
  softmax(3, 11),
  layerNorm(4, 9),
  block('W5', 2, 5, 2, 3),
  blockGrad(2, 5, 2, 3),
  sitStep({ B: 2, L: 2, K: 3, C: 2, R: 3, H: 2, W: 2, P: 2, A: 2, E: 2 }),
];

/** `W1` names W1a, W1b and W1c. */
export function select<T extends { readonly id: string }>(
  all: readonly T[],
  only: readonly string[],
): readonly T[] {
  if (only.length === 0) return all;
  return all.filter((w) => only.some((o) => w.id.toLowerCase().startsWith(o.toLowerCase())));
}
