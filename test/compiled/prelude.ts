/** Functions that rows of this lane ask for by name. */
export const ownPrelude: Readonly<Record<string, string>> = {};
