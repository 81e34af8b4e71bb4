/**
 * The command line as a process: streams, Ctrl-C, exit code. The one place that owns the process;
 * what to do is front.ts.
 */
import process from 'node:process';
import { front } from './front.ts';
import { exit, type Io } from './io.ts';
import { reportFailure } from './report.ts';
import { switchWide } from './wide.ts';

export async function start(argv: readonly string[]): Promise<void> {
  switchWide(argv);
  const controller = new AbortController();
  // The first Ctrl-C asks the command to end in order, the second one ends it.
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(exit.interrupted);
    controller.abort(new Error('interrupted'));
  });
  // A reader that has seen enough (`tenon ... | head`) is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (e: NodeJS.ErrnoException) => {
      process.exit(e.code === 'EPIPE' ? exit.ok : exit.wrong);
    });
  }
  const io: Io = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    signal: controller.signal,
    terminal: process.stderr.isTTY ?? false,
  };
  const verbose = argv.includes('-v') || argv.includes('--verbose');
  const unexpected = (e: unknown): void => {
    reportFailure(e, io, verbose);
    process.exit(exit.wrong);
  };
  process.on('uncaughtException', unexpected);
  process.on('unhandledRejection', unexpected);
  const code = await front(argv, io);
  // Worker threads and GPU devices may outlive what started them; written text must not be lost.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(code);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}
