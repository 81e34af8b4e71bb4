/** `tenon types FILE`: TypeScript declarations of a program's functions. */
import { declarations, load } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { exit, json } from './io.ts';

export const typesCommand: CommandSpec = {
  usage: 'types <file>',
  summary: 'print a .d.ts for the functions of a program',
  async run(io, args, options) {
    const program = await load(args[0]!);
    const text = declarations(program);
    io.out(options.json ? json({ file: program.root, declarations: text }) : text);
    return exit.ok;
  },
};
