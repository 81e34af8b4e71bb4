/**
 * Documents: text with places where a line may break, and the printer that chooses the breaks.
 *
 * The algebra is Wadler's ("A prettier printer", 1998) in the strict form of Lindig, with two
 * additions: `after` (what follows `=`, `->` or a binder's dot: on the same line, else alone on the
 * next, else opened in place) and `suffix` (a comment, kept for the end of its line).
 *
 * Invariant: a group whose text fits is printed on one line; no line ends in white space.
 */

export type Doc =
  | string
  | { readonly k: 'cat'; readonly parts: readonly Doc[]; readonly hard: boolean }
  | { readonly k: 'indent'; readonly doc: Doc; readonly hard: boolean }
  | { readonly k: 'group'; readonly doc: Doc; readonly hard: boolean }
  /** A space or nothing, or a new line where its group does not fit. */
  | { readonly k: 'line'; readonly flat: '' | ' '; readonly hard: false }
  /** A new line always; `blank` adds an empty one. */
  | { readonly k: 'newline'; readonly blank: boolean; readonly hard: true }
  | { readonly k: 'suffix'; readonly text: string; readonly hard: true }
  | { readonly k: 'after'; readonly doc: Doc; readonly open: Open; readonly hard: boolean };

/**
 * May a document that does not fit begin on the line of its `=` and break inside? `first`: yes (`{`,
 * `for i.`); `last`: only if it does not fit on a line of its own either; `never`.
 */
export type Open = 'first' | 'last' | 'never';

/** Does it contain a line break or a comment, so that no group around it fits on one line? */
export const isHard = (doc: Doc): boolean => typeof doc !== 'string' && doc.hard;

export const line: Doc = { k: 'line', flat: ' ', hard: false };
export const softline: Doc = { k: 'line', flat: '', hard: false };
export const newline: Doc = { k: 'newline', blank: false, hard: true };
export const blankLine: Doc = { k: 'newline', blank: true, hard: true };

export function cat(...parts: readonly Doc[]): Doc {
  return { k: 'cat', parts, hard: parts.some(isHard) };
}
export function indent(doc: Doc): Doc {
  return { k: 'indent', doc, hard: isHard(doc) };
}
export function group(doc: Doc): Doc {
  return { k: 'group', doc, hard: isHard(doc) };
}
export function suffix(text: string): Doc {
  return { k: 'suffix', text, hard: true };
}
/** What follows `=`, `->` or a binder's dot. */
export function after(doc: Doc, open: Open): Doc {
  return { k: 'after', doc, open, hard: isHard(doc) };
}
export function join(separator: Doc, docs: readonly Doc[]): Doc {
  return cat(...docs.flatMap((d, i) => (i === 0 ? [d] : [separator, d])));
}
/** Items without comments, as many to a line as fit; lines after the first are indented twice. */
export function fill(items: readonly Doc[]): Doc {
  const rest = items.slice(1).map((d) => cat(',', indent(indent(group(cat(line, d))))));
  return cat(...items.slice(0, 1), ...rest);
}
/** Open bracket, items one to a line where they do not fit on one, closing bracket. */
export function list(open: string, items: readonly Doc[], close: string, pad: Doc = softline): Doc {
  if (items.length === 0) return open + close;
  return group(cat(open, indent(cat(pad, join(cat(',', line), items))), pad, close));
}

type Command = { readonly level: number; readonly flat: boolean; readonly doc: Doc };

const STEP = 2;

export function print(doc: Doc, width: number): string {
  const out: string[] = [];
  const stack: Command[] = [{ level: 0, flat: false, doc }];
  let column = 0;
  let pending = '';
  let atStart = true;

  const write = (text: string, level: number) => {
    if (text === '') return;
    if (atStart) out.push(' '.repeat(level * STEP));
    out.push(text);
    column += text.length;
    atStart = false;
  };
  const breakLine = (level: number, blank: boolean) => {
    // A space before the break would be white space at the end of the line.
    while (out.length > 0 && out.at(-1) === ' ') out.pop();
    if (pending !== '') out.push(atStart ? pending : ` ${pending}`);
    pending = '';
    out.push(blank ? '\n\n' : '\n');
    column = level * STEP;
    atStart = true;
  };

  while (stack.length > 0) {
    const { level, flat, doc: d } = stack.pop()!;
    if (typeof d === 'string') {
      write(d, level);
      continue;
    }
    switch (d.k) {
      case 'cat':
        for (let i = d.parts.length - 1; i >= 0; i--) stack.push({ level, flat, doc: d.parts[i]! });
        break;
      case 'indent':
        stack.push({ level: level + 1, flat, doc: d.doc });
        break;
      case 'group': {
        const fit =
          flat || (!d.hard && fits(width - column, { level, flat: true, doc: d.doc }, stack));
        stack.push({ level, flat: fit, doc: d.doc });
        break;
      }
      case 'line':
        if (flat) write(d.flat, level);
        else breakLine(level, false);
        break;
      case 'newline':
        breakLine(level, d.blank);
        break;
      case 'suffix':
        pending = pending === '' ? d.text : `${pending} ${d.text}`;
        break;
      case 'after': {
        const whole: Command = { level: level + 1, flat: true, doc: d.doc };
        const here = flat || (!d.hard && fits(width - column - 1, whole, stack));
        const next =
          !here && !d.hard && d.open !== 'first' && fits(width - (level + 1) * STEP, whole, stack);
        if (here || (!next && d.open !== 'never')) {
          write(' ', level);
          // What opens in place closes at the level of the line that it stands on.
          stack.push({ level, flat: here, doc: d.doc });
        } else {
          breakLine(level + 1, false);
          stack.push({ level: level + 1, flat: next, doc: d.doc });
        }
        break;
      }
      default:
        d satisfies never;
    }
  }
  if (pending !== '') out.push(atStart ? pending : ` ${pending}`);
  return out.join('');
}

/** Does this, and what follows up to the next possible break, fit in `room`? */
function fits(room: number, first: Command, rest: readonly Command[]): boolean {
  const todo: Command[] = [first];
  let next = rest.length;
  let left = room;
  while (left >= 0) {
    let command = todo.pop();
    if (command === undefined) {
      if (next === 0) return true;
      command = rest[--next]!;
    }
    const { level, flat, doc } = command;
    if (typeof doc === 'string') {
      left -= doc.length;
      continue;
    }
    switch (doc.k) {
      case 'cat':
        for (let i = doc.parts.length - 1; i >= 0; i--)
          todo.push({ level, flat, doc: doc.parts[i]! });
        break;
      case 'indent':
        todo.push({ level, flat, doc: doc.doc });
        break;
      case 'group':
        // A group in the rest may break, so only its text up to its first line counts.
        todo.push({ level, flat: flat && !doc.hard, doc: doc.doc });
        break;
      case 'line':
        if (!flat) return true;
        left -= doc.flat.length;
        break;
      case 'newline':
        return true;
      case 'suffix':
        break;
      case 'after':
        if (!flat) return true;
        left--;
        todo.push({ level, flat, doc: doc.doc });
        break;
      default:
        doc satisfies never;
    }
  }
  return false;
}
