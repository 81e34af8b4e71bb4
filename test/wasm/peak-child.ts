/** For peak.test.ts, in a process of its own: the most memory that one large run takes beyond its data. */
import { readFileSync } from 'node:fs';
import { wasmDevice } from '../../runtime/devices/wasm.ts';
import { compile } from '../../runtime/index.ts';

const status = (field: string): number =>
  1024 *
  Number(
    new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))![1],
  );

const N = 2 ** 25;
const program = compile({ 'f.tn': 'fn f[N](x: f32[N]): f32[N] = for n. 2 * x[n]\n' });
const f = program.function('f', { device: wasmDevice({ threads: 1 }), sizes: { N } });
const before = status('VmRSS');
const made = await f.prepare();
const room = new Float32Array(2 ** 18);
const part = (from: number, to: number) => room.subarray(0, to - from).fill(1);
made.write({ x: { shape: [N], read: () => new Float32Array(N).fill(1), part } });
await made.run();
process.stdout.write(JSON.stringify({ data: made.bytes, grown: status('VmHWM') - before }));
await f.dispose();
