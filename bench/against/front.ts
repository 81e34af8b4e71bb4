/**
 * A process that times one checkout's front end: started with the paths of that checkout's dsl/index
 * and dsl/parse, sent texts, it answers how long each repetition took. What it imports of the language
 * is that checkout's; only the types are of this one.
 *
 * Every repetition's texts end in a comment of its own, so that a front end which remembers what it
 * has seen is timed on what it has not.
 */
import { pathToFileURL } from 'node:url';

export type FrontRequest = {
  readonly k: 'check' | 'parse';
  readonly texts: ReadonlyMap<string, string>;
  readonly repetitions: number;
};

export type FrontAnswer = {
  readonly error?: string;
  readonly times: readonly number[];
  /** The files with errors. */
  readonly faulty: readonly string[];
};

type Index = typeof import('../../dsl/index.ts');
type Parse = typeof import('../../dsl/parse.ts');

const [index, parse] = process.argv.slice(2).map((path) => pathToFileURL(path).href);
const { check } = (await import(index!)) as Index;
const { parseModule } = (await import(parse!)) as Parse;

/** Whether a file is faulty. */
const work = {
  /** With everything that it imports, as `tenon check` does. */
  check: (file: string, texts: ReadonlyMap<string, string>) =>
    check(texts, file).program === undefined,
  parse: (file: string, texts: ReadonlyMap<string, string>) =>
    parseModule(file, texts.get(file)!).diagnostics.some((d) => d.severity === 'error'),
};

function answer({ k, texts, repetitions }: FrontRequest): FrontAnswer {
  const times: number[] = [];
  const faulty = new Set<string>();
  for (let n = 0; n < repetitions; n++) {
    const own = new Map([...texts].map(([file, text]) => [file, `${text}\n# ${n}\n`]));
    const start = performance.now();
    for (const file of own.keys()) if (work[k](file, own)) faulty.add(file);
    times.push(performance.now() - start);
  }
  return { times, faulty: [...faulty] };
}

process.on('message', (m: FrontRequest) => {
  try {
    process.send!(answer(m));
  } catch (e) {
    process.send!({ error: e instanceof Error ? (e.stack ?? e.message) : String(e) });
  }
});
