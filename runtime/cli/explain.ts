/** `tenon explain FILE FUNCTION --stage S`: one stage of a function, as text. */
import { explain, load, type Stage, stages, TenonError } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { collect, readSizes } from './inputs.ts';
import { exit, json } from './io.ts';

type Options = {
  readonly stage: string;
  readonly size?: readonly string[];
  readonly grad?: string | true;
};

export const explainCommand: CommandSpec<Options> = {
  usage: 'explain <file> <function>',
  summary: 'print a stage of the compilation of one function',
  options(command) {
    command
      .requiredOption('--stage <S>', stages.join(', '))
      .option('--size <N=4>', 'a size of the function; all are needed from core on', collect)
      .option('--grad [NAME,...]', 'the differentiated program, by some or all parameters');
  },
  async run(io, args, options) {
    const [file, name] = args as [string, string];
    const stage = stages.find((s) => s === options.stage);
    if (stage === undefined) {
      throw new TenonError('usage', `there is no stage ${options.stage}`, {
        hint: `The stages are ${stages.join(', ')}.`,
      });
    }
    const grad = typeof options.grad === 'string' ? options.grad.split(',') : options.grad;
    const text = await explain(await load(file), name, stage as Stage, {
      sizes: readSizes(options),
      ...(grad === undefined ? {} : { grad }),
    });
    io.out(options.json ? json({ stage, text }) : text);
    return exit.ok;
  },
};
