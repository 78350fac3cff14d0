const PREFIX = '(restoring) ';

/** Where a collection is loaded, beside the one that it is to replace. */
export const stagingOf = (name: string): string => `${PREFIX}${name}`;

export const isStaging = (name: string): boolean => name.startsWith(PREFIX);
