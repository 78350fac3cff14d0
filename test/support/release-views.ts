import type { ReleaseSight } from '../../src/client/watch.js';
import type { GuardrailLook, LookResult } from '../../src/contracts/canary.js';
import type { ReleaseView } from '../../src/contracts/views.js';
import { refOf } from './scripted-platform.js';

const arm = (firstBad: number, keys: number) => ({
  requests: keys,
  keys,
  firstBad,
  newBad: firstBad,
  bad: firstBad,
  rate: firstBad / keys,
});

export const guardrail = (changes: Partial<GuardrailLook> = {}): GuardrailLook => ({
  name: 'errors',
  kind: 'errors',
  candidate: arm(3, 250),
  champion: arm(8, 750),
  rollBack: { lnE: 0.5, threshold: 5.3 },
  promote: { lnE: 1.25, threshold: 3 },
  breached: false,
  proven: false,
  hardLimit: { limit: 0.5, minimum: 20, requests: 40, bad: 1, share: 0.025, tripped: false },
  keysToProve: 1234,
  keysToProveIfEqual: 987,
  ...changes,
});

export const look = (changes: Partial<LookResult> = {}): LookResult => ({
  judge: 'test',
  look: 7,
  verdict: 'continue',
  state: 'judged',
  hold: false,
  advance: false,
  proven: false,
  reasons: [],
  sentence: 'Continue: not proven yet',
  guardrails: [
    guardrail(),
    guardrail({ name: 'slow', kind: 'slow', proven: true, keysToProve: 0, hardLimit: null }),
  ],
  sampleRatio: {
    lnE: 0,
    threshold: 6.9,
    candidateKeys: 250,
    keys: 1000,
    expectedCandidateKeys: 250,
    violated: false,
  },
  keys: 1000,
  keysInStep: 400,
  nextLookAt: 1100,
  keysToProve: 1234,
  keysToProveIfEqual: 987,
  discarded: 0,
  problems: [],
  ...changes,
});

/** A release in the second step of its canary. */
export const releaseView = (changes: Partial<ReleaseView> = {}): ReleaseView => ({
  model: 'employment',
  release: 2,
  version: refOf('v2'),
  champion: refOf('v1'),
  submittedBy: 'ada',
  submittedAt: '2026-01-01T10:00:00.000Z',
  stage: 'canary',
  outcome: null,
  reason: null,
  waitingFor: 'the next look at 1100 keys: Continue: not proven yet',
  validation: {
    model: 'employment',
    version: 'v2',
    digest: refOf('v2').digest,
    dataDigest: 'd'.repeat(64),
    rows: 22_985,
    gates: [
      { gate: 'metric:auc', passed: true, verdict: 'passed', summary: 'auc is 0.89', detail: {} },
      { gate: 'size', passed: true, verdict: 'passed', summary: 'small', detail: {} },
    ],
    passed: true,
    goldenDigest: null,
    evidenceHash: 'e'.repeat(64),
  },
  approval: null,
  canary: {
    step: 1,
    weights: [0.05, 0.25, 0.5],
    weight: 0.25,
    looks: 7,
    verdict: look(),
    heldAs: null,
  },
  parked: null,
  frozen: false,
  hold: null,
  generation: 5,
  head: { sequence: 31, hash: 'a'.repeat(64) },
  unrecorded: null,
  decisions: [],
  ...changes,
});

export const approval: NonNullable<ReleaseView['approval']> = {
  gate: 'beforePromote',
  digest: refOf('v2').digest,
  evidenceHash: 'f'.repeat(64),
  quorum: 2,
  requiredRoles: ['model-risk'],
  approvers: ['beatrice', 'carlos'],
  approvals: [{ approver: 'beatrice', reason: 'read it', at: '2026-01-01T11:00:00.000Z' }],
  rejection: null,
  openedAt: '2026-01-01T10:30:00.000Z',
  expiresAt: '2026-01-02T10:30:00.000Z',
};

export const sight = (
  changes: Partial<ReleaseView> = {},
  unreachable: string | null = null,
): ReleaseSight => {
  const view = releaseView(changes);
  const { model, release, stage, outcome } = view;
  return { model, release, stage, view, unreachable, ended: outcome !== null };
};
