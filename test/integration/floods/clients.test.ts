import assert from 'node:assert/strict';
import { Worker } from '@temporalio/worker';
import { modelWorkflowId, releaseWorkflowId } from '../../../src/contracts/ids.js';
import { TenureError } from '../../../src/client/errors.js';
import { Tenure } from '../../../src/client/tenure.js';
import { until } from '../../support/gateway.js';
import { approvalBy } from '../../support/manifests.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import { scale } from '../../support/scale.js';
import { workflowBundle } from '../../support/workflow-env.js';

const MODEL = 'crowded';
const CLIENTS = scale(200, 500);
const CONNECTIONS = 20;
const APPROVERS = Array.from({ length: CLIENTS / 5 }, (_, i) => `approver-${i}`);

describe(`${CLIENTS} clients at once`, function () {
  this.timeout(scale(180_000, 600_000));
  const stage = useReleaseStage();
  const connections: Tenure[] = [];

  before('a release that waits for many people', async () => {
    const at = stage();
    const { temporal, namespace, taskQueue } = at.session.config;
    for (let i = 0; i < CONNECTIONS; i += 1)
      connections.push(
        await Tenure.connect({
          connection: { address: temporal?.address ?? '' },
          namespace,
          taskQueue,
          actor: `client-${i}`,
        }),
      );
    const beforeDeploy = approvalBy(APPROVERS.length, ...APPROVERS);
    await at.apply(MODEL, { approval: { beforeDeploy, beforePromote: null } });
    const release = await at.submit(MODEL, 'v1', MODELS.v1);
    await at.follow(MODEL, release, ({ approval }) => approval !== null);
    await until('the list to have it', async () =>
      (await at.tenure.listModels()).some(({ model }) => model === MODEL),
    );
  });
  after(() => Promise.all(connections.map((tenure) => tenure.close())));

  it('status, model, list, approve and approve again are all answered, and each approval counts once', async () => {
    const at = stage();
    const asks: readonly ((tenure: Tenure, i: number) => Promise<unknown>)[] = [
      async (tenure) => assert.equal((await tenure.release(MODEL, 1)).version.version, 'v1'),
      async (tenure) => assert.equal((await tenure.model(MODEL)).releases.length, 1),
      async (tenure) => assert.ok((await tenure.listModels()).some(({ model }) => model === MODEL)),
      ...[1, 2].map(() => async (tenure: Tenure, i: number) => {
        const approver = APPROVERS[i] ?? '';
        // The same decision from two sides at once, as by an impatient person.
        const decision = {
          decision: 'approve',
          approver,
          reason: 'read',
          requestId: `by-${approver}`,
        } as const;
        assert.equal((await tenure.decide(MODEL, 1, decision)).accepted, true);
      }),
    ];
    await Promise.all(
      Array.from({ length: CLIENTS }, (_, n) => {
        const ask = asks[n % asks.length]!;
        return patiently(() => ask(connections[n % CONNECTIONS]!, Math.floor(n / asks.length)));
      }),
    );
    await at.follow(MODEL, 1, ({ stage: now }) => now !== 'awaiting-approval' && now !== 'validating');
    const given = (await at.record(MODEL)).filter(({ event }) => event.action === 'approval.given');
    assert.deepEqual(given.map(({ event }) => event.actor.id).toSorted(), APPROVERS.toSorted());
    await at.tenure.abort(MODEL, 1, { reason: 'seen' });
    await at.ends(MODEL, 1, 'aborted');
    // A worker that was too busy to answer in time has its tasks taken away in the middle: what is written has to be true all the same.
    for (const id of [modelWorkflowId(MODEL), releaseWorkflowId(MODEL, 1)]) {
      const history = await at.temporal.workflow.getHandle(id).fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, id);
    }
  });
});

/** Whoever got no answer in time was told what to do, and does it. */
async function patiently(ask: () => Promise<unknown>): Promise<void> {
  for (;;)
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof TenureError) || error.code !== 'unreachable') throw error;
      assert.match(error.message, /can be sent again|try again in a moment/);
    }
}
