/**
 * The command line of the benchmark as data. Comparing with another checkout is another thing to
 * measure than comparing with peers: it has its own defaults, and options of the one that say nothing
 * in the other are refused rather than ignored.
 */
import { Command, InvalidArgumentError, Option } from 'commander';

export type Options = {
  readonly only: readonly string[];
  readonly peer: readonly string[];
  readonly odd: boolean;
  readonly threads: number;
  readonly revectorize: boolean;
  readonly peersRevectorize: boolean;
  readonly rounds: number;
  readonly budget: number;
  /** Absent: an own default for the peers, no file for two checkouts. */
  readonly json?: string;
  readonly merge: boolean;
  readonly writeDocs: boolean;
  /** The folder of another checkout. */
  readonly against?: string;
  readonly aa: boolean;
};

const list = (value: string, before: readonly string[]): readonly string[] => [...before, value];

function count(text: string): number {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1) return n;
  throw new InvalidArgumentError('It is a whole number from 1 on.');
}

/** Turns: a ratio of two checkouts is asked more of than a row of a table of peers. */
const roundsOf = { peers: 7, against: 15 };

/** @throws CommanderError, after its message (or the help) has been written. */
export function readOptions(argv: readonly string[]): Options {
  const given = new Command('bench')
    .option('--only <row>', 'only rows whose name starts so; may be repeated', list, [])
    .option('--peer <name>', 'only columns whose name starts so; may be repeated', list, [])
    .option('--odd', 'renamed functions and odd sizes', false)
    .option('--threads <n>', 'threads of every peer that has them', count, 2)
    .option('--no-revectorize', "without V8's revectorizer")
    .option('--peers-revectorize', "V8's revectorizer for the peers in JavaScript as well", false)
    .option(
      '--rounds <n>',
      `turns that each gets (default: ${roundsOf.peers}; ${roundsOf.against} with --against)`,
      count,
    )
    .option('--budget <ms>', 'length of a turn', count, 300)
    .option('--json <file>', 'write the result there')
    .option('--merge', 'keep the rows of that file that are not measured now', false)
    .option('--write-docs', 'measure nothing; renew docs/performance.md', false)
    .addOption(
      new Option('--against <dir>', 'compare with another checkout of the project').conflicts([
        ...['peer', 'peersRevectorize', 'merge', 'writeDocs'],
      ]),
    )
    .option('--no-aa', 'with --against: leave out the run of this checkout against itself')
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<Omit<Options, 'rounds'> & { rounds?: number }>();
  return { ...given, rounds: given.rounds ?? roundsOf[given.against ? 'against' : 'peers'] };
}
