/**
 * Ctrl-C in the midst of a computation that does not give the event loop its turn: a handler of the
 * process would hear of it only at the end.
 */
import { setImmediate } from 'node:timers/promises';
import vm from 'node:vm';
import { TenonError } from '../errors.ts';

/**
 * What `work` gives; Ctrl-C ends it at once, wherever it is. So it computes only: what it has begun
 * beside that would stay half done.
 * @throws TenonError `aborted`
 */
export async function interruptible<T>(signal: AbortSignal, work: () => T): Promise<T> {
  const context = vm.createContext({ work });
  // The handlers of the process have their turn between one piece of work and the next.
  await setImmediate();
  if (signal.aborted) throw interrupted();
  try {
    return vm.runInContext('work()', context, { breakOnSigint: true });
  } catch (e) {
    throw isInterruption(e) ? interrupted() : e;
  }
}

const interrupted = (): TenonError => new TenonError('aborted', 'interrupted');

function isInterruption(e: unknown): boolean {
  const code = typeof e === 'object' && e !== null && 'code' in e ? e.code : undefined;
  return code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
}
