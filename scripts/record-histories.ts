/**
 * Records histories of scripted runs into a folder of their own in test/replay/histories, for test/replay/histories.test.ts:
 *   npx tsx scripts/record-histories.ts 2-floods
 * One folder a landed version that made workflows do something new. They are only added, never replaced: what ran in production
 * then must replay for as long as it may still run, and a change that breaks one needs `patched()`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { storedHistory } from '../test/support/stored-history.js';

/** The tests' servers end themselves in a hook of the test runner, which is not there. */
const teardowns: (() => unknown)[] = [];
Object.assign(globalThis, {
  after: (...hook: unknown[]) =>
    teardowns.push((hook.at(-1) as () => unknown).bind({ timeout: () => undefined })),
});

const { approvalBy, manifest } = await import('../test/support/manifests.js');
const { ScriptedPlatform } = await import('../test/support/scripted-platform.js');
const { ModelUnderTest } = await import('../test/support/workflow-env.js');
const { abortQueued, abortRelease, approvalDecision, freezeModel, rollBackModel, unfreezeModel } =
  await import('../src/contracts/messages.js');

const [version = ''] = process.argv.slice(2);
if (!/^\d+-[a-z-]+$/.test(version))
  throw new Error(`The name of a version is needed, as in 2-floods: got ${JSON.stringify(version)}`);
const folder = fileURLToPath(new URL(`../test/replay/histories/${version}/`, import.meta.url));
// Fails where it is there already.
await mkdir(folder);
const index: { file: string; workflowId: string; events: number }[] = [];

async function record(handle: WorkflowHandle, name: string): Promise<void> {
  const history = await handle.fetchHistory();
  const file = `${name}.bin`;
  await writeFile(`${folder}${file}`, storedHistory(history));
  index.push({ file, workflowId: handle.workflowId, events: history.events?.length ?? 0 });
  // After each: what was recorded before something got stuck can be kept.
  const sorted = index.toSorted((a, b) => (a.file < b.file ? -1 : 1));
  await writeFile(`${folder}index.json`, `${JSON.stringify(sorted, null, 2)}\n`);
}

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
  await record(model.release(first), `${prefix}release-first`);
  const second = await release('v2');
  await model.ended(second);
  await model.idle();
  await record(model.release(second), `${prefix}release-succeeded`);

  platform.before = (activity) => {
    if (activity === 'awaitLook' && platform.route?.desired.candidate != null)
      platform.traffic = { keysPerSecond: 1000, candidateBad: 0.3, championBad: 0 };
  };
  const third = await model.submit('v3');
  await model.until(async () => (await model.asked(third)) !== null);
  await model.release(third).signal(approvalDecision, await model.decision(third));
  await model.ended(third);
  await model.idle();
  await record(model.release(third), `${prefix}release-rolled-back`);

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
  await record(model.release(fourth), `${prefix}release-aborted`);

  await model.ask(freezeModel, { reason: 'holidays' });
  await model.ask(unfreezeModel, { reason: 'over' });
  await model.ask(rollBackModel, { reason: 'complaints' });
  await model.until(async () => (await model.view()).champion?.version === 'v1');
  // Each run of the model, the newest last.
  let run: string | undefined = (await model.handle.describe()).runId;
  for (let number = 0; run; number += 1) {
    const handle: WorkflowHandle = client.workflow.getHandle(model.handle.workflowId, run);
    const { events } = await handle.fetchHistory();
    await record(handle, `${prefix}model${number === 0 ? '' : `-${number}-before`}`);
    run = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
    if (number === 2) break;
  }
  await model.stop();
}

await story('', {});
await story('continued-', { historyLimit: 120, releaseHistoryLimit: 80 });
for (const { file, events } of index) process.stdout.write(`${file}: ${events} events\n`);
for (const teardown of teardowns) await teardown();
