/**
 * The direction of dependencies: dsl <- compiler <- runtime. The language knows nothing of kernels,
 * the compiler nothing of devices, and models/ holds programs only. Imports are read from the
 * source text, so that a type-only import counts as well.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** What each layer may import from the other layers, and whether it may use Node's own modules. */
const layers: Record<string, { mayImport: readonly string[]; node: boolean }> = {
  dsl: { mayImport: ['dsl'], node: false },
  compiler: { mayImport: ['dsl', 'compiler'], node: false },
  runtime: { mayImport: ['dsl', 'compiler', 'runtime'], node: true },
};

function filesUnder(folder: string): string[] {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}

/** Module specifiers of `import ... from`, `export ... from`, bare imports and `import()`. */
function importsOf(source: string): string[] {
  const pattern = /(?:^|[^\w$.])(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/g;
  return [...source.matchAll(pattern)].map((m) => m[2]!);
}

function violations(layer: string, file: string, source: string): string[] {
  const rule = layers[layer]!;
  const out: string[] = [];
  for (const spec of importsOf(source)) {
    if (spec.startsWith('.')) {
      const target = relative(root, resolve(dirname(file), spec)).split('/')[0]!;
      if (!rule.mayImport.includes(target)) out.push(`${relative(root, file)} imports ${spec}`);
    } else if (spec.startsWith('node:') && !rule.node) {
      out.push(`${relative(root, file)} imports ${spec}; only runtime/ may use Node's modules`);
    } else if (spec === 'tenon' || spec.startsWith('tenon/')) {
      out.push(`${relative(root, file)} imports its own package by name`);
    }
  }
  return out;
}

describe('dependencies point one way', () => {
  for (const layer of Object.keys(layers)) {
    it(`${layer}/ imports only from ${layers[layer]!.mayImport.join(', ')}`, () => {
      const bad = filesUnder(layer)
        .filter((f) => extname(f) === '.ts')
        .flatMap((f) => violations(layer, f, readFileSync(f, 'utf8')));
      expect(bad).toEqual([]);
    });
  }

  it('sees every form of import (the rule itself can fail)', () => {
    const source = [
      "import { a } from '../runtime/a.ts';",
      "import type { B } from '../compiler/b.ts';",
      "export * from '../runtime/c.ts';",
      "const d = await import('../runtime/d.ts');",
      "import '../runtime/e.ts';",
      "import { readFileSync } from 'node:fs';",
      "import { f } from './f.ts';",
      "import * as ohm from 'ohm-js';",
    ].join('\n');
    expect(violations('dsl', join(root, 'dsl/x.ts'), source)).toHaveLength(6);
  });

  it('models/ holds programs only', () => {
    const other = filesUnder('models').filter((f) => !['.tn', '.md'].includes(extname(f)));
    expect(other.map((f) => relative(root, f))).toEqual([]);
  });
});
