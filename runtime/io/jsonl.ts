/**
 * Metrics as JSON lines: one record a line, appended in one write. A line that a crash cut short
 * is dropped when reading; a bad line in the middle is an error, since something else wrote it.
 */
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { TenonError } from '../errors.ts';
import { writeFileAtomic } from './atomic-write.ts';
import { systemError } from './system-error.ts';

export type JsonRecord = { readonly [key: string]: unknown };

const encode = (record: JsonRecord): string => `${JSON.stringify(record)}\n`;

function endsMidLine(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(fd);
    const last = new Uint8Array(1);
    return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 10;
  } finally {
    closeSync(fd);
  }
}

/** Appends one record; numbers that are not finite become null, as in JSON. */
export function appendJsonl(path: string, record: JsonRecord): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // After a torn line the record must start on a line of its own; the torn one stays unreadable.
    if (endsMidLine(path)) writeJsonl(path, readJsonl(path));
    appendFileSync(path, encode(record));
  } catch (e) {
    throw systemError(e, 'write', path);
  }
}

/** Replaces the whole file at once, for instance without the records after a resumed step. */
export function writeJsonl(path: string, records: readonly JsonRecord[]): void {
  writeFileAtomic(path, records.map(encode).join(''));
}

/** @throws TenonError (`io`, or `format` with the line number). */
export function readJsonl(path: string): JsonRecord[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    throw systemError(e, 'read', path);
  }
  // What follows the last newline is empty, or a line whose writing was cut short.
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, i + 1, path)]));
}

function parseLine(text: string, line: number, file: string): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TenonError('format', `${file}:${line} is not a JSON object`, {
      place: { file, line },
    });
  }
  return value as JsonRecord;
}
