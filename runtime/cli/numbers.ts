/** Numbers on a command line: absent, or checked and under their setting's name. */
import { TenonError } from '../index.ts';

type Setting<K extends string> = { readonly [N in K]?: number };

export function wholeOption<K extends string>(
  name: K,
  text: string | undefined,
  min: number,
  max: number,
  option: string = name,
): Setting<K> {
  return numberOption(name, text, min, max, option, /^\d+$/, 'a whole number');
}

export function realOption<K extends string>(
  name: K,
  text: string | undefined,
  min: number,
  max: number,
  option: string = name,
): Setting<K> {
  return numberOption(name, text, min, max, option, /^[\d.eE+-]+$/, 'a number');
}

function numberOption<K extends string>(
  name: K,
  text: string | undefined,
  min: number,
  max: number,
  option: string,
  form: RegExp,
  what: string,
): Setting<K> {
  if (text === undefined) return {};
  const value = Number(text);
  if (form.test(text) && value >= min && value <= max) {
    return { [name]: value } as Setting<K>;
  }
  throw new TenonError('usage', `--${option} ${text}: it must be ${what} from ${min} to ${max}`);
}
