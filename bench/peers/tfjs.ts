/**
 * TensorFlow.js on its WebAssembly backend. It runs operation by operation and cannot compile; in Node
 * it has no threads. Where it has no kernel of its own, as for GELU, it is written in what it has.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { inOut, outIn } from '../layout.ts';
import type { Kind, Workload } from '../workloads.ts';
import { type Peer, peerPackage } from './peer.ts';

type Arr = {
  add(o: Arr | number): Arr;
  sub(o: Arr | number): Arr;
  mul(o: Arr | number): Arr;
  div(o: Arr | number): Arr;
  square(): Arr;
  sqrt(): Arr;
  tanh(): Arr;
  sum(): Arr;
  mean(axis: number, keep: boolean): Arr;
  softmax(axis: number): Arr;
  sigmoid(): Arr;
  matMul(o: Arr, ta?: boolean, tb?: boolean): Arr;
  reshape(shape: readonly number[]): Arr;
  transpose(perm: readonly number[]): Arr;
  split(n: number, axis: number): Arr[];
  data(): Promise<Float32Array>;
  dispose(): void;
};
type Tree = Readonly<Record<string, Arr>>;
type Tf = {
  tensor(data: Float32Array, shape: readonly number[]): Arr;
  tidy<T>(f: () => T): T;
  keep(a: Arr): Arr;
  matMul(a: Arr, b: Arr, ta?: boolean, tb?: boolean): Arr;
  valueAndGrads(f: (...x: Arr[]) => Arr): (x: Arr[]) => { value: Arr; grads: Arr[] };
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
};

const gelu = (x: Arr): Arr =>
  x.add(x.square().mul(x).mul(0.044715)).mul(0.7978845608028654).tanh().add(1).mul(x).mul(0.5);

function normalise(x: Arr, eps: number): Arr {
  const centred = x.sub(x.mean(-1, true));
  return centred.div(centred.square().mean(-1, true).add(eps).sqrt());
}

function block(w: Workload, p: Tree): Arr {
  const { B, T, A, E } = w.sizes as Record<'B' | 'T' | 'A' | 'E', number>;
  const D = A * E;
  const linear = (name: string, x: Arr): Arr =>
    x.matMul(p[`p.${name}.weight`]!).add(p[`p.${name}.bias`]!);
  const modulate = (x: Arr, shift: Arr, scale: Arr): Arr =>
    normalise(x, 1e-6)
      .mul(scale.add(1))
      .add(shift)
      .reshape([B * T, D]);
  const c = p['c']!;
  const x = p['x']!;
  const m = linear('adaLN_modulation.1', c.mul(c.sigmoid())).reshape([B, 1, 6 * D]);
  const s = m.split(6, 2);
  const heads = linear('attn.qkv', modulate(x, s[0]!, s[1]!))
    .reshape([B * T, 3, A * E])
    .split(3, 1)
    .map((a) =>
      a
        .reshape([B, T, A, E])
        .transpose([0, 2, 1, 3])
        .reshape([B * A, T, E]),
    );
  const [q, k, v] = heads as [Arr, Arr, Arr];
  const scores = q.mul(E ** -0.5).matMul(k, false, true);
  const mixed = scores.softmax(-1).matMul(v).reshape([B, A, T, E]).transpose([0, 2, 1, 3]);
  const attended = linear('attn.proj', mixed.reshape([B * T, D])).reshape([B, T, D]);
  const h = x.add(s[2]!.mul(attended));
  const hidden = gelu(linear('mlp.fc1', modulate(h, s[3]!, s[4]!)));
  return h.add(s[5]!.mul(linear('mlp.fc2', hidden).reshape([B, T, D])));
}

const forward: Readonly<Partial<Record<Kind, (w: Workload, i: Tree) => Arr>>> = {
  matmul: (_, i) => i['a']!.matMul(i['b']!),
  gelu: (_, i) => gelu(i['x']!.mul(i['a']!).add(i['b']!)),
  softmax: (_, i) => i['x']!.softmax(-1),
  layerNorm: (_, i) => normalise(i['x']!, 1e-5).mul(i['weight']!).add(i['bias']!),
  block,
};

/** Node's fetch reads no files, and the backend fetches its own module. */
function fetchFromPackage(): void {
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  globalThis.fetch = async (url) => {
    const name = String(url).split('/').at(-1)!;
    const headers = { 'content-type': 'application/wasm' };
    return new Response(readFileSync(`${folder}/${name}`), { headers });
  };
}

export const tfjs: Peer = async (w) => {
  if (w.kind !== 'blockGrad' && !forward[w.kind]) return undefined;
  const tf = await peerPackage<Tf>('@tensorflow/tfjs');
  fetchFromPackage();
  await peerPackage('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  await tf.ready();
  const inputs = Object.fromEntries(
    w.inputs.map((i) => {
      const { data, shape } = inOut(i);
      return [i.name, tf.tensor(data, shape)];
    }),
  );
  const names = Object.keys(inputs);
  let last: Tree = {};
  const compute = (): Tree => {
    if (w.kind !== 'blockGrad') return { out: forward[w.kind]!(w, inputs) };
    const f = tf.valueAndGrads((...x) =>
      block(w, Object.fromEntries(x.map((a, i) => [names[i]!, a])))
        .square()
        .sum(),
    );
    const { value, grads } = f(Object.values(inputs));
    return { out: value, ...Object.fromEntries(grads.map((g, i) => [`grad.${names[i]}`, g])) };
  };
  return {
    run() {
      for (const a of Object.values(last)) a.dispose();
      last = tf.tidy(compute);
    },
    async read() {
      const out = new Map<string, Float32Array>();
      for (const [name, a] of Object.entries(last)) {
        const data = await a.data();
        const input = w.inputs.find((i) => `grad.${i.name}` === name);
        out.set(name, input ? outIn(input, data) : data);
      }
      return out;
    },
  };
};
