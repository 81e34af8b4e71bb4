import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Its own lane (npm run test:long): random programs, each lane minutes long, one after the other so
// that each has the machine to itself.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/long/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 0,
    hookTimeout: 0,
  },
});
