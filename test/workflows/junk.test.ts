import { strict as assert } from 'node:assert';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import {
  abortRelease,
  applyManifest,
  approvalDecision,
  decideApproval,
  freezeChanged,
  freezeModel,
  registerVersion,
  releaseReported,
  retireModel,
  retryParked,
  rollBackModel,
  submitRelease,
  unfreezeModel,
} from '../../src/contracts/messages.js';
import { approvalBy } from '../support/manifests.js';
import { useModel } from '../support/workflow-env.js';

/** What somebody might send who has read nothing. */
const JUNK: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1.5,
  1e308,
  '',
  'abort',
  '\ud800',
  [],
  [[]],
  [null],
  {},
  { requestId: null },
  { requestId: 5, actor: {} },
  { release: 2 },
  { release: 2, stage: 'nowhere', at: 'never', head: {} },
  { release: 2, stage: 'toString', at: '2026-01-01T00:00:00Z', head: { sequence: 1, hash: '' } },
  { release: 2, stage: 'succeeded', at: 'never', reason: null, head: { sequence: 1, hash: '' } },
  {
    release: 999,
    stage: 'succeeded',
    at: '2026-01-01T00:00:00Z',
    reason: null,
    champion: null,
    former: null,
    generation: 9e15,
    head: { sequence: 9e15, hash: 'f' },
  },
  { frozen: 'yes' },
  { gate: 'beforeDeploy', decision: 'approve', requestId: 'x', approver: 'ann', reason: 'r', digest: 'd' },
  { __proto__: null, constructor: 1, toString: 2 },
  'x'.repeat(100_000),
];

describe('junk', function () {
  this.timeout(60_000);
  const start = useModel();
  const approval = { beforeDeploy: approvalBy(1, 'ann'), beforePromote: null };

  it('in a signal neither wedges nor fails a workflow', async () => {
    const { model, platform } = await start({ approval }, { champion: 'v1' });
    const number = await model.submit('v2');
    await model.until(async () => (await model.asked(number)) !== null);
    const release = model.release(number);
    for (const junk of JUNK) {
      await release.signal(approvalDecision.name, junk);
      await release.signal(retryParked.name, junk);
      await release.signal(freezeChanged.name, junk);
      await model.handle.signal(releaseReported.name, junk);
      await model.handle.signal(retryParked.name, junk);
    }
    await release.signal('no-such-signal', {});
    const view = await model.view();
    assert.deepEqual([view.inFlight, view.champion?.version], [number, 'v1']);
    assert.ok(view.head.sequence <= platform.ledger.length);
    const answer = await release.executeUpdate(decideApproval, { args: [await model.decision(number)] });
    assert.equal(answer.accepted, true);
    assert.equal(await model.ended(number), 'succeeded');
    assert.ok(platform.recorded('approval.malformed').length > 0);
  });

  for (const junk of [
    undefined,
    null,
    7,
    'now',
    [],
    { actor: 5, reason: {} },
    { actor: '\ud800', reason: '\udfff' },
  ])
    it(`as ${JSON.stringify(junk) ?? 'nothing'} to abort aborts`, async () => {
      const { model, platform } = await start({ approval }, { champion: 'v1' });
      const number = await model.submit('v2');
      await model.until(async () => (await model.asked(number)) !== null);
      await model.release(number).signal(abortRelease.name, ...(junk === undefined ? [] : [junk]));
      assert.equal(await model.ended(number), 'aborted');
      const text = JSON.stringify(platform.recorded('release.aborted'));
      assert.ok(!/\\ud[89a-f]/.test(text), 'can be canonicalised');
    });

  it('in an update is refused to its sender, and is not accepted into the history', async () => {
    const { model } = await start({ approval }, { champion: 'v1' });
    const number = await model.submit('v2');
    await model.until(async () => (await model.asked(number)) !== null);
    const accepted = async (): Promise<number | undefined> =>
      (await model.handle.fetchHistory()).events?.filter(
        (event) => event.workflowExecutionUpdateAcceptedEventAttributes != null,
      ).length;
    const before = await accepted();
    const updates = [
      applyManifest,
      registerVersion,
      submitRelease,
      rollBackModel,
      freezeModel,
      unfreezeModel,
      retireModel,
    ];
    for (const junk of JUNK) {
      for (const { name } of updates)
        await assert.rejects(model.handle.executeUpdate(name, { args: [junk] }), WorkflowUpdateFailedError);
      await assert.rejects(
        model.release(number).executeUpdate(decideApproval.name, { args: [junk] }),
        WorkflowUpdateFailedError,
      );
    }
    assert.equal(await accepted(), before);
    const request = { requestId: 'm', actor: 'olga' };
    for (const broken of [
      { soak: null },
      { canary: { ...model.manifest.canary, steps: [] } },
      { rollbackWindowSeconds: Infinity },
    ])
      await assert.rejects(
        model.handle.executeUpdate(applyManifest.name, {
          args: [{ ...request, manifest: { ...model.manifest, ...broken } }],
        }),
        WorkflowUpdateFailedError,
      );
    assert.equal((await model.view()).manifestRevision, 1);
  });
});
