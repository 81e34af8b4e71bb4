/**
 * Several devices as one: a function is specialised once and run on all of them, through the same
 * interface as a device alone (runtime/devices/device.ts).
 *
 * Invariant: what one device throws does not keep the others from running; `last` holds what each of
 * them gave.
 */

import type {
  Compiled,
  Device,
  DeviceName,
  Executable,
  HostArray,
} from '../../runtime/devices/device.ts';
import { checksOf } from './checks.ts';

export type Given =
  | { readonly k: 'values'; readonly outputs: readonly HostArray[] }
  | { readonly k: 'threw'; readonly error: unknown };

export type Together = {
  readonly device: Device;
  /** What the last run gave, by device; empty when it did not come to running. */
  readonly last: Map<DeviceName, Given>;
  /** Of all plans that were made. */
  readonly checks: Record<string, number>;
};

export function together(devices: readonly Device[]): Together {
  const last = new Map<DeviceName, Given>();
  const checks: Record<string, number> = {};
  const planned = devices.some((d) => d.name !== 'reference');
  const device: Device = {
    name: devices[0]!.name,
    prepare: (program) => {
      if (planned) addChecks(checks, program);
      return prepareAll(devices, program, last);
    },
    dispose: () => {},
  };
  return { device, last, checks };
}

/** A plan that cannot be made is the device's to report. */
function addChecks(to: Record<string, number>, program: Compiled): void {
  try {
    for (const [kind, n] of Object.entries(checksOf(program))) to[kind] = (to[kind] ?? 0) + n;
  } catch {}
}

async function prepareAll(
  devices: readonly Device[],
  program: Compiled,
  last: Map<DeviceName, Given>,
): Promise<Executable> {
  const all: {
    readonly name: DeviceName;
    readonly made: Executable | { readonly error: unknown };
  }[] = [];
  for (const d of devices) {
    try {
      all.push({ name: d.name, made: await d.prepare(program) });
    } catch (error) {
      all.push({ name: d.name, made: { error } });
    }
  }
  const there = all.flatMap(({ made }) => ('error' in made ? [] : [made]));
  const count = program.core.outputs.length;
  return {
    write: (input, data, at) => {
      for (const e of there) e.write(input, data, at);
    },
    async run(signal) {
      for (const { name, made } of all) last.set(name, await runOne(made, count, signal));
    },
    async read(output) {
      for (const given of last.values()) if (given.k === 'values') return given.outputs[output]!;
      throw new Error('no device gave anything');
    },
    bytes: 0,
    dispose: () => {
      for (const e of there) e.dispose();
    },
  };
}

async function runOne(
  made: Executable | { readonly error: unknown },
  count: number,
  signal: AbortSignal | undefined,
): Promise<Given> {
  if ('error' in made) return { k: 'threw', error: made.error };
  try {
    await made.run(signal);
    const outputs: HostArray[] = [];
    for (let i = 0; i < count; i++) outputs.push(await made.read(i));
    return { k: 'values', outputs };
  } catch (error) {
    return { k: 'threw', error };
  }
}
