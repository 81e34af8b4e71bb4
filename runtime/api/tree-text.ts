/**
 * Syntax trees as indented text: one node per line, its kind first, then what fits on the line.
 * Types and sizes are shown as the user writes them, source spans are left out.
 */
import { print } from '../../dsl/size.ts';
import type { Size, Type } from '../../dsl/typed.ts';
import { printType } from '../../dsl/types.ts';

export function treeText(node: unknown): string {
  const lines: string[] = [];
  write(node, '', 0, lines);
  return `${lines.join('\n')}\n`;
}

type Entry = readonly [label: string, value: unknown];

function write(v: unknown, label: string, depth: number, lines: string[]): void {
  const head = label === '' ? '' : `${label}: `;
  const atom = atomText(label, v);
  if (atom !== undefined) {
    lines.push(`${'  '.repeat(depth)}${head}${atom}`);
    return;
  }
  const entries = entriesOf(v);
  const atoms: string[] = [];
  const rest: Entry[] = [];
  for (const [name, x] of entries) {
    const text = atomText(name, x);
    if (text === undefined) rest.push([name, x]);
    else if (name !== 'k' && text !== '') atoms.push(`${name} ${text}`);
  }
  const kind = isRecord(v) && typeof v['k'] === 'string' ? v['k'] : '';
  lines.push(`${'  '.repeat(depth)}${head}${[kind, ...atoms].filter((s) => s !== '').join('  ')}`);
  for (const [name, x] of rest) write(x, Array.isArray(v) ? '' : name, depth + 1, lines);
}

const hidden = new Set(['span', 'fromSpan', 'opSpan', 'doc', 'comments', 'form']);

function entriesOf(v: unknown): Entry[] {
  if (v instanceof Map) return [...v];
  if (Array.isArray(v)) return v.map((x, i) => [String(i), x]);
  return Object.entries(v as object).filter(([name, x]) => !hidden.has(name) && x !== undefined);
}

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null;

/** What fits behind a label; undefined for what needs lines of its own. */
function atomText(label: string, v: unknown): string | undefined {
  if (typeof v === 'string') return label === '' || label === 'k' ? v : JSON.stringify(v);
  if (!isRecord(v)) return String(v);
  if (isName(v)) return v.text;
  if (isSize(label, v)) return print(v);
  if ((label === 'type' || label === 'result') && isType(v)) return printType(v);
  if (Array.isArray(v) || v instanceof Map) return entriesOf(v).length === 0 ? '' : undefined;
  return undefined;
}

const isName = (v: Record<string, unknown>): v is { text: string } =>
  typeof v['text'] === 'string' && 'span' in v && v['k'] === undefined;

function isSize(label: string, v: unknown): v is Size {
  const monomial = (m: unknown) =>
    isRecord(m) && typeof m['c'] === 'number' && Array.isArray(m['v']);
  if (!Array.isArray(v) || !v.every(monomial)) return false;
  return v.length > 0 || label === 'size';
}

/** A resolved type, as opposed to a written one, which has a span. */
function isType(v: Record<string, unknown>): v is Type & Record<string, unknown> {
  const kinds = ['scalar', 'idx', 'tensor', 'record', 'fn', 'var'];
  return kinds.includes(String(v['k'])) && !('span' in v);
}
