import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readOptions } from '../../bench/options.ts';

beforeEach(() => void vi.spyOn(process.stderr, 'write').mockReturnValue(true));
afterEach(() => void vi.restoreAllMocks());

test('another checkout is given more rounds than a peer, and either as many as are said', () => {
  expect(readOptions([])).toMatchObject({ rounds: 7, aa: true, threads: 2, only: [] });
  expect(readOptions(['--against', 'x'])).toMatchObject({ rounds: 15, aa: true, against: 'x' });
  expect(
    readOptions(['--against', 'x', '--rounds', '3', '--no-aa', '--threads', '1']),
  ).toMatchObject({ rounds: 3, aa: false, threads: 1 });
  expect(readOptions(['--rounds', '3', '--only', 'W2', '--only', 'W3'])).toMatchObject({
    rounds: 3,
    only: ['W2', 'W3'],
  });
});

test.each([
  ['peers, which another checkout is not compared with', ['--against', 'x', '--peer', 'torch']],
  ['a result to merge into', ['--against', 'x', '--merge']],
  ['docs of another measurement', ['--against', 'x', '--write-docs']],
  ['no rounds', ['--rounds', '0']],
  ['half a thread', ['--threads', '1.5']],
])('refused: %s', (_, argv) => {
  expect(() => readOptions(argv)).toThrow();
});
