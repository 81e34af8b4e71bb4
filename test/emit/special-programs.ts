/**
 * Programs in which every primitive meets every special number, in each form that emitters know: on the
 * lanes of vectors and on what they leave over, with one side spread over all lanes, on single cells (in
 * the steps of a loop over three), and with one side or both written into the code.
 */
import { castE, constE, i32, indexE, prim, selectE } from '../../compiler/core/expr.ts';
import { ixAxis } from '../../compiler/core/ix.ts';
import type { Axis, Core, Dtype, Expr, Prim, Stored, Var } from '../../compiler/core.ts';
import { at, Hand, spans } from '../core/hand.ts';
import { castMeaning, meaning, special, written } from './specials.ts';

/** A value of one or two numbers, and what it has to be. */
export type Subject = {
  readonly name: string;
  readonly op: Prim;
  readonly types: readonly Stored[];
  readonly made: (args: readonly Expr[]) => Expr;
  readonly want: (args: readonly number[]) => number;
};

const unary: readonly Prim[] = [
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'tanh',
  'erf',
  'isfinite',
  'f16',
  'bf16',
  'stop',
  'not',
];
const binary: readonly Prim[] = [
  'add',
  'sub',
  'mul',
  'div',
  'idiv',
  'mod',
  'pow',
  'min',
  'max',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'and',
  'or',
];
const stored: readonly Stored[] = ['f32', 'i32', 'u32', 'bool'];

const takes = (op: Prim, types: readonly Dtype[]): boolean => {
  try {
    prim(op, ...types.map((t) => constE(t, 0)));
    return true;
  } catch {
    return false;
  }
};

function subjects(): Subject[] {
  const out: Subject[] = [];
  for (const t of stored) {
    for (const [list, n] of [
      [unary, 1],
      [binary, 2],
    ] as const) {
      for (const op of list) {
        const types = new Array<Stored>(n).fill(t);
        const rule = meaning(op, t);
        if (!rule || !takes(op, types)) continue;
        const want = (a: readonly number[]): number => rule(a[0]!, a[1] ?? 0);
        out.push({ name: `${op} of ${t}`, op, types, made: (a) => prim(op, ...a), want });
      }
    }
    for (const to of stored) {
      if (to === t) continue;
      out.push({
        name: `${t} to ${to}`,
        op: 'cast',
        types: [t],
        made: ([a]) => castE(to, a!),
        want: ([v]) => castMeaning(to, t, v!),
      });
    }
    for (const flag of [0, 1]) {
      out.push({
        name: `select of ${t} at ${flag}`,
        op: 'select',
        types: [t, t],
        made: ([a, b]) => selectE(flag ? prim('eq', a!, a!) : prim('ne', a!, a!), a!, b!),
        // NaN is not equal to itself.
        want: ([a, b]) => (Number.isNaN(a!) !== (flag === 1) ? a! : b!),
      });
    }
  }
  for (const from of ['i32', 'u32'] as const) out.push(...wide(from));
  return out;
}

/** Operations in whole numbers without a size, looked at in two halves. */
function wide(from: 'i32' | 'u32'): Subject[] {
  const out: Subject[] = [];
  const int = (v: number): Expr => constE('int', v);
  const big = 2 ** 20;
  const add = (
    op: Prim,
    types: readonly Stored[],
    made: Subject['made'],
    want: Subject['want'],
  ) => {
    const exact = (a: readonly number[]): bigint => BigInt(want(a));
    const test = made(types.map((t) => castE('int', constE(t, 0)))).t === 'bool';
    const name = `${op} of int from ${from}`;
    const inside: Subject['made'] = (a) => made(a.map((x) => castE('int', x)));
    if (test) return void out.push({ name, op, types, made: inside, want });
    out.push({
      name: `low word of ${name}`,
      op,
      types,
      made: (a) => castE('u32', inside(a)),
      want: (a) => Number(BigInt.asUintN(32, exact(a))),
    });
    out.push({
      name: `high word of ${name}`,
      op,
      types,
      made: (a) => castE('i32', prim('idiv', inside(a), int(2 ** 32))),
      want: (a) => Number(exact(a) >> 32n),
    });
  };
  for (const op of ['neg', 'abs', 'sign', 'stop'] as const) {
    const rule = meaning(op, 'int')!;
    add(
      op,
      [from],
      ([a]) => prim(op, a!),
      ([a]) => rule(a!, 0),
    );
  }
  for (const op of [
    'add',
    'sub',
    'idiv',
    'mod',
    'min',
    'max',
    'eq',
    'ne',
    'lt',
    'le',
    'gt',
    'ge',
  ] as const) {
    const rule = meaning(op, 'int')!;
    add(
      op,
      [from, from],
      ([a, b]) => prim(op, a!, b!),
      ([a, b]) => rule(a!, b!),
    );
    // Numbers that really are beyond 32 bits.
    const scaled = (a: Expr): Expr => prim('mul', a, int(big));
    add(
      op,
      [from, from],
      ([a, b]) => prim(op, scaled(a!), prim('sub', b!, int(3))),
      ([a, b]) => rule(a! * big, b! - 3),
    );
  }
  return out;
}

export type Program = {
  readonly core: Core;
  readonly inputs: readonly Float64Array[];
  /** One for each output. */
  readonly results: readonly {
    readonly subject: Subject;
    readonly want: readonly number[];
    readonly args: readonly (readonly number[])[];
  }[];
};

type Result = Program['results'][number];

/** All combinations of the special numbers of some types. */
function combinations(types: readonly Stored[], of = special): number[][] {
  return types.reduce<number[][]>(
    (all, t) => all.flatMap((a) => of[t].map((v) => [...a, v])),
    [[]],
  );
}

const result = (subject: Subject, args: readonly (readonly number[])[]): Result => ({
  subject,
  args,
  want: args.map(subject.want),
});

class Builder {
  readonly h = new Hand();
  readonly inputs: Float64Array[] = [];
  readonly outs: Var[] = [];
  readonly results: Result[] = [];
  readonly #given = new Map<string, Var>();

  /** One input for each list of numbers, whoever asks for it. */
  input(name: string, shape: readonly number[], t: Stored, data: () => number[]): Var {
    const known = this.#given.get(name);
    if (known) return known;
    const x = this.h.input(name, shape, t);
    this.inputs.push(Float64Array.from(data()));
    this.#given.set(name, x);
    return x;
  }

  add(v: Var, r: Result): void {
    this.outs.push(v);
    this.results.push(r);
  }

  done(): Program {
    return { core: this.h.core(...this.outs), inputs: this.inputs, results: this.results };
  }
}

type Form = (list: readonly Subject[]) => Program;

/** All combinations side by side: on the lanes of vectors. */
const lanes: Form = (list) => {
  const b = new Builder();
  for (const s of list) {
    const all = combinations(s.types);
    const p = b.h.supply.axis(all.length, 'p');
    const reads = s.types.map((t, n) =>
      at(
        b.input(`${t}${n} of ${s.types.join()}`, [all.length], t, () => all.map((a) => a[n]!)),
        p,
      ),
    );
    b.add(b.h.map('v', [p], s.made(reads)), result(s, all));
  }
  return b.done();
};

/** One axis for each argument: the first is the same in all lanes. */
const spread: Form = (list) => {
  const b = new Builder();
  for (const s of list) {
    const axes = s.types.map((t) => b.h.supply.axis(special[t].length));
    const reads = s.types.map((t, n) =>
      at(
        b.input(t, [special[t].length], t, () => [...special[t]]),
        axes[n]!,
      ),
    );
    b.add(b.h.map('v', axes, s.made(reads)), result(s, combinations(s.types)));
  }
  return b.done();
};

/** Three at a time in the steps of a loop: no axis is as long as a vector. */
const cells: Form = (list) => {
  const b = new Builder();
  for (const s of list) {
    const some = combinations(s.types);
    const all = [...some, ...some.slice(0, (3 - (some.length % 3)) % 3)];
    const trip = all.length / 3;
    const [l, i] = [b.h.supply.axis(trip, 'l'), b.h.supply.axis(3, 'i')];
    const reads = s.types.map((t, n) =>
      at(
        b.input(`${t}${n} of ${s.types.join()}`, [trip, 3], t, () => all.map((a) => a[n]!)),
        l,
        i,
      ),
    );
    let elem!: Var;
    const body = b.h.block(() => {
      elem = b.h.map('e', [i], s.made(reads));
    });
    const v = b.h.supply.var('v', elem.t, [trip, 3]);
    const parts = { carry: [], ys: [{ v, elem }], acc: [] };
    b.h.body.push({ k: 'fold', trip, l, rev: false, ...parts, save: 'auto', body, spans });
    b.add(v, result(s, all));
  }
  return b.done();
};

/** One of several values, by an axis. */
function chosen(by: Axis, values: readonly Expr[]): Expr {
  const which = indexE(ixAxis(by));
  return values.reduceRight((rest, v, n) => selectE(prim('eq', which, i32(n)), v, rest));
}

/** The given arguments as literals, one after another along an axis; the others are read. */
const literal =
  (inCode: readonly boolean[]): Form =>
  (list) => {
    const b = new Builder();
    for (const s of list) {
      if (s.types.length !== inCode.length) continue;
      const kinds = s.types.filter((_, n) => inCode[n]);
      const literals = combinations(kinds, inCode.length > 1 ? written : special);
      const read = s.types.filter((_, n) => !inCode[n]);
      const others = combinations(read);
      const [p, c] = [b.h.supply.axis(others.length, 'p'), b.h.supply.axis(literals.length, 'c')];
      const given = (n: number, t: Stored): Expr =>
        at(
          b.input(`${t}${n} of ${read.join()}`, [others.length], t, () => others.map((a) => a[n]!)),
          p,
        );
      const order = (lit: readonly number[], other: readonly number[]): number[] => {
        let [x, y] = [0, 0];
        return inCode.map((w) => (w ? lit[x++]! : other[y++]!));
      };
      const values = literals.map((lit) => {
        let [x, y] = [0, 0];
        return s.made(s.types.map((t, n) => (inCode[n] ? constE(t, lit[x++]!) : given(y++, t))));
      });
      const all = others.flatMap((o) => literals.map((lit) => order(lit, o)));
      b.add(b.h.map('v', [p, c], chosen(c, values)), result(s, all));
    }
    return b.done();
  };

/** How numbers get to a primitive. */
export const forms: Readonly<Record<string, Form>> = {
  'on lanes': lanes,
  'spread over lanes': spread,
  'on single cells': cells,
  'of a literal': literal([true]),
  'of a number and a literal': literal([false, true]),
  'of a literal and a number': literal([true, false]),
};

export const allSubjects: readonly Subject[] = subjects();
