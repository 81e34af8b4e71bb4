/**
 * What the exact interpreter finds wrong with a program at its sizes: the promise of the language, one
 * word for each part of it.
 */

export type Reason =
  /** An index of a read is outside its dimension, or a part of a tuple outside its range. */
  | 'read'
  /** A number that is to be an idx[K] is none. */
  | 'idx'
  /** A size is negative. */
  | 'size'
  /** A quotient of sizes is not whole. */
  | 'quotient'
  /** A called function's fact does not hold. */
  | 'fact'
  /** The largest of nothing, or an index below 0. */
  | 'empty'
  /** Two shapes that must be equal are not. */
  | 'shape';

export class Outside extends Error {
  override readonly name = 'Outside';
  readonly reason: Reason;
  readonly where: string;

  constructor(reason: Reason, what: string, where: string) {
    super(`${what} in ${where}`);
    this.reason = reason;
    this.where = where;
  }
}

/**
 * Indices whose written ranges are less than a product read a corner of it. How wide its rows are, its
 * written form says to the checker; the tree does not have it.
 */
export class Unclear extends Error {
  override readonly name = 'Unclear';
}

/** Evaluating takes more steps than it is worth. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}
