/**
 * Where the buffers of a plan live on a WebGPU device.
 *
 * WebGPU forbids one buffer to be read-only and writable in one dispatch and binds few buffers, so
 * everything is packed into as few large storage buffers (segments) as the device's binding limit
 * allows, usually one; every kernel binds all of them read-write. The arena of temporaries is one
 * unit, each input, output and constant another.
 *
 * Invariant: units do not overlap and start at multiples of 256 bytes.
 */
import type { BufId, Plan } from '../../plan.ts';

export type GpuLimits = {
  /** Largest bytes of one storage binding, and of one buffer. */
  readonly bindingBytes: number;
  readonly bindings: number;
};

/** Word offset inside a segment. */
export type GpuPlace = { readonly segment: number; readonly offset: number };

export type GpuMemory = {
  /** Words of each segment. */
  readonly segments: readonly number[];
  readonly place: (b: BufId) => GpuPlace;
};

export class GpuLimitError extends Error {
  override readonly name = 'GpuLimitError';
}

const ALIGN = 64;
const up = (words: number): number => Math.ceil(words / ALIGN) * ALIGN;

export function layoutGpu(plan: Plan, limits: GpuLimits): GpuMemory {
  const most = Math.floor(limits.bindingBytes / 4 / ALIGN) * ALIGN;
  const segments: number[] = [];
  const put = (what: string, words: number): GpuPlace => {
    if (words > most)
      throw new GpuLimitError(
        `${what} needs ${words * 4} bytes, and this device binds at most ${limits.bindingBytes} at once`,
      );
    let s = segments.findIndex((used) => used + up(words) <= most);
    if (s < 0) s = segments.push(0) - 1;
    const offset = segments[s]!;
    segments[s] = offset + up(words);
    return { segment: s, offset };
  };
  const arena = put('the working memory of this program', plan.arenaWords);
  const places = new Map<BufId, GpuPlace>();
  for (const b of plan.bufs) {
    if (b.kind === 'scratch') continue;
    const inArena = b.kind === 'temp' ? plan.offsets.get(b.id) : undefined;
    if (inArena !== undefined)
      places.set(b.id, { segment: arena.segment, offset: arena.offset + inArena });
    else if (b.words > 0) places.set(b.id, put(`${b.kind} ${b.name}`, b.words));
  }
  if (segments.length > limits.bindings)
    throw new GpuLimitError(
      `this program needs ${segments.length} storage buffers of ${limits.bindingBytes} bytes, ` +
        `and this device binds at most ${limits.bindings}`,
    );
  return {
    segments: segments.map((w) => Math.max(w, ALIGN)),
    place: (b) => places.get(b) ?? { segment: 0, offset: 0 },
  };
}
