import type { ReleaseOutcome } from '../../contracts/model.js';

/** How a stage says that the release is over. Caught by modelRelease; never leaves the workflow. */
export class Ending extends Error {
  readonly outcome: Exclude<ReleaseOutcome, 'succeeded'>;
  readonly evidence: Readonly<Record<string, unknown>>;

  constructor(
    outcome: Exclude<ReleaseOutcome, 'succeeded'>,
    reason: string,
    evidence: Readonly<Record<string, unknown>> = {},
  ) {
    super(reason);
    this.name = 'Ending';
    this.outcome = outcome;
    this.evidence = evidence;
  }
}
