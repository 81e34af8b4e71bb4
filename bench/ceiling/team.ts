/**
 * Runs one function, `run(thread)`, on this thread and on workers at once. A worker waits for the next
 * job by spinning a little and then sleeping; this thread spins until the others are done, which no
 * library may do to its host, and which is what a ceiling should do.
 */
import { Worker } from 'node:worker_threads';

/** Words of the control block, beside the barrier's. */
const word = { job: 32, done: 48 } as const;

const source = `
const { workerData: { module, memory, thread, word }, parentPort } = require('node:worker_threads');
const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports;
const control = new Int32Array(memory.buffer, 0, 64);
parentPort.postMessage('ready');
for (let job = 0; ; ) {
  for (let n = 0; n < 2000 && Atomics.load(control, word.job) === job; n++);
  while (Atomics.load(control, word.job) === job) Atomics.wait(control, word.job, job);
  job++;
  run(thread);
  Atomics.add(control, word.done, 1);
}`;

export type Team = { readonly memory: WebAssembly.Memory; run(): void };

export async function team(
  bytes: Uint8Array<ArrayBuffer>,
  pages: number,
  threads: number,
): Promise<Team> {
  const module = await WebAssembly.compile(bytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: threads > 1 });
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports['run'] as (
    thread: number,
  ) => void;
  if (threads === 1) return { memory, run: () => run(0) };
  const control = new Int32Array(memory.buffer, 0, 64);
  for (let thread = 1; thread < threads; thread++) {
    const worker = new Worker(source, { eval: true, workerData: { module, memory, thread, word } });
    worker.unref();
    await new Promise((ready) => worker.once('message', ready));
  }
  return {
    memory,
    run() {
      Atomics.store(control, word.done, 0);
      Atomics.add(control, word.job, 1);
      Atomics.notify(control, word.job);
      run(0);
      while (Atomics.load(control, word.done) < threads - 1);
    },
  };
}
