/**
 * Numbers for kernel expressions by structure (hash-consing): equal numbers are equal values within one
 * nest, whether or not the nodes are shared. Conditions speak of values by these numbers.
 */
import type { KExpr } from '../plan.ts';
import { guardKey, ixKey } from '../schedule/flat.ts';

export class Keys {
  readonly #byNode = new Map<KExpr, number>();
  readonly #byText = new Map<string, number>();

  of(e: KExpr): number {
    const known = this.#byNode.get(e);
    if (known !== undefined) return known;
    const text = this.#text(e);
    const key = this.#byText.get(text) ?? this.#byText.size;
    this.#byText.set(text, key);
    this.#byNode.set(e, key);
    return key;
  }

  #text(e: KExpr): string {
    switch (e.k) {
      case 'const':
        return `${e.t} ${Object.is(e.v, -0) ? '-0' : e.v}`;
      case 'index':
        return `${e.t} [${ixKey(e.ix)}]`;
      case 'load': {
        const dyn = e.at.dyn.map((d) => `${d.m}*${this.of(d.e)}`);
        return `b${e.buf}[${[ixKey(e.at.ix), ...dyn].join()}]${guardKey(e.guard)}`;
      }
      case 'prim':
        return `${e.op} ${e.t} ${e.args.map((a) => this.of(a)).join()}`;
      case 'checked':
        return `checked ${e.extent} ${this.of(e.e)}`;
    }
  }
}
