/** What predicting means for a model; decides which metrics and gates apply. */
export type Task = 'binary' | 'multiclass' | 'regression';

/** How much harm a wrong version can do; each tier has its default controls. */
export type RiskTier = 'experimental' | 'low' | 'medium' | 'high';

/** An immutable artifact of a model, named by people and known by its digest. */
export interface VersionRef {
  /** The name people use, e.g. `v2`. */
  readonly version: string;
  /** SHA-256 of the artifact, 64 lower-case hex digits. */
  readonly digest: string;
}

/** Where a version came from. */
export interface Lineage {
  readonly trainingDataDigest?: string;
  readonly codeRevision?: string;
  readonly parentVersion?: string;
  readonly metrics?: Readonly<Record<string, number>>;
}

export interface VersionRecord extends VersionRef {
  readonly model: string;
  readonly sizeBytes: number;
  readonly lineage: Lineage;
  readonly registeredBy: string;
  /** ISO 8601, UTC. */
  readonly registeredAt: string;
}

/** Stages of a release, in order; the last four are its ends. */
export type ReleaseStage =
  | 'validating'
  | 'awaiting-approval'
  | 'deploying'
  | 'canary'
  | 'promoting'
  | 'soaking'
  | 'succeeded'
  | 'rejected'
  | 'rolled-back'
  | 'aborted';

export type ReleaseOutcome = Extract<ReleaseStage, 'succeeded' | 'rejected' | 'rolled-back' | 'aborted'>;

/** `probationary`: the first version of a model, until its soak has ended well. */
export type ModelHealth = 'no-champion' | 'probationary' | 'healthy' | 'frozen' | 'alarm' | 'retired';
