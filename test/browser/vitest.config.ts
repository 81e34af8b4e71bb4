import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Its own lane (npm run test:browser): it needs a Chromium, which `npm test` does not.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/browser/**/*.test.ts'], testTimeout: 0, hookTimeout: 0 },
});
