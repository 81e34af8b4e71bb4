"""The JAX half: programs that print-python.ts printed, with their gradients, in f64.

Reads one JSON object a line {"text", "ruled", "ints", "inputs": [point, ...]}, where a point is [shape, numbers] for
each parameter, those of `ints` whole numbers, and answers {"points": [[numbers, ...], ...]} or {"error"}: the results in
order, then the gradient of the first result by each parameter of f32.

What the language says and JAX does not: an extreme over a range is its first one (its gradient too); n // 0 is n and
n % 0 is 0; whole numbers wrap at 32 bits; what is out of range is read nowhere.
"""
import json
import os
import sys
from functools import partial

# Compiling costs more than running here.
quick = ["backend_optimization_level=0", "llvm_disable_expensive_passes=true", "cpu_use_fusion_emitters=false"]
os.environ.setdefault("XLA_FLAGS", " ".join(f"--xla_{flag}" for flag in [*quick, "cpu_multi_thread_eigen=false"]))
os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
erf = jax.scipy.special.erf


def F(x):
    return jnp.asarray(x, jnp.float64)


def I(x):
    return jnp.asarray(x, jnp.int64).astype(jnp.int32)


# ------------------------------------------------------------ whole numbers: in 64 bits, then wrapped


def wide(f):
    return lambda a, b: I(f(jnp.asarray(a, jnp.int64), jnp.asarray(b, jnp.int64)))


iadd, isub, imul = wide(lambda a, b: a + b), wide(lambda a, b: a - b), wide(lambda a, b: a * b)
imin, imax = wide(jnp.minimum), wide(jnp.maximum)
idiv = wide(lambda a, b: jnp.where(b == 0, a, a // jnp.where(b == 0, 1, b)))
imod = wide(lambda a, b: jnp.where(b == 0, 0, a % jnp.where(b == 0, 1, b)))


def to_i32(x):
    return jnp.clip(x, -(2.0**31), 2.0**31 - 1).astype(jnp.int32)


def clamp(i, n):
    return jnp.clip(jnp.asarray(i), 0, n - 1)


def inside(i, n):
    return (jnp.asarray(i) >= 0) & (jnp.asarray(i) < n)


# ------------------------------------------------------------ choices


def choose(c, a, b):
    return jnp.where(c, F(a), F(b))


# Its gradient in JAX compares the result with the operands, which the compiler may compute once more with other
# rounding; here the operands are compared, and at a tie either has half of the derivative.
def maximum(a, b):
    return jnp.where(a > b, a, jnp.where(a < b, b, (a + b) / 2))


def minimum(a, b):
    return -maximum(-a, -b)


def guarded(f, x, edge, other):
    taken = x > edge
    return choose(taken, f(jnp.where(taken, x - edge, 1.0)), other)


# ------------------------------------------------------------ loops


def table(shape, f):
    ix = jnp.indices(shape, dtype=jnp.int32).reshape(len(shape), -1)
    out = jax.vmap(lambda *i: F(f(*i)))(*ix)
    return out.reshape(shape + out.shape[1:])


def itable(shape, f):
    ix = jnp.indices(shape, dtype=jnp.int32).reshape(len(shape), -1)
    return jax.vmap(lambda *i: I(f(*i)))(*ix).reshape(shape)


def rsum(shape, f):
    return table(shape, f).sum()


def rmean(shape, f):
    return table(shape, f).mean()


def rprod(shape, f):
    return jnp.prod(table(shape, f))


def rmax(shape, f):
    all_ = table(shape, f).reshape(-1)
    return all_[jnp.argmax(all_)]


def rmin(shape, f):
    all_ = table(shape, f).reshape(-1)
    return all_[jnp.argmin(all_)]


def argmax(shape, f):
    return jnp.argmax(table(shape, f)).astype(jnp.int32)


def argmin(shape, f):
    return jnp.argmin(table(shape, f)).astype(jnp.int32)


# JAX forgets a custom rule in the second derivative of a scan, so programs with
# rules are unrolled.
unrolled = False


def fold(carries, steps, f):
    if unrolled or steps == 0:
        for l in range(steps):
            carries = f(jnp.int32(l), *carries)
        return carries
    return jax.lax.scan(lambda c, l: (f(l, *c), None), carries, jnp.arange(steps, dtype=jnp.int32))[0]


# ------------------------------------------------------------ derivatives


def slope(f, x):
    return jax.grad(lambda z: F(f(z)))(F(x))


def jvp(f, x, dx):
    return jax.jvp(lambda z: F(f(z)), (F(x),), (F(dx),))[1]


def vjp(f, x, ct):
    return jax.vjp(lambda z: F(f(z)), F(x))[1](F(ct))[0]


# JAX forgets the rule of what a rule calls with a tangent, so that half cannot call gate(x, dx): the step that
# is in it has the rule itself, which is the same to the second order, and programs go no further.
@jax.custom_jvp
def step(x):
    return jnp.floor(2 * x + 0.0371)


@step.defjvp
def _(primals, tangents):
    return step(*primals), tangents[0]


@jax.custom_jvp
def gate(x, u):
    return u * jnp.floor(2 * x + 0.0371)


@gate.defjvp
def _(primals, tangents):
    (x, u), (dx, du) = primals, tangents
    return gate(x, u), du * step(x) + u * dx


@jax.custom_jvp
def half(x):
    return x * x / 2


@half.defjvp
def _(primals, tangents):
    return half(*primals), step(primals[0]) * tangents[0]


@jax.custom_jvp
def steep(x, by):
    return jnp.sin(by * x)


@steep.defjvp
def _(primals, tangents):
    (x, by), (dx, dby) = primals, tangents
    return steep(x, by), 2 * by * jnp.cos(by * x) * dx + x * half(x) * dby


def ident(x):
    return x


def leaned(x, k):
    k3 = F(imod(k, 3))

    @jax.custom_jvp
    def f(x, k3):
        return x * k3

    @f.defjvp
    def _(primals, tangents):
        (x, k3), (dx, _) = primals, tangents
        return f(x, k3), dx * k3 + 0.1 * dx.sum()

    return f(x, k3)


def of_function(value, tangent):
    """A function of a function: what that uses of the values around it moves the result by itself."""

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def call(g, x, reals, ints):
        return F(value(lambda z: F(g(z, *reals, *ints)), x))

    @call.defjvp
    def _(g, primals, tangents):
        (x, reals, ints), (dx, dreals, _) = primals, tangents
        own = lambda rs: F(value(lambda z: F(g(z, *rs, *ints)), x))
        around = jax.jvp(own, (reals,), (dreals,))[1] if reals else 0.0
        inner = lambda z: F(g(z, *reals, *ints))
        return call(g, x, reals, ints), tangent(inner, x, dx) + around

    return call


through = of_function(lambda g, x: g(x), lambda g, x, dx: jax.jvp(g, (x,), (dx,))[1])
along = of_function(lambda g, x: g(x), lambda g, x, dx: (jax.grad(g)(x) * dx).sum())
mapped = of_function(
    lambda g, x: jax.vmap(g)(x),
    lambda g, x, dx: jax.vmap(lambda v, dv: 2 * jax.jvp(g, (v,), (dv,))[1])(x, dx),
)


# ------------------------------------------------------------ one program after another


def answer(job):
    global unrolled
    unrolled = job["ruled"]
    f = eval(job["text"], globals())
    as_arrays = lambda p: [
        I(np.array(v, np.int64).reshape(shape)) if i in job["ints"] else F(np.array(v, np.float64).reshape(shape))
        for i, (shape, v) in enumerate(p)
    ]
    reals = [i for i in range(len(job["inputs"][0])) if i not in job["ints"]]

    def both(*inputs):
        def loss(*given):
            full = list(inputs)
            for i, v in zip(reals, given):
                full[i] = v
            out = f(*full)
            return F(out[0]), out

        (_, out), grads = jax.value_and_grad(loss, argnums=tuple(range(len(reals))), has_aux=True)(
            *[inputs[i] for i in reals]
        )
        return list(out) + list(grads)

    run = jax.jit(both)
    points = []
    for p in job["inputs"]:
        leaves = run(*as_arrays(p))
        points.append([[float(v) for v in np.asarray(x, dtype=np.float64).reshape(-1)] for x in leaves])
    return {"points": points}


def main():
    done = 0
    for line in sys.stdin:
        job = json.loads(line)
        try:
            out = answer(job)
        except Exception as e:
            out = {"error": f"{type(e).__name__}: {e}"[:2000]}
        # NaN and infinities are not JSON: they are words.
        words = lambda v: v if not isinstance(v, float) or v == v and abs(v) != float("inf") else repr(v)
        if "points" in out:
            out["points"] = [[[words(v) for v in leaf] for leaf in p] for p in out["points"]]
        print(json.dumps(out), flush=True)
        done += 1
        if done % 200 == 0:
            jax.clear_caches()


if __name__ == "__main__":
    sys.setrecursionlimit(20000)
    main()
