/**
 * What a peer's process offers its driver. `open` builds the computation (its time is the cold compile
 * time), `run` executes it once on data that is already there, and ends when the result is there too.
 */
import type { Workload } from '../workloads.ts';

export type Opened = {
  /** Milliseconds from the program to something that can run; absent where nothing is compiled. */
  readonly compileMs?: number;
  /** Bytes that the compiled computation holds for its data, where the peer tells. */
  readonly bytes?: number;
  run(): void | Promise<void>;
  /** The compared results of the last run, or of the first one, in the program's layout. */
  read(): Promise<ReadonlyMap<string, Float32Array>>;
};

export type PeerOptions = {
  readonly threads: number;
  readonly wide: boolean;
  readonly odd: boolean;
};

/** Undefined: this peer cannot compute that workload. */
export type Peer = (w: Workload, options: PeerOptions) => Promise<Opened | undefined>;

/** A package of bench/node_modules, which a checkout may not have, so the type checker is not told. */
export const peerPackage = <T>(specifier: string): Promise<T> => import(specifier) as Promise<T>;
