/**
 * Checking of JSON against a description that is itself data: one row per field, so that a config's
 * type, its documentation and its validation cannot drift apart.
 *
 * Invariant: what `validate` returns has every field of the description and no other; all faults of
 * a document are reported at once, each with its path.
 */
import { didYouMean } from '../../dsl/suggest.ts';

export type Field =
  | { readonly k: 'whole'; readonly min: number; readonly max: number }
  | { readonly k: 'number'; readonly min: number; readonly max: number }
  | { readonly k: 'text'; readonly oneOf?: readonly string[] }
  | { readonly k: 'group'; readonly fields: Fields };

export type Fields = { readonly [name: string]: Field };

/** The type of the documents that a description accepts. */
export type Of<F extends Field> = F extends { k: 'whole' | 'number' }
  ? number
  : F extends { k: 'text'; oneOf: readonly (infer S)[] }
    ? S
    : F extends { k: 'text' }
      ? string
      : F extends { k: 'group'; fields: infer G extends Fields }
        ? { readonly [N in keyof G]: Of<G[N]> }
        : never;

export const whole = (min: number, max = 2 ** 24) => ({ k: 'whole', min, max }) as const;
export const number = (min: number, max: number) => ({ k: 'number', min, max }) as const;
export const text = () => ({ k: 'text' }) as const;
export const oneOf = <const S extends readonly string[]>(choices: S) =>
  ({ k: 'text', oneOf: choices }) as const;
export const group = <const G extends Fields>(fields: G) => ({ k: 'group', fields }) as const;

/** Faults as sentences that start with the path; empty when the document fits. */
export function faults(field: Field, value: unknown, path = ''): string[] {
  const at = path === '' ? 'the config' : path;
  switch (field.k) {
    case 'whole':
    case 'number': {
      const what = field.k === 'whole' ? 'a whole number' : 'a number';
      const fits = field.k === 'whole' ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (fits && (value as number) >= field.min && (value as number) <= field.max) return [];
      return [`${at} must be ${what} from ${field.min} to ${field.max}, not ${show(value)}`];
    }
    case 'text':
      if (typeof value !== 'string' || value === '') {
        return [`${at} must be a text, not ${show(value)}`];
      }
      if (field.oneOf === undefined || field.oneOf.includes(value)) return [];
      return [
        sentence(
          `${at} must be one of ${field.oneOf.join(', ')}, not ${show(value)}`,
          didYouMean(value, field.oneOf),
        ),
      ];
    case 'group': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return [`${at} must be an object, not ${show(value)}`];
      }
      const names = Object.keys(field.fields);
      const under = (name: string): string => (path === '' ? name : `${path}.${name}`);
      const unknown = Object.keys(value)
        .filter((name) => !names.includes(name))
        .map((name) => sentence(`there is no setting ${under(name)}`, didYouMean(name, names)));
      const known = names.flatMap((name) =>
        Object.hasOwn(value, name)
          ? faults(field.fields[name]!, (value as Record<string, unknown>)[name], under(name))
          : [`${under(name)} is missing`],
      );
      return [...unknown, ...known];
    }
    default:
      return field satisfies never;
  }
}

/** The field at a dotted path, or the names there are where the path leaves the description. */
export function fieldAt(
  root: Field,
  path: readonly string[],
): { readonly field: Field } | { readonly wrong: string; readonly names: readonly string[] } {
  let field = root;
  for (const name of path) {
    const names = field.k === 'group' ? Object.keys(field.fields) : [];
    if (field.k !== 'group' || !names.includes(name)) return { wrong: name, names };
    field = field.fields[name]!;
  }
  return { field };
}

const sentence = (text: string, hint: string | undefined): string =>
  hint === undefined ? text : `${text}. ${hint}`;

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 40 ? `${json.slice(0, 37)}...` : json;
}
