/** Names that published checkpoints had before the libraries that read them renamed their modules. */

/**
 * Names of the attention maps in autoencoders saved before diffusers renamed them:
 * `checkpoint.select({ rename: oldAutoencoderNames })`.
 */
export function oldAutoencoderNames(name: string): string {
  const names: Record<string, string> = {
    query: 'to_q',
    key: 'to_k',
    value: 'to_v',
    proj_attn: 'to_out.0',
  };
  return name.replace(
    /(attentions\.\d+)\.(query|key|value|proj_attn)\.(weight|bias)$/,
    (_, head, old, leaf) => `${head}.${names[old]}.${leaf}`,
  );
}
