/**
 * From the settings of a config to the sizes of the programs' functions. They are given in full
 * rather than inferred, because products such as the width (heads times head width) have no unique
 * factors.
 */
import type { Config } from './config.ts';

type Net = Config['model'] | Config['encoder'];

/** Sizes of a network on square pictures of `size` pixels with K classes. */
export function netSizes(net: Net, size: number, classes: number) {
  const grid = size / net.patch;
  return {
    L: net.layers,
    K: classes,
    C: 3,
    H: grid,
    W: grid,
    P: net.patch,
    A: net.heads,
    E: net.width / net.heads,
  };
}

/** Those of its initialiser, whose width is 4 Q (sines and cosines of two directions). */
export function initSizes(net: Net, size: number, classes: number) {
  const { L, K, C, H, W, P } = netSizes(net, size, classes);
  return { L, K, C, H, W, P, Q: net.width / 4 };
}
