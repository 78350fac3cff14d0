import type { Task, VersionRef } from './model.js';

/** One guardrail as the gateway needs it: a test of a single request, true = bad. Bit i of an outcome is guardrail i. */
export type GuardrailProbe =
  | { readonly name: string; readonly kind: 'errors' }
  /** Slow by the time inside the model's thread. */
  | { readonly name: string; readonly kind: 'slow'; readonly thresholdMs: number }
  /** A condition on an output value of the request's first row; an absent or non-finite value is bad. */
  | {
      readonly name: string;
      readonly kind: 'share';
      readonly output: string;
      /** Index into the row's values, 0 for a scalar output. */
      readonly index: number;
      readonly op: '<' | '<=' | '>' | '>=' | '==' | '!=';
      readonly value: number;
    };

/** Sets the candidate to 0 inside the gateway at once, without asking anybody. */
export interface LocalTrip {
  readonly guardrail: string;
  /** Share of bad candidate requests, 0..1, above which the gateway trips. */
  readonly maxShare: number;
  /** Candidate requests of this generation before a trip can happen. */
  readonly minRequests: number;
}

/** Why the table is as it is; only `split` requests of `canary` and `soak` tables enter a comparison. */
export type RoutePhase =
  'steady' | 'deployed' | 'drill' | 'shadow' | 'canary' | 'promoted' | 'soak' | 'retired';

/** What a gateway needs to know of a manifest's `monitoring`, and of what a label can be. */
export interface RouteMonitoring {
  /** Share of requests whose rows are kept as samples. */
  readonly sampleShare: number;
  readonly sampleSeconds: number;
  /** How long labels may come after their request. */
  readonly labelSeconds: number;
  readonly windowSeconds: number;
  /** Inputs whose values are not kept. */
  readonly personal: readonly string[];
  readonly task: Task;
  /** What a label can be, as in the manifest's prediction; empty: a finite number. */
  readonly classes: readonly (string | number)[];
}

/** The wanted traffic of a model: everything but the generation. */
export interface DesiredRoute {
  readonly phase: RoutePhase;
  /** Serves by default and answers for the others when they fail. `null`: requests get 503 with `unavailableReason`. */
  readonly champion: VersionRef | null;
  readonly unavailableReason?: string;
  /** Keys with hash below `weight` (0..1) go to the candidate. */
  readonly candidate: (VersionRef & { readonly weight: number }) | null;
  /** Keys with hash at or above 1 - `share` stay on the former champion during a soak. */
  readonly holdback: (VersionRef & { readonly share: number }) | null;
  /** Gets copies of this share of requests; users never see its answers. Agreement within `tolerance` of the score. */
  readonly shadow: (VersionRef & { readonly share: number; readonly tolerance: number }) | null;
  /** Loaded and ready without traffic (rollback window; deployed candidate). */
  readonly warm: readonly VersionRef[];
  /** Salt of the sticky hash: the same for all steps of a release, so assignment is monotone as the weight grows. */
  readonly salt: string;
  /** The release that windows count for, or null when none runs. */
  readonly release: number | null;
  readonly guardrails: readonly GuardrailProbe[];
  readonly trips: readonly LocalTrip[];
  /** Answer by the champion within the same deadline when candidate or hold-back fails. */
  readonly fallback: boolean;
  readonly deadlineMs: number;
  /** A gateway that has not read the table for so long gives candidate and hold-back weight 0. */
  readonly leaseSeconds: number;
  /** Requests in flight per version and gateway before 503. */
  readonly maxConcurrency: number;
  /** Request header that carries the routing key; without it the request id is the key. */
  readonly routingKeyHeader: string;
  /** Name of the output that is the score, for windows and shadow agreement. */
  readonly scoreOutput: string;
  /** Floating-point inputs that may be missing; absent: none, or the table is of a time before that was said. */
  readonly nullable?: readonly string[];
  /** Absent: the model is not monitored, or the table is of a time before there was monitoring. */
  readonly monitoring?: RouteMonitoring;
}

/** The routing table: one document per model, changed by compare-and-set on `generation`. */
export interface RoutingTable extends DesiredRoute {
  readonly model: string;
  readonly generation: number;
  /** The act that made this generation: a repeat of the act finds its own work done. */
  readonly changeId: string;
  /** Place in the model's stream of the newest intent among the acts that made it and those before; 0 or absent: not known. */
  readonly intent?: number;
  /** ISO 8601 UTC. */
  readonly changedAt: string;
}

/** What one gateway says about one model. */
export interface ObservedRoute {
  readonly generation: number;
  /** Newest generation read; above `generation` while its versions are being loaded or cannot be. Absent: the same. */
  readonly wanted?: number;
  /** Digests loaded and ready. */
  readonly ready: readonly string[];
  /** Versions that could not be loaded, with the reason. */
  readonly failed: readonly { readonly digest: string; readonly reason: string }[];
  /** Local trips of this generation. */
  readonly trips: readonly {
    readonly guardrail: string;
    readonly bad: number;
    readonly requests: number;
    readonly at: string;
  }[];
}

/** A registered gateway; written by the gateway itself at every successful read of the tables. */
export interface GatewayRecord {
  readonly gateway: string;
  /** New at every start of the process. */
  readonly boot: string;
  /** Base address, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly startedAt: string;
  readonly seenAt: string;
  /** `stopped`: said goodbye. `retired`: counted out by an operator. */
  readonly status: 'serving' | 'stopped' | 'retired';
  readonly observed: Readonly<Record<string, ObservedRoute>>;
}
