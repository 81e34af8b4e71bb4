/**
 * The tables of docs/performance.md, made from the committed results, between two marks; what stands
 * around them is written by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { reportSvg } from './plot.ts';
import { absences, cellOf, type Report, type Section, sections } from './report.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const page = at('../docs/performance.md');
export const committed = {
  named: at('results/two-core-x86.json'),
  odd: at('results/two-core-x86-odd.json'),
};
const picture = at('../docs/images/performance.svg');

const BEGIN = '<!-- made by npm run bench -- --write-docs: begin -->';
const END = '<!-- end -->';

export const readReport = (path: string): Report =>
  JSON.parse(readFileSync(path, 'utf8')) as Report;

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const markdown = (s: Section): string =>
  [
    `### ${s.title}`,
    '',
    line(s.head),
    line(s.head.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...s.body.map(line),
  ].join('\n');

/**
 * What odd sizes cost: our rate at them over our rate at the named ones. By best times: the two come
 * from different runs, whose medians differ by more than sizes do on a machine that is shared.
 */
function oddSection(named: Report, odd: Report): Section {
  const rate = (r: Report, id: string): number | undefined => {
    const row = r.rows.find((x) => x.workload === id);
    const ms = row && cellOf(row, 'tenon')?.best;
    const work = r.work[id];
    return ms === undefined || !work ? undefined : (work.flops || work.bytes) / ms / 1e6;
  };
  const ids = odd.rows.map((row) => row.workload);
  const show = (id: string, f: (a: number, b: number) => string): string => {
    const [a, b] = [rate(named, id), rate(odd, id)];
    return a === undefined || b === undefined ? '' : f(a, b);
  };
  return {
    title: 'Odd sizes and renamed functions, best times: GFLOP/s (W2 to W4: GB/s)',
    head: ['', ...ids],
    body: [
      ['named sizes', ...ids.map((id) => show(id, (a) => a.toFixed(1)))],
      ['odd sizes', ...ids.map((id) => show(id, (_, b) => b.toFixed(1)))],
      ['share', ...ids.map((id) => show(id, (a, b) => `${Math.round((100 * b) / a)} %`))],
    ],
  };
}

export function tables(named: Report, odd: Report): string {
  const rows = named.rows.map((r) => `- ${r.workload}: ${r.title}`);
  const missing = absences(named);
  return [
    `Node ${named.node}, ${named.threads} threads, with V8's revectorizer unless said.`,
    rows.join('\n'),
    ...sections(named).map(markdown),
    markdown(oddSection(named, odd)),
    ...(missing.length > 0 ? [missing.map((m) => `- ${m}`).join('\n')] : []),
  ].join('\n\n');
}

/** The page with its tables made new. */
export function rewritten(text: string, made: string): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`docs/performance.md has no "${BEGIN}" and "${END}"`);
  return `${before}${BEGIN}\n\n${made}\n\n${END}${after}`;
}

export function writeDocs(): void {
  const named = readReport(committed.named);
  writeFileSync(
    page,
    rewritten(readFileSync(page, 'utf8'), tables(named, readReport(committed.odd))),
  );
  writeFileSync(picture, reportSvg(named));
}
