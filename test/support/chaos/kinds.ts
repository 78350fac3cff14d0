/** What kinds of releases there are in chaos, and how each has to end. */
import type { Manifest } from '../../../src/contracts/manifest.js';
import type { ReleaseOutcome, ReleaseStage } from '../../../src/contracts/model.js';
import { approvalBy } from '../manifests.js';
import { logisticModel, lookupModel } from '../onnx.js';
import { shortManifest } from '../release-plan.js';

export const KINDS = ['healthy', 'approved', 'aborted', 'refused', 'broken'] as const;
export type Kind = (typeof KINDS)[number];

/** Users send codes up to 19; the data set has those up to 9, and so the gates cannot see what a `broken` version does. */
export const code = (n: number): number => n % 20;

/** An abort can come too late, and a gate or a canary decides first. */
export const MAY_END: Readonly<Record<Kind, readonly ReleaseOutcome[]>> = {
  healthy: ['succeeded'],
  approved: ['succeeded'],
  aborted: ['aborted', 'succeeded'],
  refused: ['rejected'],
  broken: ['rolled-back'],
};

/** Content of the n-th version of a model: no two are the same. */
export function contentOf(kind: Kind, n: number): Buffer {
  const nudge = n * 1e-4;
  switch (kind) {
    case 'refused':
      return logisticModel([-0.45 - nudge], 2);
    case 'broken':
      return lookupModel(
        1,
        Array.from({ length: 10 }, (_, x) => 1 / (1 + Math.exp(2.25 - nudge - 0.5 * x))),
      );
    case 'healthy':
    case 'approved':
    case 'aborted':
      return logisticModel([0.5 + nudge], -2.25);
  }
}

const STEP = { weight: 0.5, minKeys: 30, minSeconds: 0 };

/** Everything light: a release lasts as long as its activities do. */
export function chaosManifest(name: string, dataDigest: string, kind: Kind): Manifest {
  const base = shortManifest(name, dataDigest, {});
  return {
    ...base,
    riskTier: 'experimental',
    canary: {
      ...base.canary,
      steps: [STEP],
      judgement: 'watch',
      rollbackDrill: kind === 'approved' || kind === 'aborted',
      // A slow machine is not what is tested here.
      guardrails: base.canary.guardrails.filter((guardrail) => guardrail.kind === 'errors'),
    },
    soak: { seconds: 0, holdback: 0.1 },
    objectives: { ...base.objectives, latencyMs: 5_000 },
    // Waits for a lease are waits of the test.
    serving: { ...base.serving, leaseSeconds: 4, deadlineMs: 10_000 },
    // Asked of every promotion, and holds for a minute a week.
    freezeWindows: [{ days: ['sun'], from: '03:33', to: '03:34', timeZone: 'UTC', reason: 'maintenance' }],
    approval:
      kind === 'approved'
        ? { beforeDeploy: null, beforePromote: { ...approvalBy(1, 'ann'), expiresAfterSeconds: 7_200 } }
        : { beforeDeploy: null, beforePromote: null },
  };
}

/** When an abort is sent. */
export const ABORTED_AT: readonly ReleaseStage[] = ['validating', 'deploying', 'canary', 'soaking'];
