/**
 * Programs as Python expressions over the functions of jax_side.py: a loop is a map over its indices, a
 * fold a scan, a `let` a call. Sizes are numbers.
 */
import type { Binder, Carry, Cond, Expr, Int, Place } from './tree.ts';

const literal = (v: number): string => (v < 0 ? `(${v})` : `${v}`);
const tuple = (parts: readonly string[]): string =>
  parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(', ')})`;
const extents = (over: readonly Binder[]): string => tuple(over.map((b) => `${b.dim.extent}`));
const lambda = (names: readonly string[], body: string): string =>
  `lambda ${names.join(', ')}: ${body}`;

const intFunctions = { '+': 'iadd', '-': 'isub', '*': 'imul', '//': 'idiv', '%': 'imod' } as const;

export function pythonInt(e: Int): string {
  switch (e.k) {
    case 'whole':
      return `${e.n}`;
    case 'count':
      return e.name;
    case 'size':
      return `${e.dim.extent}`;
    case 'arith':
      return `${intFunctions[e.op]}(${pythonInt(e.a)}, ${pythonInt(e.b)})`;
    case 'pick':
      return `i${e.op}(${pythonInt(e.a)}, ${pythonInt(e.b)})`;
    case 'entry':
      return `${e.of}[${place(e.at)}]`;
    case 'floor':
      return `to_i32(jnp.floor(F(${python(e.of)})))`;
    case 'extremum':
      return `${e.op}(${extents([e.over])}, ${lambda([e.over.name], python(e.body))})`;
  }
}

function place(p: Place): string {
  switch (p.k) {
    case 'at':
    case 'left':
      return pythonInt(p.e);
    case 'wrap':
      return `imod(${pythonInt(p.e)}, ${p.dim.extent})`;
    case 'clamp':
    case 'padded':
      return `clamp(${pythonInt(p.e)}, ${p.dim.extent})`;
    case 'pair':
      return `(${pythonInt(p.a)}) * ${p.inner.extent} + (${pythonInt(p.b)})`;
    case 'right':
      return `${p.offset.extent} + (${pythonInt(p.e)})`;
  }
}

const inside = (p: Place): readonly string[] =>
  p.k === 'padded' ? [`inside(${pythonInt(p.e)}, ${p.dim.extent})`] : [];

function cond(c: Cond): string {
  switch (c.k) {
    case 'reals':
      return `(F(${python(c.a)}) ${c.op} F(${python(c.b)}))`;
    case 'ints':
      return `(I(${pythonInt(c.a)}) ${c.op} I(${pythonInt(c.b)}))`;
    case 'both':
      return `(${cond(c.a)} & ${cond(c.b)})`;
    case 'either':
      return `(${cond(c.a)} | ${cond(c.b)})`;
    case 'not':
      return `(~${cond(c.a)})`;
  }
}

const unary = {
  ...{ sin: 'jnp.sin', cos: 'jnp.cos', tanh: 'jnp.tanh', erf: 'erf', exp: 'jnp.exp' },
  ...{ log: 'jnp.log', sqrt: 'jnp.sqrt', abs: 'jnp.abs', neg: 'jnp.negative' },
  ...{ floor: 'jnp.floor', round: 'jnp.round', ceil: 'jnp.ceil', sign: 'jnp.sign' },
} as const;

const init = (c: Carry): string =>
  c.of === 'f32' ? `F(${python(c.init)})` : `I(${pythonInt(c.init)})`;
const next = (c: Carry): string =>
  c.of === 'f32' ? `F(${python(c.next)})` : `I(${pythonInt(c.next)})`;

export function python(e: Expr): string {
  const go = python;
  switch (e.k) {
    case 'lit':
      return literal(e.v);
    case 'name':
      return e.name;
    case 'read': {
      const x = `${e.of}[${e.at.map(place).join(', ')}]`;
      if (e.other === undefined) return x;
      return `choose(${e.at.flatMap(inside).join(' & ')}, ${x}, ${go(e.other)})`;
    }
    case 'real':
      return `F(${pythonInt(e.of)})`;
    case 'map':
      return `${unary[e.f]}(F(${go(e.x)}))`;
    case 'arith':
      return `(F(${go(e.a)}) ${e.op} ${go(e.b)})`;
    case 'power':
      return `(F(${go(e.x)}) ** ${e.n})`;
    case 'pick':
      return `${e.op}imum(F(${go(e.a)}), F(${go(e.b)}))`;
    case 'choice':
      return `choose(${cond(e.c)}, ${go(e.yes)}, ${go(e.no)})`;
    case 'guarded':
      return `guarded(jnp.${e.f}, F(${go(e.x)}), ${literal(e.edge)}, ${go(e.no)})`;
    case 'reduce': {
      const f = lambda(
        e.over.map((b) => b.name),
        go(e.body),
      );
      return `r${e.op}(${extents(e.over)}, ${f})`;
    }
    case 'for': {
      const f = lambda(
        e.over.map((b) => b.name),
        go(e.body),
      );
      return `table(${extents(e.over)}, ${f})`;
    }
    case 'join':
      return `jnp.concatenate([${e.parts.map(go).join(', ')}])`;
    case 'fold': {
      const names = [e.step, ...e.carries.map((c) => c.name)];
      const step = lambda(names, tuple(e.carries.map(next)));
      return `fold(${tuple(e.carries.map(init))}, ${e.steps}, ${step})[${e.take}]`;
    }
    case 'let':
      return `(${lambda([e.name], go(e.body))})(${go(e.value)})`;
    case 'stop':
      return `jax.lax.stop_gradient(F(${go(e.x)}))`;
    case 'checkpoint':
      return `(${lambda([e.name], go(e.body))})(${go(e.x)})`;
    case 'grad':
      return `slope(${lambda([e.name], go(e.body))}, ${go(e.x)})`;
    case 'jvp':
    case 'vjp':
      return `${e.k}(${lambda([e.name], go(e.body))}, ${go(e.x)}, ${go(e.dir)})`;
    case 'rule': {
      const { call } = e;
      const second =
        'u' in call ? `, F(${go(call.u)})` : 'n' in call ? `, I(${pythonInt(call.n)})` : '';
      return `${call.f}(F(${go(call.x)})${second})`;
    }
    case 'higher': {
      const { reals, ints } = e.captured;
      const f = lambda([e.name, ...reals, ...ints], go(e.body));
      const given = (names: readonly string[], as: string): string =>
        tuple(names.map((n) => `${as}(${n})`));
      const captured = `${reals.length === 0 ? '()' : given(reals, 'F')}, ${ints.length === 0 ? '()' : given(ints, 'I')}`;
      return `${e.f}(${f}, F(${go(e.x)}), ${captured})`;
    }
    case 'closure':
      return `(${lambda([e.fn], go(e.body))})(${lambda([e.name], go(e.of))})`;
    case 'apply':
      return `${e.fn}(${go(e.x)})`;
  }
}
