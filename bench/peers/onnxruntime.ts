/** onnxruntime in both its forms: native code in Node, and WebAssembly with threads. */
import { fill } from '../fill.ts';
import { onnxModel } from '../onnx.ts';
import { type Peer, peerPackage } from './peer.ts';

type Tensor = { readonly data: Float32Array };
type Runtime = {
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{
      run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
    }>;
  };
};

const peer =
  (specifier: string, provider: string): Peer =>
  async (w, { threads }) => {
    const model = await onnxModel(w);
    if (!model) return undefined;
    const loaded = await peerPackage<Runtime & { default?: Runtime }>(specifier);
    const ort = loaded.default ?? loaded;
    ort.env.wasm.numThreads = threads;
    ort.env.logLevel = 'error';
    const start = performance.now();
    const session = await ort.InferenceSession.create(model.bytes, {
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    const compileMs = performance.now() - start;
    const feeds = Object.fromEntries(
      model.inputs.map((i) => [i.name, new ort.Tensor('float32', fill(i), i.shape)]),
    );
    let last: Readonly<Record<string, Tensor>> = {};
    return {
      compileMs,
      async run() {
        last = await session.run(feeds);
      },
      read: async () => new Map([['out', last[model.result]!.data]]),
    };
  };

export const native = peer('onnxruntime-node', 'cpu');
export const web = peer('onnxruntime-web', 'wasm');
