/** A process of its own (see wide.ts): prints the GFLOP/s of a contraction on one thread. */
import process from 'node:process';
import { wasmDevice } from '../devices/wasm.ts';
import { contractionPeak } from '../profile/ceiling.ts';

process.stdout.write(`${await contractionPeak(wasmDevice({ threads: 1 }), 250)}\n`);
