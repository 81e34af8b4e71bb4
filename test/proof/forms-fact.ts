/**
 * Index forms that stand on a fact, one for each kind of `where` in docs/language.md: the row states
 * the fact and reads what is in range by it alone. Rows as form.ts says.
 */
import { binder, type Draft, need } from './draft.ts';
import { plainName } from './draw-size.ts';
import { type Form, formed, placed } from './form.ts';
import { add, at, div, mul, tuple, v } from './make.ts';
import {
  asExpr,
  atLeast,
  fact,
  int,
  minus,
  multiple,
  name,
  nat,
  over,
  plus,
  sameSize,
  times,
} from './sizes.ts';
import type { Size } from './tree.ts';

/** Different names; a number where there are too few. */
function names(d: Draft): readonly [Size, Size, Size] {
  const a = plainName(d);
  const others = d.sizes.map((s) => name(s.name)).filter((s) => !sameSize(s, a));
  const b = others.length === 0 ? nat(2) : d.p.one(others);
  return [a, b, others.find((s) => !sameSize(s, b)) ?? nat(1 + d.p.below(2))];
}

const ordered: Form = (d) => {
  const [k, l] = names(d);
  need(d, fact(k, '<=', l));
  const i = binder(d, k);
  return placed(d, v(i.name), l, [{ ...i, elide: false }]);
};

const sum: Form = (d) => {
  const [a, b, c] = names(d);
  need(d, fact(plus(a, b), '<=', c));
  const [i, j] = [binder(d, a), binder(d, b)];
  return d.p.one([
    () => placed(d, add(v(i.name), asExpr(b)), c, [i]),
    () => formed(add(v(i.name), v(j.name)), c, [i, j]),
  ])();
};

const double: Form = (d) => {
  const [n, m] = names(d);
  need(d, fact(times(nat(2), n), '<=', plus(m, 1)));
  const i = binder(d, n);
  return placed(d, add(mul(int(2), v(i.name)), int(1)), plus(m, 1), [i]);
};

const bounded: Form = (d) => {
  const [n] = names(d);
  const c = 2 + d.p.below(4);
  need(d, fact(n, '<=', nat(c)));
  const i = binder(d, n);
  return placed(d, v(i.name), nat(c), [{ ...i, elide: false }]);
};

const even: Form = (d) => {
  const [n] = names(d);
  const c = d.p.one([2, 4, 3]);
  need(d, multiple(n, nat(c)));
  const half = over(n, nat(c));
  return d.p.one([
    () => {
      const i = binder(d, half);
      return placed(d, add(mul(int(c), v(i.name)), int(c - 1)), n, [i]);
    },
    () => {
      const i = binder(d, n);
      return placed(d, div(v(i.name), int(c)), half, [i]);
    },
    () => {
      const [i, j] = [binder(d, half), binder(d, nat(c))];
      const ix = tuple([at(v(i.name)), at(v(j.name))], [half, nat(c)]);
      return { ix, dim: n, binders: [i, j].map((b) => ({ ...b, elide: false })) };
    },
  ])();
};

const heads: Form = (d) => {
  const [n, h] = names(d);
  need(d, multiple(n, h));
  const [i, j] = [binder(d, h), binder(d, over(n, h))];
  const ix = tuple([at(v(i.name)), at(v(j.name))], [h, over(n, h)]);
  return { ix, dim: n, binders: [i, j].map((b) => ({ ...b, elide: false })) };
};

const composite: Form = (d) => {
  const n = plus(plainName(d), 1 + d.p.below(3));
  const c = d.p.one([4, 2, 3]);
  need(d, multiple(n, nat(c)));
  if (!d.p.chance(25)) {
    const i = binder(d, n);
    return placed(d, v(i.name), n, [i]);
  }
  const i = binder(d, over(n, nat(c)));
  return placed(d, add(mul(int(c), v(i.name)), int(c - 1)), n, [i]);
};

const quarter: Form = (d) => {
  const [n] = names(d);
  need(d, multiple(n, nat(2)));
  need(d, multiple(over(n, nat(2)), nat(2)));
  const i = binder(d, over(n, nat(4)));
  return placed(d, mul(int(4), v(i.name)), n, [i]);
};

/** What has a remainder is not empty; a remainder that is no less than the divisor is none. */
const remainder: Form = (d) => {
  const [n] = names(d);
  const c = 2 + d.p.below(4);
  const r = 1 + d.p.below(c - 1);
  if (d.deviates()) {
    // A remainder that is no less than its divisor: no size has it, and no fact about it is needed.
    d.facts.push(multiple(n, nat(c), nat(r + c)));
    const i = binder(d, n);
    return formed(v(i.name), n, [i]);
  }
  need(d, multiple(n, nat(c), nat(r)));
  return placed(d, int(r - 1), n, []);
};

const remainderBySize: Form = (d) => {
  const [n, k] = names(d);
  need(d, multiple(n, k, nat(1)));
  return d.p.one([() => formed(int(0), n, []), () => formed(int(1), plus(k, 0), [])])();
};

const differenceOf: Form = (d) => {
  const [a, b, c] = names(d);
  need(d, fact(a, '==', minus(b, c)));
  return d.p.one([
    () => {
      const i = binder(d, a);
      return placed(d, add(v(i.name), asExpr(c)), b, [i]);
    },
    () => {
      const i = binder(d, minus(b, c));
      return placed(d, v(i.name), a, [{ ...i, elide: false }]);
    },
  ])();
};

const productOf: Form = (d) => {
  const [n, a, b] = names(d);
  need(d, fact(n, '==', times(a, b)));
  const [i, j] = [binder(d, a), binder(d, b)];
  const both = [i, j].map((x) => ({ ...x, elide: false }));
  return d.p.one([
    () => ({ ix: tuple([at(v(i.name)), at(v(j.name))], [a, b]), dim: n, binders: both }),
    () => placed(d, add(mul(v(i.name), asExpr(b)), v(j.name)), n, both),
  ])();
};

const quotientOf: Form = (d) => {
  const [n, q] = names(d);
  need(d, multiple(n, nat(2)));
  need(d, fact(over(n, nat(2)), '==', q));
  const i = binder(d, q);
  return placed(d, add(mul(int(2), v(i.name)), int(1)), n, [i]);
};

const nonEmpty: Form = (d) => {
  const [n] = names(d);
  const c = 1 + d.p.below(3);
  need(d, atLeast(n, c));
  return placed(d, int(c - 1), n, []);
};

export const factForms: Readonly<Record<string, Form>> = {
  'fact N >= 1': nonEmpty,
  'fact K <= L': ordered,
  'fact N <= 4': bounded,
  'fact A + B <= C': sum,
  'fact 2*N <= M + 1': double,
  'fact D % 2 == 0': even,
  'fact D % H == 0': heads,
  'fact N + 1 % 4 == 0': composite,
  'fact D/2 % 2 == 0': quarter,
  'fact N % 4 == 1': remainder,
  'fact N % K == 1': remainderBySize,
  'fact A == B - C': differenceOf,
  'fact N == A*B': productOf,
  'fact N/2 == Q': quotientOf,
};
