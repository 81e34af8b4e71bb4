/**
 * The front of the command line: one table of commands, common options, errors to exit codes.
 * A new command is a file with a `CommandSpec` and a row here, under the name that its usage begins with.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type Common, exit, type Io } from './io.ts';
import { reportFailure } from './report.ts';
import { narrowOption } from './wide.ts';

export type CommandSpec<Options extends object = object> = {
  /** As commander reads it: `run <file> <function>`. */
  readonly usage: string;
  readonly summary: string;
  /** Adds this command's own options. */
  options?(command: Command): void;
  /** Does the work and gives the exit code; throws what report.ts can show. */
  run(io: Io, args: readonly string[], options: Options & Common): Promise<number>;
};

// biome-ignore lint/suspicious/noExplicitAny: a table of commands with different options
type Load = () => Promise<CommandSpec<any>>;

/** By the first word of a command line, and loaded when it is asked for: `check` needs no device. */
const commands: Readonly<Record<string, Load>> = {
  check: async () => (await import('./check.ts')).checkCommand,
  fmt: async () => (await import('./fmt.ts')).fmtCommand,
  run: async () => (await import('./run.ts')).runCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  cost: async () => (await import('./cost.ts')).costCommand,
  profile: async () => (await import('./profile.ts')).profileCommand,
  bisect: async () => (await import('./bisect.ts')).bisectCommand,
  types: async () => (await import('./types.ts')).typesCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  test: async () => (await import('./test.ts')).testCommand,
  gradcheck: async () => (await import('./gradcheck.ts')).gradcheckCommand,
  golden: async () => (await import('./golden.ts')).goldenCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  train: async () => (await import('./train.ts')).trainCommand,
  sample: async () => (await import('./sample.ts')).sampleCommand,
  eval: async () => (await import('./eval.ts')).evalCommand,
  compare: async () => (await import('./compare.ts')).compareCommand,
};

/** The command that is meant, or all of them for help and for words that are none. */
function wanted(argv: readonly string[]): readonly Load[] {
  const name = argv[0] ?? '';
  return Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands);
}

/** Runs one command line and gives its exit code; never throws, never exits. */
export async function front(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exit.ok;
  const program = new Command('tenon')
    .description('A typed functional tensor language.')
    .version(version(), '--version')
    .showHelpAfterError('(add --help for how to use it)')
    .configureOutput({ writeOut: (s) => io.out(s), writeErr: (s) => io.err(s) })
    .exitOverride();
  for (const load of wanted(argv)) {
    const spec = await load();
    const command = program
      .command(spec.usage)
      .description(spec.summary)
      .option('--json', 'print the report as JSON')
      .option('-v, --verbose', 'add detail to standard error')
      .option(narrowOption, 'leave 256-bit vectors of the wasm device off (see doctor)')
      .exitOverride();
    spec.options?.(command);
    command.action(async () => {
      const options = command.opts<Common>();
      try {
        code = await spec.run(io, command.args, options);
      } catch (e) {
        code = reportFailure(e, io, options.verbose ?? false);
      }
    });
  }
  if (argv.length === 0) {
    io.err(program.helpInformation());
    return exit.usage;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (e) {
    if (!(e instanceof CommanderError)) return reportFailure(e, io, argv.includes('-v'));
    return e.exitCode === 0 ? exit.ok : exit.usage;
  }
  return code;
}

function version(): string {
  // runtime/cli and dist/runtime/cli are both below the package's root, at different depths.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (manifest.name === 'tenon') return manifest.version;
    } catch {}
  }
  return 'unknown';
}
