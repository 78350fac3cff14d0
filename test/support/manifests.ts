import type { Manifest, RetrainingSettings } from '../../src/contracts/manifest.js';
import type { FindingNotice, MonitoringSettings } from '../../src/contracts/monitoring.js';

/** A resolved manifest with everything short: what a test does not set has no controls. */
export function manifest(overrides: Partial<Manifest> = {}): Manifest {
  return {
    apiVersion: 'tenure/v1',
    kind: 'Model',
    name: 'employment',
    team: 'census',
    owner: 'olga',
    contacts: [{ name: 'Olga', email: 'olga@example.org', role: 'owner' }],
    purpose: 'Tells whether a person is employed',
    task: 'binary',
    riskTier: 'low',
    schema: {
      inputs: [{ name: 'x', datatype: 'FP32', width: 1, nullable: false }],
      outputs: [{ name: 'score', datatype: 'FP32', width: 1 }],
    },
    prediction: { score: 'score', classes: [0, 1], threshold: 0.5 },
    validation: {
      data: 'data.parquet',
      dataDigest: 'd'.repeat(64),
      target: 'employed',
      goldenRows: 5,
      goldenTolerance: 1e-6,
      gates: [{ kind: 'metric', metric: 'auc', min: 0.7 }],
    },
    approval: { beforeDeploy: null, beforePromote: null },
    shadow: null,
    canary: {
      steps: [
        { weight: 0.1, minKeys: 200, minSeconds: 0 },
        { weight: 0.5, minKeys: 200, minSeconds: 0 },
      ],
      guardrails: [
        { name: 'errors', kind: 'errors', relativeMargin: 1.5, absoluteMargin: 0.005, hardLimit: 0.5 },
      ],
      judgement: 'prove',
      alpha: 0.01,
      beta: 0.05,
      maxSeconds: 3600,
      rollbackDrill: false,
    },
    soak: { seconds: 60, holdback: 0.05 },
    objectives: { availability: 0.99, latencyMs: 100, slowShare: 0.05 },
    serving: {
      deadlineMs: 1000,
      fallback: true,
      leaseSeconds: 15,
      maxConcurrency: 32,
      routingKeyHeader: 'tenure-routing-key',
    },
    rollbackWindowSeconds: 3600,
    freezeWindows: [],
    monitoring: null,
    retraining: null,
    ...overrides,
  };
}

/** An approval point with these approvers, each with the role of the same name. */
export const approvalBy = (quorum: number, ...names: string[]) => ({
  quorum,
  approvers: names.map((name) => ({ name, roles: [`role-${name}`] })),
  requiredRoles: [],
  expiresAfterSeconds: 24 * 3600,
});

/** Nothing in the way: no cooldown, no labels needed. */
export const retrainingSettings = (overrides: Partial<RetrainingSettings> = {}): RetrainingSettings => ({
  platform: 'process',
  command: ['trainer'],
  timeoutSeconds: 60,
  memoryMb: 512,
  triggers: { finding: true, schedule: null, newLabels: null, maxAgeSeconds: null },
  cooldownSeconds: 0,
  minLabels: 0,
  budget: { runs: 10, perSeconds: 86_400 },
  recentSeconds: 30 * 86_400,
  metric: 'auc',
  margin: 0,
  ...overrides,
});

/** Monitoring with every action off: what a test does not set does nothing. */
export const monitoring = (overrides: Partial<MonitoringSettings> = {}): MonitoringSettings => ({
  windowSeconds: 600,
  falseFindingSeconds: 63_072_000,
  minRows: 50,
  material: 0.05,
  season: 'none',
  ignore: [],
  performance: { metric: 'auc', margin: 0.02 },
  samples: { share: 0, retainSeconds: 86_400 },
  labelSeconds: 86_400,
  policy: { drift: [], performance: [], quality: [], traffic: [], availability: [] },
  promotionSeconds: 86_400,
  fallbackVersion: null,
  revalidateSeconds: null,
  incidents: { clearWindows: 3, escalation: [], reportSeconds: null },
  ...overrides,
});

/** A finding of data quality, as a monitor tells a model of it. @param now epoch milliseconds */
export const findingNotice = (
  id: string,
  now: number,
  overrides: Partial<FindingNotice> = {},
): FindingNotice => ({
  id,
  version: null,
  kind: 'data-quality',
  cause: 'data-quality/SCHL',
  severity: 'warning',
  summary: 'SCHL has unseen values',
  detectedAt: new Date(now).toISOString(),
  onset: new Date(now).toISOString(),
  ...overrides,
});
