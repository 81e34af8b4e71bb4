/**
 * What JSON.parse lets through and a file from anywhere must not have: a key given twice in one
 * object (the last one silently wins, so two readers may see two different files), and nesting so
 * deep that a recursive parser overflows its stack. One pass over the text, no recursion.
 *
 * Text that is not JSON at all may pass; JSON.parse is asked afterwards.
 */

/** Keys seen so far in an open object; an array has none. */
type Open = { readonly keys: Set<string> | undefined };

/** A sentence about the first fault, or undefined. */
export function findJsonFault(text: string, maxDepth: number): string | undefined {
  const open: Open[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '{' || c === '[') {
      open.push({ keys: c === '{' ? new Set() : undefined });
      if (open.length > maxDepth) return `values are nested more than ${maxDepth} deep`;
    } else if (c === '}' || c === ']') {
      open.pop();
    } else if (c === '"') {
      const end = closingQuote(text, i + 1);
      if (end < 0) return 'a text is not closed';
      const keys = open.at(-1)?.keys;
      if (keys !== undefined && isKey(text, end + 1)) {
        const key = decodeKey(text.slice(i, end + 1));
        if (key === undefined) return 'a name is not a valid JSON text';
        if (keys.has(key)) return `the name ${JSON.stringify(key.slice(0, 120))} occurs twice`;
        keys.add(key);
      }
      i = end;
    }
  }
  return undefined;
}

function closingQuote(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}

function isKey(text: string, after: number): boolean {
  let i = after;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
}

/** `"\u0061"` and `"a"` are one key. */
function decodeKey(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
