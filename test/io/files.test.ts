import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTenonError } from '../../runtime/errors.ts';
import { type AtomicFs, writeFileAtomic } from '../../runtime/io/atomic-write.ts';
import { appendJsonl, readJsonl, writeJsonl } from '../../runtime/io/jsonl.ts';
import { SafetensorsFile, writeSafetensorsFile } from '../../runtime/io/safetensors-file.ts';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'tenon-io-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (e) {
    return e;
  }
  return undefined;
}

function refuse(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code, syscall: 'write' });
  };
}

describe('writeFileAtomic', () => {
  it('writes a new file, in folders that did not exist, and replaces an old one', () => {
    const path = join(folder, 'a/b/c.txt');
    writeFileAtomic(path, 'one');
    writeFileAtomic(path, [new TextEncoder().encode('tw'), new TextEncoder().encode('o')]);
    expect(fs.readFileSync(path, 'utf8')).toBe('two');
    expect(fs.readdirSync(join(folder, 'a/b'))).toEqual(['c.txt']);
  });

  const steps = ['openSync', 'writeSync', 'fsyncSync', 'renameSync'] as const;
  for (const step of steps) {
    it(`keeps the old file and leaves nothing behind when ${step} fails`, () => {
      const path = join(folder, 'w.bin');
      fs.writeFileSync(path, 'good');
      const broken: AtomicFs = { ...fs, [step]: refuse('ENOSPC') };
      const e = caught(() => writeFileAtomic(path, 'half-written', broken));
      expect(isTenonError(e) && e.message).toBe(
        `cannot write ${path}: no space is left on the disk`,
      );
      expect(fs.readFileSync(path, 'utf8')).toBe('good');
      expect(fs.readdirSync(folder)).toEqual(['w.bin']);
    });
  }

  it('goes on after a short write', () => {
    const slow: AtomicFs = {
      ...fs,
      writeSync: ((fd: number, b: Uint8Array, at: number) =>
        fs.writeSync(fd, b, at, 1)) as AtomicFs['writeSync'],
    };
    writeFileAtomic(join(folder, 'x'), 'abcdef', slow);
    expect(fs.readFileSync(join(folder, 'x'), 'utf8')).toBe('abcdef');
  });

  it('keeps the old file when the pieces themselves fail to come', () => {
    const path = join(folder, 'w.bin');
    fs.writeFileSync(path, 'good');
    function* pieces() {
      yield new Uint8Array(10);
      throw new Error('the data ended early');
    }
    expect(() => writeFileAtomic(path, pieces())).toThrow('the data ended early');
    expect(fs.readFileSync(path, 'utf8')).toBe('good');
    expect(fs.readdirSync(folder)).toEqual(['w.bin']);
  });

  it('writes through a symbolic link', () => {
    fs.writeFileSync(join(folder, 'real'), 'old');
    fs.symlinkSync(join(folder, 'real'), join(folder, 'link'));
    writeFileAtomic(join(folder, 'link'), 'new');
    expect(fs.readFileSync(join(folder, 'real'), 'utf8')).toBe('new');
    expect(fs.lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  });

  it('says what is wrong with the path', () => {
    fs.writeFileSync(join(folder, 'file'), '');
    expect(() => writeFileAtomic(join(folder, 'file/x'), '')).toThrow(
      /a part of the path is a file/,
    );
    expect(() => writeFileAtomic(folder, '')).toThrow(/it is a folder/);
  });

  it.skipIf(process.platform === 'win32')('survives a real limit on the size of files', () => {
    const path = join(folder, 'w.bin');
    fs.writeFileSync(path, 'good');
    const module = join(import.meta.dirname, '../../runtime/io/atomic-write.ts');
    const script = `import { writeFileAtomic } from ${JSON.stringify(module)};
      try { writeFileAtomic(${JSON.stringify(path)}, new Uint8Array(1 << 20)); }
      catch (e) { console.log(e.code + ' ' + e.message); }`;
    const scriptFile = join(folder, 'script.ts');
    fs.writeFileSync(scriptFile, script);
    const shell = 'ulimit -f 64; exec "$0" --experimental-strip-types --no-warnings "$1"';
    const out = execFileSync('bash', ['-c', shell, process.execPath, scriptFile], {
      encoding: 'utf8',
    });
    fs.unlinkSync(scriptFile);
    expect(out).toMatch(/^io cannot write .*larger than the system allows/);
    expect(fs.readFileSync(path, 'utf8')).toBe('good');
    expect(fs.readdirSync(folder)).toEqual(['w.bin']);
  });
});

describe('safetensors files', () => {
  it('are read by position, whole or by rows', () => {
    const path = join(folder, 'w.safetensors');
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    writeSafetensorsFile(path, new Map([['w', { dtype: 'F32', shape: [4, 3], data }]]), { v: '1' });
    using file = SafetensorsFile.open(path);
    expect(file.metadata).toEqual({ v: '1' });
    expect(file.read('w')).toEqual({ dtype: 'F32', shape: [4, 3], data });
    expect([...file.readRows('w', 1, 2).data]).toEqual([3, 4, 5]);
    expect([...file.readPart('w', 4, 9)]).toEqual([4, 5, 6, 7, 8]);
    expect([...file.readPart('w', 10, 12)]).toEqual([10, 11]);
  });

  it('missing, a folder, empty, cut short: one clear error each', () => {
    const path = join(folder, 'w.safetensors');
    expect(() => SafetensorsFile.open(path)).toThrow(/no such file/);
    expect(() => SafetensorsFile.open(folder)).toThrow(/it is not a file|it is a folder/);
    fs.writeFileSync(path, '');
    expect(() => SafetensorsFile.open(path)).toThrow(/0 bytes, at least 8/);
    const data = new Float32Array(100);
    writeSafetensorsFile(path, new Map([['w', { dtype: 'F32', shape: [100], data }]]));
    fs.truncateSync(path, fs.statSync(path).size - 1);
    expect(() => SafetensorsFile.open(path)).toThrow(/outside the 399 bytes of data/);
  });

  it('that shrink after they were opened give an error, not zeros', () => {
    const path = join(folder, 'w.safetensors');
    const data = new Float32Array(100).fill(1);
    writeSafetensorsFile(path, new Map([['w', { dtype: 'F32', shape: [100], data }]]));
    using file = SafetensorsFile.open(path);
    fs.truncateSync(path, 200);
    expect(() => file.read('w')).toThrow(/became shorter/);
  });
});

describe('JSON lines', () => {
  it('append and read back any records', () => {
    const record = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
        const path = join(folder, `${Math.random()}.jsonl`);
        for (const r of records) appendJsonl(path, r);
        expect(readJsonl(path)).toEqual(records.map((r) => JSON.parse(JSON.stringify(r))));
      }),
      { numRuns: 30 },
    );
  });

  it('a line cut short by a crash is dropped, and the next record starts on its own line', () => {
    const path = join(folder, 'm.jsonl');
    fs.writeFileSync(path, '{"step":1}\n{"step":2,"lo');
    expect(readJsonl(path)).toEqual([{ step: 1 }]);
    appendJsonl(path, { step: 3 });
    expect(readJsonl(path)).toEqual([{ step: 1 }, { step: 3 }]);
  });

  it('a bad line in the middle is an error with its number', () => {
    const path = join(folder, 'm.jsonl');
    fs.writeFileSync(path, '{"step":1}\n[1]\n{"step":3}\n');
    expect(() => readJsonl(path)).toThrow(`${path}:2 is not a JSON object`);
    writeJsonl(path, [{ step: 1 }]);
    expect(readJsonl(path)).toEqual([{ step: 1 }]);
  });
});
