/**
 * Which code decides, in every look and so in the ledger: the first hex digits of the SHA-256 over the other files of this folder, in
 * the order of their names. A test holds it; `npm run judge:version` writes it anew after a change of that code.
 */
export const CANARY_JUDGE_VERSION = 'canary-judge/eefc2f3012e6';
