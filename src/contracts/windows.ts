import type { GuardrailProbe, RoutePhase } from './routes.js';
import type { WindowCounts } from './window-counts.js';

/** As what a version answered. */
export type WindowRole = 'champion' | 'candidate' | 'holdback' | 'shadow';

/**
 * How a request came to a version. Only `split` enters a comparison.
 * - `split`: by the hash of its routing key, with the table's weights in force;
 * - `unsplit`: to the champion because a lease was out, a trip had happened or the split was suspended;
 * - `fallback`: answered by the champion after candidate or hold-back had failed (counted there as `split`);
 * - `shed`: refused, or passed on, because too many were in flight;
 * - `forced`: a version was named in the path, or the purpose was `conformance`;
 * - `drill`: the purpose was `drill`, or the table's phase is.
 * - `clientError`: malformed; counted with the champion, nothing was run.
 */
export type AssignmentKind = 'split' | 'unsplit' | 'fallback' | 'shed' | 'forced' | 'drill' | 'clientError';

export const ASSIGNMENT_KINDS: readonly AssignmentKind[] = [
  'split',
  'unsplit',
  'fallback',
  'shed',
  'forced',
  'drill',
  'clientError',
];

/** Mergeable quantile sketch: counts in fixed log-spaced bins (src/statistics/sketch.ts). Plain JSON. */
export interface Sketch {
  readonly count: number;
  readonly sum: number;
  readonly sumSquares: number;
  /** Values that are not finite; not in `count`. */
  readonly missing: number;
  readonly zeros: number;
  /** Bin number -> count, for values above 0. */
  readonly positive: Readonly<Record<string, number>>;
  /** The same for the absolute value of those below 0. */
  readonly negative: Readonly<Record<string, number>>;
}

/** The table that a generation of a batch was counted under. */
export interface WindowTable {
  readonly generation: number;
  readonly release: number | null;
  readonly phase: RoutePhase;
  /** Share of keys of the release's candidate: its weight in a canary, 1 - hold-back in a soak; null in other phases. */
  readonly candidateShare: number | null;
  readonly guardrails: readonly GuardrailProbe[];
}

/** Counts of one version in one role and generation. */
export interface WindowCell {
  readonly version: string;
  readonly digest: string;
  readonly role: WindowRole;
  readonly generation: number;
  readonly release: number | null;
  readonly requests: Readonly<Record<AssignmentKind, number>>;
  /** By kind, over all assignments: `run-failed`, `deadline`, `late`, `unavailable`, `overloaded`, `thread-stuck`, `thread-crashed`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Milliseconds inside the thread, of answered split and unsplit requests. */
  readonly latency: Sketch;
  /** Score of the first row, of answered split and unsplit requests. */
  readonly scores: Sketch;
  /** Split requests that were slow by the table's first slow probe. */
  readonly slow: number;
  /**
   * Guardrail -> split requests seen to be bad, each named with an explicit 0. A failed request is bad for `errors`, and for
   * `slow` if it ran out of time; where no guardrail watches errors, for every one.
   */
  readonly bad: Readonly<Record<string, number>>;
  /** Role `shadow` only: copies by what became of them. */
  readonly shadow: ShadowCounts;
  /**
   * Rows of answered split and unsplit requests in the bins of the version's profile; a batch has many rows. Absent or null: no
   * profile was known when they were counted. A version that is given another profile has a cell for each.
   */
  readonly features?: WindowCounts | null;
}

export interface ShadowCounts {
  readonly compared: number;
  readonly agreed: number;
  readonly failed: number;
  readonly dropped: number;
}

/**
 * Routing keys of split requests in canary and soak, of one generation and version. Entries are packed, base64: 6 bytes
 * identity (bits 48-95 of SHA-256(salt \0 key), independent of the split, which takes bits 0-47), 4 bytes mask of guardrails
 * (bit i = guardrail i), big-endian.
 */
export interface KeyEvidence {
  readonly generation: number;
  readonly digest: string;
  /**
   * Keys that this gateway saw for the first time in the release; mask: what was bad in the key's first request, or not seen
   * because that failed: an absent answer proves nothing good.
   */
  readonly seen: string;
  /** Keys with guardrails that were bad for the first time in the release, at this gateway. */
  readonly newBad: string;
}

/** `batch`: as a gateway flushed it; the others are merged by the compactor, hours and days without key evidence. */
export type WindowSpan = 'batch' | 'minute' | 'hour' | 'day';

/** One immutable document: what one gateway saw of one model between two flushes. */
export interface WindowBatch {
  readonly gateway: string;
  /** New at every start of the process. */
  readonly boot: string;
  /** From 1 in each boot; numbers all batches of the gateway, not those of a model. */
  readonly sequence: number;
  readonly model: string;
  readonly span: WindowSpan;
  /** By the database's clock, as far as the gateway could ask for it, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly tables: readonly WindowTable[];
  readonly cells: readonly WindowCell[];
  /** Releases that this batch has something of. */
  readonly releases: readonly number[];
  /** Keys are kept whose identity has this many leading zero bits: a sample of 2^-level. */
  readonly level: number;
  readonly evidence: readonly KeyEvidence[];
  /** Batches and requests that this gateway had to give up before, because its spool was full. */
  readonly lost: { readonly batches: number; readonly requests: number };
}
