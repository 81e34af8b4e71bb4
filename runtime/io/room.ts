/**
 * Memory that is used again and again, for one part of a large tensor after another: arrays that are
 * only copied from would otherwise be garbage that the engine lets grow to tens of megabytes.
 *
 * Invariant: what `take` gives is good until the next `take`.
 */
export class Room {
  #all = new ArrayBuffer(0);

  /** At least so many bytes, with anything in them. */
  take(bytes: number): ArrayBuffer {
    if (this.#all.byteLength < bytes) this.#all = new ArrayBuffer(bytes);
    return this.#all;
  }
}
