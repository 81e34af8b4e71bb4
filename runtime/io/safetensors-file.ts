/**
 * Safetensors files on disk: opened lazily by position, written atomically. Apart from the file
 * handle everything is in safetensors.ts, which also works in a browser.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { TenonError } from '../errors.ts';
import { writeFileAtomic } from './atomic-write.ts';
import { encodeSafetensors, type HostTensor, SafetensorsReader } from './safetensors.ts';
import { systemError } from './system-error.ts';

/** Owns a file descriptor until `dispose` (or `using`). */
export class SafetensorsFile extends SafetensorsReader implements Disposable {
  readonly #fd: number;
  #open = true;

  private constructor(path: string, fd: number, size: number) {
    super({ name: path, size, read: (offset, length) => readAt(path, fd, offset, length) });
    this.#fd = fd;
  }

  /** @throws TenonError (`io` or `format`). */
  static open(path: string): SafetensorsFile {
    let fd: number | undefined;
    try {
      fd = openSync(path, 'r');
      const stat = fstatSync(fd);
      if (!stat.isFile()) {
        throw new TenonError('io', `cannot read ${path}: it is not a file`, {
          place: { file: path },
        });
      }
      return new SafetensorsFile(path, fd, stat.size);
    } catch (e) {
      if (fd !== undefined) closeSync(fd);
      throw systemError(e, 'read', path);
    }
  }

  dispose(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function readAt(path: string, fd: number, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  try {
    for (let at = 0; at < length; ) {
      const n = readSync(fd, out, at, length - at, offset + at);
      if (n === 0) {
        throw new TenonError('format', `${path} became shorter while it was being read`, {
          place: { file: path },
        });
      }
      at += n;
    }
  } catch (e) {
    throw systemError(e, 'read', path);
  }
  return out;
}

/** Replaces the file as a whole or not at all. @throws TenonError (`io` or `input`). */
export function writeSafetensorsFile(
  path: string,
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}
