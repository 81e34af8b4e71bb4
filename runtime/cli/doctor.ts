/** `tenon doctor`: what works here, and why the rest does not. */
import process from 'node:process';
import { availableDevices } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { exit, json, table } from './io.ts';

export const doctorCommand: CommandSpec = {
  usage: 'doctor',
  summary: 'which devices exist here, and why the others do not',
  async run(io, _args, options) {
    const devices = await availableDevices();
    const node = `${process.versions.node} (${process.platform} ${process.arch})`;
    if (options.json) io.out(json({ node, devices: Object.fromEntries(devices) }));
    else {
      io.out(
        table([
          ['node', node],
          ...[...devices].map(([name, a]) => [name, a.ok ? `yes: ${a.detail}` : `no: ${a.reason}`]),
        ]),
      );
    }
    return devices.get('wasm')?.ok ? exit.ok : exit.wrong;
  },
};
