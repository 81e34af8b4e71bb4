/**
 * Functions that rows of this lane ask for by name. Those of `rules` have derivatives that are not always
 * those of their values (straight through a step), so that a rule that is not used shows.
 */
export const ownPrelude: Readonly<Record<string, string>> = {
  // What the rule of gate says of u is gate itself, to every order, as it has to be for calls on tangents.
  rules: `fn steps(x: f32): f32 = floor(2 * x + 0.0371)
derivative steps(x, dx) = dx

fn gate(x: f32, u: f32): f32 = u * floor(2 * x + 0.0371)
derivative gate(x, u, dx, du) = du * steps(x) + u * dx

fn half(x: f32): f32 = x * x / 2
derivative half(x, dx) = gate(x, dx)

fn steep(x: f32, by: f32 = 0.7): f32 = sin(by * x)
derivative steep(x, by, dx, dby) = 2 * by * cos(by * x) * dx + x * half(x) * dby

fn ident[S](x: S): S = x
derivative ident(x, dx) = dx

fn leaned[N](x: f32[N], k: i32): f32[N] = for i. x[i] * f32(k % 3)
derivative leaned(x, k, dx) = for i. dx[i] * f32(k % 3) + 0.1 * (sum j. dx[j])
`,
  through: `fn through(g: f32 -> f32, x: f32): f32 = g(x)
derivative through(g, x, dx) = jvp(g, x, dx).tangent

fn along[N](g: f32[N] -> f32, x: f32[N]): f32 = g(x)
derivative along(g, x, dx) =
  let slope = grad(g, x)
  sum i. slope[i] * dx[i]

fn mapped[N](g: f32 -> f32, x: f32[N]): f32[N] = for i. g(x[i])
derivative mapped(g, x, dx) = for i. 2 * jvp(g, x[i], dx[i]).tangent
`,
};
