/**
 * The long lanes of random programs: `npm run fuzz -- --programs N --seed S` takes them through the
 * passes, their derivatives and wasm (lane.ts); `--lane proof` looks for proofs that do not hold
 * (test/proof/lane.ts), `--lane compiled` for values that a compiler changes (test/compiled/lane.ts),
 * `--lane jax` for what another language makes of the same programs (test/jax/lane.ts).
 */
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { lane: { type: 'string' } }, strict: false });
switch (values.lane) {
  case undefined:
    await import('./lane.ts');
    break;
  case 'proof':
    await import('../proof/lane.ts');
    break;
  case 'compiled':
    await import('../compiled/lane.ts');
    break;
  case 'jax':
    await import('../jax/lane.ts');
    break;
  default:
    process.stderr.write(
      `there is no lane ${values.lane}; there are proof, compiled, jax and the one without a name\n`,
    );
    process.exitCode = 2;
}
