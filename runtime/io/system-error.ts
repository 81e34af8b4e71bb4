/**
 * Turns a refusal of the operating system into one sentence for the user. Anything that is not a
 * system error passes through unchanged, so that a defect is never dressed up as a full disk.
 */
import { type Place, TenonError } from '../errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EEXIST: 'a part of the path is a file, not a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the system allows',
  EIO: 'the device reported an input/output error',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
};

function errnoOf(e: unknown): string | undefined {
  if (!(e instanceof Error) || !('code' in e) || typeof e.code !== 'string') return undefined;
  return 'syscall' in e ? e.code : undefined;
}

/** `cannot read FILE: reason`, or the argument itself when it is no system error. */
export function systemError(e: unknown, doing: 'read' | 'write', file: string): unknown {
  const errno = errnoOf(e);
  if (errno === undefined) return e;
  const place: Place = { file };
  const hint =
    doing === 'write'
      ? 'A file that was there before is unchanged.'
      : errno === 'ENOENT'
        ? 'Check the path.'
        : undefined;
  const reason = reasons[errno] ?? `the system said ${errno}`;
  return new TenonError('io', `cannot ${doing} ${file}: ${reason}`, { hint, place, cause: e });
}
