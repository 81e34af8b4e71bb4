/**
 * Worker threads that run plans together over one shared memory. The host's own thread only waits for
 * messages, so a progress bar moves, Ctrl-C is heard, and a worker that dies is noticed.
 *
 * Invariant: a job ends when every worker has answered or gone; when one failed, the others are told
 * through the memory's abort word and leave at their next barrier.
 */
import { control } from '../../compiler/emit/wasm/threads.ts';
import { TenonError } from '../errors.ts';

/** Runs in the worker: plain JavaScript, so that no file has to be found at run time. */
const source = `
const port = typeof require === 'function' ? require('node:worker_threads').parentPort : self;
const programs = new Map();
const answer = (m) => {
  try {
    if (m.k === 'load') {
      const made = new WebAssembly.Instance(m.module, { env: { memory: m.memory } });
      programs.set(m.id, made.exports.run);
    } else if (m.k === 'drop') programs.delete(m.id);
    else programs.get(m.id)(m.from, m.to, m.thread, m.threads);
    port.postMessage({ job: m.job });
  } catch (e) {
    port.postMessage({ job: m.job, error: String((e && e.message) || e) });
  }
};
if (port.on) port.on('message', answer);
else port.onmessage = (e) => answer(e.data);
`;

/** What Node's and the browsers' workers have in common here. */
export type Handle = {
  post(message: unknown): void;
  /** Whether the worker keeps the process alive. */
  hold(busy: boolean): void;
  stop(): void;
};

type Answer = { readonly job: number; readonly error?: string };
export type Heard = { answer(a: Answer): void; gone(why: string): void };

const inNode = (): boolean => typeof process !== 'undefined' && !!process.versions?.node;

export async function startWorker(heard: Heard): Promise<Handle> {
  if (inNode()) {
    const { Worker: NodeWorker } = await import('node:worker_threads');
    const w = new NodeWorker(source, { eval: true });
    w.on('message', heard.answer);
    w.on('error', (e) => heard.gone(String(e)));
    w.on('exit', () => heard.gone('it exited'));
    w.unref();
    return {
      post: (m) => w.postMessage(m),
      hold: (busy) => (busy ? w.ref() : w.unref()),
      stop: () => void w.terminate(),
    };
  }
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const w = new Worker(url);
  w.onmessage = (e: MessageEvent<Answer>) => heard.answer(e.data);
  w.onerror = (e) => heard.gone(e.message);
  return { post: (m) => w.postMessage(m), hold: () => {}, stop: () => w.terminate() };
}

/** Threads that the host offers: 1 where memory cannot be shared. */
export function availableThreads(): number {
  if (typeof SharedArrayBuffer === 'undefined') return 1;
  if (!inNode() && !globalThis.crossOriginIsolated) return 1;
  return Math.max(1, globalThis.navigator?.hardwareConcurrency ?? 1);
}

type Pending = {
  readonly words: Int32Array;
  readonly waiting: Set<number>;
  failure?: string;
  readonly done: (failure?: string) => void;
};

export class Pool {
  readonly size: number;
  readonly #open: (heard: Heard) => Promise<Handle>;
  readonly #workers: Handle[] = [];
  readonly #jobs = new Map<number, Pending>();
  #started: Promise<void> | undefined;
  #next = 0;
  #dead: string | undefined;

  /** `open` is for tests: they keep the handles, to take workers away. */
  constructor(size: number, open = startWorker) {
    this.size = size;
    this.#open = open;
  }

  #start(): Promise<void> {
    this.#started ??= (async () => {
      for (let i = 0; i < this.size; i++) {
        const heard: Heard = {
          answer: (a) => this.#answered(i, a.job, a.error),
          gone: (why) => this.#gone(why),
        };
        this.#workers.push(await this.#open(heard));
      }
    })();
    return this.#started;
  }

  #answered(worker: number, job: number, error?: string): void {
    const p = this.#jobs.get(job);
    if (!p) return;
    if (error !== undefined) {
      p.failure ??= error;
      Atomics.store(p.words, control.abort / 4, 1);
    }
    p.waiting.delete(worker);
    if (p.waiting.size === 0) this.#settle(job, p);
  }

  #settle(job: number, p: Pending): void {
    this.#jobs.delete(job);
    if (this.#jobs.size === 0) for (const w of this.#workers) w.hold(false);
    p.done(p.failure);
  }

  /** A worker is gone: no job can end well any more. */
  #gone(why: string): void {
    this.#dead ??= why;
    for (const [job, p] of this.#jobs) {
      p.failure ??= why;
      Atomics.store(p.words, control.abort / 4, 1);
      this.#settle(job, p);
    }
  }

  /** Sends one message to every worker and waits for all answers. */
  async #all(words: Int32Array, message: (worker: number) => object): Promise<void> {
    await this.#start();
    if (this.#dead !== undefined) throw died(this.#dead);
    const job = this.#next++;
    const failure = await new Promise<string | undefined>((done) => {
      this.#jobs.set(job, { words, waiting: new Set(this.#workers.keys()), done });
      this.#workers.forEach((w, i) => {
        w.hold(true);
        w.post({ ...message(i), job });
      });
    });
    if (this.#dead !== undefined) throw died(this.#dead);
    if (failure !== undefined) throw new TenonError('device', `a worker thread failed: ${failure}`);
  }

  load(id: number, module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<void> {
    const words = new Int32Array(memory.buffer, 0, 64);
    return this.#all(words, () => ({ k: 'load', id, module, memory }));
  }

  async run(
    id: number,
    memory: WebAssembly.Memory,
    steps: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const words = new Int32Array(memory.buffer, 0, 64);
    Atomics.store(words, control.count / 4, 0);
    Atomics.store(words, control.abort / 4, 0);
    const stop = (): void => void Atomics.store(words, control.abort / 4, 1);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await this.#all(words, (thread) => ({
        ...{ k: 'run', id, from: 0, to: steps, thread, threads: this.size },
      }));
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  drop(id: number): void {
    for (const w of this.#workers) w.post({ k: 'drop', id, job: -1 });
  }

  dispose(): void {
    // A browser tells nobody that a worker was ended: whoever waits is told here.
    this.#gone('the device was disposed of');
    for (const w of this.#workers) w.stop();
  }
}

const died = (why: string): TenonError =>
  new TenonError('device', `a worker thread of the wasm device ended: ${why}`, {
    hint: 'Its memory is lost: open the device again, and write every input again.',
  });
