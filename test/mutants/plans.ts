/**
 * Seeded faults of the scheduler and of every rewrite of a schedule, each hunted by the verifier for
 * plans alone: no value of f32 is computed, and no target runs.
 */
import { type Mutant, of } from './row.ts';

const rows: readonly Mutant[] = [
  ...of('plans: order', 'compiler/schedule/order.ts', [
    [
      'writing a whole does not write its parts',
      'touch(n.store.buf, writes);',
      'writes.add(n.store.buf);',
    ],
    ['reading a whole does not read its parts', 'touch(buf, reads);', 'reads.add(buf);'],
    [
      'parts that two kernels joined are free of each other',
      'joiner !== own.joiner',
      'joiner !== own.joiner && false',
    ],
    ['a kernel moves up over what it needs', 'blocked = true;', 'blocked = false;'],
    [
      'a kernel moves down over what needs it',
      'uses.slice(i + 1).every(',
      'uses.slice(i + 2).every(',
    ],
    [
      'what is overwritten may be read later',
      '!a.reads.isDisjointFrom(b.writes);',
      '(a.writes.size < 0 && !a.reads.isDisjointFrom(b.writes));',
    ],
    [
      'two writes of a buffer may change places',
      '!a.writes.isDisjointFrom(b.writes) ||',
      '(a.writes.size < 0 && !a.writes.isDisjointFrom(b.writes)) ||',
    ],
  ]),
  ...of('plans: gathering', 'compiler/schedule/gather.ts', [
    ['dependent kernels count as independent', 'if (conflict(u, v) || !alone(a)', 'if (!alone(a)'],
  ]),
  ...of('plans: views', 'compiler/schedule/views.ts', [
    [
      'every part is written at the beginning',
      'c: store.c + coef(store, part.axis) * part.lo',
      'c: store.c',
    ],
    ['a part keeps its own strides', 'm: steps * digits[i]!.to', 'm: steps * digits[i]!.from'],
    [
      'a part that another kernel reads goes away',
      '|| touched.get(buf)!.size !== 2) return undefined;',
      ') return undefined;',
    ],
    [
      'terms of the loops around are lost',
      'terms: [...terms, ...rest] };',
      'terms: [...terms, ...rest.slice(rest.length)] };',
    ],
  ]),
  ...of('plans: groups', 'compiler/schedule/group.ts', [
    [
      'cells of a grid need not be apart',
      'if (g.m < span) return undefined;',
      'if (g.m < 0) return undefined;',
    ],
    [
      'an inner axis is captured by the grid',
      'if (!taken.has(a.id)) return a;',
      'if (a.extent > 0) return a;',
    ],
    [
      'what another kernel reads is scratch',
      "bufs[buf]!.kind !== 'temp' || homes.get(buf)!.size > 1",
      "bufs[buf]!.kind !== 'temp'",
    ],
    [
      'a nest with other strides joins the cells',
      'if (coefs?.some((c, i) => c !== m[i])) return undefined;',
      '',
    ],
  ]),
  ...of('plans: groups', 'compiler/schedule/resident.ts', [
    [
      'blocks of rows overlap',
      'scaleIx(ixAxis(outer), height)',
      'scaleIx(ixAxis(outer), height - 1)',
    ],
  ]),
  ...of('plans: axes', 'compiler/schedule/axes.ts', [
    [
      'axes are merged that only some nests have',
      'return all.every((l) => has(l, a) === has(l, b));',
      'return all.some((l) => has(l, a) === has(l, b));',
    ],
    [
      'the last block of an axis that is split is left out',
      'extent: a.extent / q, name',
      'extent: a.extent / q - 1, name',
    ],
    [
      'axes that are not contiguous are merged',
      'coef(e, a.id) === b.extent * coef(e, b.id),',
      'coef(e, a.id) >= b.extent * coef(e, b.id),',
    ],
  ]),
  ...of('plans: lowering', 'compiler/schedule/lower.ts', [
    [
      'an initial value that is used again starts a carry in place',
      'const free = slot.stacked || this.#uses.get(init.id) === 1;',
      'const free = slot.stacked || this.#uses.get(init.id) !== 0;',
    ],
    [
      'carries change slots one step late',
      'modIx(addIx(step, ixConst(1)), 2, noExtents)',
      'modIx(addIx(step, ixConst(0)), 2, noExtents)',
    ],
    [
      'the result of an odd fold is its other slot',
      '(f.rev ? 0 : f.trip) : f.trip % 2',
      '(f.rev ? 0 : f.trip) : 0',
    ],
    [
      'a sum of places is not cleared',
      'return [clear, this.#kernelOf(s.v.name, grid, [nest])];',
      'return [clear, this.#kernelOf(s.v.name, grid, [nest])].slice(1);',
    ],
    [
      'points of a sum that meet are a grid',
      's.axes.filter((a) => isFree(a, s.at));',
      's.axes.filter((a) => isFree(a, s.at) || a.extent > 0);',
    ],
  ]),
  ...of('plans: donation', 'compiler/schedule/schedule.ts', [
    ['an input is overwritten that is read later', 'if (written && reads) return false;', ''],
    [
      'other cells of a donated input are read while it is written',
      '.every((l) => l.buf !== input || kixKey(l.at) === cell);',
      '.some((l) => l.buf !== input || kixKey(l.at) === cell);',
    ],
    [
      'copies overwrite what copies read',
      'if (!written.has(c.from.buf)) return c;',
      'if (written.size > 0) return c;',
    ],
  ]),
  ...of('plans: memory', 'compiler/schedule/memory.ts', [
    [
      'what dies and what is born share memory',
      'p.first <= l.last && l.first <= p.last',
      'p.first < l.last && l.first < p.last',
    ],
    [
      'a buffer of a loop lives as long as one access',
      'last = Math.max(last, span.last);',
      'last = Math.max(last, t.at);',
    ],
    [
      'a gap is taken for larger than it is',
      'const gap = p.from - end;',
      'const gap = p.to - end;',
    ],
  ]),
];

export const plans: readonly Mutant[] = rows.map((m) => ({
  ...m,
  lane: 'plans do what their programs say',
}));
