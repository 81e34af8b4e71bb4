/**
 * What a command may touch of the process: two streams, a signal, three flags. Tests give their own.
 *
 * Invariant: results go to `out`, everything else to `err`; a command gives its exit code back and
 * never exits.
 */
export type Io = {
  out(text: string): void;
  err(text: string): void;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  /** Standard error is a terminal: progress may be redrawn. */
  readonly terminal: boolean;
};

/** Options that every command has. */
export type Common = { readonly json?: boolean; readonly verbose?: boolean };

/** Exit codes: cli.md of the project; 130 is a shell's for Ctrl-C. */
export const exit = { ok: 0, wrong: 1, usage: 2, interrupted: 130 } as const;

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Columns padded to the widest cell; numbers are strings already. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
