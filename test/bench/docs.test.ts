import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { committed, page, readReport, rewritten, tables } from '../../bench/docs.ts';
import { merged, type Report, sections } from '../../bench/report.ts';

test('docs/performance.md shows the committed results', () => {
  const text = readFileSync(page, 'utf8');
  const made = tables(readReport(committed.named), readReport(committed.odd));
  expect(rewritten(text, made)).toBe(text);
});

const variant = (id: string) => ({ id, title: id, peer: id, threads: 2, wide: false });
const report: Report = {
  ...{ odd: false, threads: 2, revectorize: false, node: 'v0' },
  variants: ['tenon', 'tenon1', 'ceiling', 'torch'].map(variant),
  rows: [
    {
      ...{ workload: 'W1a', title: 'product' },
      cells: [
        { variant: 'tenon', ms: 4 },
        { variant: 'tenon1', ms: 6 },
        { variant: 'ceiling', ms: 3 },
        { variant: 'torch', why: 'its result differs by 1e-1' },
      ],
    },
    {
      ...{ workload: 'W5', title: 'block' },
      cells: [
        { variant: 'tenon', ms: 10 },
        { variant: 'tenon1', ms: 20 },
        { variant: 'ceiling', why: 'absent' },
        { variant: 'torch', ms: 5 },
      ],
    },
  ],
  work: { W1a: { flops: 12e6, bytes: 0 }, W5: { flops: 20e6, bytes: 0 } },
};

const section = (r: Report, start: string) =>
  Object.fromEntries(
    sections(r)
      .find((s) => s.title.startsWith(start))!
      .body.map(([name, ...cells]) => [name, cells]),
  );

test('ratios, rates and shares are of the same row; what was not measured is left empty', () => {
  expect(section(report, "Tenon's time")['torch']).toEqual(['', '2.00']);
  expect(section(report, 'GFLOP/s')['tenon']).toEqual(['3.00', '2.00']);
  // W5 has no ceiling of its own: 2 GFLOP/s of the product's 4.
  expect(section(report, 'Share')['tenon']).toEqual(['75 %', '50 %']);
  expect(section(report, 'Times faster')['Tenon']).toEqual(['1.50', '2.00']);
});

test('merging renews the rows that were measured again, and refuses another way of measuring', () => {
  const again = { workload: 'W5', title: 'block', cells: [{ variant: 'tenon', ms: 1 }] };
  const both = merged(report, { ...report, rows: [again] });
  expect(both.rows).toEqual([report.rows[0], again]);
  expect(() => merged(report, { ...report, threads: 1 })).toThrow(/measured in two ways/);
});
