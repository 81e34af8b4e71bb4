/** `tenon doctor`: what works here, and why the rest does not. */
import process from 'node:process';
import { availableDevices } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { exit, json, table } from './io.ts';
import { narrowOption, reportWide, type WideReport } from './wide.ts';

export const doctorCommand: CommandSpec = {
  usage: 'doctor',
  summary: 'which devices exist here, and why the others do not',
  async run(io, _args, options) {
    const devices = await availableDevices();
    const wide = await reportWide();
    const node = `${process.versions.node} (${process.platform} ${process.arch})`;
    if (options.json) io.out(json({ node, devices: Object.fromEntries(devices), wide }));
    else {
      io.out(
        table([
          ['node', node],
          ...[...devices].map(([name, a]) => [name, a.ok ? `yes: ${a.detail}` : `no: ${a.reason}`]),
          ['256-bit wasm', wideText(wide)],
        ]),
      );
    }
    return devices.get('wasm')?.ok ? exit.ok : exit.wrong;
  },
};

function wideText(w: WideReport): string {
  const state = w.on ? `on (${narrowOption} leaves it off)` : 'off';
  if (w.with === undefined || w.without === undefined) return `${state}: ${w.note}`;
  const rate = (gflops: number): string => `${gflops.toFixed(0)} GFLOP/s`;
  const gain = (w.with / w.without).toFixed(1);
  return `${state}: a contraction runs at ${rate(w.with)} with it, at ${rate(w.without)} without: ${gain} x`;
}
