/** The result as text: one table of milliseconds, one of ratios, rates, compile times and memory. */
import type { Cell, Row } from './measure.ts';
import type { Variant } from './variants.ts';
import type { Workload } from './workloads.ts';

export type Report = {
  readonly odd: boolean;
  readonly threads: number;
  readonly revectorize: boolean;
  readonly node: string;
  readonly variants: readonly Variant[];
  readonly rows: readonly Row[];
  /** What rates are computed from, by workload. */
  readonly work: Readonly<Record<string, Pick<Workload, 'flops' | 'bytes'>>>;
};

export const cellOf = (row: Row, variant: string): Cell | undefined =>
  row.cells.find((c) => c.variant === variant);

/** Three significant digits. */
export const digits = (v: number): string =>
  v >= 100 ? v.toFixed(0) : v.toPrecision(3).replace(/e.*$/, '');

/** For JSON: five digits are more than the clock knows. */
export const rounded = (_: string, v: unknown): unknown =>
  typeof v === 'number' && !Number.isInteger(v) ? Number(v.toPrecision(5)) : v;

/** Right-aligned columns, the first one left-aligned. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const all = [head, ...body];
  const widths = head.map((_, i) => Math.max(...all.map((r) => r[i]!.length)));
  return all
    .map((r) =>
      r.map((c, i) => (i === 0 ? c.padEnd(widths[i]!) : c.padStart(widths[i]!))).join('  '),
    )
    .join('\n');
}

export type Section = {
  readonly title: string;
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
};

/** The sections of a report as data, for the terminal and for the docs. */
export function sections(r: Report): readonly Section[] {
  const ids = r.rows.map((row) => row.workload);
  const byVariant = (cell: (row: Row, v: Variant) => string): string[][] =>
    r.variants.map((v) => [v.title, ...r.rows.map((row) => cell(row, v))]);
  const show = (v: number | undefined, f: (v: number) => string = digits): string =>
    v === undefined ? '' : f(v);
  const ms = (row: Row, id: string) => cellOf(row, id)?.ms;
  const rate = (row: Row, v: Variant): string => {
    const { flops, bytes } = r.work[row.workload]!;
    const t = ms(row, v.id);
    if (t === undefined) return '';
    return `${digits((flops || bytes) / t / 1e6)}`;
  };
  const head = ['', ...ids];
  const all: Section[] = [
    { title: 'Milliseconds (median)', head, body: byVariant((row, v) => show(ms(row, v.id))) },
    {
      title: 'Milliseconds (best)',
      head,
      body: byVariant((row, v) => show(cellOf(row, v.id)?.best)),
    },
    {
      title: "Tenon's time divided by theirs (below 1: Tenon is faster)",
      head,
      body: byVariant((row, v) => {
        const ours = ms(row, 'tenon');
        const theirs = ms(row, v.id);
        return ours === undefined || theirs === undefined ? '' : (ours / theirs).toFixed(2);
      }),
    },
    {
      title: 'GFLOP/s (W2 to W4: GB/s)',
      head,
      body: byVariant(rate),
    },
    {
      title: 'Share of the ceiling (W5 and on: of its rate on W1a)',
      head,
      body: shares(r),
    },
    { title: 'Times faster with all threads than with one', head, body: scaling(r) },
    {
      title: 'Cold compile, ms',
      head,
      body: byVariant((row, v) => show(cellOf(row, v.id)?.compileMs)),
    },
    {
      title: 'First run, ms',
      head,
      body: byVariant((row, v) => show(cellOf(row, v.id)?.firstMs)),
    },
    {
      title: 'Peak memory beyond an empty process, MB',
      head,
      body: byVariant((row, v) => show(cellOf(row, v.id)?.memory, (b) => digits(b / 1e6))),
    },
    {
      title: 'Of these, data (the WebAssembly memory of the compiled program), MB',
      head,
      body: byVariant((row, v) => show(cellOf(row, v.id)?.bytes, (b) => digits(b / 1e6))),
    },
    {
      title: 'Largest error against Tenon, relative',
      head,
      body: byVariant((row, v) => show(cellOf(row, v.id)?.error, (e) => e.toExponential(0))),
    },
  ];
  return all.map((s) => ({ ...s, body: s.body.filter((b) => b.slice(1).some((c) => c !== '')) }));
}

function scaling(r: Report): string[][] {
  const gain = (row: Row, many: string, one: string): string => {
    const [a, b] = [cellOf(row, many)?.ms, cellOf(row, one)?.ms];
    return a === undefined || b === undefined ? '' : (b / a).toFixed(2);
  };
  return [
    ['Tenon', ...r.rows.map((row) => gain(row, 'tenon', 'tenon1'))],
    ['jax-js', ...r.rows.map((row) => gain(row, 'jax', 'jax1'))],
  ];
}

/**
 * `old` with the rows of `next` in place of its own.
 * @throws when they were not measured in the same way.
 */
export function merged(old: Report, next: Report): Report {
  const how = ({ odd, threads, revectorize, node, variants }: Report): string =>
    JSON.stringify({ odd, threads, revectorize, node, ids: variants.map((v) => v.id) });
  if (how(old) !== how(next))
    throw new Error(`rows measured in two ways: ${how(old)} and ${how(next)}`);
  const renewed = new Map(next.rows.map((row) => [row.workload, row]));
  const kept = old.rows.map((row) => renewed.get(row.workload) ?? row);
  const added = next.rows.filter((row) => !old.rows.some((o) => o.workload === row.workload));
  return { ...next, rows: [...kept, ...added], work: { ...old.work, ...next.work } };
}

/** Our rate over the ceiling's, each with the same flags. */
function shares(r: Report): string[][] {
  const pairs = [
    ['tenon', 'ceiling'],
    ['tenonPlain', 'ceilingPlain'],
  ] as const;
  const ceilingRate = (row: Row, id: string): number | undefined => {
    const { flops, bytes } = r.work[row.workload]!;
    const own = cellOf(row, id)?.ms;
    if (own !== undefined) return (flops || bytes) / own;
    const w1 = r.rows.find((x) => x.workload === 'W1a');
    const ms = w1 && cellOf(w1, id)?.ms;
    return ms === undefined ? undefined : r.work['W1a']!.flops / ms;
  };
  return pairs.flatMap(([ours, theirs]) => {
    const v = r.variants.find((x) => x.id === ours);
    if (!v) return [];
    const cells = r.rows.map((row) => {
      const { flops, bytes } = r.work[row.workload]!;
      const t = cellOf(row, ours)?.ms;
      const c = ceilingRate(row, theirs);
      if (t === undefined || c === undefined) return '';
      return `${Math.round((100 * ((flops || bytes) / t)) / c)} %`;
    });
    return [[v.title, ...cells]];
  });
}

/** Variants without a time, and why. */
export function absences(r: Report): string[] {
  return r.variants.flatMap((v) => {
    const why = new Map<string, string[]>();
    for (const row of r.rows) {
      const c = cellOf(row, v.id);
      if (c?.why === undefined || c.why === 'absent') continue;
      why.set(c.why, [...(why.get(c.why) ?? []), row.workload]);
    }
    return [...why].map(([reason, rows]) => `${v.title} on ${rows.join(', ')}: ${reason}`);
  });
}

export function reportText(r: Report): string {
  const parts = sections(r).map((s) => `${s.title}\n${table(s.head, s.body)}`);
  const missing = absences(r);
  return [...parts, ...(missing.length > 0 ? [missing.join('\n')] : [])].join('\n\n');
}
