/**
 * What a device makes of the special numbers, and what it may leave open: one table, with the reasons.
 */
import type { Prim } from '../../compiler/core.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { runOn } from '../gpu/run-core.ts';
import { allSubjects, forms, type Subject } from './special-programs.ts';
import { ulps, units } from './specials.ts';

type Seen = {
  readonly form: string;
  readonly subject: Subject;
  readonly args: readonly number[];
  readonly got: number;
  readonly want: number;
};

const LEAST_NORMAL = 2 ** -126;
const isTiny = (v: number): boolean => v !== 0 && Math.abs(v) < LEAST_NORMAL;

const arithmetic: ReadonlySet<Prim> = new Set<Prim>(['add', 'sub', 'mul', 'div']);

/** What is left open, and why. */
const open: readonly {
  readonly why: string;
  readonly on: readonly Device['name'][];
  readonly covers: (s: Seen) => boolean;
}[] = [
  {
    why: 'sin and cos reduce their argument by two words of pi/2, which is too few for large numbers',
    on: ['wasm', 'webgpu', 'gpujs'],
    covers: ({ subject: { op }, args }) =>
      (op === 'sin' || op === 'cos') && Number.isFinite(args[0]) && Math.abs(args[0]!) > 10000,
  },
  {
    why: 'WGSL lets any operation take a subnormal number, or what would be one, for zero',
    on: ['webgpu'],
    // Also inside of a function that is approximated: erf x = x + x * 0.128 near zero.
    covers: ({ subject: { op }, args, want }) =>
      [...args, want].some((v) => isTiny(op in units ? v / 32 : v)),
  },
  {
    why: 'WGSL lets a compiler forget the sign of a zero, and take what it knows for finite: x * 0 is 0',
    on: ['webgpu'],
    covers: ({ form, subject: { op }, args, got, want }) =>
      form.includes('literal') &&
      arithmetic.has(op) &&
      got === 0 &&
      (want === 0 || Number.isNaN(want) || !args.every(Number.isFinite)),
  },
  {
    why: 'the smaller of zeros is either of them where a machine compares and chooses',
    on: ['webgpu', 'gpujs'],
    covers: ({ subject: { op }, args, got }) =>
      (op === 'min' || op === 'max') && args.every((v) => v === 0) && got === 0,
  },
  {
    why: 'x^-n is 1 / x^n: 0 where x^n is beyond the largest float, and x^-n below the least normal one',
    on: ['wasm', 'webgpu', 'gpujs'],
    covers: ({ subject, args, got, want }) =>
      subject.op === 'pow' && args[1]! < 0 && isTiny(want) && got === 0,
  },
];

/** What WGSL grants to division, and to roots by way of 1 / inverseSqrt. */
const grants: Partial<Record<Prim, number>> = { div: 2.5, sqrt: 5 };

const agrees = ({ subject: { op }, got, want }: Seen, on: Device['name']): boolean =>
  ulps(got, want) <= Math.max(units[op] ?? 0, on === 'webgpu' ? (grants[op] ?? 0) : 0);

const shown = (v: number): string => (Object.is(v, -0) ? '-0' : `${v}`);
const text = ({ subject, args, got, want }: Seen): string =>
  `${subject.name}: ${args.map(shown).join(', ')} gave ${shown(got)}, want ${shown(want)}`;

/** The wrong values of one form on a device, in words. */
export async function wrongValues(device: Device, form: string): Promise<string[]> {
  const { core, inputs, results } = forms[form]!(allSubjects);
  const got = await runOn(device, core, inputs);
  const left = open.filter((o) => o.on.includes(device.name));
  const wrong: string[] = [];
  // The reference computes in f64; one operation rounded once is that of f32.
  const exact = device.name === 'reference';
  results.forEach(({ subject, args, want }, r) => {
    want.forEach((w, i) => {
      const g = got[r]![i]!;
      const one = exact && core.outputs[r]!.t === 'f32' ? Math.fround(g) : g;
      const seen = { form, subject, args: args[i]!, got: one, want: w };
      if (!agrees(seen, device.name) && !left.some((o) => o.covers(seen))) wrong.push(text(seen));
    });
  });
  return wrong;
}
