/** How often each construct stands in a set of random programs. */
import { constructs } from './constructs.ts';
import type { RandomProgram } from './program.ts';

/** What the coverage of a program is counted from. */
export type Used = Pick<RandomProgram, 'used' | 'live'>;

export type Coverage = {
  readonly share: ReadonlyMap<string, number>;
  readonly medianLive: number;
};

export function coverageOf(programs: readonly Used[]): Coverage {
  const count = new Map(Object.keys(constructs).map((name) => [name, 0]));
  for (const p of programs) for (const u of new Set(p.used)) count.set(u, count.get(u)! + 1);
  const live = programs.map((p) => p.live).sort((a, b) => a - b);
  return {
    share: new Map([...count].map(([name, n]) => [name, n / programs.length])),
    medianLive: live[Math.floor(live.length / 2)] ?? 0,
  };
}

export function coverageTable(c: Coverage): string {
  const rows = [...c.share]
    .sort((a, b) => b[1] - a[1])
    .map(([name, s]) => `  ${name.padEnd(20)} ${(100 * s).toFixed(1).padStart(5)} %`);
  return `${rows.join('\n')}\n  median live bindings ${c.medianLive}\n`;
}
