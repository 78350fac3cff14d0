/**
 * Types of `ApplicationFailure` that cross workflow and activity boundaries.
 * Those in `REFUSALS` are final: retrying cannot help, a release compensates. All others are retried, then parked.
 */
export const FailureType = {
  /** The routing table has moved on: somebody else changed the traffic. */
  StaleGeneration: 'StaleGeneration',
  /** The artifact is missing, does not match its digest or does not load. */
  ArtifactInvalid: 'ArtifactInvalid',
  /** The deployed candidate does not give the answers it gave offline. */
  ServingSkew: 'ServingSkew',
  /** The ledger holds another event under the same id. */
  LedgerConflict: 'LedgerConflict',
  /** The ledger holds the release's end already: its workflow was reset. The details are a `RecordedEnd`. */
  ReleaseOver: 'ReleaseOver',
  /** An input of an activity is not what its contract says. */
  InvalidInput: 'InvalidInput',
  /** The traffic change was written, but not every live gateway confirmed it in time. Retryable. */
  NotConfirmed: 'NotConfirmed',
  /** A trainer failed in every attempt, or in a way that no other attempt can mend: the retraining ends. */
  TrainingFailed: 'TrainingFailed',
  /** MongoDB is away, hangs, or takes no writes. Retryable. */
  StoreAway: 'StoreAway',
} as const;

export type FailureTypeName = (typeof FailureType)[keyof typeof FailureType];

export const REFUSALS: readonly string[] = [
  FailureType.StaleGeneration,
  FailureType.ArtifactInvalid,
  FailureType.ServingSkew,
  FailureType.LedgerConflict,
  FailureType.InvalidInput,
];
