import type { Junk } from './release-state.js';

export const NO_JUNK: Junk = { malformed: 0, dropped: 0, refused: 0, examples: [], told: 0 };

/** Refusals recorded one by one, for strangers and for names of approvers each; what comes beyond is only counted. */
export const MAX_REFUSALS = 1_000;

const MAX_EXAMPLES = 5;

export type JunkKind = 'malformed' | 'dropped' | 'refused';

/** One message more of no use. @param example what is wrong with it */
export const addJunk = (junk: Junk, kind: JunkKind, example: string): Junk => ({
  ...junk,
  [kind]: junk[kind] + 1,
  examples:
    junk.examples.length >= MAX_EXAMPLES || junk.examples.includes(example)
      ? junk.examples
      : [...junk.examples, example],
});

export const totalJunk = ({ malformed, dropped, refused }: Junk): number => malformed + dropped + refused;

/** Told at 1, 10, 100, 1,000…: a flood of any size fills a handful of lines. */
export const isJunkDue = (junk: Junk): boolean => {
  const total = totalJunk(junk);
  return total > junk.told && (junk.told === 0 || total >= 10 * junk.told);
};
