/** `tenon eval RUN`: the numbers of a run's report once more, with other samples or guidance. */
import { evaluateRun, openRun, readPictures, readRunConfig, runFolder } from '../train/index.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { exit, json, table } from './io.ts';
import { realOption, wholeOption } from './numbers.ts';
import { progressReporter } from './progress.ts';
import { fixed } from './train.ts';

type Options = {
  readonly samples?: string;
  readonly cfg?: string;
  readonly guidance?: string;
  readonly steps?: string;
  readonly seed?: string;
  readonly device?: string;
};

export const evalCommand: CommandSpec<Options> = {
  usage: 'eval <run>',
  summary: 'held-out loss and Frechet distance of a trained model',
  options(command) {
    command
      .option('--samples <N>', 'samples to draw')
      .option('--cfg <W>', 'strength of classifier-free guidance, 1 is none')
      .option('--guidance <W>', 'strength of Representation Guidance, 1 is none')
      .option('--steps <N>', 'Euler steps')
      .option('--seed <N>', 'the seed of the samples and of the held-out noise')
      .option('--device <D>', 'wasm, webgpu, gpujs or reference');
  },
  async run(io, args, options) {
    const folder = runFolder(args[0]!);
    const reporter = progressReporter(io);
    const watch = { onProgress: reporter.show, signal: io.signal };
    await using run = await openRun(
      folder,
      {
        ...(options.device === undefined ? {} : { device: deviceName(options.device) }),
        ...wholeOption('seed', options.seed, 0, 2 ** 32 - 1),
        sample: {
          ...wholeOption('steps', options.steps, 1, 1000),
          ...realOption('cfg', options.cfg, 0, 100),
          ...realOption('repGuidance', options.guidance, 0, 100, 'guidance'),
        },
        evaluate: wholeOption('samples', options.samples, 2, 2 ** 24),
      },
      watch,
    );
    const pictures = readPictures(readRunConfig(folder), '.cache', watch);
    const { heldOut: h, frechet: f } = await evaluateRun(folder, run, pictures).finally(
      reporter.end,
    );
    if (options.json) io.out(json({ folder: folder.path, heldOut: h, frechet: f }));
    else {
      io.out(
        table([
          ['held-out loss of x', fixed(h.x), `best constant ${fixed(h.constantX)}`],
          ['held-out loss of z', fixed(h.z), `best constant ${fixed(h.constantZ)}`],
          ['Frechet distance, trained', fixed(f.trained), `${f.samples} samples`],
          ['Frechet distance, untrained', fixed(f.untrained)],
          ['Frechet distance, real halves', fixed(f.realHalves)],
          ['trained / untrained', f.ratio.toFixed(4)],
        ]),
      );
    }
    return exit.ok;
  },
};
