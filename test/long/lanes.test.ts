/**
 * The lanes of random programs, each as a user starts it and long enough to meet what the short forms
 * in `npm test` do not: another seed than theirs, every device. A campaign is a hundred times this.
 */
import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices } from '../../runtime/index.ts';

type Lane = {
  readonly what: string;
  readonly args: readonly string[];
  readonly needs?: DeviceName;
};

const proof = (device: string, programs: number): readonly string[] => [
  ...['--lane', 'proof', '--seed', '5', '--device', device],
  ...['--programs', String(programs)],
];

const compiled = (device: string, programs: number): readonly string[] => [
  ...['--lane', 'compiled', '--seed', '5', '--device', device],
  ...['--programs', String(programs)],
];

const lanes: readonly Lane[] = [
  { what: 'passes, derivatives and wasm', args: ['--programs', '1200', '--seed', '5'] },
  { what: 'proofs, reference and wasm', args: proof('reference,wasm', 2500) },
  { what: 'proofs, gpujs', args: proof('gpujs', 250), needs: 'gpujs' },
  { what: 'proofs, webgpu', args: proof('webgpu', 250), needs: 'webgpu' },
  { what: 'compiled, reference and wasm', args: compiled('reference,wasm,wasm2', 600) },
  { what: 'compiled, gpujs', args: compiled('gpujs', 100), needs: 'gpujs' },
  { what: 'compiled, webgpu', args: compiled('webgpu', 100), needs: 'webgpu' },
  { what: 'compiled, nests of derivatives', args: [...compiled('reference', 100), '--nests'] },
];

/** The exit code and everything that was printed. */
function fuzz(args: readonly string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['test/gen/fuzz.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    child.stdout.on('data', (s) => (out += s));
    child.stderr.on('data', (s) => {
      out += s;
      process.stderr.write(s);
    });
    child.on('close', (code) => done({ code, out }));
  });
}

const available = await availableDevices();

for (const { what, args, needs } of lanes) {
  const found = needs === undefined ? { ok: true as const } : available.get(needs)!;
  const required = process.env['TENON_REQUIRE_GPU'] === '1';
  it.skipIf(!found.ok && !required)(what, async () => {
    const { code, out } = await fuzz(args);
    expect(code, out).toBe(0);
    expect(out).toMatch(/\d+ programs, 0 failures, seed 5\n$/);
  });
}
