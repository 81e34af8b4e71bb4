/**
 * Peers run in processes of their own: no peer's heap, threads or compiler tier touches another's.
 * Between its turns a process is stopped, so that threads which spin while idle take nothing from the
 * peer that is being timed.
 */
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PeerOptions } from './peers/peer.ts';
import type { Variant } from './variants.ts';
import type { Workload } from './workloads.ts';

export type Request =
  | {
      readonly k: 'open';
      readonly peer: string;
      readonly workload: Workload;
      readonly options: PeerOptions;
    }
  /** Runs at least so often, and until the budget (ms) is used up. */
  | { readonly k: 'time'; readonly least: number; readonly budget: number }
  | { readonly k: 'read' };

export type Answer = {
  readonly absent?: boolean;
  readonly error?: string;
  readonly compileMs?: number;
  readonly bytes?: number;
  readonly times?: readonly number[];
  readonly results?: ReadonlyMap<string, Float32Array>;
  /** Peak resident bytes so far. */
  readonly memory: number;
};

/** Of one question at a time. */
export type Exchange<Q, A> = {
  /** @throws when the other side fails; the message is its own. */
  ask(m: Q): Promise<A>;
  end(): Promise<void>;
};

export type PeerProcess = Exchange<Request, Answer>;

const wideFlag = '--experimental-wasm-revectorize';

export async function start(v: Variant): Promise<PeerProcess> {
  return v.peer === 'torch' ? startPython(v) : startWorker(worker, v.wide);
}

/** A child that is stopped does not hear that its parent ends. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** What both kinds share: one request at a time to a child that is stopped in between. */
function exchange<Q, A extends { readonly error?: string }>(
  child: ChildProcess,
  send: (m: Q) => void,
  decode: (raw: unknown, asked: Q) => A,
  listen: (heard: (raw: unknown) => void) => void,
  errors: () => string,
): Exchange<Q, A> {
  let waiting: { asked: Q; done: (a: A) => void; fail: (e: Error) => void } | undefined;
  let ended: string | undefined;
  children.add(child);
  listen((raw) => {
    const w = waiting;
    waiting = undefined;
    child.kill('SIGSTOP');
    const a = decode(raw, w!.asked);
    if (a.error === undefined) w!.done(a);
    else w!.fail(new Error(a.error));
  });
  child.on('exit', (code, signal) => {
    children.delete(child);
    ended = `its process ended (${signal ?? code}) ${errors()}`;
    waiting?.fail(new Error(ended));
  });
  return {
    ask: (asked) =>
      new Promise<A>((done, fail) => {
        if (ended !== undefined) return fail(new Error(ended));
        waiting = { asked, done, fail };
        child.kill('SIGCONT');
        send(asked);
      }),
    end: () =>
      new Promise<void>((done) => {
        if (ended !== undefined) return done();
        child.once('exit', () => done());
        child.kill('SIGKILL');
      }),
  };
}

/**
 * Compiled, as the library is for its users (npm run bench does it): a process that strips types
 * itself holds 27 MB more, and starts later, whichever peer it runs.
 */
const worker = fileURLToPath(new URL('./dist/bench/worker.js', import.meta.url));

/** A worker.js, of this checkout or of another one. */
export const startWorker = (script: string, wide: boolean): PeerProcess =>
  startScript(script, { flags: wide ? [wideFlag] : [] });

/** A script that answers each message with one message. */
export function startScript<Q, A extends { readonly error?: string }>(
  script: string,
  how: { readonly args?: readonly string[]; readonly flags?: readonly string[] },
): Exchange<Q, A> {
  const child = fork(script, how.args ?? [], {
    execArgv: [...(how.flags ?? [])],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const log = tail(child);
  return exchange<Q, A>(
    child,
    (m) => void child.send(m as object),
    (raw) => raw as A,
    (heard) => void child.on('message', heard),
    log,
  );
}

/** OpenBLAS with the kernels of this machine's widest vectors, threads that sleep when idle. */
const pythonEnvironment = { OPENBLAS_CORETYPE: 'Cooperlake', OMP_WAIT_POLICY: 'passive' };

function startPython(v: Variant): PeerProcess {
  const script = fileURLToPath(new URL('./peers/pytorch.py', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'tenon-bench-'));
  const file = join(folder, 'results');
  const child = spawn('/usr/bin/python3', [script], {
    env: { ...process.env, ...pythonEnvironment, OMP_NUM_THREADS: String(v.threads) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const lines = createInterface({ input: child.stdout! });
  const log = tail(child);
  let names: readonly string[] = [];
  return exchange<Request, Answer>(
    child,
    (m) => {
      const message =
        m.k === 'open'
          ? { k: m.k, workload: m.workload, threads: v.threads }
          : m.k === 'read'
            ? { k: m.k, names, file }
            : m;
      if (m.k === 'open') names = m.workload.compared;
      child.stdin!.write(`${JSON.stringify(message)}\n`);
    },
    (raw, asked) => {
      const { sizes, ...a } = JSON.parse(raw as string) as Answer & { sizes?: number[] };
      return asked.k === 'read' ? { ...a, results: split(file, names, sizes!) } : a;
    },
    (heard) => void lines.on('line', heard),
    log,
  );
}

function split(
  file: string,
  names: readonly string[],
  sizes: readonly number[],
): ReadonlyMap<string, Float32Array> {
  const bytes = readFileSync(file);
  const out = new Map<string, Float32Array>();
  let at = 0;
  names.forEach((name, i) => {
    const end = at + 4 * sizes[i]!;
    out.set(name, new Float32Array(Uint8Array.from(bytes.subarray(at, end)).buffer));
    at = end;
  });
  return out;
}

/** The last lines of a child's standard error. */
function tail(child: ChildProcess): () => string {
  const kept: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    kept.push(line);
    if (kept.length > 12) kept.shift();
  });
  return () => kept.join('\n');
}

const peakOf = {
  node: "process.stdout.write(require('fs').readFileSync('/proc/self/status','utf8'))",
  python: "print(open('/proc/self/status').read())",
} as const;

/** Peak resident bytes of an interpreter that does nothing; 0 where the system does not tell. */
export async function emptyProcess(kind: keyof typeof peakOf): Promise<number> {
  const [command, flag] = kind === 'node' ? [process.execPath, '-e'] : ['/usr/bin/python3', '-c'];
  return new Promise((done) => {
    execFile(command, [flag, peakOf[kind]], (_, status) => {
      done(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
    });
  });
}
