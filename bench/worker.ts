/**
 * A peer's own process, for one workload: opens it, runs it when asked, sends back times, results and
 * memory. Started by bench/process.ts with the peer's name; one request, one answer.
 */
import { readFileSync } from 'node:fs';
import { openers } from './peers/openers.ts';
import type { Opened } from './peers/peer.ts';
import type { Answer, Request } from './process.ts';

/** The largest resident size so far, in bytes; 0 where the system does not tell. */
function peak(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

let opened: Opened | undefined;

async function answer(m: Request): Promise<Omit<Answer, 'memory'>> {
  if (m.k === 'open') {
    const open = await openers[m.peer]!();
    opened = await open(m.workload, m.options);
    if (!opened) return { absent: true };
    const { compileMs, bytes } = opened;
    return { compileMs, bytes };
  }
  if (m.k === 'read') return { results: await opened!.read() };
  const times: number[] = [];
  const start = performance.now();
  while (times.length < m.least || performance.now() - start < m.budget) {
    const t = performance.now();
    // Not awaited when there is nothing to wait for: a turn of the event loop is no part of a kernel.
    const done = opened!.run();
    if (done) await done;
    times.push(performance.now() - t);
  }
  return { times };
}

process.on('message', async (m: Request) => {
  try {
    const a = await answer(m);
    process.send!({ ...a, memory: peak() });
  } catch (e) {
    process.send!({
      error: e instanceof Error ? (e.stack ?? e.message) : String(e),
      memory: peak(),
    });
  }
});
