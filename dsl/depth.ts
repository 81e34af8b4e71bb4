/**
 * How deep a tree is, counted without recursion: a bound on the recursion of every later stage
 * (checker, printer, elaboration), so that no program can overflow their stacks.
 */
export const MAX_DEPTH = 500;

/** The first place deeper than `limit`, as the deepest enclosing object with a span, or undefined. */
export function tooDeepAt<T extends object>(root: T, limit = MAX_DEPTH): object | undefined {
  let level: object[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    // A block nests a level for each of its `let`s: the usual reason.
    if (depth > limit) return level.find(isLet) ?? level.find((n) => 'span' in n) ?? root;
    const next: object[] = [];
    for (const node of level) {
      for (const child of Object.values(node)) {
        // A list is no level of its own: its items are as deep as itself.
        if (Array.isArray(child)) next.push(...child.filter(isNode));
        else if (isNode(child) && !('start' in child)) next.push(child);
      }
    }
    level = next;
  }
  return undefined;
}

function isLet(node: object): boolean {
  return 'k' in node && node.k === 'let';
}

function isNode(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
