/**
 * Contractions as tiled matrix products: a workgroup computes a tile of the result, chunk by chunk of
 * the summed axes; both operands' chunks go through workgroup memory, and each thread keeps a small
 * square of sums in registers (Volkov and Demmel, "Benchmarking GPUs to tune dense linear algebra",
 * SC 2008).
 *
 * Recognised by form (schedule/contract.ts): any orientation, any number of axes, any expression as
 * an operand. Rows, columns and summed axes are each one flat number, split into axes where an
 * operand is read. A sum runs in the order of its axes, as in the plain kernel, so tiling rounds
 * differently only where a product has more than two factors.
 */
import { extentsOf } from '../../core/ix.ts';
import type { Axis, AxisId } from '../../core.ts';
import type { KExpr, Kernel } from '../../plan.ts';
import type { Contraction } from '../../schedule/contract.ts';
import { eachKExpr } from '../../schedule/flat.ts';
import { axisName, NestText } from '../nest-text.ts';
import { cellsOf, storeLine } from './kernel.ts';
import { type Printer, type Shader, splitNumber } from './lang.ts';

type Tile = {
  /** Rows and columns of a workgroup's tile, and of a thread's square. */
  readonly rows: number;
  readonly cols: number;
  readonly side: number;
};
/** Summed in one chunk. */
const DEPTH = 16;

const tiles: readonly Tile[] = [
  { rows: 64, cols: 64, side: 4 },
  { rows: 32, cols: 32, side: 4 },
  { rows: 16, cols: 16, side: 2 },
];

/** The largest tile that both sides fill at least half way down. */
const tileFor = (m: number, n: number): Tile =>
  tiles.find((t) => Math.min(m, n) > t.rows / 2) ?? tiles.at(-1)!;

export function tiledKernel(p: Printer, k: Kernel, c: Contraction, loops: readonly Axis[]): Shader {
  const [M, N, K] = [cellsOf(c.rows), cellsOf(c.cols), cellsOf(c.red)];
  const tile = tileFor(M, N);
  const across = Math.ceil(N / tile.cols);
  const down = Math.ceil(M / tile.rows);
  const lanesX = tile.cols / tile.side;
  const lanes = lanesX * (tile.rows / tile.side);
  const extents = extentsOf(loops, k.grid, c.nest.axes, c.nest.red);

  /** Fills one operand's chunk: `depth` numbers the summed axes, `other` its own. */
  const fill = (name: string, e: KExpr, own: readonly Axis[], size: number, first: string) => {
    const text = new NestText(p.lang, [], extents, [e]);
    const value = text.expr(e, 0);
    // Neighbouring lanes read neighbouring words.
    const deep = stepOf(e, c.red) <= stepOf(e, own);
    const [o, d] = deep ? [`e / ${DEPTH}i`, `e % ${DEPTH}i`] : [`e % ${size}i`, `e / ${size}i`];
    return [
      `for (var e = i32(lane); e < ${size * DEPTH}i; e += ${lanes}i) {`,
      `let o = ${o};`,
      `let d = ${d};`,
      `let own = ${first} + o;`,
      'let deep = chunk + d;',
      'var value = 0f;',
      `if (own < ${cellsOf(own)}i && deep < ${K}i) {`,
      ...splitNumber(own, 'own'),
      ...splitNumber(c.red, 'deep'),
      ...text.at[0]!,
      `value = ${value};`,
      '}',
      `${name}[d * ${size}i + o] = value;`,
      '}',
    ];
  };
  const square = range(tile.side);
  const stepY = tile.rows / tile.side;
  const single = c.nest.red.filter((a) => !c.red.includes(a));
  const text = new NestText(p.lang, [], extents, []);
  const line = storeLine(p, c.nest, text, 0, 'sums[s]');
  const sums = square.flatMap((i) => square.map((j) => `sum${i}${j}`));
  // One text for all cells of the square: unrolled, it would be most of the shader.
  const store = [
    `var sums = array<f32, ${sums.length}>(${sums.join(', ')});`,
    `for (var s = 0i; s < ${sums.length}i; s++) {`,
    `let row = row0 + y + s / ${tile.side}i * ${stepY}i;`,
    `let col = col0 + x + s % ${tile.side}i * ${lanesX}i;`,
    `if (row < ${M}i && col < ${N}i) {`,
    ...splitNumber(c.rows, 'row'),
    ...splitNumber(c.cols, 'col'),
    ...text.at[0]!,
    line,
    '}',
    '}',
  ];
  const body = [
    `let col0 = i32(group % ${across}u) * ${tile.cols}i;`,
    `let row0 = i32((group / ${across}u) % ${down}u) * ${tile.rows}i;`,
    ...(c.batch.length > 0 ? [`let batch = i32(group / ${across * down}u);`] : []),
    ...splitNumber(c.batch, 'batch'),
    ...single.map((a) => `let ${axisName(a.id)} = 0i;`),
    `let x = i32(lane % ${lanesX}u);`,
    `let y = i32(lane / ${lanesX}u);`,
    ...sums.map((sum) => `var ${sum} = 0f;`),
    `for (var chunk = 0i; chunk < ${K}i; chunk += ${DEPTH}i) {`,
    ...fill('left', c.left, c.rows, tile.rows, 'row0'),
    ...fill('right', c.right, c.cols, tile.cols, 'col0'),
    'workgroupBarrier();',
    `for (var d = 0i; d < ${Math.min(DEPTH, K)}i; d++) {`,
    ...square.map((i) => `let l${i} = left[d * ${tile.rows}i + y + ${i * stepY}i];`),
    ...square.map((j) => `let r${j} = right[d * ${tile.cols}i + x + ${j * lanesX}i];`),
    ...square.flatMap((i) => square.map((j) => `sum${i}${j} += l${i} * r${j};`)),
    '}',
    'workgroupBarrier();',
    '}',
    ...store,
  ];
  return p.shader({
    lanes,
    count: across * down * cellsOf(c.batch),
    shared: [
      `var<workgroup> left: array<f32, ${tile.rows * DEPTH}>;`,
      `var<workgroup> right: array<f32, ${tile.cols * DEPTH}>;`,
    ],
    body,
  });
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The stride at which the largest operand is read along the last of the given axes. */
function stepOf(e: KExpr, axes: readonly Axis[]): number {
  const id: AxisId | undefined = axes.at(-1)?.id;
  let step = Infinity;
  eachKExpr(e, (x) => {
    if (x.k !== 'load') return;
    for (const t of x.at.ix.terms)
      if (t.a.k === 'axis' && t.a.id === id) step = Math.min(step, Math.abs(t.m));
  });
  return step;
}
