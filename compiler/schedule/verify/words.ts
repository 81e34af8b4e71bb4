/**
 * The memory of a plan, word by word: what is there, of which buffer, and who touched it last. Buffers
 * that a plan places in its arena share words there; before they are placed each has words of its
 * own, and a part (views.ts) has those of its whole.
 */
import type { Buf, BufId } from '../../plan.ts';
import type { Parts } from '../views.ts';
import { many, type Staged, type Touch, type Who } from './rules.ts';

const noOne = -1;

export class Words {
  readonly values: Float64Array;
  /** The first word of each buffer. */
  readonly #base: readonly number[];
  readonly #owner: Int32Array;
  /** The kernel whose store is there, by its number in the run. */
  readonly #kernel: Int32Array;
  readonly #writer: Log;
  readonly #reader: Log;
  readonly #touch: { -readonly [K in keyof Touch]: Touch[K] };

  constructor(plan: Staged, parts: Parts) {
    let next = plan.arenaWords ?? 0;
    const base = plan.bufs.map((b) => {
      const at = plan.offsets?.get(b.id);
      if (at !== undefined && b.kind === 'temp') return at;
      next += b.words;
      return next - b.words;
    });
    this.#base = base.map((at, b) => base[parts.get(b)?.whole ?? b] ?? at);
    this.values = new Float64Array(next);
    this.#owner = new Int32Array(next).fill(noOne);
    this.#kernel = new Int32Array(next).fill(noOne);
    this.#writer = new Log(next);
    this.#reader = new Log(next);
    const who = (): Who => ({ run: 0, cell: 0, nest: 0, point: 0 });
    this.#touch = {
      how: 'read',
      buf: plan.bufs[0]!,
      by: who(),
      writer: who(),
      reader: who(),
      holds: false,
      kept: false,
    };
  }

  /** What the host puts into a buffer. */
  fill(b: Buf, data: Float64Array): void {
    const at = this.#base[b.id]!;
    this.values.set(data.subarray(0, b.words), at);
    this.#owner.fill(b.id, at, at + b.words);
  }

  /** Whether a cell of a buffer holds a value of it. */
  holds(b: BufId, i: number): boolean {
    return this.#owner[this.#base[b]! + i] === b;
  }

  value(b: BufId, i: number): number {
    return this.values[this.#base[b]! + i]!;
  }

  kernelOf(b: BufId, i: number): number {
    return this.#kernel[this.#base[b]! + i]!;
  }

  /** The access of a word as the rules see it; one object serves all. */
  look(how: Touch['how'], b: Buf, i: number, by: Who, kept: boolean): Touch {
    const t = this.#touch;
    const at = this.#base[b.id]! + i;
    t.how = how;
    t.buf = b;
    t.by = by;
    this.#writer.into(at, t.writer);
    this.#reader.into(at, t.reader);
    // Scratch is that of one cell: what another has left there is nothing.
    const own = b.kind !== 'scratch' || (t.writer.run === by.run && t.writer.cell === by.cell);
    t.holds = this.#owner[at] === b.id && own;
    t.kept = kept;
    return t;
  }

  read(b: BufId, i: number, by: Who): number {
    const at = this.#base[b]! + i;
    this.#reader.join(at, by);
    return this.values[at]!;
  }

  write(b: BufId, i: number, v: number, by: Who, kernel: number): void {
    const at = this.#base[b]! + i;
    this.values[at] = v;
    this.#owner[at] = b;
    this.#kernel[at] = kernel;
    this.#writer.set(at, by);
  }
}

/** Who touched each word. */
class Log {
  readonly #run: Int32Array;
  readonly #cell: Int32Array;
  readonly #nest: Int32Array;
  readonly #point: Int32Array;

  constructor(words: number) {
    const none = (): Int32Array => new Int32Array(words).fill(noOne);
    [this.#run, this.#cell, this.#nest, this.#point] = [none(), none(), none(), none()];
  }

  into(at: number, who: Who): void {
    who.run = this.#run[at]!;
    who.cell = this.#cell[at]!;
    who.nest = this.#nest[at]!;
    who.point = this.#point[at]!;
  }

  set(at: number, who: Who): void {
    this.#run[at] = who.run;
    this.#cell[at] = who.cell;
    this.#nest[at] = who.nest;
    this.#point[at] = who.point;
  }

  /** One more of the same run: where it is not the same cell, nest or point, there are many. */
  join(at: number, who: Who): void {
    if (this.#run[at] !== who.run) this.set(at, who);
    else if (this.#cell[at] !== who.cell) this.#cell[at] = many;
    else if (this.#nest[at] !== who.nest) {
      this.#nest[at] = who.nest;
      this.#point[at] = who.point;
    } else if (this.#point[at] !== who.point) this.#point[at] = many;
  }
}
