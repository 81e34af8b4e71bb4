/** `tenon golden DIR`: recorded reference values against the models. */
import { type Row, runGolden } from '../golden/golden.ts';
import { openDevice } from '../index.ts';
import { deviceName } from './devices.ts';
import type { CommandSpec } from './front.ts';
import { exit, json } from './io.ts';

export const goldenCommand: CommandSpec<{ readonly device: string; readonly case?: string }> = {
  usage: 'golden <folder>',
  summary: 'compare the models with recorded reference values',
  options(command) {
    command.option('--case <NAME>', 'only this case');
    command.option('--device <D>', 'wasm, webgpu, gpujs or reference', 'wasm');
  },
  async run(io, args, options) {
    const device = await openDevice(deviceName(options.device));
    const rows: Row[] = [];
    try {
      const only = options.case;
      for await (const row of runGolden(args[0]!, { device, signal: io.signal, only })) {
        rows.push(row);
        if (!options.json) io.out(`${line(row)}\n`);
      }
    } finally {
      device.dispose();
    }
    const count = (status: Row['status']): number => rows.filter((r) => r.status === status).length;
    const [missed, unchecked] = [count('MISS'), count('unchecked')];
    const checked = rows.length - unchecked;
    if (options.json) io.out(json({ checked, missed, unchecked, rows }));
    else io.out(`${checked} checked, ${missed} missed, ${unchecked} unchecked\n`);
    return missed + unchecked > 0 ? exit.wrong : exit.ok;
  },
};

function line(row: Row): string {
  const number = (v: number | undefined): string => (v === undefined ? '-' : v.toExponential(2));
  const note = row.note === undefined ? '' : `  ${row.note}`;
  return `${row.case} ${row.tensor} ${number(row.error)} ${number(row.allowed)} ${row.status}${note}`;
}
