/**
 * Random chains of statements whose values are read where a tangent passes and where none does: in
 * branches, under `stop` and steps, in comparisons and places, by folds, and as results beside the loss.
 *
 * Invariant: values are finite, and so is every gradient: what has no derivative at 0 is read in one branch
 * of a choice, where it is not 0.
 */
import fc from 'fast-check';

type Text = fc.Arbitrary<string>;

/** An expression at index i over the tensors that are there; `steep` ones have no derivative at 0. */
function expression(smooth: readonly string[], steep: readonly string[]): Text {
  const { e } = fc.letrec<{ e: string; at: string; number: string; when: string }>((tie) => ({
    at: fc.constantFrom(...smooth.map((x) => `${x}[i]`)),
    number: fc.constantFrom('0.5', '1.5', '-0.7'),
    when: fc.oneof(
      fc.constantFrom('x[i] > 0', 'x[i] > 0.3', 'not (x[i] > 0)', 'x[i] > 0 and y[i] > 0'),
      tie('at').map((a) => `${a} > 0.2`),
    ),
    e: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      fc.oneof(tie('at'), tie('at'), tie('number')),
      tie('e').map((a) => `sin(${a})`),
      tie('e').map((a) => `log((${a})^2 + 1)`),
      tie('e').map((a) => `exp(-((${a})^2))`),
      tie('e').map((a) => `stop(${a})`),
      tie('e').map((a) => `floor(2 * ${a})`),
      fc.tuple(tie('e'), tie('e')).map(([a, b]) => `(${a} + ${b})`),
      fc.tuple(tie('e'), tie('e')).map(([a, b]) => `(${a}) * (${b})`),
      fc.tuple(tie('e'), tie('e')).map(([a, b]) => `max(${a}, ${b})`),
      fc.tuple(tie('when'), tie('e'), tie('e')).map(([c, a, b]) => `(if ${c} then ${a} else ${b})`),
      fc.tuple(tie('at'), tie('e')).map(([a, b]) => `t[clamp(i32(floor(4 * ${a})))] * ${b}`),
      fc.constantFrom(...smooth).map((x) => `(${x}[i - 1] ?? 0.1)`),
      fc.constantFrom(...smooth).map((x) => `(sum j. ${x}[j] * 0.3)`),
      ...steep.map((r) =>
        fc
          .tuple(fc.constantFrom('x[i] > 0', 'x[i] > 0.3', 'x[i] < -0.2'), tie('e'), tie('e'))
          .map(
            ([c, a, b]) =>
              `(if ${c} then ${r}[i] * ${a} else ${b} + stop(${r}[i]) + floor(3 * ${r}[i]))`,
          ),
      ),
    ),
  }));
  return e;
}

export const program: Text = fc
  .integer({ min: 1, max: 5 })
  .chain((n) => {
    const smooth = ['x', 'y'];
    const steep: string[] = [];
    const lines: Text[] = [];
    for (let k = 0; k < n; k++) {
      const [before, roots] = [[...smooth], [...steep]];
      const e = expression(before, roots);
      // Conditions are not moved out of folds.
      const inside = expression(before, []);
      const last = before.at(-1)!;
      lines.push(
        fc.oneof(
          { weight: 4, arbitrary: e.map((t) => `let r${k} = for i: 5. ${t}`) },
          {
            weight: 1,
            arbitrary: fc.tuple(inside, inside).map(([a, b]) => {
              const body = `if x[i] > 0 then s[i] * 0.5 + ${a} else ${b}`;
              return `let r${k} = fold s = ${last} for l: 2. for i: 5. ${body}`;
            }),
          },
        ),
      );
      smooth.push(`r${k}`);
      // Its derivative at 0 is 0 * inf, of a value that is finite.
      if (k === 0) {
        lines.push(fc.constant('let q = for i: 5. sqrt(x[i]^2)'));
        lines.push(fc.constant('let p = for i: 5. cos(q[i]) * y[i]'));
        steep.push('q', 'p');
      }
    }
    const e = expression(smooth, steep);
    return fc.tuple(fc.tuple(...lines), e, e, fc.constantFrom(...smooth.slice(2)));
  })
  .map(
    ([lines, loss, aux, other]) => `fn main(x: f32[5], y: f32[5], t: f32[4])
  : { loss: f32, aux: f32[5], other: f32[5], n: i32[5], m: f32[5] } =
  ${lines.join('\n  ')}
  let last = for i: 5. ${aux}
  { loss: sum i: 5. ${loss}, aux: last, other: ${other}, n: for i: 5. i32(floor(3 * ${other}[i])), m: for i: 5. floor(9 * p[i]) }
`,
  );

export const point = fc.tuple(
  fc.array(fc.constantFrom(0, 1, -1, 0.25, -0.6, 1.7, 0.31), { minLength: 5, maxLength: 5 }),
  fc.array(
    fc.integer({ min: -20, max: 20 }).map((n) => n / 17),
    { minLength: 5, maxLength: 5 },
  ),
);

export const table = [0.3, -0.8, 1.2, 0.4];
