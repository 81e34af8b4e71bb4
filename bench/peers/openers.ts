/** Each peer's module is loaded in its own process and nowhere else. */
import type { Peer } from './peer.ts';

export const openers: Readonly<Record<string, () => Promise<Peer>>> = {
  tenon: async () => (await import('./tenon.ts')).tenon,
  ceiling: async () => (await import('./ceiling.ts')).ceiling,
  ortNode: async () => (await import('./onnxruntime.ts')).native,
  ortWeb: async () => (await import('./onnxruntime.ts')).web,
  jax: async () => (await import('./jax.ts')).jax,
  tfjs: async () => (await import('./tfjs.ts')).tfjs,
};

/** The packages a peer needs beyond the project's own. */
export const packagesOf: Readonly<Record<string, readonly string[]>> = {
  tenon: [],
  ceiling: [],
  ortNode: ['onnxruntime-node', 'protobufjs'],
  ortWeb: ['onnxruntime-web', 'protobufjs'],
  jax: ['@jax-js/jax'],
  tfjs: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'],
};
