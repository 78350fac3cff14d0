import type {
  HeldBack,
  IncidentClearance,
  IncidentInput,
  IncidentMitigation,
  IncidentRepeat,
  OpenIncident,
} from '../contracts/incidents.js';

/** What is still to be said to the workflow of an incident, or how it is started. */
export type IncidentTask = { readonly incident: number } & (
  | { readonly kind: 'start'; readonly input: IncidentInput }
  | { readonly kind: 'repeated'; readonly cause: string; readonly repeat: IncidentRepeat }
  | { readonly kind: 'mitigated'; readonly mitigation: IncidentMitigation }
  | { readonly kind: 'cleared'; readonly clearance: IncidentClearance }
  /** Whether its workflow is still there. */
  | { readonly kind: 'asked' }
);

/** A finding that was decided on. */
export interface DecidedFinding {
  readonly id: string;
  /** ISO 8601. */
  readonly detectedAt: string;
}

/** A manifest was applied in which something else is said of what validations rest on. */
export interface BasisChange {
  /** ISO 8601. */
  readonly at: string;
  /** Paths in the manifest. */
  readonly fields: readonly string[];
}

/** What a model knows of its incidents; plain JSON, part of its state, bounded. */
export interface ModelIncidents {
  /** Number of the next one. */
  readonly next: number;
  readonly open: readonly OpenIncident[];
  /** In order: each is done before the next. */
  readonly tasks: readonly IncidentTask[];
  /** Ids of the newest findings that were decided on: each leads to at most one action. */
  readonly decided: readonly DecidedFinding[];
  /** Detection of the newest finding that was forgotten, ISO 8601: none that is as old leads to an action. */
  readonly forgottenTo: string | null;
  readonly heldBack: readonly HeldBack[];
  /** Which of these were recorded: the same again is no news. */
  readonly heldBackTold: readonly string[];
  /** When a person said last that the champion was validated anew, ISO 8601. */
  readonly revalidatedAt: string | null;
  /** In order, bounded; absent before the first: see lifecycle/revalidation.ts. */
  readonly basisChanges?: readonly BasisChange[];
  /** The due date of the revalidation that people were last reminded of, and that they were told is over. */
  readonly revalidationTold: { readonly before: string | null; readonly due: string | null };
}
