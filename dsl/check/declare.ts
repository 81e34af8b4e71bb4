/**
 * Declarations before bodies: which names a file has, what its aliases mean, and the signatures of
 * its functions, so that the order of declarations does not matter.
 *
 * Invariant: uses of a declaration whose head was reported are silent. Whether a bracket parameter is
 * a size or a type follows from where it is used in the head.
 */
import type { Decl, Fact, FnDecl, Module, Param, TypeExpr } from '../ast.ts';
import { diagnostic } from '../errors.ts';
import { assumeAll, type Facts, noFacts, showFact } from '../facts.ts';
import { provesNonNegative } from '../prove.ts';
import { type Report, type Reported, watched } from '../reported.ts';
import { poisonBy } from '../size.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { Dim, Type } from '../typed.ts';
import { errorType, visitType } from '../types.ts';
import type { AliasDecl, FileScope, FnSig, LetSig, ParamKind, SigParam } from './context.ts';
import { isBuiltin } from './names.ts';
import { rawSize, resolveSize, resolveType, type TypeScope } from './resolve.ts';

// ---------------------------------------------------------------- aliases

export function newAlias(decl: Extract<Decl, { k: 'type' }>, file: FileScope): AliasDecl {
  return {
    k: 'type',
    id: `${file.file}#${decl.name.text}`,
    name: decl.name.text,
    decl,
    file,
    kinds: new Map(),
    body: undefined,
  };
}

/** Where each parameter is used as a type; the others are sizes. */
export function paramKinds(
  params: readonly Param[],
  uses: readonly TypeExpr[],
  file: FileScope,
  ready: (a: AliasDecl) => void,
): Map<string, ParamKind> {
  const kinds = new Map<string, ParamKind>(params.map((p) => [p.name.text, 'size']));
  const walk = (e: TypeExpr): void => {
    switch (e.k) {
      case 'name':
        if (kinds.has(e.name)) kinds.set(e.name, 'type');
        return;
      case 'record':
        for (const f of e.fields) walk(f.type);
        return;
      case 'fn':
        for (const p of e.params) walk(p);
        walk(e.result);
        return;
      case 'brackets': {
        const alias = e.base.k === 'name' ? file.types.get(e.base.name) : undefined;
        if (alias !== undefined && alias.decl.params.length > 0) {
          ready(alias);
          e.args.forEach((a, i) => {
            const name = a.name?.text ?? alias.decl.params[i]?.name.text ?? '';
            if (a.type !== undefined) walk(a.type);
            else if (
              alias.kinds.get(name) === 'type' &&
              a.size.k === 'var' &&
              kinds.has(a.size.name)
            ) {
              kinds.set(a.size.name, 'type');
            }
          });
        } else {
          walk(e.base);
        }
      }
    }
  };
  for (const e of uses) walk(e);
  return kinds;
}

/** What an alias stands for, resolved on first use; one that is part of a circle is reported. */
export function expandAlias(alias: AliasDecl, report: Report): Type {
  if (alias.body !== undefined) return alias.body;
  const { decl } = alias;
  if (alias.busy) {
    alias.body = errorType(
      report(
        diagnostic('E0306', decl.name.span, `the type \`${alias.name}\` contains itself`, {
          hint: 'a type of unbounded depth has no size; use an array of records',
        }),
      ),
    );
    return alias.body;
  }
  alias.busy = true;
  alias.kinds = paramKinds(decl.params, [decl.body], alias.file, (a) => {
    if (!a.busy) expandAlias(a, report);
  });
  const names = decl.params.map((p) => p.name.text);
  const ofKind = (k: ParamKind) => names.filter((n) => alias.kinds.get(n) === k);
  const facts = noFacts(ofKind('size'));
  const body = resolveType(
    {
      file: alias.file,
      facts,
      sizes: facts.sizes,
      types: new Map(ofKind('type').map((n): [string, Type] => [n, { k: 'var', name: n }])),
      report,
      expandAlias: (a) => expandAlias(a, report),
      trusting: true,
      owner: 'type',
      refused: new Map(),
    },
    decl.body,
  );
  // It may have been found to contain itself meanwhile.
  alias.body ??= body;
  return alias.body;
}

// ---------------------------------------------------------------- heads of functions

export type Head = {
  readonly params: readonly SigParam[];
  readonly facts: Facts;
  readonly typeNames: ReadonlyMap<string, Type>;
  /** `scope.used` collects the names of the brackets that are used. */
  readonly scope: TypeScope & { readonly used: Set<string> };
};

/** Brackets and `where` of a function or a check. */
export function resolveHead(
  file: FileScope,
  { params, where, headEnd }: { params: readonly Param[]; where: readonly Fact[]; headEnd: Span },
  uses: readonly TypeExpr[],
  report: Report,
): Head {
  const kinds = paramKinds(params, uses, file, (a) => void expandAlias(a, report));
  const seen = new Map<string, Span>();
  for (const p of params) {
    const { text, span } = p.name;
    const first = seen.get(text);
    if (first === undefined) {
      seen.set(text, span);
    } else {
      report(
        diagnostic('E0303', span, `\`${text}\` is there twice`, {
          related: [{ span: first, message: 'the first one' }],
        }),
      );
    }
    if (file.types.has(text)) {
      report(
        diagnostic('E0303', span, `\`${text}\` is the name of a type of this file`, {
          related: [{ span: file.types.get(text)!.decl.name.span, message: 'declared here' }],
        }),
      );
    }
  }
  const sigParams = params.map(
    (p): SigParam => ({ name: p.name.text, kind: kinds.get(p.name.text)!, decl: p }),
  );
  const sizeNames = sigParams.filter((p) => p.kind === 'size').map((p) => p.name);
  const facts = noFacts(sizeNames);
  const typeNames = new Map(
    sigParams
      .filter((p) => p.kind === 'type')
      .map((p): [string, Type] => [p.name, { k: 'var', name: p.name }]),
  );
  const scope = {
    file,
    facts,
    sizes: facts.sizes,
    types: typeNames,
    report,
    used: new Set<string>(),
    refused: new Map<string, Reported>(),
    expandAlias: (a: AliasDecl) => expandAlias(a, report),
    addFact: addFactTo(where, headEnd, 'the function'),
  };
  // A size in a fact may be one that only the other facts make possible.
  const loose: TypeScope = { ...scope, trusting: true };
  const never = assumeAll(
    facts,
    where,
    (e) => resolveSize(loose, e),
    (e) => rawSize(e, (part) => resolveSize(loose, part).size),
    provesNonNegative,
  );
  for (const f of never) {
    report(diagnostic('E0507', f.span, `\`${showFact(f)}\` can never hold here`));
  }
  return { params: sigParams, facts, typeNames, scope };
}

/** The hint that a fact should be stated, and the edit that states it: after the others, or before `=`. */
export function addFactTo(where: readonly Fact[], headEnd: Span, what: string) {
  return (fact: string): Pick<Diagnostic, 'hint' | 'fix'> => {
    const text = where.length > 0 ? `, ${fact}` : ` where ${fact}`;
    return { hint: `add \`where ${fact}\` to ${what}`, fix: [{ span: headEnd, text }] };
  };
}

/** Evidence that part of the type was reported, here or where its alias is declared. */
function errorIn(t: Type): Reported | undefined {
  let found: Reported | undefined;
  visitType(
    t,
    (s) => {
      found ??= poisonBy(s);
    },
    (_name, by) => {
      found ??= by;
    },
  );
  return found;
}

export function resolveFn(decl: FnDecl, file: FileScope, reportTo: Report): FnSig {
  const faults: Reported[] = [];
  const report = watched(reportTo, (by) => faults.push(by));
  const uses = [...decl.args.map((a) => a.type), decl.result];
  const head = resolveHead(file, decl, uses, report);
  const seen = new Map<string, (typeof decl.args)[number]>();
  for (const a of decl.args) {
    const first = seen.get(a.name.text);
    if (first !== undefined) {
      report(
        diagnostic('E0303', a.name.span, `the parameter \`${a.name.text}\` is there twice`, {
          related: [{ span: first.name.span, message: 'the first one' }],
        }),
      );
    }
    seen.set(a.name.text, a);
  }
  const defaults = new Map<string, Dim>();
  for (const p of decl.params) {
    if (p.init !== undefined) defaults.set(p.name.text, resolveSize(head.scope, p.init));
  }
  const args = decl.args.map((a) => ({
    name: a.name.text,
    type: resolveType(head.scope, a.type),
    init: a.init,
  }));
  const result = resolveType(head.scope, decl.result);
  return {
    k: 'fn',
    id: `${file.file}#${decl.name.text}`,
    name: decl.name.text,
    defaults,
    decl,
    file,
    params: head.params,
    facts: head.facts,
    typeNames: head.typeNames,
    args,
    result,
    used: head.scope.used,
    faulty:
      faults[0] ?? [...args.map((a) => a.type), result].map(errorIn).find((by) => by !== undefined),
  };
}

export function resolveLet(
  decl: Extract<Decl, { k: 'let' }>,
  file: FileScope,
  report: Report,
): LetSig {
  const head = resolveHead(
    file,
    { params: [], where: [], headEnd: decl.span },
    [decl.type],
    report,
  );
  return {
    k: 'let',
    id: `${file.file}#${decl.name.text}`,
    name: decl.name.text,
    decl,
    file,
    type: resolveType(head.scope, decl.type),
  };
}

/** Enters the names of a file, refusing the ones that are taken; heads are resolved later. */
export function namesOf(module: Module, file: FileScope, report: Report): Decl[] {
  const first = new Map<string, { span: Span }>();
  const kept: Decl[] = [];
  for (const d of module.decls) {
    if (d.k !== 'type' && d.k !== 'fn' && d.k !== 'let' && d.k !== 'check') {
      kept.push(d);
      continue;
    }
    const { text, span } = d.name;
    const taken = first.get(`${d.k === 'check' ? 'check ' : ''}${text}`);
    if (taken !== undefined) {
      report(
        diagnostic('E0303', span, `the name \`${text}\` is taken`, {
          related: [{ span: taken.span, message: 'declared here first' }],
        }),
      );
      continue;
    }
    if (d.k !== 'check' && d.k !== 'type' && isBuiltin(text)) {
      report(
        diagnostic('E0303', span, `the name \`${text}\` is taken by a built-in function`, {
          hint: 'choose another name',
        }),
      );
      continue;
    }
    first.set(`${d.k === 'check' ? 'check ' : ''}${text}`, d.name);
    if (d.k === 'type') file.types.set(text, newAlias(d, file));
    kept.push(d);
  }
  return kept;
}
