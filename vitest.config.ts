import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Two workers: the suite must be at home on a two-core machine, and every worker may itself start
// threads for the Wasm target.
export default defineConfig({
  resolve: { alias: { tenon: fileURLToPath(new URL('./runtime/index.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    // Lanes of their own, with their own configuration: one needs a Chromium, one minutes.
    exclude: ['test/browser/**', 'test/long/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 0,
    hookTimeout: 0,
  },
});
