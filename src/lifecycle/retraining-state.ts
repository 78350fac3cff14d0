import type { RetrainingTrigger } from '../contracts/retraining.js';
import type { RetrainingView } from '../contracts/views.js';

/** What a model's lifecycle knows of its retrainings; plain JSON, bounded. */
export interface RetrainingState {
  /** Number of the next one. */
  readonly next: number;
  readonly running: RunningRetraining | null;
  /** Times of starts, ISO 8601, oldest first: for cooldown and budget. */
  readonly starts: readonly string[];
  /** What started one; never starts another. */
  readonly evidence: readonly string[];
  /** Evidence and reason of what was held back: each is recorded once. */
  readonly told: readonly string[];
  readonly heldBack: RetrainingView['heldBack'];
  readonly last: RetrainingView['last'];
  /** The schedule that `at` is the next moment of; null `at`: it never comes. */
  readonly schedule: { readonly key: string; readonly at: string | null } | null;
  /** When labels are counted again, ISO 8601. */
  readonly labelsAt: string | null;
  /** How many there were when they were counted last. Absent from older states. */
  readonly labelsCounted?: number | null;
  /** Not before this is the champion's age looked at, ISO 8601. */
  readonly ageAt: string | null;
  /** Findings that were held back: the earliest change first, bounded. Absent from older states. */
  readonly waiting?: readonly WaitingFinding[];
  /** Of older states: the only one that waits. */
  readonly wanted?: WaitingFinding | null;
}

/** A finding that asks for a retraining and was held back. */
export interface WaitingFinding {
  /** Its identity. */
  readonly finding: string;
  /** When this is measured as gone, it asks for nothing any more. */
  readonly cause: string;
  readonly by: string;
  /** When the change began that the finding tells of, ISO 8601. Absent from older states. */
  readonly onset?: string | null;
  /** Why the policy asks for training, in words. Absent from older states. */
  readonly reason?: string;
  /** How often it has been looked at. Absent from older states. */
  readonly looks?: number;
  /** Digest of the champion that it is about. */
  readonly champion: string;
  /** When it is looked at again, ISO 8601. */
  readonly at: string;
}

export interface RunningRetraining {
  readonly retraining: number;
  readonly trigger: RetrainingTrigger;
  readonly by: string;
  readonly finding: string | null;
  readonly startedAt: string;
  /** Labels are fresh that came after this. */
  readonly labelsSince: string;
  /** When the change began that it is to follow, ISO 8601. Absent from older states. */
  readonly onset?: string | null;
  /** Whether its workflow was started by this one. */
  readonly isStarted: boolean;
}
