import type { Json } from './ledger.js';

export interface GateResult {
  /** Unique within the report, e.g. `metric:auc` or `subgroup:RAC1P:equal-opportunity`. */
  readonly gate: string;
  readonly passed: boolean;
  /** `undecided`: too few rows to show it; does not pass. `error`: the gate could not run; does not pass. */
  readonly verdict: 'passed' | 'failed' | 'undecided' | 'error' | 'reported';
  /** Plain words: what was measured, against which bound, and what to do next when it did not pass. */
  readonly summary: string;
  /** Numbers behind it: values, limits, rows. */
  readonly detail: { readonly [key: string]: Json };
}

export interface ValidationReport {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  /** Digest of the data set. */
  readonly dataDigest: string;
  readonly rows: number;
  readonly gates: readonly GateResult[];
  readonly passed: boolean;
  /** Artifact-store digest of the golden rows (inputs and offline answers), for conformance after deployment. */
  readonly goldenDigest: string | null;
  /** The version's reference profile. Absent: of a worker from before there were profiles. */
  readonly profile?: ProfileMade;
  /** SHA-256 over the canonical report without this field: what a decision binds to. */
  readonly evidenceHash: string;
}

export interface ProfileMade {
  /** SHA-256 of the profile's canonical JSON, under which it is stored; null when there is none. */
  readonly digest: string | null;
  /** What could not be profiled, and why, in words. No version fails for it. */
  readonly lacks: readonly string[];
}
