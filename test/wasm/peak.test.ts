/** A large run takes the memory of its data, once, and little more. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it.runIf(process.platform === 'linux')(
  'a leaf of 128 MB that comes in parts is in memory once',
  () => {
    const child = join(import.meta.dirname, 'peak-child.ts');
    const { data, grown } = JSON.parse(
      execFileSync(process.execPath, [child], { encoding: 'utf8' }),
    );
    expect(data).toBeGreaterThan(2 ** 28);
    // All of it was used, so the rest is what compiling left and one part.
    expect(grown).toBeGreaterThan(data);
    expect(grown - data).toBeLessThan(64e6);
  },
);
