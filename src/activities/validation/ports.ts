import type { ArtifactStore } from '../../platform/registry/artifact-store.js';
import type { ProfileStore } from '../../platform/profiles/index.js';
import type { ModelThread, ModelThreadSettings } from '../../platform/onnx/thread.js';

export interface ValidationDeps {
  /** Holds versions and data sets; takes the golden rows. */
  readonly artifacts: Pick<ArtifactStore, 'pathOf' | 'put'>;
  /** Takes the reference profiles. */
  readonly profiles: Pick<ProfileStore, 'put'>;
  /** Loads an artifact into a thread of its own: `openModelThread` of platform/onnx. */
  readonly openModel: (settings: ModelThreadSettings) => Promise<ModelThread>;
  /** PATH of gate commands; nothing else of the environment reaches them. */
  readonly commandPath: string;
  /** Most values (rows times columns) that a data set may have; 100 million unless given. */
  readonly maxDataValues?: number;
}

/** What runs through every step: progress for heartbeats, and the signal that ends it. */
export interface Progress {
  /** Says that it is alive and how far it is; throws when the activity was cancelled. */
  readonly report: (stage: string, done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Why a gate could not run, in words for its summary. Gates that throw it get the verdict `error`. */
export class GateProblem extends Error {
  readonly detail: { readonly [key: string]: string | number | null };
  constructor(message: string, detail: { readonly [key: string]: string | number | null } = {}) {
    super(message);
    this.name = 'GateProblem';
    this.detail = detail;
  }
}
