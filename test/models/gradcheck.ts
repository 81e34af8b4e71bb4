/**
 * `npm run gradcheck:models [-- --device D FILE...]`: every function of models/, and an instance of
 * each that takes functions, by every parameter leaf; values and gradients on the device against the
 * reference. A row per function, last `N verified, F failed, K skipped`; exits 1 on a failure.
 */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { openDevice } from '../../runtime/devices/registry.ts';
import { gradcheckFunction } from '../../runtime/gradcheck/check-function.ts';
import { compareFunction } from '../../runtime/gradcheck/compare-function.ts';
import { instantiate } from '../../runtime/gradcheck/instantiate.ts';
import { allowedSizes } from '../../runtime/gradcheck/sizes.ts';
import { type DeviceName, load } from '../../runtime/index.ts';

const root = join(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({
  options: { device: { type: 'string', default: 'wasm' } },
  allowPositionals: true,
});
const all = [
  ...readdirSync(join(root, 'models'))
    .filter((f) => f.endsWith('.tn'))
    .map((f) => join(root, 'models', f)),
  join(import.meta.dirname, 'instances.tn'),
];
const files = positionals.length > 0 ? positionals : all;
const settings = { runs: 20, seed: 1 };

const device = await openDevice(values.device as DeviceName);
const count = { verified: 0, failed: 0, skipped: 0 };
const row = (verdict: keyof typeof count, name: string, text: string): void => {
  count[verdict]++;
  process.stdout.write(`${verdict.padEnd(8)}  ${name}  ${text}\n`);
};
for (const file of files) {
  const program = await load(file);
  for (const fn of program.functions) {
    const name = `${relative(root, file)} ${fn.name}`;
    const instance = instantiate(fn);
    if (instance !== undefined && allowedSizes(instance, {}).length === 0) {
      row('skipped', name, 'its sizes are fixed and large; it calls a function that is checked');
      continue;
    }
    const report = gradcheckFunction(program.typed, fn, settings);
    if (report.skipped !== undefined) {
      row('skipped', name, report.skipped);
      continue;
    }
    const wrong = report.leaves.find((l) => l.problem !== undefined);
    if (wrong !== undefined) {
      row('failed', name, `${wrong.leaf}: ${wrong.problem}`);
      continue;
    }
    if (report.fault !== undefined) {
      row('failed', name, report.fault.message);
      continue;
    }
    const domain = report.domain!;
    const { lo, hi } = domain;
    const on = await compareFunction(program.typed, fn, device, { ...settings, domain });
    const again = report.leaves.reduce((n, l) => n + l.resampled, 0);
    const text = `${report.leaves.length} leaves on [${lo}, ${hi}], ${again} points drawn again`;
    const off =
      on === undefined ? '' : `, ${values.device} ${(on.error / on.bound).toFixed(3)} of its bound`;
    row(on?.ok === false ? 'failed' : 'verified', name, text + off);
  }
}
device.dispose();
process.stdout.write(
  `${count.verified} verified, ${count.failed} failed, ${count.skipped} skipped\n`,
);
process.exitCode = count.failed > 0 ? 1 : 0;
