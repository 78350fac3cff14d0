import type {
  CanarySettings,
  GuardrailSettings,
  Objectives,
  ShadowPlan,
  SoakSettings,
} from '../contracts/manifest.js';
import type { RiskTier, Task } from '../contracts/model.js';
import type { MonitoringSettings } from '../contracts/monitoring.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object | null ? Mutable<T[K]> : T[K] };

/** What a tier fills in where the manifest is silent. Durations in seconds, shares 0..1. */
export interface TierDefaults {
  /** Points at which people must approve. The approvers themselves are always the manifest's. */
  readonly approval: {
    readonly beforeDeploy: boolean;
    readonly beforePromote: boolean;
    readonly quorum: number;
    readonly expiresAfterSeconds: number;
  };
  readonly shadow: Mutable<ShadowPlan> | null;
  readonly canary: Mutable<Pick<CanarySettings, 'steps' | 'judgement' | 'maxSeconds' | 'rollbackDrill'>>;
  readonly soak: SoakSettings;
  readonly objectives: Objectives;
  readonly rollbackWindowSeconds: number;
  readonly monitoring: Mutable<
    Pick<MonitoringSettings, 'policy' | 'revalidateSeconds'> & {
      readonly escalation: MonitoringSettings['incidents']['escalation'];
    }
  >;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const TIERS: Readonly<Record<RiskTier, TierDefaults>> = {
  experimental: {
    approval: { beforeDeploy: false, beforePromote: false, quorum: 1, expiresAfterSeconds: 3 * day },
    shadow: null,
    canary: {
      steps: [
        { weight: 0.2, minKeys: 50, minSeconds: 15 },
        { weight: 0.5, minKeys: 100, minSeconds: 15 },
      ],
      judgement: 'watch',
      maxSeconds: 1 * hour,
      rollbackDrill: false,
    },
    soak: { seconds: 1 * minute, holdback: 0 },
    objectives: { availability: 0.99, latencyMs: 500, slowShare: 0.05 },
    rollbackWindowSeconds: 1 * day,
    monitoring: {
      policy: {
        drift: ['notify'],
        performance: ['notify'],
        quality: ['notify'],
        traffic: [],
        availability: ['notify'],
      },
      revalidateSeconds: null,
      escalation: [],
    },
  },
  low: {
    approval: { beforeDeploy: false, beforePromote: false, quorum: 1, expiresAfterSeconds: 3 * day },
    shadow: null,
    canary: {
      steps: [
        { weight: 0.05, minKeys: 200, minSeconds: 2 * minute },
        { weight: 0.25, minKeys: 500, minSeconds: 5 * minute },
        { weight: 0.5, minKeys: 1000, minSeconds: 5 * minute },
      ],
      judgement: 'watch',
      maxSeconds: 1 * day,
      rollbackDrill: false,
    },
    soak: { seconds: 15 * minute, holdback: 0.05 },
    objectives: { availability: 0.995, latencyMs: 500, slowShare: 0.05 },
    rollbackWindowSeconds: 3 * day,
    monitoring: {
      policy: {
        drift: ['notify', 'retrain'],
        performance: ['notify', 'roll-back', 'retrain'],
        quality: ['notify'],
        traffic: ['notify'],
        availability: ['notify', 'roll-back'],
      },
      revalidateSeconds: 365 * day,
      escalation: [{ afterSeconds: 4 * hour, roles: [] }],
    },
  },
  medium: {
    approval: { beforeDeploy: true, beforePromote: false, quorum: 1, expiresAfterSeconds: 3 * day },
    shadow: null,
    canary: {
      steps: [
        { weight: 0.05, minKeys: 500, minSeconds: 10 * minute },
        { weight: 0.25, minKeys: 2000, minSeconds: 15 * minute },
        { weight: 0.5, minKeys: 5000, minSeconds: 30 * minute },
      ],
      judgement: 'prove',
      maxSeconds: 7 * day,
      rollbackDrill: true,
    },
    soak: { seconds: 1 * hour, holdback: 0.05 },
    objectives: { availability: 0.999, latencyMs: 250, slowShare: 0.01 },
    rollbackWindowSeconds: 7 * day,
    monitoring: {
      policy: {
        drift: ['notify', 'hold'],
        performance: ['notify', 'hold', 'roll-back', 'retrain'],
        quality: ['notify', 'hold'],
        traffic: ['notify'],
        availability: ['notify', 'hold', 'roll-back'],
      },
      revalidateSeconds: 182 * day,
      escalation: [{ afterSeconds: 1 * hour, roles: [] }],
    },
  },
  high: {
    approval: { beforeDeploy: true, beforePromote: true, quorum: 2, expiresAfterSeconds: 7 * day },
    shadow: { share: 0.1, minRequests: 500, agreementFloor: 0.8, tolerance: 0.2, maxSeconds: 1 * day },
    canary: {
      steps: [
        { weight: 0.01, minKeys: 500, minSeconds: 15 * minute },
        { weight: 0.05, minKeys: 1000, minSeconds: 30 * minute },
        { weight: 0.25, minKeys: 5000, minSeconds: 1 * hour },
        { weight: 0.5, minKeys: 10_000, minSeconds: 1 * hour },
      ],
      judgement: 'prove',
      maxSeconds: 14 * day,
      rollbackDrill: true,
    },
    soak: { seconds: 1 * day, holdback: 0.05 },
    objectives: { availability: 0.999, latencyMs: 250, slowShare: 0.01 },
    rollbackWindowSeconds: 14 * day,
    monitoring: {
      policy: {
        drift: ['notify', 'hold'],
        performance: ['notify', 'hold', 'roll-back'],
        quality: ['notify', 'hold'],
        traffic: ['notify'],
        availability: ['notify', 'hold', 'roll-back'],
      },
      revalidateSeconds: 91 * day,
      escalation: [
        { afterSeconds: 15 * minute, roles: [] },
        { afterSeconds: 1 * hour, roles: [] },
      ],
    },
  },
};

/** What all guardrails start from, whatever the tier. */
export const GUARDRAIL_DEFAULTS = {
  relativeMargin: 1.5,
  absoluteMargin: 0.005,
  hardLimit: 0.5,
  slow: { quantile: 0.99, factor: 1.5, floorMs: 5 },
} as const;

const { relativeMargin, absoluteMargin, hardLimit, slow } = GUARDRAIL_DEFAULTS;

/** Guardrails of a manifest that names none. */
export const DEFAULT_GUARDRAILS: Mutable<GuardrailSettings>[] = [
  { name: 'errors', kind: 'errors', relativeMargin, absoluteMargin, hardLimit },
  { name: 'slow', kind: 'slow', ...slow, relativeMargin, absoluteMargin, hardLimit },
];

/**
 * Defaults of a tier. Regression gets no shadow by itself: which difference of values counts as agreement depends on the
 * unit, so no tolerance can be guessed.
 */
export function tierDefaults(tier: RiskTier, task: Task): TierDefaults {
  const defaults = TIERS[tier];
  return task === 'regression' ? { ...defaults, shadow: null } : defaults;
}
