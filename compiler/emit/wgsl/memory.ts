/**
 * Where the buffers of a plan live on a WebGPU device.
 *
 * WebGPU forbids one buffer to be read-only and writable in one dispatch and binds few buffers, so
 * everything is packed into as few large storage buffers (segments) as the device's binding limit
 * allows, usually one; every kernel binds all of them read-write. The arena of temporaries is one
 * unit, each input, output and constant another, and kernels whose scratch is too large for private
 * memory share a spill region.
 *
 * Invariant: units do not overlap and start at multiples of 256 bytes.
 */
import type { BufId, Kernel, Plan } from '../../plan.ts';
import { allKernels } from './walk.ts';

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
  readonly spill: GpuPlace;
};

export class GpuLimitError extends Error {
  override readonly name = 'GpuLimitError';
}

/** Scratch of a kernel up to this many words is private to the thread; more is spilled. */
export const PRIVATE_WORDS = 1024;
const ALIGN = 64;
const up = (words: number): number => Math.ceil(words / ALIGN) * ALIGN;

/** Words of scratch that one grid cell of a kernel needs. */
export function scratchWords(plan: Plan, k: Kernel): number {
  const seen = new Set<BufId>();
  let words = 0;
  for (const n of k.nests) {
    const b = plan.bufs[n.store.buf]!;
    if (b.kind === 'scratch' && !seen.has(b.id)) words += b.words;
    seen.add(b.id);
  }
  return words;
}

export const gridCells = (k: Kernel): number => k.grid.reduce((n, a) => n * a.extent, 1);

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
  let spillWords = 0;
  for (const k of allKernels(plan.steps)) {
    const words = scratchWords(plan, k);
    if (words > PRIVATE_WORDS) spillWords = Math.max(spillWords, words * gridCells(k));
  }
  const spill = put('the scratch memory of this program', spillWords);
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
    spill,
  };
}
