import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { ApprovalDecision } from '../../../src/contracts/approvals.js';
import { deadlockOf, mayCount, openApproval } from '../../../src/lifecycle/approvals.js';
import { admit } from '../../../src/lifecycle/inbox.js';
import { addJunk, isJunkDue, NO_JUNK, totalJunk } from '../../../src/lifecycle/junk.js';
import { approvalBy } from '../../support/manifests.js';
import { scale } from '../../support/scale.js';

const APPROVERS = ['ann', 'bob', 'cid'];
const request = openApproval({
  gate: 'beforeDeploy',
  point: approvalBy(2, ...APPROVERS),
  digest: 'd',
  evidenceHash: 'e',
  submittedBy: 'eve',
  now: 0,
});
const known = { request, deciders: new Set([...APPROVERS, 'dan']) };
const MOST = 12;

const decision = fc.record<ApprovalDecision>({
  requestId: fc.nat(1000).map(String),
  gate: fc.constantFrom('beforeDeploy', 'beforePromote'),
  decision: fc.constantFrom('approve', 'reject'),
  // Mostly somebody who is nobody, or one who says much.
  approver: fc.oneof(
    { weight: 5, arbitrary: fc.nat(20).map((n) => `nobody-${n}`) },
    { weight: 4, arbitrary: fc.constant('ann') },
    { weight: 1, arbitrary: fc.constantFrom('bob', 'cid', 'dan', 'eve') },
  ),
  reason: fc.constant('r'),
  digest: fc.constantFrom('d', 'd', 'other'),
  evidenceHash: fc.constantFrom('e', 'e', 'stale'),
});

describe('inbox of decisions', () => {
  it('is bounded, and loses nobody’s first true word to a flood, whoever sends what', () => {
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 120 }), (sent) => {
        let inbox: readonly ApprovalDecision[] = [];
        let lost = 0;
        for (const one of sent) {
          const admitted = admit(inbox, one, known, MOST);
          inbox = admitted.inbox;
          lost += admitted.dropped ? 1 : 0;
          assert.ok(inbox.length <= MOST);
        }
        assert.equal(inbox.length + lost, sent.length);
        // In the order in which they came.
        const places = inbox.map((one) => sent.indexOf(one));
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
        );
        for (const approver of APPROVERS)
          for (const said of ['approve', 'reject'] as const) {
            const isTrue = (one: ApprovalDecision): boolean =>
              one.approver === approver && one.decision === said && mayCount(request, one);
            const first = sent.find(isTrue);
            if (first !== undefined) assert.ok(inbox.includes(first), `${approver} said ${said} first`);
          }
        // A stranger is kept only where there was room.
        const strangers = inbox.filter((one) => !known.deciders.has(one.approver)).length;
        const deciders = sent.filter((one) => known.deciders.has(one.approver)).length;
        if (deciders >= MOST) assert.equal(strangers, 0);
      }),
      { numRuns: scale(300, 20_000), seed: 5 },
    );
  });
});

describe('junk', () => {
  it('is told of a handful of times, whatever comes', () => {
    let junk = NO_JUNK;
    let lines = 0;
    for (let n = 0; n < 20_000; n += 1) {
      junk = addJunk(junk, n % 2 === 0 ? 'malformed' : 'dropped', `why ${n % 9}`);
      if (!isJunkDue(junk)) continue;
      lines += 1;
      junk = { ...junk, told: totalJunk(junk) };
    }
    assert.deepEqual([lines, totalJunk(junk), junk.examples.length], [5, 20_000, 5]);
  });
});

describe('deadlock of a request', () => {
  it('is said where nobody can approve, and nowhere else', () => {
    const point = (quorum: number, names: string[], requiredRoles: string[] = []) => ({
      ...approvalBy(quorum, ...names),
      requiredRoles,
    });
    assert.equal(deadlockOf(point(1, ['ann', 'eve']), 'eve'), null);
    assert.equal(deadlockOf(point(2, ['ann', 'bob'], ['role-ann']), 'eve'), null);
    const cases: readonly (readonly [Parameters<typeof deadlockOf>, RegExp])[] = [
      [[point(1, ['eve']), 'eve'], /^eve submitted the release .* nobody may decide and 1 approval/],
      [[point(2, ['ann', 'eve']), 'eve'], /^eve submitted .* only ann may decide and 2 approval/],
      [[point(3, ['ann', 'bob']), 'eve'], /^only ann, bob may decide and 3 approval/],
      [
        [point(1, ['ann', 'eve'], ['role-eve']), 'eve'],
        /needed role role-eve: the request can only expire; abort/,
      ],
    ];
    for (const [given, words] of cases) assert.match(deadlockOf(...given) ?? '', words);
  });
});
