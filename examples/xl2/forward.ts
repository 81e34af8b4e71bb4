/**
 * One forward pass of ReDi's SiT at batch 1 with random weights, by the names of models/sizes.tn:
 *
 *   node examples/xl2/forward.ts xl2 s2
 *
 * Prints, for each network, how long compiling took, the seconds of the first pass and of the next
 * ones, the bytes on the device, and the largest memory of the process. Weights are made tensor by
 * tensor as they are written, as a checkpoint is read.
 */
import { fileURLToPath } from 'node:url';
import { expectedTensors, leavesAt, load, type Tensor } from '../../runtime/index.ts';

const sizes = { K: 1000, C: 4, R: 8, H: 16, W: 16 };
const passes = 3;

async function measure(name: string): Promise<void> {
  const program = await load(fileURLToPath(new URL('../../models/sizes.tn', import.meta.url)));
  const patch = Number(name.at(-1));
  const whole = { ...sizes, H: 32 / patch, W: 32 / patch };
  const leaves = leavesAt(program.find(name), 'p', whole);
  const weights = new Map(
    [...expectedTensors(leaves)].map(([tensor, shape]) => [
      tensor,
      { shape, read: () => wave(shape.reduce((a, b) => a * b, 1)) },
    ]),
  );
  const count = leaves.reduce((n, l) => n + l.shape.reduce((a, b) => a * b, 1), 0);
  let began = performance.now();
  await using f = program.function(name, { device: 'wasm', sizes: whole });
  const instance = await f.prepare();
  const compiled = since(began);
  began = performance.now();
  instance.write({
    p: weights,
    s: { x: { shape: [4, 32, 32], data: wave(4096) }, z: { shape: [8, 32, 32], data: wave(8192) } },
    t: 0.5,
    y: 7,
  });
  const written = since(began);
  const seconds: string[] = [];
  for (let i = 0; i < passes; i++) {
    began = performance.now();
    await instance.run();
    seconds.push(since(began));
  }
  const x = (await instance.read('out.x')) as Tensor;
  console.log(
    [
      `${name}: ${(count / 1e6).toFixed(0)} M parameters`,
      `compile ${compiled} s`,
      `write ${written} s`,
      `passes ${seconds.join(', ')} s`,
      `device ${gigabytes(instance.bytes)}`,
      `process at most ${gigabytes(1024 * process.resourceUsage().maxRSS)}`,
      `finite ${x.data.every(Number.isFinite)}`,
    ].join('; '),
  );
}

const since = (began: number): string => ((performance.now() - began) / 1000).toFixed(2);
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Values of about 0.02 without order, from the low bits of a linear congruence. */
function wave(length: number): Float32Array {
  const out = new Float32Array(length);
  for (let i = 0, a = length; i < length; i++) {
    a = (Math.imul(a, 1664525) + 1013904223) | 0;
    out[i] = a * (0.035 / 2 ** 31);
  }
  return out;
}

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ['s2', 'xl2']) await measure(name);
