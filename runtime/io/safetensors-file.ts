/**
 * Safetensors files on disk: opened lazily by position, written atomically. Apart from the file
 * handle everything is in safetensors.ts, which also works in a browser.
 */
import { writeFileAtomic } from './atomic-write.ts';
import { FileSource } from './file-source.ts';
import { encodeSafetensors, type HostTensor, SafetensorsReader } from './safetensors.ts';

/** Owns a file descriptor until `dispose` (or `using`). */
export class SafetensorsFile extends SafetensorsReader implements Disposable {
  readonly #file: FileSource;

  private constructor(file: FileSource) {
    super(file);
    this.#file = file;
  }

  /** @throws TenonError (`io` or `format`). */
  static open(path: string): SafetensorsFile {
    const file = FileSource.open(path);
    try {
      return new SafetensorsFile(file);
    } catch (e) {
      file.dispose();
      throw e;
    }
  }

  dispose(): void {
    this.#file.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Replaces the file as a whole or not at all. @throws TenonError (`io` or `input`). */
export function writeSafetensorsFile(
  path: string,
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}
