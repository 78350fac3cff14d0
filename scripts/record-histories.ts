/**
 * Records histories of scripted runs into a folder of their own in test/replay/histories, for test/replay/histories.test.ts:
 *   npx tsx scripts/record-histories.ts 2-floods
 * One folder a landed version that made workflows do something new. They are only added, never replaced: what ran in production
 * then must replay for as long as it may still run, and a change that breaks one needs `patched()`.
 */
import { runAfter } from './support/test-hooks.js';
import type { WorkflowHandle } from '@temporalio/client';
import { approvalBy, manifest } from '../test/support/manifests.js';
import { ScriptedPlatform } from '../test/support/scripted-platform.js';
import { ModelUnderTest } from '../test/support/workflow-env.js';
import {
  abortQueued,
  abortRelease,
  approvalDecision,
  freezeModel,
  rollBackModel,
  unfreezeModel,
} from '../src/contracts/messages.js';
import { RecordedFolder } from './support/recorded-folder.js';

const [version = ''] = process.argv.slice(2);
const folder = await RecordedFolder.make(version, '2-floods');

const full = {
  approval: { beforeDeploy: approvalBy(1, 'ann'), beforePromote: approvalBy(1, 'ann') },
  shadow: { share: 1, minRequests: 500, agreementFloor: 0.95, tolerance: 0.01, maxSeconds: 600 },
  canary: { ...manifest().canary, rollbackDrill: true },
  soak: { seconds: 3, holdback: 0.05 },
};

async function story(
  prefix: string,
  limits: { historyLimit?: number; releaseHistoryLimit?: number },
): Promise<void> {
  const platform = new ScriptedPlatform();
  const model = await ModelUnderTest.start(platform, manifest(full), limits);
  const { client } = model.env;
  platform.shadow = { compared: 2000, agreed: 2000, failed: 0, dropped: 0 };
  const release = async (version: string): Promise<number> => {
    const number = await model.submit(version);
    for (const count of [1, 2]) {
      const before = platform.recorded('release.approval-requested').length;
      await model.until(async () => (await model.asked(number)) !== null);
      await model.release(number).signal(approvalDecision, await model.decision(number));
      const gate = count === 1 ? 'beforeDeploy' : 'beforePromote';
      await model.until(async () => (await model.asked(number))?.gate !== gate);
      if (platform.recorded('release.approval-requested').length === before && count === 2) break;
    }
    return number;
  };
  const asking = (): boolean =>
    platform.recorded('release.approval-requested').length > platform.recorded('release.approved').length &&
    platform.recorded('release.approval-requested').at(-1)?.evidence['gate'] === 'beforePromote';
  platform.holdLooks(asking);

  const first = await release('v1');
  await model.ended(first);
  await model.idle();
  await folder.record(model.release(first), `${prefix}release-first`);
  const second = await release('v2');
  await model.ended(second);
  await model.idle();
  await folder.record(model.release(second), `${prefix}release-succeeded`);

  platform.before = (activity) => {
    if (activity === 'awaitLook' && platform.route?.desired.candidate != null)
      platform.traffic = { keysPerSecond: 1000, candidateBad: 0.3, championBad: 0 };
  };
  const third = await model.submit('v3');
  await model.until(async () => (await model.asked(third)) !== null);
  await model.release(third).signal(approvalDecision, await model.decision(third));
  await model.ended(third);
  await model.idle();
  await folder.record(model.release(third), `${prefix}release-rolled-back`);

  const fourth = await model.submit('v4');
  await model.until(async () => (await model.asked(fourth)) !== null);
  for (let n = 0; n < 25; n += 1)
    await model.release(fourth).signal(approvalDecision.name, n % 2 === 0 ? { junk: n } : null);
  const queued = await model.submit('v5');
  await model.ask(abortQueued, { release: queued, reason: 'not needed' });
  // The time-skipping server cannot continue as new what was asked to cancel; the real one can (test/integration/hands).
  if (prefix === '') {
    await model.handle.cancel();
    await model.until(() => platform.recorded('model.cancellation-ignored').length > 0);
  }
  await model.release(fourth).signal(abortRelease, { requestId: 'a', actor: 'otto', reason: 'not now' });
  await model.ended(fourth);
  await model.idle();
  await folder.record(model.release(fourth), `${prefix}release-aborted`);

  await model.ask(freezeModel, { reason: 'holidays' });
  await model.ask(unfreezeModel, { reason: 'over' });
  await model.ask(rollBackModel, { reason: 'complaints' });
  await model.until(async () => (await model.view()).champion?.version === 'v1');
  // Each run of the model, the newest last.
  let run: string | undefined = (await model.handle.describe()).runId;
  for (let number = 0; run; number += 1) {
    const handle: WorkflowHandle = client.workflow.getHandle(model.handle.workflowId, run);
    const { events } = await handle.fetchHistory();
    await folder.record(handle, `${prefix}model${number === 0 ? '' : `-${number}-before`}`);
    run = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
    if (number === 2) break;
  }
  await model.stop();
}

await story('', {});
await story('continued-', { historyLimit: 120, releaseHistoryLimit: 80 });
await runAfter();
