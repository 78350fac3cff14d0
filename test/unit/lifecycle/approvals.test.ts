import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { VerifiedDecision } from '../../../src/contracts/approvals.js';
import {
  approvalPoint,
  approvalStatus,
  decisionShapeProblem,
  openApproval,
  weighDecision,
  type ApprovalRequest,
} from '../../../src/lifecycle/approvals.js';
import { approvalBy, manifest } from '../../support/manifests.js';
import { scale } from '../../support/scale.js';

const NAMES = ['ann', 'bob', 'cid', 'dan', 'eve'];
const DIGEST = 'd'.repeat(64);
const EVIDENCE = 'e'.repeat(64);

const decision = fc.record<VerifiedDecision>({
  requestId: fc.nat(30).map(String),
  gate: fc.constantFrom('beforeDeploy', 'beforePromote'),
  decision: fc.oneof(
    { weight: 9, arbitrary: fc.constant('approve' as const) },
    fc.constant('reject' as const),
  ),
  approver: fc.constantFrom(...NAMES, 'mallory'),
  reason: fc.string({ maxLength: 5 }),
  digest: fc.constantFrom(DIGEST, DIGEST, DIGEST, 'other'),
  evidenceHash: fc.constantFrom(EVIDENCE, EVIDENCE, EVIDENCE, 'stale'),
  roles: fc.subarray(['risk', 'product']),
});

describe('approvals', () => {
  it('are never given without a quorum of distinct allowed people and roles, whatever comes', () => {
    const point = fc.record({
      quorum: fc.integer({ min: 0, max: 4 }),
      approvers: fc.subarray(NAMES).map((names) => names.map((name) => ({ name, roles: [] }))),
      requiredRoles: fc.subarray(['risk', 'product']),
      expiresAfterSeconds: fc.constant(100),
    });
    const arrivals = fc.array(fc.tuple(decision, fc.nat(150)), { maxLength: 40 });
    fc.assert(
      fc.property(point, arrivals, (asked, messages) => {
        let request: ApprovalRequest | null = openApproval({
          gate: 'beforeDeploy',
          point: asked,
          digest: DIGEST,
          evidenceHash: EVIDENCE,
          submittedBy: 'eve',
          now: 0,
        });
        const given = new Map<string, readonly string[]>();
        for (const [message, seconds] of messages.toSorted((a, b) => a[1] - b[1])) {
          const before: ApprovalRequest | null = request;
          const weighed = weighDecision(request, message, seconds * 1000);
          request = weighed.request;
          if (!weighed.outcome.accepted) {
            assert.equal(request, before);
            assert.ok(weighed.outcome.reason);
            continue;
          }
          assert.notEqual(message.approver, 'eve');
          assert.ok(asked.approvers.some(({ name }) => name === message.approver));
          assert.deepEqual(
            [message.gate, message.digest, message.evidenceHash],
            ['beforeDeploy', DIGEST, EVIDENCE],
          );
          assert.ok(seconds < 100, 'nothing is accepted after the end');
          if (message.decision === 'approve') {
            assert.ok(!given.has(message.approver));
            given.set(message.approver, message.roles);
          }
        }
        assert.ok(request);
        if (approvalStatus(request, 1e6) !== 'approved') return;
        assert.ok(given.size >= Math.max(1, asked.quorum));
        const roles = new Set([...given.values()].flat());
        for (const role of asked.requiredRoles) assert.ok(roles.has(role));
      }),
      { seed: 1, numRuns: scale(2000, 50_000) },
    );
  });

  it('refuse what could not be verified, and what nobody waits for', () => {
    const [sent] = fc.sample(decision, { seed: 2, numRuns: 1 });
    assert.ok(sent);
    assert.equal(weighDecision(null, sent, 0).outcome.accepted, false);
    const refused = weighDecision(null, { ...sent, refusal: 'unknown key' }, 0).outcome;
    assert.equal(refused.reason, 'unknown key');
  });

  it('have a shape, and junk of any kind is told from it without a throw', () => {
    fc.assert(
      fc.property(fc.anything(), (junk) => typeof decisionShapeProblem(junk) === 'string'),
      { seed: 3, numRuns: scale(1000, 20_000) },
    );
    fc.assert(
      fc.property(decision, (sent) => {
        const fine = sent.decision === 'approve' || sent.reason !== '';
        return (decisionShapeProblem(sent) === null) === fine;
      }),
      { seed: 4 },
    );
  });

  it('of a held canary fall to the approvers before deployment, else to the owner', () => {
    assert.equal(approvalPoint(manifest(), 'beforePromote', false), null);
    assert.deepEqual(approvalPoint(manifest(), 'beforePromote', true)?.approvers[0]?.name, 'olga');
    const approval = { beforeDeploy: approvalBy(2, 'ann', 'bob'), beforePromote: null };
    assert.equal(approvalPoint(manifest({ approval }), 'beforePromote', true)?.quorum, 2);
  });
});
