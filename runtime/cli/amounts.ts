/** Amounts with their units, for tables: three digits and a decimal prefix. */

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** 1234567 FLOP -> `1.23 MFLOP`. */
export function amount(value: number, unit: string): string {
  let step = 0;
  let v = value;
  while (Math.abs(v) >= 999.5 && step < prefixes.length - 1) {
    v /= 1000;
    step++;
  }
  const digits = step === 0 ? String(Math.round(v * 100) / 100) : v.toPrecision(3);
  return `${digits} ${prefixes[step]}${unit}`;
}

export const bytes = (value: number): string => amount(value, 'B');
export const flops = (value: number): string => amount(value, 'FLOP');

/** Milliseconds. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toPrecision(3)} s`;
  return ms >= 1 ? `${ms.toPrecision(3)} ms` : `${(1000 * ms).toPrecision(3)} us`;
}
