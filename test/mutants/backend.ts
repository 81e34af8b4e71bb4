/**
 * Seeded bugs of the CPU back end: grouping, memory planning, tiles and their edges, the shares of
 * threads. Rules and rows as in mutants.ts.
 */
import { type Mutant, of } from './row.ts';

export const backend: readonly Mutant[] = [
  ...of('packing', 'compiler/emit/wasm/pack.ts', [
    [
      'the last steps of a turned panel are left out',
      'if (steps % 4) walk(4,',
      'if (steps % 4 > 1) walk(4,',
    ],
    [
      'the last words of a panel are left out',
      'if (count % 4) out.push(count - 4);',
      'if (count % 4 > 2) out.push(count - 4);',
    ],
  ]),
  ...of('tiles', 'compiler/emit/wasm/contract.ts', [
    [
      'the second pass of a sum starts anew',
      "nest.store.mode === 'add' || chunk.from > 0",
      "nest.store.mode === 'add' || chunk.from < 0",
    ],
    [
      'passes of a packed operand overlap',
      'return 4 * inner * this.#panels * this.#width *',
      'return 4 * inner * this.#width *',
    ],
    [
      'the first tile of what is left over is skipped',
      'out.push({ from, to: from + t, height: t });',
      'if (from > tall || rest < 2) out.push({ from, to: from + t, height: t });',
    ],
  ]),
  ...of('tiles', 'compiler/emit/wasm/graph.ts', [
    ['a loop that counts twice in an address counts once', '(by.get(loop) ?? 0) + m', 'm'],
  ]),
  ...of('groups', 'compiler/schedule/resident.ts', [
    [
      'blocks of rows overlap',
      'scaleIx(ixAxis(outer), height)',
      'scaleIx(ixAxis(outer), height - 1)',
    ],
  ]),
  ...of('groups', 'compiler/schedule/order.ts', [
    ['a kernel moves up over what it needs', 'blocked = true;', 'blocked = false;'],
    [
      'a kernel moves down over what needs it',
      'uses.slice(i + 1).every(',
      'uses.slice(i + 2).every(',
    ],
  ]),
  ...of('runs', 'compiler/emit/wasm/runs.ts', [
    [
      'a loop hands on a value to a nest that reads another cell',
      'e.guard.length > 0 || cells.get(e.buf) !== kixKey(e.at)',
      'e.guard.length > 0',
    ],
    [
      'what a later loop reads is not stored',
      'isScratch(b) && !readElsewhere.has(b)',
      'isScratch(b)',
    ],
  ]),
  ...of('groups', 'compiler/schedule/gather.ts', [
    ['dependent kernels count as independent', 'if (conflict(u, v) || !alone(a)', 'if (!alone(a)'],
  ]),
  ...of('views', 'compiler/schedule/views.ts', [
    [
      'every part is written at the beginning',
      'c: store.c + coef(store, part.axis) * part.lo',
      'c: store.c',
    ],
    ['a part keeps its own strides', 'm: steps * digits[i]!.to', 'm: steps * digits[i]!.from'],
  ]),
  ...of('memory', 'compiler/schedule/memory.ts', [
    [
      'a buffer of a loop lives as long as one access',
      'last = Math.max(last, span.last);',
      'last = Math.max(last, t.at);',
    ],
    [
      'a buffer may be overwritten while it is read last',
      'p.first <= l.last && l.first <= p.last',
      'p.first < l.last && l.first < p.last',
    ],
    [
      'a gap is taken for larger than it is',
      'if (gap >= need && gap < bestGap)',
      'if (gap >= need / 2 && gap < bestGap)',
    ],
  ]),
  ...of('vectors', 'compiler/emit/wasm/nest.ts', [
    [
      'the last cell beyond whole vectors is left out',
      'range(full, vec.extent, 1, false, full === 0);',
      'range(full, vec.extent - 1, 1, false, full === 0);',
    ],
    [
      'the last terms beyond whole vectors are left out',
      'part(full, vec.extent, 1, false);',
      'part(full, full, 1, false);',
    ],
  ]),
  ...of('running reductions', 'compiler/emit/wasm/accumulate.ts', [
    ['the third lane is lost', 'combine(g, op, t, 1, lane[0]!, lane[2]!)', 'lane[0]!'],
    [
      'of equals the last is the largest',
      "applyOp(g, lanes, 'lt', 'bool', this.#t, order)",
      "applyOp(g, lanes, 'le', 'bool', this.#t, order)",
    ],
    [
      'an extreme forgets that it met a NaN',
      "return this.#g.op('v128.or', 'v128', this.#g.read(this.#local, 'v128', s), nan);",
      "return this.#g.read(this.#local, 'v128', s);",
    ],
  ]),
  ...of('vectors', 'compiler/emit/wasm/micro.ts', [
    [
      'a narrow tile loses its last column',
      'Math.min(4, t.cols - 4 * j)',
      'Math.min(4, t.cols - 4 * j - 1)',
    ],
  ]),
  ...of('vectors', 'compiler/emit/wasm/regions.ts', [
    [
      'a box counts from the beginning of the whole',
      'shiftIx(ixAxis(id), lo)',
      'shiftIx(ixAxis(id), lo > 0 ? lo - 1 : 0)',
    ],
  ]),
  ...of('shares', 'compiler/emit/wasm/part.ts', [
    [
      "the last unit is nobody's",
      'g.times(t, fits ? count : count % part.of),',
      'g.times(t, fits ? count - 1 : count % part.of),',
    ],
    [
      'what is left over is left to the chunk before the last',
      'g.i32(part.of - 1))).then',
      'g.i32(part.of))).then',
    ],
  ]),
  ...of('shares', 'compiler/emit/wasm/contract.ts', [
    [
      'items of a batch are numbered column-major',
      "left = g.op('i32.div_u', 'i32', left, g.i32(a.extent));",
      "left = g.op('i32.div_u', 'i32', left, g.i32(axes[0]!.extent));",
    ],
    [
      'passes of a left operand that is packed for all of them overlap',
      'return 4 * extent(this.c.red.slice(1)) * extent(this.c.rows);',
      'return 4 * extent(this.c.red.slice(1));',
    ],
  ]),
];
