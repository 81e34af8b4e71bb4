/**
 * Every property of `npm test` draws from one seed, so that a run of the suite says something about
 * the change at hand and not about luck. Looking for what no test has seen is the work of the long
 * lanes, which take a seed: `npm run fuzz`, `npm run robust`, `npm run mutants`.
 */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20251123 });
