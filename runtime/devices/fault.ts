/**
 * What a run says when a check of its plan failed. Checks stand where the compiler could not show that
 * an access stays within its tensor; a run that fails one has touched nothing outside and gives nothing.
 */
import type { Plan } from '../../compiler/plan.ts';
import { TenonError } from '../errors.ts';
import type { Compiled } from './device.ts';

type Checks = NonNullable<Plan['checks']>;

/** @throws TenonError (`range`) for the fault word of a run, when it is not 0. */
export function heedFault(sites: Checks['sites'], word: number, locate: Compiled['locate']): void {
  if (word === 0) return;
  const { span, what } = sites[word - 1]!;
  const place = span && (locate?.(span) ?? { file: span.file });
  const where = place
    ? `${[place.file, place.line].filter((x) => x !== undefined).join(':')}: `
    : '';
  throw new TenonError('range', `${where}this run ${what}; its results were not kept`, {
    hint: 'An index that the program computes from data does not lie in its range.',
    ...(place ? { place } : {}),
  });
}
