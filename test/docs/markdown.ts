/**
 * Pages of docs/ as lists of prose and code blocks, so that the tests can execute the blocks and put
 * what the tool says back in their place.
 *
 * The convention for code blocks, by the words after the opening fence:
 *
 *   tenon                 a program of its own; it must check without a warning, be formatted, and
 *                         its `check` declarations must hold
 *   tenon file=net.tn     a part of net.tn; the parts of one page make one file, in their order, and
 *                         every other program of the page can import it
 *   tenon error           a program that is refused or warned about; `text` after it is the report
 *   ... fails             its `check` declarations do not hold
 *   ... times=N           the line that ends with `# and so on` stands there N times
 *   sh                    lines `npx tenon ...`, run among the page's files; `text` after it is what
 *                         they print
 *   text                  output; `from=WORDS` and `lines=N` show a part of it (blanks in WORDS are
 *                         written `~`)
 *   text stage=S file=F fn=NAME size=N=4,D=3 by=INPUT    a stage that no command shows (stages.ts)
 *   text of=NAME          not output: a note, left alone
 *   ts                    type-checked
 *
 * Invariant: `printPage(parsePage(text))` is `text`.
 */

export type Block = {
  readonly k: 'block';
  readonly lang: string;
  readonly info: ReadonlyMap<string, string>;
  /** As it is written after the fence. */
  readonly head: string;
  readonly text: string;
  readonly line: number;
  /** The last heading before it, without its marks. */
  readonly heading: string;
};

export type Prose = { readonly k: 'prose'; readonly text: string };
export type Part = Block | Prose;

export function parsePage(text: string): Part[] {
  const parts: Part[] = [];
  let prose = '';
  let heading = '';
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const last = i === lines.length - 1;
    if (!line.startsWith('```')) {
      if (/^#+ /.test(line)) heading = line.replace(/^#+ /, '');
      prose += last ? line : `${line}\n`;
      continue;
    }
    const end = lines.indexOf('```', i + 1);
    if (end < 0) throw new Error(`the code block of line ${i + 1} is not closed`);
    const head = line.slice(3);
    const [lang = '', ...words] = head.split(' ');
    const info = new Map(words.map((w): [string, string] => [w.split('=')[0]!, afterEquals(w)]));
    parts.push({ k: 'prose', text: prose });
    const body = lines.slice(i + 1, end).map((l) => `${l}\n`);
    parts.push({ k: 'block', lang, info, head, text: body.join(''), line: i + 1, heading });
    prose = '';
    i = end;
  }
  parts.push({ k: 'prose', text: prose });
  return parts;
}

function afterEquals(word: string): string {
  const at = word.indexOf('=');
  return at < 0 ? '' : word.slice(at + 1);
}

export function printPage(parts: readonly Part[]): string {
  return parts
    .map((p) => (p.k === 'prose' ? p.text : `\`\`\`${p.head}\n${p.text}\`\`\`\n`))
    .join('');
}

/** The part of an output that a `text` block shows. */
export function excerpt(output: string, info: ReadonlyMap<string, string>): string {
  const from = info.get('from')?.replaceAll('~', ' ');
  const lines = output.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const start = from === undefined ? 0 : lines.findIndex((l) => l.includes(from));
  if (start < 0) throw new Error(`the output has no line with "${from}"`);
  const count = Number(info.get('lines') ?? lines.length);
  return lines
    .slice(start, start + count)
    .map((l) => `${l.trimEnd()}\n`)
    .join('');
}
