/** "Did you mean": the nearest of the names that exist, by edit distance (Damerau's, adjacent swaps). */

export function nearest(word: string, names: Iterable<string>): string | undefined {
  const limit = word.length <= 3 ? 1 : word.length <= 8 ? 2 : 3;
  let best: string | undefined;
  let least = limit + 1;
  for (const name of names) {
    if (name === word || Math.abs(name.length - word.length) > limit) continue;
    // Case counts little, so that `Linear` is found for `linear`, but `linear` before it.
    const d =
      distance(word.toLowerCase(), name.toLowerCase()) +
      (isUpper(word) === isUpper(name) ? 0 : 0.5);
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}

/** `Did you mean `x`?` or nothing. */
export function didYouMean(word: string, names: Iterable<string>): string | undefined {
  const name = nearest(word, names);
  return name === undefined ? undefined : `Did you mean \`${name}\`?`;
}

function isUpper(name: string): boolean {
  return name[0] !== name[0]?.toLowerCase();
}

function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) d = Math.min(d, before[j - 2]! + 1);
      next.push(d);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
