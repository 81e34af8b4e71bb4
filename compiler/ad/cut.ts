/**
 * Minimum cut by maximum flow: shortest augmenting paths (Dinitz 1970, Edmonds & Karp 1972).
 * The networks here have a few hundred nodes.
 */
export type Network = {
  readonly nodes: number;
  readonly edges: { readonly from: number; readonly to: number; readonly capacity: number }[];
};

/**
 * For each node whether it is on the source's side of a minimum cut; of several cuts the one with
 * the most nodes there. The cut must be finite.
 */
export function minimumCut(network: Network, source: number, sink: number): readonly boolean[] {
  const { nodes, edges } = network;
  // Edge e and its reverse e ^ 1.
  const to: number[] = [];
  const left: number[] = [];
  const out: number[][] = Array.from({ length: nodes }, () => []);
  for (const e of edges) {
    out[e.from]!.push(to.length);
    to.push(e.to);
    left.push(e.capacity);
    out[e.to]!.push(to.length);
    to.push(e.from);
    left.push(0);
  }
  /** The edges by which a breadth-first search comes to each node; -1 where it does not. */
  const search = (from: number, forwards: boolean): number[] => {
    const via = new Array<number>(nodes).fill(-1);
    const queue = [from];
    via[from] = -2;
    for (let i = 0; i < queue.length; i++) {
      for (const e of out[queue[i]!]!) {
        if (left[forwards ? e : e ^ 1]! <= 0 || via[to[e]!]! !== -1) continue;
        via[to[e]!] = e;
        queue.push(to[e]!);
      }
    }
    return via;
  };
  for (;;) {
    const via = search(source, true);
    if (via[sink] === -1) break;
    let room = Infinity;
    for (let x = sink; x !== source; x = to[via[x]! ^ 1]!) room = Math.min(room, left[via[x]!]!);
    if (room === Infinity) throw new Error('no finite cut');
    for (let x = sink; x !== source; x = to[via[x]! ^ 1]!) {
      left[via[x]!]! -= room;
      left[via[x]! ^ 1]! += room;
    }
  }
  // What can still reach the sink is behind the cut.
  return search(sink, false).map((e) => e === -1);
}
