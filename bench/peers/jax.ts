/**
 * jax-js on its WebAssembly backend, every workload under `jit`. Its threads are browser Workers; Node
 * has none of these, so they are made here from Node's own.
 *
 * In jax-js a function consumes its arguments; `x.ref` is another reference to keep.
 */
import { resolveObjectURL } from 'node:buffer';
import { Worker as NodeWorker } from 'node:worker_threads';
import { inOut, outIn } from '../layout.ts';
import type { Kind, Workload } from '../workloads.ts';
import { type Opened, type Peer, peerPackage } from './peer.ts';

type Operand = Arr | number;
type Arr = {
  readonly ref: Arr;
  add(o: Operand): Arr;
  sub(o: Operand): Arr;
  mul(o: Operand): Arr;
  div(o: Operand): Arr;
  sum(axis?: number): Arr;
  reshape(shape: readonly number[]): Arr;
  transpose(perm: readonly number[]): Arr;
  data(): Promise<Float32Array>;
  blockUntilReady(): Promise<Arr>;
  dispose(): void;
};
type Tree = { readonly [name: string]: Arr };
type Jax = {
  readonly numpy: {
    array(data: Float32Array, o: { shape: readonly number[] }): Arr;
    matmul(a: Arr, b: Arr): Arr;
    mean(a: Arr, axis: number, o: { keepdims: boolean }): Arr;
    sqrt(a: Arr): Arr;
    square(a: Arr): Arr;
    split(a: Arr, n: number, axis: number): Arr[];
  };
  readonly nn: {
    gelu(x: Arr): Arr;
    silu(x: Arr): Arr;
    softmax(x: Arr, axis: number): Arr;
  };
  init(...devices: string[]): Promise<unknown>;
  defaultDevice(device: string): unknown;
  jit<F>(f: F): F;
  valueAndGrad(f: (t: Tree) => Arr): (t: Tree) => [Arr, Tree];
};

/** What a browser's Worker is to the code that uses it, on Node's worker threads. */
class BrowserWorker {
  onmessage: (e: { data: unknown }) => void = () => {};
  onerror: (e: { message: string }) => void = () => {};
  readonly #started: Promise<NodeWorker>;

  constructor(url: string) {
    this.#started = this.#start(url);
    this.#started.catch((e) => this.onerror({ message: String(e) }));
  }

  async #start(url: string): Promise<NodeWorker> {
    const text = await resolveObjectURL(url)!.text();
    const prelude = `const { parentPort } = require('node:worker_threads');
      globalThis.self = globalThis;
      globalThis.postMessage = (m) => parentPort.postMessage(m);
      parentPort.on('message', (data) => globalThis.onmessage({ data }));`;
    const worker = new NodeWorker(`${prelude}\n${text}`, { eval: true });
    worker.on('message', (data) => this.onmessage({ data }));
    worker.on('error', (e) => this.onerror({ message: String(e) }));
    worker.unref();
    return worker;
  }

  postMessage(message: unknown): void {
    void this.#started.then((w) => w.postMessage(message));
  }
}

type Build = (jax: Jax, w: Workload) => (i: Tree) => Arr;

/** (x - mean) / sqrt(variance + eps) over the last axis. */
function normalise({ numpy: np }: Jax, x: Arr, eps: number): Arr {
  const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
  return centred.div(np.sqrt(variance.add(eps)));
}

const block: Build = (jax, w) => (p) => {
  const { numpy: np, nn } = jax;
  const { B, T, A, E } = w.sizes as Record<'B' | 'T' | 'A' | 'E', number>;
  const D = A * E;
  const linear = (name: string, x: Arr): Arr =>
    np.matmul(x, p[`p.${name}.weight`]!).add(p[`p.${name}.bias`]!);
  const rows = [B * T, D];
  const tokens = [B, T, D];
  const modulate = (x: Arr, shift: Arr, scale: Arr): Arr =>
    normalise(jax, x, 1e-6).mul(scale.add(1)).add(shift);
  const m = linear('adaLN_modulation.1', nn.silu(p['c']!)).reshape([B, 1, 6 * D]);
  const [s0, s1, s2, s3, s4, s5] = np.split(m, 6, 2) as [Arr, Arr, Arr, Arr, Arr, Arr];
  const x = p['x']!;
  const qkv = linear('attn.qkv', modulate(x.ref, s0, s1).reshape(rows)).reshape([B, T, 3, A, E]);
  const [q, k, v] = np
    .split(qkv.transpose([2, 0, 3, 1, 4]), 3, 0)
    .map((a) => a.reshape([B, A, T, E])) as [Arr, Arr, Arr];
  const scores = np.matmul(q.mul(E ** -0.5), k.transpose([0, 1, 3, 2]));
  const mixed = np.matmul(nn.softmax(scores, -1), v).transpose([0, 2, 1, 3]).reshape(rows);
  const h = x.add(s2.mul(linear('attn.proj', mixed).reshape(tokens)));
  const hidden = nn.gelu(linear('mlp.fc1', modulate(h.ref, s3, s4).reshape(rows)));
  return h.add(s5.mul(linear('mlp.fc2', hidden).reshape(tokens)));
};

const forward: Readonly<Partial<Record<Kind, Build>>> = {
  matmul:
    ({ numpy }) =>
    (i) =>
      numpy.matmul(i['a']!, i['b']!),
  gelu:
    ({ nn }) =>
    (i) =>
      nn.gelu(i['x']!.mul(i['a']!).add(i['b']!)),
  softmax:
    ({ nn }) =>
    (i) =>
      nn.softmax(i['x']!, -1),
  layerNorm: (jax) => (i) => normalise(jax, i['x']!, 1e-5).mul(i['weight']!).add(i['bias']!),
  block,
};

function build(jax: Jax, w: Workload): ((i: Tree) => Tree) | undefined {
  if (w.kind === 'blockGrad') {
    const f = jax.valueAndGrad((i) => jax.numpy.square(block(jax, w)(i)).sum());
    return (i) => {
      const [out, gradient] = f(i);
      const named = Object.entries(gradient).map(([n, g]) => [`grad.${n}`, g]);
      return { out, ...Object.fromEntries(named) };
    };
  }
  const f = forward[w.kind]?.(jax, w);
  return f && ((i) => ({ out: f(i) }));
}

export const jax: Peer = async (w, { threads }): Promise<Opened | undefined> => {
  if (threads > 1) {
    Object.defineProperty(globalThis, 'Worker', { value: BrowserWorker });
    Object.defineProperty(globalThis.navigator, 'hardwareConcurrency', { value: threads });
  }
  const lib = await peerPackage<Jax>('@jax-js/jax');
  await lib.init('wasm');
  lib.defaultDevice('wasm');
  const f = build(lib, w);
  if (!f) return undefined;
  const run = lib.jit(f);
  const inputs: [string, Arr][] = w.inputs.map((i) => {
    const { data, shape } = inOut(i);
    return [i.name, lib.numpy.array(data, { shape })];
  });
  let last: Tree = {};
  return {
    async run() {
      for (const a of Object.values(last)) a.dispose();
      last = run(Object.fromEntries(inputs.map(([name, a]) => [name, a.ref])));
      for (const a of Object.values(last)) await a.blockUntilReady();
    },
    async read() {
      const out = new Map<string, Float32Array>();
      for (const [name, a] of Object.entries(last)) {
        const data = await a.ref.data();
        const input = w.inputs.find((i) => `grad.${i.name}` === name);
        out.set(name, input ? outIn(input, data) : data);
      }
      return out;
    },
  };
};
