/** Device names on a command line. */
import { type DeviceName, deviceNames, TenonError } from '../index.ts';

/** @throws TenonError (`usage`) that lists what there is. */
export function deviceName(text: string): DeviceName {
  const found = deviceNames.find((n) => n === text);
  if (found !== undefined) return found;
  throw new TenonError('usage', `there is no device ${text}`, {
    hint: `The devices are ${deviceNames.join(', ')}; \`tenon doctor\` says which work here.`,
  });
}
