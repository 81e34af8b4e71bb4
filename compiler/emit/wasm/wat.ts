/**
 * A module's functions as text, for reading (`tenon explain --stage wat`): one instruction a line,
 * indented by block, with the kernel each function came from. Knows the instructions binary.ts
 * writes and no others.
 */
import { type Fn, op } from './binary.ts';

const named = new Map<string, string>(
  Object.entries(op).map(([name, code]) => [code.join(), name]),
);

type Imm =
  | 'none'
  | 'u'
  | 's'
  | 's64'
  | 'f32'
  | 'mem'
  | 'memLane'
  | 'lane'
  | 'v128'
  | 'bytes'
  | 'block';

const plain: Record<number, readonly [string, Imm]> = {
  2: ['block', 'block'],
  3: ['loop', 'block'],
  4: ['if', 'block'],
  5: ['else', 'none'],
  11: ['end', 'none'],
  12: ['br', 'u'],
  13: ['br_if', 'u'],
  15: ['return', 'none'],
  16: ['call', 'u'],
  26: ['drop', 'none'],
  32: ['local.get', 'u'],
  33: ['local.set', 'u'],
  34: ['local.tee', 'u'],
  40: ['i32.load', 'mem'],
  42: ['f32.load', 'mem'],
  54: ['i32.store', 'mem'],
  56: ['f32.store', 'mem'],
  65: ['i32.const', 's'],
  66: ['i64.const', 's64'],
  67: ['f32.const', 'f32'],
};
const simd: Record<number, readonly [string, Imm]> = {
  0: ['v128.load', 'mem'],
  9: ['v128.load32_splat', 'mem'],
  11: ['v128.store', 'mem'],
  12: ['v128.const', 'v128'],
  13: ['i8x16.shuffle', 'bytes'],
  27: ['i32x4.extract_lane', 'lane'],
  28: ['i32x4.replace_lane', 'lane'],
  31: ['f32x4.extract_lane', 'lane'],
  32: ['f32x4.replace_lane', 'lane'],
  86: ['v128.load32_lane', 'memLane'],
  90: ['v128.store32_lane', 'memLane'],
};

/** Instructions of a function body, as lines. */
export function disassemble(fn: Fn): string[] {
  const code = fn.instructions();
  const view = new DataView(Uint8Array.from(code).buffer);
  const out: string[] = [];
  let at = 0;
  let indent = 1;
  const unsigned = (): number => {
    let v = 0;
    let scale = 1;
    for (;;) {
      const b = code[at++]!;
      v += (b & 127) * scale;
      scale *= 128;
      if (b < 128) return v;
    }
  };
  const signed = (): number => {
    let v = 0;
    let shift = 0;
    for (;;) {
      const b = code[at++]!;
      v |= (b & 127) << shift;
      shift += 7;
      if (b < 128) return shift < 32 && b & 64 ? v | (-1 << shift) : v;
    }
  };
  const signed64 = (): bigint => {
    let v = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const b = code[at++]!;
      v |= BigInt(b & 127) << shift;
      if (b < 128) return BigInt.asIntN(Math.min(64, Number(shift) + 7), v);
    }
  };
  const lanes = (): string => {
    const v = [0, 4, 8, 12].map((k) => view.getFloat32(at + k, true));
    at += 16;
    return `f32x4 ${v.join(' ')}`;
  };
  const immediate = (k: Imm): string => {
    switch (k) {
      case 'none':
        return '';
      case 'u':
        return ` ${unsigned()}`;
      case 's':
        return ` ${signed()}`;
      case 's64':
        return ` ${signed64()}`;
      case 'f32':
        at += 4;
        return ` ${view.getFloat32(at - 4, true)}`;
      case 'mem':
      case 'memLane': {
        unsigned();
        const offset = unsigned();
        return ` offset=${offset}${k === 'memLane' ? ` ${code[at++]}` : ''}`;
      }
      case 'lane':
        return ` ${code[at++]}`;
      case 'v128':
        return ` ${lanes()}`;
      case 'bytes':
        at += 16;
        return ` ${code.slice(at - 16, at).join(' ')}`;
      case 'block':
        at++;
        return '';
    }
  };
  while (at < code.length) {
    const start = at;
    const first = code[at++]!;
    const sub = first === 0xfd || first === 0xfc ? unsigned() : -1;
    const known = named.get(code.slice(start, at).join());
    const [name, imm] = known
      ? ([known, 'none'] as const)
      : ((first === 0xfd ? simd[sub] : plain[first]) ??
        ([`0x${first.toString(16)}`, 'none'] as const));
    if (name === 'end' || name === 'else') indent--;
    out.push('  '.repeat(Math.max(1, indent)) + name + immediate(imm));
    if (imm === 'block' || name === 'else') indent++;
  }
  return out;
}

export function printFunctions(fns: readonly Fn[]): string {
  return fns
    .map((f) => {
      const params = f.params.map((t) => ` (param ${t})`).join('');
      return [`(func $${f.index} ;; ${f.name}`, `  ${params.trim()}`, ...disassemble(f), ')']
        .filter((l) => l.trim() !== '')
        .join('\n');
    })
    .join('\n');
}
