/**
 * The text of an AutoencoderKL for a given number of levels: types and calls of the pieces in
 * models/vae.tn, one line per piece. Channels differ from level to level, and whether a block has a
 * shortcut convolution depends on them, so every architecture is a type of its own.
 *
 * Invariant: models/sd-vae.tn is this text for Stable Diffusion's architecture (a test compares
 * them); nothing here computes.
 */

export type VaeShape = {
  /** Per level, which of the distinct widths it has: [0, 1, 2, 2] for 128, 256, 512, 512. */
  readonly widths: readonly number[];
  /** Residual blocks per level of the encoder; the decoder has one more. */
  readonly layers: number;
};

/** The shape of an autoencoder with these channels. */
export function vaeShape(channels: readonly number[], layers: number): VaeShape {
  const distinct = [...new Set(channels)];
  return { widths: channels.map((c) => distinct.indexOf(c)), layers };
}

const channels = (w: number): string => `G*N${w}`;

/** One level: its blocks' types and calls, and what changes the size of the picture. */
type Level = { readonly from: number; readonly to: number; readonly resampled: boolean };

const resnetType = (from: number, to: number): string =>
  from === to ? `Resnet[${channels(to)}]` : `ResnetTo[${channels(from)}, ${channels(to)}]`;

/** @param from where the imports are found, relative to the text: './' or '../'. */
export function vaeProgram({ widths, layers }: VaeShape, from = './'): string {
  const last = widths.length - 1;
  const top = widths[last]!;
  const encoder = widths.map(
    (to, i): Level => ({ from: widths[Math.max(i - 1, 0)]!, to, resampled: i < last }),
  );
  const reversed = [...widths].reverse();
  const decoder = reversed.map(
    (to, i): Level => ({ from: reversed[Math.max(i - 1, 0)]!, to, resampled: i < last }),
  );
  const down = levelCalls(encoder, layers, 'e.down_blocks', 'downsample', 'downsamplers');
  const up = levelCalls(decoder, layers + 1, 'd.up_blocks', 'upsample', 'upsamplers');
  const distinct = [...new Set(widths)].map((w) => `N${w}`);
  const names = ['G', ...distinct, 'C'].join(', ');
  const factor = 2 ** last;
  const positive = [...distinct, 'H', 'W'].map((n) => `${n} >= 1`).join(', ');
  return `# AutoencoderKL (Rombach et al. 2022) with ${counted(widths.length, 'level')} of ${counted(layers, 'residual block')}, put together from
# the pieces of vae.tn under the parameter names of the published checkpoints. Channels come as G
# groups of ${distinct.join(', ')}; latents have C channels and are neither scaled nor unscaled here.

import { Conv, conv, pointwise, Affine } from "${from}conv.tn"
import { ${pieces(widths).join(', ')} } from "${from}vae.tn"

type Encoder[${names}] = {
  conv_in: Conv[3, ${channels(widths[0]!)}, 3, 3],
  down_blocks: { ${levelTypes(encoder, layers, 'downsamplers')} },
  mid_block: Mid[${channels(top)}],
  conv_norm_out: Affine[${channels(top)}],
  conv_out: Conv[${channels(top)}, 2*C, 3, 3]
}

type Decoder[${names}] = {
  conv_in: Conv[C, ${channels(top)}, 3, 3],
  mid_block: Mid[${channels(top)}],
  up_blocks: { ${levelTypes(decoder, layers + 1, 'upsamplers')} },
  conv_norm_out: Affine[${channels(widths[0]!)}],
  conv_out: Conv[${channels(widths[0]!)}, 3, 3, 3]
}

type Vae[${names}] = {
  encoder: Encoder[${names}],
  decoder: Decoder[${names}],
  quant_conv: Conv[2*C, 2*C, 1, 1],
  post_quant_conv: Conv[C, C, 1, 1]
}

/// Mean and log-variance of the posterior, on top of each other.
fn encode[${names}, H, W](p: Vae[${names}], img: f32[3, ${factor}*H, ${factor}*W]): f32[2*C, H, W]
    where ${positive} =
  let e = p.encoder
  let h = conv[S = 1, Z = 1](e.conv_in, img)
${down.lines.join('\n')}
  let m = mid[G](e.mid_block, ${down.state})
  pointwise(p.quant_conv, outward[G](e.conv_norm_out, e.conv_out, m))

/// The picture of a latent.
fn decode[${names}, H, W](p: Vae[${names}], latent: f32[C, H, W]): f32[3, H*${factor}, W*${factor}]
    where ${positive} =
  let d = p.decoder
  let m = conv[S = 1, Z = 1](d.conv_in, pointwise(p.post_quant_conv, latent))
  let h = mid[G](d.mid_block, m)
${up.lines.join('\n')}
  outward[G](d.conv_norm_out, d.conv_out, ${up.state})

/// The posteriors of a batch of pictures.
fn posteriors[${names}, B, H, W](p: Vae[${names}], image: f32[B, 3, ${factor}*H, ${factor}*W]):
    { mean: f32[B, C, H, W], logvar: f32[B, C, H, W], std: f32[B, C, H, W] }
    where ${positive} =
  let m = for b. moments(encode[G](p, image[b]))
  { mean: for b. m[b].mean, logvar: for b. m[b].logvar, std: for b. m[b].std }

/// The pictures of a batch of latents.
fn pictures[${names}, B, H, W](p: Vae[${names}], latent: f32[B, C, H, W]):
    f32[B, 3, H*${factor}, W*${factor}] where ${positive} =
  for b. decode[G](p, latent[b])
`;
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** What the text needs of vae.tn. */
function pieces(widths: readonly number[]): string[] {
  const level = widths.length > 1 ? ['Sampler', 'downsample', 'upsample'] : [];
  const shortcut = new Set(widths).size > 1 ? ['ResnetTo', 'resnetTo'] : [];
  return ['Resnet', ...shortcut, 'Mid', ...level, 'resnet', 'mid', 'outward', 'moments'];
}

function levelTypes(levels: readonly Level[], blocks: number, sampler: string): string {
  return levels
    .map(({ from, to, resampled }, i) => {
      const types = Array.from(
        { length: blocks },
        (_, b) => `${b}: ${resnetType(b === 0 ? from : to, to)}`,
      );
      const change = resampled ? `, ${sampler}: { 0: Sampler[${channels(to)}] }` : '';
      return `${i}: { resnets: { ${types.join(', ')} }${change} }`;
    })
    .join(', ');
}

function levelCalls(
  levels: readonly Level[],
  blocks: number,
  at: string,
  change: string,
  sampler: string,
): { readonly lines: readonly string[]; readonly state: string } {
  let state = 'h';
  const lines: string[] = [];
  for (const [i, { from, to, resampled }] of levels.entries()) {
    for (let b = 0; b < blocks; b++) {
      const call = b === 0 && from !== to ? 'resnetTo' : 'resnet';
      lines.push(`  let h${i}_${b} = ${call}[G](${at}.${i}.resnets.${b}, ${state})`);
      state = `h${i}_${b}`;
    }
    if (!resampled) continue;
    lines.push(`  let s${i} = ${change}(${at}.${i}.${sampler}.0, ${state})`);
    state = `s${i}`;
  }
  return { lines, state };
}
