/** What the checker inferred, as text: the types of `let`s and the sizes given to callees. */
import { childrenOf } from '../../dsl/check/walk.ts';
import { check } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import { print } from '../../dsl/size.ts';
import type { TBinder, TExpr, TFn, TProgram } from '../../dsl/typed.ts';
import { printType } from '../../dsl/types.ts';

/** The typed program; fails with the rendered diagnostics when there is even a warning. */
export function accept(text: string, ...more: [string, string][]): TProgram {
  const { program, diagnostics, sources } = check(new Map([...more, ['main.tn', text]]), 'main.tn');
  if (diagnostics.length > 0) throw new Error(renderDiagnostics(diagnostics, sources));
  return program!;
}

export function fnOf(program: TProgram, name: string): TFn {
  const fn = [...program.fns.values()].find((f) => f.name === name);
  if (fn === undefined) throw new Error(`no function ${name}`);
  return fn;
}

function binder(b: TBinder): string {
  return b.k === 'one' ? `${b.name}: ${print(b.size)}` : `(${b.items.map(binder).join(', ')})`;
}

function facts(e: TExpr, out: string[]): void {
  if (e.k === 'let' && e.pattern.k === 'name') {
    out.push(`${e.pattern.name}: ${printType(e.value.type)}`);
  }
  if (e.k === 'for' || e.k === 'reduce') {
    out.push(`${e.k === 'for' ? 'for' : e.op} ${e.binders.map(binder).join(', ')}`);
  }
  if ((e.k === 'fold' || e.k === 'scan') && !e.binder.name.startsWith('_')) {
    out.push(`${e.k} ${e.binder.name}: ${print(e.binder.size)}`);
  }
  if (e.k === 'fn') {
    const sizes = [...e.sizes].map(([n, s]) => `${n}=${print(s)}`);
    const types = [...e.types].map(([n, t]) => `${n}=${printType(t)}`);
    out.push(`${e.id.slice(e.id.indexOf('#') + 1)}[${[...sizes, ...types].join(', ')}]`);
  }
  for (const c of childrenOf(e)) facts(c, out);
}

/** One line for the signature, then what was inferred in the body, in the order of the text. */
export function inferred(fn: TFn): string {
  const params = fn.params.map((p) => `${p.name}: ${printType(p.type)}`).join(', ');
  const out: string[] = [];
  facts(fn.body, out);
  return [`(${params}): ${printType(fn.result)}`, ...out].join('\n');
}
