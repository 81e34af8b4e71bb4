/** Tenon itself, from source text to results, as a user of the library has it. */
import { fileURLToPath } from 'node:url';
import { readProgram } from '../../runtime/api/load.ts';
import type { AnyArray, LazyLeaf } from '../../runtime/api/tensor.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';
import { compile, type Device, type Instance, type Tensor } from '../../runtime/index.ts';
import { Room } from '../../runtime/io/room.ts';
import { fillPart, type Input, sizeOf } from '../fill.ts';
import type { Workload } from '../workloads.ts';
import type { Opened, Peer } from './peer.ts';

/** Made when it is written to the device, part by part: no second copy of the parameters is held. */
function leaf(i: Input, room: Room): LazyLeaf | number {
  if (i.shape.length === 0) return i.mid;
  const part = (from: number, to: number): AnyArray => {
    const data = fillPart(i, from, new Float32Array(room.take(4 * (to - from)), 0, to - from));
    return i.below === undefined ? data : Int32Array.from(data);
  };
  return { shape: i.shape, read: () => part(0, sizeOf(i.shape)).slice(), part };
}

/** Functions `block`, `linear`, ... under names that say nothing. */
export function renamed(sources: ReadonlyMap<string, string>, fn: string) {
  const names = new Map<string, string>();
  for (const text of sources.values())
    for (const [, name] of text.matchAll(/^fn (\w+)/gm))
      if (!names.has(name!)) names.set(name!, `f${names.size}x`);
  const out = new Map<string, string>();
  for (const [file, text] of sources) {
    // Where a function is meant: called, given sizes, imported, or differentiated by a check. A field,
    // a parameter or a file of the same name stays.
    const replaced = text.replace(
      /(?<![./\w])[a-z]\w*(?=[([])|(?<=^import \{[^}]*\b)[a-z]\w*(?=[^}]*\})|(?<=gradient of )\w+/gm,
      (word) => names.get(word) ?? word,
    );
    out.set(file, replaced);
  }
  return { sources: out, fn: names.get(fn)! };
}

/** This file is bench/peers/tenon.ts or, compiled, bench/dist/bench/peers/tenon.js. */
const programs = new URL(
  import.meta.url.endsWith('.ts') ? '../programs/' : '../../../programs/',
  import.meta.url,
);

export async function programOf(w: Workload, odd: boolean) {
  const path = fileURLToPath(new URL(w.program, programs));
  const read = await readProgram(path);
  const { sources, fn } = odd ? renamed(read.sources, w.fn) : { ...read, fn: w.fn };
  return { program: compile(sources, read.root), fn };
}

/** Everything is given by name, so that compiling does not wait for the data. */
export async function open(w: Workload, device: Device, odd: boolean): Promise<Opened> {
  const start = performance.now();
  const { program, fn } = await programOf(w, odd);
  const donate = w.kind === 'step' ? { donate: ['state'] } : {};
  const f = program.function(fn, { device, sizes: w.sizes, grad: w.grad, ...donate });
  const made = await f.prepare();
  const compileMs = performance.now() - start;
  const room = new Room();
  made.write(new Map(w.inputs.map((i) => [i.name, leaf(i, room)])));
  return {
    compileMs,
    bytes: made.bytes,
    run: () => made.run(),
    async read() {
      const out = new Map<string, Float32Array>();
      for (const name of w.compared) out.set(name, await leafAt(made, name));
      return out;
    },
  };
}

/** One leaf; `blocks.3.x` is a slice of the stacked leaf `blocks.x`. */
async function leafAt(made: Instance, name: string): Promise<Float32Array> {
  const [, head, item, tail] = /^(.*\.blocks)\.(\d+)\.(.*)$/.exec(name) ?? [];
  const value = (await made.read(head === undefined ? name : `${head}.${tail}`)) as Tensor | number;
  if (typeof value === 'number') return Float32Array.of(value);
  const { data, shape } = value;
  const all = Float32Array.from(data as Float32Array);
  if (item === undefined) return all;
  const n = all.length / shape[0]!;
  return all.slice(n * Number(item), n * (Number(item) + 1));
}

export const tenon: Peer = (w, { threads, wide, odd }) =>
  open(w, wasmDevice({ threads, wide }), odd);
