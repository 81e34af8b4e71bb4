/**
 * Names that other languages and libraries have, and what takes their place here: functions and
 * methods, modules, types. The message says that there is no such name; these are its hints.
 */

const MATRIX_PRODUCT = 'a matrix product is a sum: `for i, j. sum k. a[i, k] * b[k, j]`';
const TRANSPOSE = 'indices may come in any order: `for j, i. a[i, j]`';
const TUPLES =
  'a product dimension is read with a tuple: `x[(h, w)]`, and made by `for (h, w). ...`';
const CONCAT = 'concatenation is `[..a, ..b]`';
const LENGTH = 'the length of `x: f32[N]` is `N`';
const MAP = 'a map is a `for`: `for i. f(x[i])`, or `each v in x. f(v)`';
const NO_MODULES =
  'what is built in needs no module: `exp(x)`; other functions are imported by name';
const DRAWS = 'random numbers are drawn from a key: `normal(k, i)`, `uniform(k, i)`';

const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['relu', 'there is no `relu`: write `max(v, 0)`'],
  ['sigmoid', 'there is no `sigmoid`: write `1 / (1 + exp(-v))`'],
  ['matmul', MATRIX_PRODUCT],
  ['einsum', MATRIX_PRODUCT],
  ['dot', 'a product of vectors is a sum: `sum i. a[i] * b[i]`'],
  ['transpose', TRANSPOSE],
  ['permute', TRANSPOSE],
  ['T', TRANSPOSE],
  ['reshape', TUPLES],
  ['view', TUPLES],
  ['flatten', TUPLES],
  ['squeeze', 'a dimension of size 1 is read at 0: `x[0]`'],
  ['unsqueeze', 'a dimension of size 1 is made by brackets: `[x]`'],
  ['concat', CONCAT],
  ['concatenate', CONCAT],
  ['cat', CONCAT],
  ['vcat', CONCAT],
  ['hcat', CONCAT],
  ['append', CONCAT],
  ['push', CONCAT],
  ['stack', 'rows become a matrix by `[a, b]`, or by `for i. row(i)`'],
  ['zeros', 'an array of zeros is `for i: N. 0`'],
  ['ones', 'an array of ones is `for i: N. 1`'],
  ['eye', 'the unit matrix is `for i, j. f32(i == j)`'],
  ['arange', 'the numbers from 0 on are `for i: N. f32(i)`'],
  ['linspace', 'evenly spaced numbers are `for i: N. f32(i) / N`'],
  ['range', 'a range is written where an index is bound: `for i: N. ...`'],
  ['len', LENGTH],
  ['length', LENGTH],
  ['size', LENGTH],
  ['shape', 'the shape of `x: f32[N, D]` is `N`, `D`'],
  ['end', 'the last element of `x: f32[N]` is `x[N - 1]`'],
  ['pow', 'powers are written `x^2`'],
  ['square', 'powers are written `x^2`'],
  ['map', MAP],
  ['vmap', MAP],
  ['fmap', MAP],
  ['reduce', 'reductions are loops: `sum i. x[i]`, `max i. x[i]`, or a `fold`'],
  ['where', 'a choice for each element is `for i. if c[i] then a[i] else b[i]`'],
  ['clip', 'write `min(max(x, low), high)`'],
  ['float', 'write `f32(...)`'],
  ['int', 'write `i32(...)`'],
  ['astype', 'write `f32(...)` or `i32(...)`'],
  ['rand', DRAWS],
  ['randn', DRAWS],
  ['detach', 'write `stop(x)`'],
  ['backward', 'derivatives are functions: `grad(f, x)`'],
  ['print', 'programs print nothing; `tenon run` shows results, `--trace-nan` what is not finite'],
  ['self', 'functions are given all that they use: `fn f(p: Model, x: f32)`'],
  ['None', 'there is no value for nothing; a leaf that may be missing makes two types'],
  ['np', NO_MODULES],
  ['numpy', NO_MODULES],
  ['jnp', NO_MODULES],
  ['jax', NO_MODULES],
  ['torch', NO_MODULES],
  ['math', NO_MODULES],
]);

export function habit(name: string): string | undefined {
  return FUNCTIONS.get(name);
}

const FLOATS = 'numbers are `f32`';
const WHOLE = 'whole numbers are `i32` or `u32`';
const TENSORS = 'tensors are written by their elements and sizes: `f32[N, D]`';

const TYPES: ReadonlyMap<string, string> = new Map([
  ...['f64', 'f16', 'float', 'Float', 'float32', 'Float32', 'Float64', 'double', 'number'].map(
    (name): [string, string] => [name, FLOATS],
  ),
  ...['int', 'Int', 'int32', 'Int32', 'Int64', 'i64', 'Integer', 'uint', 'usize'].map(
    (name): [string, string] => [name, WHOLE],
  ),
  ...['Tensor', 'tensor', 'Array', 'Vector', 'Matrix', 'list', 'List', 'array'].map(
    (name): [string, string] => [name, TENSORS],
  ),
  ['Bool', 'truth values are `bool`'],
  ['boolean', 'truth values are `bool`'],
  ['bf16', 'numbers are `f32`; how leaves are stored is a matter of the checkpoint and the plan'],
  ['string', 'there are no texts'],
  ['String', 'there are no texts'],
]);

export function typeHabit(name: string): string | undefined {
  return TYPES.get(name);
}
