/** Devices by name: what is said of each, what is refused, and that none loads another's package. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, deviceNames, openDevice } from '../../runtime/devices/registry.ts';

describe('the registry', () => {
  it('says of every device what it is, or why it is not there', async () => {
    const found = await availableDevices();
    expect([...found.keys()]).toEqual(deviceNames);
    for (const a of found.values()) expect((a.ok ? a.detail : a.reason).length).toBeGreaterThan(3);
    expect(found.get('reference')).toEqual({ ok: true, detail: 'f64 interpreter' });
  });

  it('refuses a name that is no device, with those that are', async () => {
    for (const name of ['cuda', 'toString', '__proto__'])
      await expect(openDevice(name as DeviceName)).rejects.toMatchObject({
        code: 'usage',
        hint: 'Devices are wasm, webgpu, gpujs, reference.',
      });
  });

  it('loads neither Dawn nor gpu.js for wasm and the reference', async () => {
    const registry = new URL('../../runtime/devices/registry.ts', import.meta.url).href;
    const script = `
      const { createRequire } = await import('node:module');
      const { openDevice } = await import('${registry}');
      for (const name of ['wasm', 'reference']) (await openDevice(name)).dispose();
      const files = [
        ...Object.keys(createRequire('${registry}').cache),
        ...process.report.getReport().sharedObjects,
      ];
      process.stdout.write(String(files.filter((f) => /gpu[.]js|dawn/.test(f)).length));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--no-warnings', '-e', script],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    expect(stdout).toBe('0');
  });
});
