/**
 * The WebAssembly binary format: numbers, instructions as byte arrays, sections, modules. Written
 * directly, because an assembler costs more to load than a plan takes to compile.
 */

export type Ty = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
export type Code = readonly number[];

const typeByte: Record<Ty, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** Unsigned LEB128. */
export function leb(n: number): number[] {
  const out: number[] = [];
  let v = n;
  do {
    const low = v % 128;
    v = Math.floor(v / 128);
    out.push(v > 0 ? low | 128 : low);
  } while (v > 0);
  return out;
}

/** Signed LEB128 of a 32-bit integer. */
export function sleb(n: number): number[] {
  const out: number[] = [];
  let v = n | 0;
  for (;;) {
    const low = v & 127;
    v >>= 7;
    if ((v === 0 && !(low & 64)) || (v === -1 && low & 64)) {
      out.push(low);
      return out;
    }
    out.push(low | 128);
  }
}

/** Signed LEB128 of a whole number up to 2^53 in size. */
function sleb64(n: number): number[] {
  const out: number[] = [];
  let v = n;
  for (;;) {
    const low = ((v % 128) + 128) % 128;
    v = Math.floor(v / 128);
    if ((v === 0 && !(low & 64)) || (v === -1 && low & 64)) {
      out.push(low);
      return out;
    }
    out.push(low | 128);
  }
}

const box = new DataView(new ArrayBuffer(4));
export function f32Bytes(v: number): number[] {
  box.setFloat32(0, v, true);
  return [0, 1, 2, 3].map((k) => box.getUint8(k));
}
export function i32Bytes(v: number): number[] {
  box.setInt32(0, v, true);
  return [0, 1, 2, 3].map((k) => box.getUint8(k));
}

const simd = (n: number): number[] => [0xfd, ...leb(n)];

/** Plain instructions by name: no immediates. */
export const op = {
  select: [0x1b],
  'i32.eqz': [0x45],
  'i32.eq': [0x46],
  'i32.ne': [0x47],
  'i32.lt_s': [0x48],
  'i32.lt_u': [0x49],
  'i32.gt_s': [0x4a],
  'i32.gt_u': [0x4b],
  'i32.le_s': [0x4c],
  'i32.le_u': [0x4d],
  'i32.ge_s': [0x4e],
  'i32.ge_u': [0x4f],
  'i64.eqz': [0x50],
  'i64.eq': [0x51],
  'i64.ne': [0x52],
  'i64.lt_s': [0x53],
  'i64.gt_s': [0x55],
  'i64.le_s': [0x57],
  'i64.ge_s': [0x59],
  'f32.eq': [0x5b],
  'f32.ne': [0x5c],
  'f32.lt': [0x5d],
  'f32.gt': [0x5e],
  'f32.le': [0x5f],
  'f32.ge': [0x60],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.div_s': [0x6d],
  'i32.div_u': [0x6e],
  'i32.rem_s': [0x6f],
  'i32.rem_u': [0x70],
  'i32.and': [0x71],
  'i32.or': [0x72],
  'i32.xor': [0x73],
  'i32.shl': [0x74],
  'i32.shr_s': [0x75],
  'i32.shr_u': [0x76],
  'i64.add': [0x7c],
  'i64.sub': [0x7d],
  'i64.mul': [0x7e],
  'i64.div_s': [0x7f],
  'i64.xor': [0x85],
  'f32.abs': [0x8b],
  'f32.neg': [0x8c],
  'f32.ceil': [0x8d],
  'f32.floor': [0x8e],
  'f32.nearest': [0x90],
  'f32.sqrt': [0x91],
  'f32.add': [0x92],
  'f32.sub': [0x93],
  'f32.mul': [0x94],
  'f32.div': [0x95],
  'f32.min': [0x96],
  'f32.max': [0x97],
  'f64.add': [0xa0],
  'f64.mul': [0xa2],
  'i32.wrap_i64': [0xa7],
  'i64.extend_i32_s': [0xac],
  'i64.extend_i32_u': [0xad],
  'f32.convert_i32_s': [0xb2],
  'f32.convert_i32_u': [0xb3],
  'f32.demote_f64': [0xb6],
  'f64.promote_f32': [0xbb],
  'i32.reinterpret_f32': [0xbc],
  'f32.reinterpret_i32': [0xbe],
  'i32.trunc_sat_f32_s': [0xfc, 0],
  'i32.trunc_sat_f32_u': [0xfc, 1],
  'i32x4.splat': simd(0x11),
  'f32x4.splat': simd(0x13),
  'i32x4.eq': simd(0x37),
  'i32x4.ne': simd(0x38),
  'i32x4.lt_s': simd(0x39),
  'i32x4.lt_u': simd(0x3a),
  'i32x4.gt_s': simd(0x3b),
  'i32x4.gt_u': simd(0x3c),
  'i32x4.le_s': simd(0x3d),
  'i32x4.le_u': simd(0x3e),
  'i32x4.ge_s': simd(0x3f),
  'i32x4.ge_u': simd(0x40),
  'f32x4.eq': simd(0x41),
  'f32x4.ne': simd(0x42),
  'f32x4.lt': simd(0x43),
  'f32x4.gt': simd(0x44),
  'f32x4.le': simd(0x45),
  'f32x4.ge': simd(0x46),
  'v128.not': simd(0x4d),
  'v128.and': simd(0x4e),
  'v128.or': simd(0x50),
  'v128.xor': simd(0x51),
  'v128.bitselect': simd(0x52),
  'f32x4.demote_f64x2_zero': simd(0x5e),
  'f64x2.promote_low_f32x4': simd(0x5f),
  'f32x4.ceil': simd(0x67),
  'f32x4.floor': simd(0x68),
  'f32x4.nearest': simd(0x6a),
  'i32x4.abs': simd(0xa0),
  'i32x4.neg': simd(0xa1),
  'i32x4.shl': simd(0xab),
  'i32x4.shr_s': simd(0xac),
  'i32x4.shr_u': simd(0xad),
  'i32x4.add': simd(0xae),
  'i32x4.sub': simd(0xb1),
  'i32x4.mul': simd(0xb5),
  'i32x4.min_s': simd(0xb6),
  'i32x4.min_u': simd(0xb7),
  'i32x4.max_s': simd(0xb8),
  'i32x4.max_u': simd(0xb9),
  'f32x4.abs': simd(0xe0),
  'f32x4.neg': simd(0xe1),
  'f32x4.sqrt': simd(0xe3),
  'f32x4.add': simd(0xe4),
  'f32x4.sub': simd(0xe5),
  'f32x4.mul': simd(0xe6),
  'f32x4.div': simd(0xe7),
  'f32x4.min': simd(0xe8),
  'f32x4.max': simd(0xe9),
  'f32x4.pmin': simd(0xea),
  'f32x4.pmax': simd(0xeb),
  'f64x2.add': simd(0xf0),
  'f64x2.mul': simd(0xf2),
  'i32x4.trunc_sat_f32x4_s': simd(0xf8),
  'i32x4.trunc_sat_f32x4_u': simd(0xf9),
  'f32x4.convert_i32x4_s': simd(0xfa),
  'f32x4.convert_i32x4_u': simd(0xfb),
  'f32x4.relaxed_madd': simd(0x105),
} as const satisfies Record<string, Code>;
export type Op = keyof typeof op;

/** Instructions with immediates. Alignment hints are 4 bytes: every access is of whole words. */
export const ins = {
  i32: (v: number): number[] => [0x41, ...sleb(v)],
  f32: (v: number): number[] => [0x43, ...f32Bytes(v)],
  v128: (bytes: readonly number[]): number[] => [...simd(0x0c), ...bytes],
  get: (local: number): number[] => [0x20, ...leb(local)],
  set: (local: number): number[] => [0x21, ...leb(local)],
  tee: (local: number): number[] => [0x22, ...leb(local)],
  call: (fn: number): number[] => [0x10, ...leb(fn)],
  load: (t: Ty, offset: number): number[] =>
    t === 'v128'
      ? [...simd(0x00), 2, ...leb(offset)]
      : [t === 'f32' ? 0x2a : 0x28, 2, ...leb(offset)],
  splat: (offset: number): number[] => [...simd(0x09), 2, ...leb(offset)],
  store: (t: Ty, offset: number): number[] =>
    t === 'v128'
      ? [...simd(0x0b), 2, ...leb(offset)]
      : [t === 'f32' ? 0x38 : 0x36, 2, ...leb(offset)],
  loadLane: (offset: number, lane: number): number[] => [...simd(0x56), 2, ...leb(offset), lane],
  storeLane: (offset: number, lane: number): number[] => [...simd(0x5a), 2, ...leb(offset), lane],
  lane: (t: 'i32' | 'f32', lane: number): number[] => [...simd(t === 'i32' ? 0x1b : 0x1f), lane],
  withLane: (t: 'i32' | 'f32', lane: number): number[] => [
    ...simd(t === 'i32' ? 0x1c : 0x20),
    lane,
  ],
  /** Bytes of the concatenation of two vectors, by index. */
  shuffle: (bytes: readonly number[]): number[] => [...simd(0x0d), ...bytes],
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  /** Leaves an i32. */
  ifI32: [0x04, 0x7f],
  else: [0x05],
  end: [0x0b],
  unreachable: [0x00],
  drop: [0x1a],
  i64: (v: number): number[] => [0x42, ...sleb64(v)],
  atomic: {
    /** (address, waiters) -> woken */
    notify: [0xfe, 0x00, 2, 0],
    /** (address, expected, timeout in ns: i64) -> outcome */
    wait: [0xfe, 0x01, 2, 0],
    load: [0xfe, 0x10, 2, 0],
    store: [0xfe, 0x17, 2, 0],
    add: [0xfe, 0x1e, 2, 0],
  },
  br: (depth: number): number[] => [0x0c, ...leb(depth)],
  brIf: (depth: number): number[] => [0x0d, ...leb(depth)],
} as const;

/** A function under construction: parameters first, then locals, then instructions. */
export class Fn {
  readonly name: string;
  readonly params: readonly Ty[];
  readonly #locals: Ty[] = [];
  readonly #code: number[] = [];
  index = -1;

  constructor(name: string, params: readonly Ty[]) {
    this.name = name;
    this.params = params;
  }

  local(t: Ty): number {
    this.#locals.push(t);
    return this.params.length + this.#locals.length - 1;
  }

  emit(...code: readonly Code[]): void {
    for (const c of code) for (const b of c) this.#code.push(b);
  }

  /** The instructions so far, without the final end. */
  instructions(): Code {
    return this.#code;
  }

  body(): number[] {
    const runs: [number, Ty][] = [];
    for (const t of this.#locals) {
      const last = runs.at(-1);
      if (last && last[1] === t) last[0]++;
      else runs.push([1, t]);
    }
    const decl = [...leb(runs.length), ...runs.flatMap(([n, t]) => [...leb(n), typeByte[t]])];
    return [...leb(decl.length + this.#code.length + 1), ...decl, ...this.#code, 0x0b];
  }
}

const section = (id: number, body: readonly number[]): number[] => [
  id,
  ...leb(body.length),
  ...body,
];
const text = (s: string): number[] => {
  const b = [...new TextEncoder().encode(s)];
  return [...leb(b.length), ...b];
};

export type ModuleSpec = {
  readonly fns: readonly Fn[];
  readonly exports: ReadonlyMap<string, Fn>;
  /** Imported as env.memory. */
  readonly pages: number;
  readonly shared: boolean;
};

/** Functions must have their index set to their place in `fns`. */
export function encodeModule(m: ModuleSpec): Uint8Array<ArrayBuffer> {
  const types: string[] = [];
  const typeOf = (f: Fn): number => {
    const key = f.params.join();
    const at = types.indexOf(key);
    return at >= 0 ? at : types.push(key) - 1;
  };
  const fnTypes = m.fns.map(typeOf);
  const typeSection = types.map((key) => {
    const params = key === '' ? [] : (key.split(',') as Ty[]);
    return [0x60, ...leb(params.length), ...params.map((t) => typeByte[t]), 0];
  });
  const memory = [m.shared ? 3 : 1, ...leb(m.pages), ...leb(m.pages)];
  const head = [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [...leb(types.length), ...typeSection.flat()]),
    ...section(2, [1, ...text('env'), ...text('memory'), 2, ...memory]),
    ...section(3, [...leb(m.fns.length), ...fnTypes.flatMap(leb)]),
    ...section(7, [
      ...leb(m.exports.size),
      ...[...m.exports].flatMap(([name, f]) => [...text(name), 0, ...leb(f.index)]),
    ]),
  ];
  const bodies = m.fns.map((f) => f.body());
  const count = leb(m.fns.length);
  const size = bodies.reduce((n, b) => n + b.length, count.length);
  const codeHead = [10, ...leb(size), ...count];
  const out = new Uint8Array(head.length + codeHead.length - count.length + size);
  let at = 0;
  for (const part of [head, codeHead, ...bodies]) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
