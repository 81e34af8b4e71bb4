/** Programs in the language's own syntax. Everything compound stands in parentheses. */
import type { Binder, Carry, Cond, Expr, Int, Place } from './tree.ts';

const literal = (v: number): string =>
  v < 0 ? `(-${-v})` : Number.isInteger(v) ? `${v}.0` : `${v}`;
const wholeText = (n: number): string =>
  n >= 0 ? `${n}` : n === -(2 ** 31) ? '(-2147483647 - 1)' : `(-${-n})`;

const binders = (over: readonly Binder[]): string =>
  over.map((b) => `${b.name}: ${b.dim.text}`).join(', ');

/** An index is exact where it stands; `i32` makes a value of it, whose arithmetic wraps. */
function int(e: Int, value: boolean): string {
  const go = (x: Int): string => int(x, value);
  switch (e.k) {
    case 'whole':
      return wholeText(e.n);
    case 'count':
      return value && e.index ? `i32(${e.name})` : e.name;
    case 'size':
      return `(${e.dim.text})`;
    case 'arith':
      return `(${go(e.a)} ${e.op} ${go(e.b)})`;
    case 'pick':
      return `${e.op}(${go(e.a)}, ${go(e.b)})`;
    case 'entry': {
      const read = `${e.of}[${place(e.at)}]`;
      return value ? `i32(${read})` : read;
    }
    case 'floor':
      return `i32(floor(${tenon(e.of)}))`;
    case 'extremum':
      return `i32(${e.op} ${binders([e.over])}. ${tenon(e.body)})`;
  }
}

/** As a value of i32. */
export const tenonInt = (e: Int): string => int(e, true);

function place(p: Place): string {
  switch (p.k) {
    case 'at':
    case 'padded':
      return int(p.e, false);
    case 'wrap':
    case 'clamp':
      return `${p.k}(${int(p.e, true)})`;
    case 'pair':
      return `(${int(p.a, false)}, ${int(p.b, false)})`;
    case 'left':
    case 'right':
      return `${p.k} ${int(p.e, false)}`;
  }
}

function cond(c: Cond): string {
  switch (c.k) {
    case 'reals':
      return `${tenon(c.a)} ${c.op} ${tenon(c.b)}`;
    case 'ints':
      return `${int(c.a, true)} ${c.op} ${int(c.b, true)}`;
    case 'both':
      return `(${cond(c.a)}) and (${cond(c.b)})`;
    case 'either':
      return `(${cond(c.a)}) or (${cond(c.b)})`;
    case 'not':
      return `not (${cond(c.a)})`;
  }
}

const init = (c: Carry, depth: number): string =>
  c.of === 'f32' ? tenon(c.init, depth) : tenonInt(c.init);
const next = (c: Carry, depth: number): string =>
  c.of === 'f32' ? tenon(c.next, depth) : tenonInt(c.next);

function fold(e: Extract<Expr, { k: 'fold' }>, depth: number): string {
  const head = `for ${e.step}: ${e.steps}.`;
  const [first, ...rest] = e.carries;
  if (rest.length === 0) {
    return `(fold ${first!.name} = ${init(first!, depth)} ${head} ${next(first!, depth)})`;
  }
  const all = (of: (c: Carry, depth: number) => string): string =>
    `{ ${e.carries.map((c) => `${c.name}: ${of(c, depth)}`).join(', ')} }`;
  const names = e.carries.map((c) => c.name).join(', ');
  return `(fold { ${names} } = ${all(init)} ${head} ${all(next)}).${e.carries[e.take]!.name}`;
}

/** `depth` of the blocks around, whose `let`s each have a column of their own. */
export function tenon(e: Expr, depth = 1): string {
  const go = (x: Expr): string => tenon(x, depth);
  switch (e.k) {
    case 'lit':
      return literal(e.v);
    case 'name':
      return e.name;
    case 'read': {
      const x = `${e.of}[${e.at.map(place).join(', ')}]`;
      return e.other === undefined ? x : `(${x} ?? (${go(e.other)}))`;
    }
    case 'real':
      return `f32(${tenonInt(e.of)})`;
    case 'map':
      return e.f === 'neg' ? `(-${go(e.x)})` : `${e.f}(${go(e.x)})`;
    case 'arith':
      return `(${go(e.a)} ${e.op} ${go(e.b)})`;
    case 'power':
      return `(${go(e.x)}^${e.n})`;
    case 'pick':
      return `${e.op}(${go(e.a)}, ${go(e.b)})`;
    case 'choice':
      return `(if ${cond(e.c)} then ${go(e.yes)} else ${go(e.no)})`;
    case 'guarded': {
      const x = go(e.x);
      return `(if ${x} > ${literal(e.edge)} then ${e.f}(${x} - ${literal(e.edge)}) else ${go(e.no)})`;
    }
    case 'reduce':
      return `(${e.op} ${binders(e.over)}. ${go(e.body)})`;
    case 'for':
      return `(for ${binders(e.over)}. ${go(e.body)})`;
    case 'join':
      return `[${e.parts.map((p) => `..${go(p)}`).join(', ')}]`;
    case 'fold':
      return fold(e, depth);
    case 'let':
      return block(depth, [`let ${e.name} = ${tenon(e.value, depth + 1)}`], e.body);
    case 'stop':
      return `stop(${go(e.x)})`;
    case 'checkpoint':
      return `checkpoint(${e.name} -> ${go(e.body)}, ${go(e.x)})`;
    case 'grad':
      return `grad(${e.name} -> ${go(e.body)}, ${go(e.x)})`;
    case 'jvp':
      return `jvp(${e.name} -> ${go(e.body)}, ${go(e.x)}, ${go(e.dir)}).tangent`;
    case 'vjp':
      return `vjp(${e.name} -> ${go(e.body)}, ${go(e.x)}, ${go(e.dir)}).gradient`;
    case 'rule': {
      const { call } = e;
      const second = 'u' in call ? `, ${go(call.u)}` : 'n' in call ? `, ${tenonInt(call.n)}` : '';
      return `${call.f}(${go(call.x)}${second})`;
    }
    case 'higher':
      return `${e.f}(${e.name} -> ${go(e.body)}, ${go(e.x)})`;
    case 'closure': {
      const of = `${e.name} -> ${tenon(e.of, depth + 1)}`;
      return block(depth, [`let ${e.fn}: f32 -> f32 = ${of}`], e.body);
    }
    case 'apply':
      return `${e.fn}(${go(e.x)})`;
  }
}

function block(depth: number, lets: readonly string[], body: Expr): string {
  const indent = '  '.repeat(depth + 1);
  return `(\n${[...lets, tenon(body, depth + 1)].map((line) => indent + line).join('\n')})`;
}
