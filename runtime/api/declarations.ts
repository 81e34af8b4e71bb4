/**
 * TypeScript declarations of a program: one interface per function for what it takes and gives, so
 * that a host's calls are checked by its own compiler. Sizes become comments; TypeScript cannot
 * check them, the runtime does.
 */

import type { Type } from '../../dsl/typed.ts';
import { printType } from '../../dsl/types.ts';
import type { Program } from './program.ts';

/** What a program of the user imports us as. */
const library = 'tenon';

/** The text of a `.d.ts` with types `<Function>Inputs` and `<Function>Output`. */
export function declarations(program: Program): string {
  const callable = program.functions.filter(
    (f) => isData(f.result) && f.params.every((p) => isData(p.type)),
  );
  const parts = callable.map((f) => {
    const name = f.name[0]!.toUpperCase() + f.name.slice(1);
    const doc =
      f.doc === '' ? '' : `/** ${f.doc.replaceAll('*/', '* /').replaceAll('\n', '\n * ')} */\n`;
    const params = f.params.map(
      (p) =>
        `${label(p.name)}${p.init === undefined ? '' : '?'}: ${typeText(p.type, 'in', 1)}${p.type.k === 'record' ? ' | StateDict' : ''};`,
    );
    return `${doc}export type ${name}Inputs = {${block(params, 0)}};
export type ${name}Output = ${typeText(f.result, 'out', 0)};
`;
  });
  const table = callable.map((f) => {
    const name = f.name[0]!.toUpperCase() + f.name.slice(1);
    return `${label(f.name)}: { inputs: ${name}Inputs; output: ${name}Output };`;
  });
  return `// Made by \`tenon types ${program.root}\`.
import type { LeafInput, Tensor } from '${library}';

/** Leaves by dotted path, as in a checkpoint. */
type StateDict = ReadonlyMap<string, LeafInput>;

${parts.join('\n')}
export type Functions = {${block(table, 0)}};
`;
}

type Side = 'in' | 'out';

function typeText(t: Type, side: Side, depth: number): string {
  switch (t.k) {
    case 'scalar':
    case 'idx': {
      const text = t.k === 'idx' ? printType(t) : t.s;
      if (side === 'out') {
        return t.k === 'scalar' && t.s === 'key'
          ? 'Tensor /* key */'
          : t.k === 'scalar' && t.s === 'bool'
            ? 'boolean'
            : `number /* ${text} */`;
      }
      return `LeafInput /* ${text} */`;
    }
    case 'tensor':
      if (t.elem.k !== 'record')
        return `${side === 'in' ? 'LeafInput' : 'Tensor'} /* ${printType(t)} */`;
      return side === 'in'
        ? `readonly ${typeText(t.elem, side, depth)}[] | ${stacked(t.elem, side, depth)}`
        : stacked(t.elem, side, depth);
    case 'record':
      return `{${block(
        t.fields.map((f) => `${label(f.label)}: ${typeText(f.type, side, depth + 1)};`),
        depth,
      )}}`;
    case 'fn':
    case 'var':
      return 'never';
    default:
      return t satisfies never;
  }
}

/** A record whose leaves carry the dims of the array around them. */
function stacked(t: Type, side: Side, depth: number): string {
  if (t.k === 'record') {
    return `{${block(
      t.fields.map((f) => `${label(f.label)}: ${stacked(f.type, side, depth + 1)};`),
      depth,
    )}}`;
  }
  if (t.k === 'tensor' && t.elem.k === 'record') return stacked(t.elem, side, depth);
  return `${side === 'in' ? 'LeafInput' : 'Tensor'} /* stacked ${printType(t)} */`;
}

const label = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

const block = (lines: readonly string[], depth: number): string =>
  lines.length === 0
    ? ''
    : `\n${lines.map((l) => `${'  '.repeat(depth + 1)}${l}\n`).join('')}${'  '.repeat(depth)}`;

function isData(t: Type): boolean {
  switch (t.k) {
    case 'scalar':
    case 'idx':
      return true;
    case 'tensor':
      return isData(t.elem);
    case 'record':
      return t.fields.every((f) => isData(f.type));
    case 'fn':
    case 'var':
      return false;
    default:
      return t satisfies never;
  }
}
