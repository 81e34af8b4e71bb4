/**
 * Replaces a file as a whole or not at all: the new contents go to a temporary file in the same
 * folder, are flushed to the disk, and only then take the name (POSIX rename). After a crash, a
 * full disk or a kill at any moment the name holds either the old contents or the new ones.
 *
 * Invariant: on an error the temporary file is gone and the old file is untouched. A kill can
 * leave a `.NAME.*.tmp` behind, which nothing ever reads.
 */
import { randomBytes } from 'node:crypto';
import * as nodeFs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemError } from './system-error.ts';

/** The calls used, so that a test can make any one of them fail. */
export type AtomicFs = Pick<
  typeof nodeFs,
  | 'openSync'
  | 'writeSync'
  | 'fsyncSync'
  | 'closeSync'
  | 'renameSync'
  | 'unlinkSync'
  | 'mkdirSync'
  | 'realpathSync'
>;

/** Through a symbolic link to the file it stands for; a name that does not exist stays as it is. */
function targetOf(path: string, fs: AtomicFs): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return path;
  }
}

function writeAll(fd: number, bytes: Uint8Array, fs: AtomicFs): void {
  for (let at = 0; at < bytes.length; ) {
    at += fs.writeSync(fd, bytes, at, bytes.length - at);
  }
}

/** Makes the rename itself durable. Not every file system allows it; the contents are safe. */
function syncFolder(folder: string, fs: AtomicFs): void {
  try {
    const fd = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // Windows and some network file systems refuse to sync a folder.
  }
}

/**
 * Writes `contents` to `path`, making its folder if needed. A file may be given in pieces, so that
 * a large checkpoint needs no second copy in memory.
 * @throws TenonError (`io`) when the system refuses.
 */
export function writeFileAtomic(
  path: string,
  contents: string | Uint8Array | Iterable<Uint8Array>,
  fs: AtomicFs = nodeFs,
): void {
  const pieces =
    typeof contents === 'string'
      ? [new TextEncoder().encode(contents)]
      : contents instanceof Uint8Array
        ? [contents]
        : contents;
  const target = targetOf(path, fs);
  const folder = dirname(target);
  const name = `.${basename(target).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`;
  const temporary = join(folder, name);
  let fd: number | undefined;
  let made = false;
  try {
    fs.mkdirSync(folder, { recursive: true });
    fd = fs.openSync(temporary, 'wx');
    made = true;
    for (const piece of pieces) writeAll(fd, piece, fs);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fd = undefined;
    fs.renameSync(temporary, target);
    made = false;
  } catch (e) {
    if (fd !== undefined) quietly(() => fs.closeSync(fd!));
    if (made) quietly(() => fs.unlinkSync(temporary));
    throw systemError(e, 'write', path);
  }
  syncFolder(folder, fs);
}

/** For cleaning up after an error that is about to be reported: a second one would hide it. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // The first error is the one to tell.
  }
}
