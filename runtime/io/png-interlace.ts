/**
 * An interlaced PNG (Adam7) of samples of fewer than 8 bits as one that is not: the codec takes only whole
 * bytes of such a picture. Seven smaller pictures, whose rows begin on bytes, are put together bit by bit.
 *
 * Invariant: the rows that come out have no filter and are as long as the header says; what does not suffice for
 * the seven passes is refused. After the PNG specification (third edition), sections 8 and 9.
 */

export type Packed = {
  readonly width: number;
  readonly height: number;
  /** Bits of a pixel: 1, 2 or 4. */
  readonly bits: number;
};

/** Where the pixels of a pass begin, and how far they are apart. */
const passes = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
] as const;

/** Rows, each after a byte that says it has no filter; undefined where there are too few or a filter is unknown. */
export function deinterlaced(
  data: Uint8Array,
  { width, height, bits }: Packed,
): Uint8Array | undefined {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const rowBytes = Math.ceil(width / perByte);
  const out = new Uint8Array(height * (1 + rowBytes));
  let at = 0;
  for (const { x, y, dx, dy } of passes) {
    const columns = Math.ceil((width - x) / dx);
    const rows = Math.ceil((height - y) / dy);
    if (columns <= 0 || rows <= 0) continue;
    const bytes = Math.ceil(columns / perByte);
    let before = new Uint8Array(bytes);
    for (let r = 0; r < rows; r++, at += 1 + bytes) {
      if (at + 1 + bytes > data.length) return undefined;
      const row = unfiltered(data[at]!, data.subarray(at + 1, at + 1 + bytes), before);
      if (row === undefined) return undefined;
      for (let c = 0; c < columns; c++) {
        const shift = 8 - bits * ((c % perByte) + 1);
        const value = (row[Math.floor(c / perByte)]! >> shift) & mask;
        const to = x + c * dx;
        const place = (y + r * dy) * (1 + rowBytes) + 1 + Math.floor(to / perByte);
        out[place]! |= value << (8 - bits * ((to % perByte) + 1));
      }
      before = row;
    }
  }
  return out;
}

/** A row with its filter undone; a pixel before it is a whole byte, as pixels here are no larger. */
function unfiltered(
  filter: number,
  row: Uint8Array,
  above: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  const out = new Uint8Array(row.length);
  for (const [i, v] of row.entries()) {
    const [left, up, corner] = [out[i - 1] ?? 0, above[i]!, above[i - 1] ?? 0];
    switch (filter) {
      case 0:
        out[i] = v;
        break;
      case 1:
        out[i] = v + left;
        break;
      case 2:
        out[i] = v + up;
        break;
      case 3:
        out[i] = v + ((left + up) >> 1);
        break;
      case 4:
        out[i] = v + paeth(left, up, corner);
        break;
      default:
        return undefined;
    }
  }
  return out;
}

/** The one of three that is nearest to left + up - corner, in this order at a tie. */
function paeth(left: number, up: number, corner: number): number {
  const p = left + up - corner;
  const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
