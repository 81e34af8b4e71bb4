/** One question to a checkout's front end, in a process that has seen nothing before (front.ts). */
import { fileURLToPath } from 'node:url';
import { startScript } from '../process.ts';
import { type Checkout, moduleOf } from './checkout.ts';
import type { FrontAnswer, FrontRequest } from './front.ts';

const script = fileURLToPath(new URL('./front.ts', import.meta.url));

/** @throws when the process fails; the message is its own. */
export async function askFront(c: Checkout, request: FrontRequest): Promise<FrontAnswer> {
  const args = ['dsl/index', 'dsl/parse'].map((name) => moduleOf(c, name));
  const process = startScript<FrontRequest, FrontAnswer>(script, { args });
  try {
    return await process.ask(request);
  } finally {
    await process.end();
  }
}
