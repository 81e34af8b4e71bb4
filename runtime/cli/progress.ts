/**
 * Progress of long work on standard error: a bar that is redrawn on a terminal, plain lines at every
 * tenth otherwise.
 */
import { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import type { Progress, Stage } from '../train/index.ts';
import type { Io } from './io.ts';

const titles: Record<Stage, string> = {
  data: 'preparing the pictures',
  encoder: 'training the encoder',
  features: 'computing the features',
  train: 'training the model',
  sample: 'sampling',
  evaluate: 'measuring samples',
};

export type Reporter = {
  readonly show: (event: Progress) => void;
  /** Takes the bar away; call before printing anything else. */
  readonly end: () => void;
};

export function progressReporter(io: Io): Reporter {
  return io.terminal ? onTerminal(io) : inLines(io);
}

/** Time since a stage began, and what is left of it at this pace. */
function pace() {
  let began = performance.now();
  let from = 0;
  return {
    begin(at: number) {
      began = performance.now();
      from = at;
    },
    at(done: number, total: number): { rate: string; left: string } {
      const seconds = (performance.now() - began) / 1000;
      const rate = (done - from) / Math.max(seconds, 1e-3);
      return {
        rate: rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2),
        left: rate > 0 ? duration((total - done) / rate) : '?',
      };
    },
  };
}

export function duration(seconds: number): string {
  const s = Math.round(seconds);
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
}

const unit = (stage: Stage): string =>
  stage === 'encoder' || stage === 'train' ? 'steps/s' : 'pictures/s';

function heldOutText(e: Extract<Progress, { k: 'held-out' }>): string {
  const n = (v: number): string => v.toFixed(3);
  return `held out x ${n(e.x)} (constant ${n(e.constantX)})  z ${n(e.z)} (constant ${n(e.constantZ)})`;
}

/** The last twentieth, so that the number shown can be read. */
function smooth() {
  let mean: number | undefined;
  return (loss: number): number => {
    mean = mean === undefined ? loss : 0.95 * mean + 0.05 * loss;
    return mean;
  };
}

function inLines(io: Io): Reporter {
  const clock = pace();
  let stage: Stage = 'data';
  let shown = 0;
  let loss = smooth();
  return {
    show(e) {
      switch (e.k) {
        case 'stage':
          clock.begin(e.from);
          stage = e.stage;
          shown = e.from;
          loss = smooth();
          io.err(`${titles[e.stage]}${e.from > 0 ? ` from ${e.from} of ${e.total}` : ''}\n`);
          return;
        case 'step': {
          const mean = e.loss === undefined ? undefined : loss(e.loss);
          if (e.done - shown < e.total / 10 && e.done !== e.total) return;
          shown = e.done;
          const { rate, left } = clock.at(e.done, e.total);
          const lossText = mean === undefined ? '' : `  loss ${mean.toFixed(3)}`;
          const time = `${rate} ${unit(stage)}  ${left} left`;
          io.err(`  ${e.done}/${e.total}${lossText}  ${time}\n`);
          return;
        }
        case 'held-out':
          io.err(`  step ${e.step}  ${heldOutText(e)}\n`);
          return;
        case 'note':
          io.err(`${e.text}\n`);
          return;
        default:
          e satisfies never;
      }
    },
    end() {},
  };
}

function onTerminal(io: Io): Reporter {
  const clock = pace();
  const stream = Object.assign(
    new Writable({
      write(chunk, _encoding, written) {
        io.err(String(chunk));
        written();
      },
    }),
    { isTTY: true, columns: 200 },
  );
  const bar = new cliProgress.SingleBar(
    {
      stream: stream as unknown as NodeJS.WritableStream,
      barsize: 24,
      hideCursor: false,
      clearOnComplete: true,
      gracefulExit: false,
      linewrap: null,
      format: (options, params, payload: { title: string; text: string }) =>
        `${payload.title.padEnd(23)} ${cliProgress.Format.BarFormat(params.progress, options)} ${params.value}/${params.total}  ${payload.text}`,
    },
    cliProgress.Presets.shades_classic,
  );
  let stage: Stage = 'data';
  let title = '';
  let on = false;
  let done = 0;
  let total = 1;
  let loss = smooth();
  const start = (): void => {
    bar.start(total, done, { title, text: '' });
    on = true;
  };
  const stop = (): void => {
    if (on) bar.stop();
    on = false;
  };
  /** A line that stays, over the bar. */
  const above = (text: string): void => {
    stop();
    io.err(`${text}\n`);
    if (done < total) start();
  };
  return {
    show(e) {
      switch (e.k) {
        case 'stage':
          stop();
          clock.begin(e.from);
          stage = e.stage;
          title = titles[e.stage];
          loss = smooth();
          done = e.from;
          total = e.total;
          start();
          return;
        case 'step': {
          done = e.done;
          const mean = e.loss === undefined ? '' : `loss ${loss(e.loss).toFixed(3)}  `;
          const { rate, left } = clock.at(e.done, e.total);
          if (!on) start();
          bar.update(e.done, { title, text: `${mean}${rate} ${unit(stage)}  ${left} left` });
          return;
        }
        case 'held-out':
          above(`step ${String(e.step).padStart(5)}  ${heldOutText(e)}`);
          return;
        case 'note':
          above(e.text);
          return;
        default:
          e satisfies never;
      }
    },
    end: stop,
  };
}
