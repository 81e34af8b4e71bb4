/**
 * What the parser would have taken, in a few words: "an expression", "`,` or `)`". A list of the
 * thirty tokens that may begin an expression would teach nothing.
 *
 * Ohm leaves out what is optional (an operator after an operand, a first argument), so that the token
 * before the fault decides what to add.
 */
import { type Kind, kindsBetween } from './tokens.ts';

export type Expectation = { readonly kinds: ReadonlySet<Kind>; readonly end: boolean };

/** Ohm lists terminals as `"x"`, ranges as `"x".."y"`, and what must not follow as `not "x"`. */
export function expectationOf(list: string): Expectation {
  const kinds = new Set<Kind>();
  for (const [, not, from, to] of list.matchAll(/(not )?"(.)"(?:\.\."(.)")?/g)) {
    if (not === undefined) for (const k of kindsBetween(from!, to ?? from!)) kinds.add(k);
  }
  return { kinds, end: list.includes('end of input') };
}

/** Sets of tokens that have a name; the first that is contained stands for all names among them. */
const GROUPS: readonly (readonly [name: string, tokens: readonly Kind[]])[] = [
  ['an expression', ['$num', '(', '[', '{', '$id', 'true']],
  ['a type', ['(', '{', '$up', '$id']],
  ['a size', ['(', '$nat', '$up']],
  ['the name of an index', ['(', '_']],
  ['a name or `{`', ['{', '$id']],
  ['a name', ['$up', '$id']],
  ['a lowercase name', ['$id']],
  ['an uppercase name', ['$up']],
  ['`.` and a space', ['$dot']],
  ['a file name in quotes', ['$str']],
  ['the name of a field', ['$label']],
];

export function describeExpectation({ kinds, end }: Expectation, before: Kind | undefined): string {
  const out: string[] = [];
  const group = GROUPS.find(([, tokens]) => tokens.every((k) => kinds.has(k)));
  if (group !== undefined) out.push(group[0]);
  // Words belong to the group where there is one; signs are named one by one.
  const named = new Set<Kind>(group === undefined ? [] : ALL_IN_GROUPS);
  for (const kind of kinds) {
    if (named.has(kind) || kind === '$sep') continue;
    if (CLOSERS.has(kind)) out.push(...beforeCloser(before), `\`${kind}\``);
    else out.push(`\`${kind}\``);
  }
  if ((end || kinds.has('$sep')) && endsOperand(before)) out.push('an operator');
  if (kinds.has('$sep')) out.push('a new line');
  if (end) out.push('the end of the declaration');
  return orList([...new Set(out)]);
}

const ALL_IN_GROUPS: ReadonlySet<Kind> = new Set<Kind>([
  ...kindsIn(
    '(',
    '[',
    '{',
    '_',
    '$id',
    '$up',
    '$nat',
    '$num',
    '$dot',
    '$str',
    '$label',
    'true',
    'false',
  ),
  ...kindsIn('let', 'for', 'each', 'fold', 'scan', 'if', 'left', 'right', '-', 'not'),
  ...kindsIn('sum', 'prod', 'max', 'min', 'mean', 'argmax', 'argmin', 'all', 'any'),
  ...kindsIn('check', 'derivative', 'gradient', 'of', 'from', 'fixed'),
]);

function kindsIn(...kinds: Kind[]): Kind[] {
  return kinds;
}

const CLOSERS: ReadonlySet<Kind> = new Set<Kind>([')', ']', '}']);

/** What may stand before a closing bracket besides it. */
function beforeCloser(before: Kind | undefined): string[] {
  switch (before) {
    case '(':
      return ['a name or value'];
    case '[':
      return ['an element'];
    case '{':
      return ['a field'];
    case ',':
      return ['a name or value'];
    default:
      return ['`,`'];
  }
}

function endsOperand(kind: Kind | undefined): boolean {
  return kind !== undefined && /^([)\]}]|true|false|\$(id|up|nat|num|label))$/.test(kind);
}

function orList(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? 'something else';
  return `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
}
