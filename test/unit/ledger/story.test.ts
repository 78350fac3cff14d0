import assert from 'node:assert/strict';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import { EMPTY_HEAD } from '../../../src/contracts/ledger.js';
import { tell } from '../../../src/ledger/index.js';

const event = (
  action: string,
  evidence: LedgerEvent['evidence'],
  changes: Partial<LedgerEvent> = {},
): LedgerEvent => ({
  stream: 'employment',
  sequence: 7,
  previousHash: EMPTY_HEAD.hash,
  id: 'id',
  action,
  actor: { kind: 'person', id: 'Ada' },
  subject: { release: 2, version: 'v2', digest: 'd'.repeat(64) },
  evidence,
  at: '2026-01-31T12:00:00.000Z',
  ...changes,
});
const sentence = (action: string, evidence: LedgerEvent['evidence'] = {}): string =>
  tell(event(action, evidence)).sentence;

describe('the story of a ledger', () => {
  it('tells what happened in plain words', () => {
    const gates = [
      { gate: 'metric:auc', passed: true },
      { gate: 'size', passed: false },
    ];
    const told: readonly (readonly [string, string])[] = [
      [sentence('release.validated', { report: { gates } }), 'v2 failed 1 of 2 gates: size'],
      [sentence('release.validated', { report: { gates: gates.slice(0, 1) } }), 'v2 passed all 1 gates'],
      [
        sentence('release.approval-requested', {
          gate: 'beforePromote',
          quorum: 2,
          approvers: ['Bob', 'Eve'],
        }),
        'release 2 waits for 2 approvals before promotion from Bob, Eve',
      ],
      [sentence('approval.given', { reason: 'read it' }), 'Ada approved release 2 of v2: read it'],
      [
        sentence('approval.refused', { reason: 'please', refused: 'Ada submitted it' }),
        'A decision of Ada on release 2 was refused: Ada submitted it',
      ],
      [
        sentence('canary.step-applied', { weight: 0.05, generation: 3, unreachable: [] }),
        'v2 gets 5 % of the routing keys (generation 3)',
      ],
      [sentence('canary.look', { look: { look: 4, sentence: 'go on' } }), 'Look 4: go on'],
      [
        sentence('release.soak-look', { bounds: [] }),
        'The soak of v2 was checked against the service objectives',
      ],
      [
        sentence('release.promoted', { proven: false, held: null }),
        'v2 is the champion, not proven to be no worse',
      ],
      [
        sentence('release.promoted', { proven: false, held: 'inconclusive' }),
        'v2 is the champion, by a decision on a canary that was inconclusive',
      ],
      [sentence('release.promoted', { proven: true, held: null }), 'v2 is the champion'],
      [sentence('model.frozen', { reason: 'audit', until: null }), 'Ada froze the model: audit'],
    ];
    for (const [actual, expected] of told) assert.equal(actual, expected);
  });

  it('says so where an event lacks something, and tells of actions it does not know', () => {
    assert.equal(sentence('model.frozen'), 'Ada froze the model: not stated');
    assert.equal(sentence('release.validated'), 'v2 was validated: not stated');
    assert.equal(sentence('backup.taken', { reason: 'nightly' }), 'Backup taken (v2) by Ada: nightly');
    const system = event('backup.taken', {}, { actor: { kind: 'system', id: 'x' }, subject: {} });
    assert.equal(tell(system).sentence, 'Backup taken by Tenure');
    for (const action of ['constructor.name', 'toString', '__proto__'])
      assert.match(sentence(action), /by Ada/);
  });
});
