/** All rows of the lane: each name is a class of the coverage table. */
import { carryRows } from './rows-carries.ts';
import { nestRows } from './rows-nests.ts';
import { productRows } from './rows-products.ts';
import { ruleRows } from './rows-rules.ts';
import { sharedRows } from './rows-shared.ts';
import { wholeRows } from './rows-whole.ts';
import { windowRows } from './rows-windows.ts';
import type { Row } from './scope.ts';

export const rows: Readonly<Record<string, Row>> = {
  ...productRows,
  ...wholeRows,
  ...sharedRows,
  ...carryRows,
  ...ruleRows,
  ...nestRows,
  ...windowRows,
};
