/** What a run of the lane has seen so far, as numbers that can be added up. */
import { unshown } from './checks.ts';
import type { Outcome } from './judge.ts';
import type { Random } from './program.ts';

type Tally = Record<string, number>;

export type Counts = {
  programs: number;
  accepted: number;
  /** Of those that are refused: whether they deserve it. */
  readonly refused: Tally;
  /** By the codes that refused what is fine. */
  readonly fine: Tally;
  readonly refusedAt: Tally;
  runs: number;
  failures: number;
  /** By kind, and by cause with the number of the first program. */
  readonly faults: Tally;
  readonly causes: Tally;
  readonly firsts: Tally;
  readonly checks: Tally;
  /** Programs with an access by loops alone that is checked, the first ones. */
  readonly unshown: number[];
  /** Programs that use each row of the tables, and accepted ones. */
  readonly used: Tally;
  readonly usedAccepted: Tally;
};

export const noCounts = (): Counts => ({
  ...{ programs: 0, accepted: 0, refused: {}, fine: {}, refusedAt: {}, runs: 0, failures: 0 },
  ...{ faults: {}, causes: {}, firsts: {}, checks: {}, unshown: [], used: {}, usedAccepted: {} },
});

const more = (t: Tally, key: string, by = 1): void => {
  t[key] = (t[key] ?? 0) + by;
};

export function count(c: Counts, n: number, p: Random, o: Outcome): void {
  c.programs++;
  const accepted = o.k !== 'refused';
  if (accepted) c.accepted++;
  for (const row of p.used) {
    more(c.used, row);
    if (accepted) more(c.usedAccepted, row);
  }
  switch (o.k) {
    case 'fault':
      c.failures++;
      more(c.faults, o.kind);
      more(c.causes, o.group);
      c.firsts[o.group] ??= n;
      return;
    case 'accepted':
      c.runs += o.runs;
      for (const code of o.refusedAt) more(c.refusedAt, code);
      for (const [kind, number] of Object.entries(o.checks)) more(c.checks, kind, number);
      if ((o.checks[unshown] ?? 0) > 0 && c.unshown.length < 40) c.unshown.push(n);
      return;
    case 'refused':
      more(c.refused, o.truth);
      if (o.truth === 'fine') more(c.fine, o.codes.join(' '));
      return;
  }
}
