/** `tenon sample RUN`: pictures from a trained model, with the guidance one likes. */
import { join } from 'node:path';
import { TenonError } from '../index.ts';
import type { HostTensor } from '../io/safetensors.ts';
import { writeSafetensorsFile } from '../io/safetensors-file.ts';
import { writeDrawing } from '../plot/rasterise.ts';
import { everyCategory, openRun, runFolder, sampleRun, samplesSvg } from '../train/index.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { collect } from './inputs.ts';
import { exit, json } from './io.ts';
import { realOption, wholeOption } from './numbers.ts';
import { progressReporter } from './progress.ts';

type Options = {
  readonly count?: string;
  readonly category?: readonly string[];
  readonly cfg?: string;
  readonly guidance?: string;
  readonly steps?: string;
  readonly seed?: string;
  readonly device?: string;
  readonly out?: string;
  readonly save?: string;
};

export const sampleCommand: CommandSpec<Options> = {
  usage: 'sample <run>',
  summary: 'draw pictures and features from a trained model',
  options(command) {
    command
      .option('--count <N>', 'pictures of each category')
      .option('--category <NAME>', 'only this category (may be repeated)', collect)
      .option('--cfg <W>', 'strength of classifier-free guidance, 1 is none')
      .option('--guidance <W>', 'strength of Representation Guidance, 1 is none')
      .option('--steps <N>', 'Euler steps')
      .option('--seed <N>', 'another seed gives other pictures')
      .option('--device <D>', 'wasm, webgpu, gpujs or reference')
      .option('--out <FILE>', 'the drawing, as .png and .svg (default RUN/drawn.png)')
      .option('--save <FILE>', 'also x, z and labels as safetensors');
  },
  async run(io, args, options) {
    const folder = runFolder(args[0]!);
    const reporter = progressReporter(io);
    await using run = await openRun(
      folder,
      {
        ...(options.device === undefined ? {} : { device: deviceName(options.device) }),
        ...wholeOption('seed', options.seed, 0, 2 ** 32 - 1),
        sample: {
          ...wholeOption('steps', options.steps, 1, 1000),
          ...realOption('cfg', options.cfg, 0, 100),
          ...realOption('repGuidance', options.guidance, 0, 100, 'guidance'),
          ...wholeOption('perCategory', options.count, 1, 4096, 'count'),
        },
      },
      { onProgress: reporter.show, signal: io.signal },
    );
    const { config } = run.context;
    const chosen = labelsOf(run.shown.classes, options.category);
    const labels = everyCategory(chosen.length, config.sample.perCategory).map((i) => chosen[i]!);
    const total = labels.length;
    reporter.show({ k: 'stage', stage: 'sample', from: 0, total });
    const samples = await sampleRun(run, labels, (done) =>
      reporter.show({ k: 'step', stage: 'sample', done, total }),
    ).finally(reporter.end);
    const out = options.out ?? join(folder.path, 'drawn.png');
    await writeDrawing(out, samplesSvg(run.context, samples, run.shown));
    if (options.save !== undefined) {
      const { size } = config.data;
      const f32 = (channels: number, data: Float32Array): HostTensor => ({
        dtype: 'F32',
        shape: [total, channels, size, size],
        data,
      });
      writeSafetensorsFile(
        options.save,
        new Map<string, HostTensor>([
          ['x', f32(3, samples.x)],
          ['z', f32(config.encoder.rank, samples.z)],
          ['labels', { dtype: 'I32', shape: [total], data: samples.labels }],
        ]),
      );
    }
    const stem = out.replace(/\.(svg|png)$/, '');
    const files = [`${stem}.png`, `${stem}.svg`, ...(options.save ? [options.save] : [])];
    io.out(options.json ? json({ files, count: total }) : `${files.join('\n')}\n`);
    return exit.ok;
  },
};

function labelsOf(classes: readonly string[], names: readonly string[] | undefined): number[] {
  if (names === undefined) return classes.map((_, i) => i);
  return names.map((name) => {
    const at = classes.findIndex((c) => c.toLowerCase() === name.toLowerCase());
    if (at >= 0) return at;
    throw new TenonError('usage', `the run has no category ${name}`, {
      hint: `Its categories are ${classes.join(', ')}.`,
    });
  });
}
