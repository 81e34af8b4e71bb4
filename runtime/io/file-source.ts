/** A file on disk as a source of bytes: opened once, read by position. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { TenonError } from '../errors.ts';
import type { ByteSource } from './safetensors.ts';
import { systemError } from './system-error.ts';

/** Owns a file descriptor until `dispose` (or `using`). */
export class FileSource implements ByteSource, Disposable {
  readonly name: string;
  readonly size: number;
  readonly #fd: number;
  #open = true;

  private constructor(path: string, fd: number, size: number) {
    this.name = path;
    this.size = size;
    this.#fd = fd;
  }

  /** @throws TenonError (`io`). */
  static open(path: string): FileSource {
    let fd: number | undefined;
    try {
      fd = openSync(path, 'r');
      const stat = fstatSync(fd);
      if (!stat.isFile()) {
        throw new TenonError('io', `cannot read ${path}: it is not a file`, {
          place: { file: path },
        });
      }
      return new FileSource(path, fd, stat.size);
    } catch (e) {
      if (fd !== undefined) closeSync(fd);
      throw systemError(e, 'read', path);
    }
  }

  /** Exactly `length` bytes. @throws TenonError (`io`, `format`). */
  read(offset: number, length: number, out = new Uint8Array(length)): Uint8Array {
    try {
      for (let at = 0; at < length; ) {
        const n = readSync(this.#fd, out, at, length - at, offset + at);
        if (n === 0) {
          throw new TenonError('format', `${this.name} became shorter while it was being read`, {
            place: { file: this.name },
          });
        }
        at += n;
      }
    } catch (e) {
      throw systemError(e, 'read', this.name);
    }
    return out;
  }

  dispose(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
