/** A program that shows the language at its best: layers, losses, samplers, checks. */
export const LANGUAGE = `type Attention[D] = { qkv: Linear[D, 3*D], proj: Linear[D, D] }
type Mlp[D, F]    = { fc1: Linear[D, F], fc2: Linear[F, D] }
type Block[D]     = { attn: Attention[D], mlp: Mlp[D, 4*D], adaLN_modulation: { 1: Linear[D, 6*D] } }
type Joint[C, R, H, W] = { x: f32[C, H, W], z: f32[R, H, W] }

/// y = W x + b
fn linear[I, O](p: Linear[I, O], x: f32[I]): f32[O] =
  for o. p.bias[o] + sum i. p.weight[o, i] * x[i]

fn softmax[N](x: f32[N]): f32[N] where N >= 1 =
  let top = stop(max i. x[i])
  let e   = for i. exp(x[i] - top)
  let z   = sum i. e[i]
  for i. e[i] / z

fn attention[T, H, E](p: Attention[H*E], x: f32[T, H*E]): f32[T, H*E] =
  let qkv = for t. linear(p.qkv, x[t])
  let a   = for h, t. softmax(for s. (sum e. qkv[t, (0, h, e)] * qkv[s, (1, h, e)]) / sqrt(E))
  for t. linear(p.proj, for (h, e). sum s. a[h, t, s] * qkv[s, (2, h, e)])

fn patchify[C, H, W, P](img: f32[C, H*P, W*P]): f32[H*W, P*P*C] =
  for (h, w), (i, j, c). img[c, (h, i), (w, j)]

/// adaLN-Zero block, H heads of width E
fn block[T, H, E](p: Block[H*E], x: f32[T, H*E], c: f32[H*E]): f32[T, H*E] =
  let m = linear(p.adaLN_modulation.1, each v in c. silu(v))
  let s = for k: 6, d: H*E. m[(k, d)]
  let a = attention[H = H](p.attn, for t. modulate(x[t], s[0], s[1]))
  let h = for t. x[t] + s[2] * a[t]
  for t. h[t] + s[5] * mlp(p.mlp, modulate(h[t], s[3], s[4]))

fn trunk[L, T, H, E](blocks: Block[H*E][L], x: f32[T, H*E], c: f32[H*E]): f32[T, H*E] =
  fold h = x for l. block[H = H](blocks[l], h, c)

/// velocity loss on t*data + (1 - t)*noise; keep = 0 drops z
fn jointLoss[C, R, H, W](v: (Joint, f32) -> Joint, data: Joint, noise: Joint, t: f32,
    lam: f32 = 1, keep: f32 = 1): f32 =
  let x1 = { x: data.x, z: keep * data.z }
  let u  = v(each a, b in x1, noise. t * a + (1 - t) * b, t)
  let e  = each p, a, b in u, x1, noise. (p - (a - b))^2
  (mean a in e.x. a) + keep * lam * (mean a in e.z. a)

fn step[P, S](loss: (P, S) -> f32, params: P, data: S, lr: f32): { loss: f32, params: P } =
  let { value, gradient } = valueGrad(p -> loss(p, data), params)
  { loss: value, params: each p, g in params, gradient. p - lr * g }

/// N steps, any record S
fn euler[N, S](v: (S, f32) -> S, z0: S): S =
  fold z = z0 for n: N. each a, u in z, v(z, f32(n) / N). a + u / N

check gradient of block where H == 2, E <= 4
check softmaxIsADistribution[N](x: f32[N]) where N >= 1 = abs((sum i. softmax(x)[i]) - 1) < 1e-5
`;
