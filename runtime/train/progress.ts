/**
 * What a run tells while it works, as data. The library prints nothing; a front end draws these.
 */

export const stages = ['data', 'encoder', 'features', 'train', 'sample', 'evaluate'] as const;
export type Stage = (typeof stages)[number];

export type Progress =
  /** A stage begins; `from` of `total` units are done already. */
  | { readonly k: 'stage'; readonly stage: Stage; readonly from: number; readonly total: number }
  | {
      readonly k: 'step';
      readonly stage: Stage;
      readonly done: number;
      readonly total: number;
      readonly loss?: number;
    }
  | ({ readonly k: 'held-out'; readonly step: number } & HeldOutLoss)
  /** A sentence for the user. */
  | { readonly k: 'note'; readonly text: string };

/** Mean losses on the held-out pictures, beside those of the best constant predictor. */
export type HeldOutLoss = {
  readonly x: number;
  readonly z: number;
  readonly constantX: number;
  readonly constantZ: number;
};

export type Watch = {
  readonly onProgress?: (event: Progress) => void;
  readonly signal?: AbortSignal;
};
