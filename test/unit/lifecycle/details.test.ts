import { strict as assert } from 'node:assert';
import { openApproval } from '../../../src/lifecycle/approvals.js';
import { modelDetails, releaseDetails } from '../../../src/lifecycle/details.js';
import { ledgerEntry, person } from '../../../src/lifecycle/entries.js';
import { tableLines } from '../../../src/lifecycle/markdown.js';
import { manifestProblem } from '../../../src/lifecycle/manifest-shape.js';
import { initialModelState } from '../../../src/lifecycle/model-state.js';
import { modelView } from '../../../src/lifecycle/model-view.js';
import { initialReleaseState, releaseView } from '../../../src/lifecycle/release-state.js';
import { approvalBy, manifest } from '../../support/manifests.js';

const state = () =>
  initialReleaseState({
    model: 'employment',
    release: 3,
    manifest: manifest(),
    version: { version: 'v3', digest: 'a'.repeat(64) },
    champion: { version: 'v2', digest: 'b'.repeat(64) },
    warm: [],
    submittedBy: 'eve',
    submittedAt: '2026-01-01T00:00:00.000Z',
    generation: 4,
    frozen: false,
  });

/** Two approvals before deployment, none given yet. */
const asked = () =>
  openApproval({
    gate: 'beforeDeploy',
    point: approvalBy(2, 'ann', 'bob'),
    digest: 'a'.repeat(64),
    evidenceHash: 'e'.repeat(64),
    submittedBy: 'eve',
    now: 0,
  });

describe('details for the Temporal UI', () => {
  it('say what to send to decide, ready to paste', () => {
    const waiting = state();
    waiting.stage = 'awaiting-approval';
    waiting.approval = asked();
    const text = releaseDetails(releaseView(waiting), 0);
    const json = /```json\n([^`]+)```/.exec(text)?.[1] ?? '';
    const sent: unknown = JSON.parse(json);
    assert.deepEqual(sent, {
      requestId: 'employment-3-beforeDeploy-eeeeeeee',
      gate: 'beforeDeploy',
      decision: 'approve',
      approver: 'YOUR NAME',
      reason: 'WHY',
      digest: 'a'.repeat(64),
      evidenceHash: 'e'.repeat(64),
    });
    assert.match(text, /`approvalDecision`/);
    assert.match(text, /0 of 2/);
    assert.match(text, /ann, bob/);
  });

  it('list the approvals that were given as a list of its own', () => {
    const approval = {
      ...asked(),
      approvals: [{ approver: 'ann', reason: 'read', at: 'then', roles: [], requestId: 'r' }],
    };
    const text = releaseDetails(releaseView({ ...state(), stage: 'awaiting-approval', approval }), 0);
    assert.match(text, /\n\n- ann at then: read\n\n/);
  });

  it('say what is parked and how to go on', () => {
    const parked = { what: 'promote v3', why: 'no route', since: 'then', retryAt: 'later' };
    const text = releaseDetails({ ...releaseView(state()), parked }, 0);
    assert.match(text, /\*\*Parked\*\*: promote v3: no route/);
    assert.match(text, /`retryParked`/);
  });

  it('of a model list its releases', () => {
    const text = modelDetails(modelView(initialModelState(manifest()), 0));
    assert.match(text, /employment: nothing serves/);
    assert.match(text, /\*\*no-champion\*\*/);
  });

  it('keep a row of a table one row of as many cells, with a gap between columns that Markdown does not cut off', () => {
    const gap = '\u00a0\u00a0';
    assert.deepEqual(tableLines(['version', 'reason'], [['v1', 'bad | worse\nand more']]), [
      `| version${gap} | reason${gap} |`,
      '|---|---|',
      `| v1${gap} | bad \\| worse and more${gap} |`,
    ]);
  });
});

describe('ledger entries', () => {
  it('hold nothing that has no canonical form', () => {
    const entry = ledgerEntry({
      stream: 'm',
      id: 'id-\ud800',
      action: 'a.b',
      actor: person('\udfffx'),
      subject: { none: undefined, number: Number.NaN, text: 'fine 😀 \ud83d' },
      now: 0,
    });
    assert.deepEqual(entry.subject, { number: null, text: 'fine 😀 \uFFFD' });
    assert.deepEqual([entry.id, entry.actor.id], ['id-\uFFFD', '\uFFFDx']);
  });
});

describe('manifest shape', () => {
  it('finds what the workflows would trip over', () => {
    assert.equal(manifestProblem(manifest()), null);
    const broken: [object, RegExp][] = [
      [{ name: '' }, /^\.name must be a text/],
      [{ soak: null }, /^\.soak\.seconds must be a number/],
      [{ rollbackWindowSeconds: Number.NaN }, /rollbackWindowSeconds/],
      [{ canary: { ...manifest().canary, steps: [] } }, /^\.canary\.steps/],
      [{ canary: { ...manifest().canary, steps: [{ weight: 0, minKeys: 1, minSeconds: 1 }] } }, /steps/],
      [{ approval: { beforeDeploy: { quorum: 0 }, beforePromote: null } }, /^\.approval\.beforeDeploy/],
      [{ approval: undefined }, /^\.approval/],
    ];
    for (const [wrong, why] of broken) assert.match(manifestProblem({ ...manifest(), ...wrong }) ?? '', why);
    for (const junk of [undefined, null, 5, 'x', []]) assert.match(manifestProblem(junk) ?? '', /^\.name/);
  });
});
