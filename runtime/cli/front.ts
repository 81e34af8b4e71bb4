/**
 * The front of the command line: one table of commands, common options, errors to exit codes.
 * A new command is a file with a `CommandSpec` and a row here.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { checkCommand } from './check.ts';
import { compareCommand } from './compare.ts';
import { costCommand } from './cost.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand } from './eval.ts';
import { explainCommand } from './explain.ts';
import { fmtCommand } from './fmt.ts';
import { goldenCommand } from './golden.ts';
import { gradcheckCommand } from './gradcheck.ts';
import { type Common, exit, type Io } from './io.ts';
import { profileCommand } from './profile.ts';
import { reportFailure } from './report.ts';
import { runCommand } from './run.ts';
import { sampleCommand } from './sample.ts';
import { testCommand } from './test.ts';
import { trainCommand } from './train.ts';
import { typesCommand } from './types.ts';
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
const commands: readonly CommandSpec<any>[] = [
  checkCommand,
  fmtCommand,
  runCommand,
  explainCommand,
  costCommand,
  profileCommand,
  typesCommand,
  doctorCommand,
  testCommand,
  gradcheckCommand,
  goldenCommand,
  demoCommand,
  trainCommand,
  sampleCommand,
  evalCommand,
  compareCommand,
];

/** Runs one command line and gives its exit code; never throws, never exits. */
export async function front(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exit.ok;
  const program = new Command('tenon')
    .description('A typed functional tensor language.')
    .version(version(), '--version')
    .showHelpAfterError('(add --help for how to use it)')
    .configureOutput({ writeOut: (s) => io.out(s), writeErr: (s) => io.err(s) })
    .exitOverride();
  for (const spec of commands) {
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
