/** The rows of the tables of the proof lane, and how often programs use each of them. */
import { sizeRows } from './draw-size.ts';
import { forms } from './forms.ts';
import { accesses, makes } from './reads.ts';
import { rows } from './rows.ts';

/** Constructs that no table has a row for. */
const others = [
  'tensor made in place',
  'f32(integer)',
  'typed let',
  'default size',
  'default size left out',
  'default argument left out',
  'function over any type',
];

export const constructs: readonly string[] = [
  ...[sizeRows, forms, accesses, makes, rows].flatMap((table) => Object.keys(table)),
  ...others,
];

export type Share = { readonly name: string; readonly share: number; readonly accepted: number };

/** Of all programs, and how many of those with it are accepted; the rarest last. */
export const shares = (
  programs: number,
  used: Readonly<Record<string, number>>,
  accepted: Readonly<Record<string, number>>,
): readonly Share[] =>
  constructs
    .map((name) => {
      const n = used[name] ?? 0;
      return { name, share: n / programs, accepted: n === 0 ? 0 : (accepted[name] ?? 0) / n };
    })
    .sort((a, b) => b.share - a.share);
