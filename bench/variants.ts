/** The columns: who is measured, with how many threads, with or without V8's revectorizer. */
export type Variant = {
  readonly id: string;
  readonly title: string;
  readonly peer: string;
  readonly threads: number;
  readonly wide: boolean;
};

export function variants(
  threads: number,
  revectorize: boolean,
  peersToo = false,
): readonly Variant[] {
  const v = (id: string, title: string, peer: string, wide = false, n = threads): Variant => ({
    ...{ id, title, peer, threads: n, wide },
  });
  return [
    v('tenon', 'Tenon', 'tenon', revectorize),
    ...(threads > 1 ? [v('tenon1', 'Tenon, 1 thread', 'tenon', revectorize, 1)] : []),
    ...(revectorize ? [v('tenonPlain', 'Tenon, no revectorizer', 'tenon')] : []),
    v('ceiling', 'ceiling', 'ceiling', revectorize),
    ...(revectorize ? [v('ceilingPlain', 'ceiling, no revectorizer', 'ceiling')] : []),
    v('torch', 'PyTorch', 'torch'),
    v('ortNode', 'onnxruntime-node', 'ortNode'),
    v('ortWeb', 'onnxruntime-web', 'ortWeb', peersToo),
    ...(threads > 1 ? [v('jax', 'jax-js', 'jax', peersToo)] : []),
    v('jax1', 'jax-js, 1 thread', 'jax', peersToo, 1),
    v('tfjs', 'tfjs, 1 thread', 'tfjs', peersToo, 1),
  ];
}
