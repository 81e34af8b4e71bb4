/** What a user sees while a run works: a bar on a terminal, plain lines elsewhere. */
import { describe, expect, it } from 'vitest';
import { duration, progressReporter } from '../../runtime/cli/progress.ts';
import type { Progress } from '../../runtime/train/index.ts';

const events: Progress[] = [
  { k: 'stage', stage: 'train', from: 0, total: 100 },
  { k: 'held-out', step: 0, x: 1, z: 2, constantX: 1.5, constantZ: 2.5 },
  ...Array.from({ length: 100 }, (_, i): Progress => {
    return { k: 'step', stage: 'train', done: i + 1, total: 100, loss: 0.5 };
  }),
  { k: 'stage', stage: 'evaluate', from: 0, total: 4 },
  { k: 'step', stage: 'evaluate', done: 4, total: 4 },
];

function shown(terminal: boolean): string {
  let text = '';
  const io = {
    out: () => {},
    err: (t: string) => {
      text += t;
    },
    signal: new AbortController().signal,
    terminal,
  };
  const { show, end } = progressReporter(io);
  for (const e of events) show(e);
  end();
  return text;
}

describe('progress', () => {
  it('without a terminal is a line at every tenth, with loss, pace and time left', () => {
    const lines = shown(false).trimEnd().split('\n');
    expect(lines[0]).toBe('training the model');
    expect(lines[1]).toBe('  step 0  held out x 1.000 (constant 1.500)  z 2.000 (constant 2.500)');
    const steps = lines.filter((l) => /^ {2}\d+\/100 /.test(l));
    expect(steps).toHaveLength(10);
    expect(steps[9]).toMatch(/^ {2}100\/100 {2}loss 0\.500 {2}\S+ steps\/s {2}0 s left$/);
    expect(lines.at(-1)).toMatch(/^ {2}4\/4 {2}\S+ pictures\/s {2}0 s left$/);
    expect(shown(false)).not.toContain('\u001b');
  });

  it('on a terminal is one bar that is redrawn, with the held-out losses above it', () => {
    const text = shown(true);
    expect(text).toContain('\u001b');
    expect(text).toContain('training the model');
    expect(text).toMatch(/100\/100 {2}loss 0\.500 {2}\S+ steps\/s {2}0 s left/);
    expect(text).toContain('held out x 1.000 (constant 1.500)  z 2.000 (constant 2.500)\n');
  });

  it('writes times as people do', () => {
    expect([0.4, 59, 60, 125].map(duration)).toEqual(['0 s', '59 s', '1 min 00 s', '2 min 05 s']);
  });
});
