import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { temporal } from '@temporalio/proto';
import {
  abortRelease,
  approvalDecision,
  decideApproval,
  freezeModel,
  releaseReported,
  retryParked,
  rollBackModel,
  submitRelease,
} from '../../src/contracts/messages.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import { approvalBy, manifest } from '../support/manifests.js';
import type { ScriptedPlatform } from '../support/scripted-platform.js';
import { useModel, type ModelUnderTest } from '../support/workflow-env.js';

const full: Partial<Manifest> = {
  approval: { beforeDeploy: approvalBy(1, 'ann'), beforePromote: approvalBy(1, 'ann') },
  shadow: { share: 1, minRequests: 500, agreementFloor: 0.95, tolerance: 0.01, maxSeconds: 600 },
  canary: { ...manifest().canary, rollbackDrill: true },
};

type Started = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

/** The runs of a workflow, newest last, with the stage that each was carried into. */
async function runs(model: ModelUnderTest, workflowId: string): Promise<(string | undefined)[]> {
  const { client } = model.env;
  const stages: (string | undefined)[] = [];
  let runId: string | undefined = (await client.workflow.getHandle(workflowId).describe()).runId;
  while (runId !== undefined && runId !== '') {
    const { events }: temporal.api.history.v1.IHistory = await client.workflow
      .getHandle(workflowId, runId)
      .fetchHistory();
    const started: Started | null | undefined = events?.[0]?.workflowExecutionStartedEventAttributes;
    const [, carried] = started?.input?.payloads ?? [];
    const state: { stage?: string } | undefined =
      carried?.data == null ? undefined : JSON.parse(Buffer.from(carried.data).toString());
    stages.unshift(state?.stage);
    runId = started?.continuedExecutionRunId ?? undefined;
  }
  return stages;
}

async function approve(model: ModelUnderTest, platform: ScriptedPlatform, number: number): Promise<void> {
  for (const count of [1, 2]) {
    await model.until(() => platform.recorded('release.approval-requested').length === count);
    // A signal: an update in just the moment between two runs is for its sender to send again.
    await model.release(number).signal(approvalDecision, await model.decision(number));
    await model.until(() => platform.recorded('release.approved').length === count);
  }
}

describe('continue-as-new of a release', function () {
  this.timeout(60_000);
  const start = useModel();

  /** The acts and decisions in the ledger, without what differs from run to run. */
  const story = (platform: ScriptedPlatform): string[] =>
    platform.ledger
      .filter(({ action }) => !action.endsWith('look'))
      .map(({ action, id }) => `${action} ${id.split('/').slice(1, 3).join('/')}`);

  it('in every stage comes to the same end, with no act twice', async () => {
    const stories: string[][] = [];
    const stages = new Set<string | undefined>();
    for (const releaseHistoryLimit of [10_000, 25, 45]) {
      const { model, platform } = await start(full, { champion: 'v1', releaseHistoryLimit });
      platform.shadow = { compared: 2000, agreed: 2000, failed: 0, dropped: 0 };
      const release = platform.holdLooks(
        () =>
          platform.recorded('release.approval-requested').length > 1 &&
          platform.recorded('release.approved').length < 2,
      );
      const number = await model.submit('v2');
      await approve(model, platform, number);
      release();
      assert.equal(await model.ended(number), 'succeeded');
      assert.equal(platform.serving, 'v2');
      assert.equal(new Set(platform.ledger.map(({ id }) => id)).size, platform.ledger.length);
      assert.equal(new Set(platform.changes.map(({ changeId }) => changeId)).size, platform.changes.length);
      assert.deepEqual(
        platform.ledger.filter(({ id }) => id.includes('/again/')),
        [],
      );
      stories.push(
        story(platform)
          .filter((line) => !line.startsWith('request') && !line.includes('baseline'))
          .toSorted(),
      );
      const carried = await runs(model, `release:${model.name}:${number}`);
      assert.ok(releaseHistoryLimit === 10_000 ? carried.length === 1 : carried.length > 3, carried.join());
      for (const stage of carried) stages.add(stage);
    }
    const [whole, ...cut] = stories.map((lines) =>
      lines.map((line) => line.replaceAll(/m-[0-9a-f]{8}/g, 'm').replace(/request\/.*/, 'request')),
    );
    for (const lines of cut) assert.deepEqual(lines, whole);
    for (const stage of ['awaiting-approval', 'deploying', 'canary', 'soaking'])
      assert.ok(stages.has(stage), `carried over in ${[...stages].join(', ')}`);
  });

  it('rolls back and aborts as ever', async () => {
    const { model, platform } = await start({}, { champion: 'v1', releaseHistoryLimit: 30 });
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.2, championBad: 0.01 };
    const second = await model.submit('v2');
    assert.equal(await model.ended(second), 'rolled-back');
    assert.equal(platform.recorded('release.rolled-back').length, 1);
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0, championBad: 0 };
    platform.holdLooks(() => platform.recorded('canary.step-applied').length > 2);
    const third = await model.submit('v3');
    await model.until(() => platform.recorded('canary.step-applied').length > 2);
    await model.release(third).cancel();
    assert.equal(await model.ended(third), 'aborted');
    assert.equal(platform.serving, 'v1');
  });

  it('goes over while an act is parked and the candidate is judged on', async () => {
    const { model, platform } = await start({}, { champion: 'v1', releaseHistoryLimit: 60 });
    platform.before = (activity, input) => {
      const { desired } = input as { desired?: { candidate: { weight: number } | null } };
      if (activity === 'changeTraffic' && desired?.candidate?.weight === 0.5) throw new Error('no gateway');
    };
    platform.traffic = { keysPerSecond: 10, candidateBad: 0, championBad: 0 };
    // The time-skipping server loses a workflow task that cancels an activity which has just completed.
    platform.holdLooks(() => platform.count('awaitLook') > 15);
    const number = await model.submit('v2');
    const id = `release:${model.name}:${number}`;
    await model.until(() => platform.count('awaitLook') > 15);
    platform.mend();
    await model.release(number).signal(retryParked, { requestId: 'r', actor: 'otto' });
    assert.equal(await model.ended(number), 'succeeded');
    assert.ok((await runs(model, id)).length > 2);
    assert.equal(new Set(platform.ledger.map(({ id: entry }) => entry)).size, platform.ledger.length);
  });

  it('ends in this run when it is aborted while it waits to go over, and records what was left', async () => {
    const { model, platform } = await start({}, { champion: 'v1', releaseHistoryLimit: 60 });
    platform.traffic = { keysPerSecond: 10, candidateBad: 0, championBad: 0 };
    let verify: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (verify = resolve));
    platform.before = (activity) => (activity === 'verifyDecisions' ? held : undefined);
    const number = await model.submit('v2');
    await model.untilStage(number, 'canary');
    const release = model.release(number);
    const decision = {
      requestId: 'd1',
      gate: 'beforePromote',
      decision: 'approve',
      approver: 'nobody',
      reason: 'x',
      digest: '0'.repeat(64),
      evidenceHash: '0'.repeat(64),
    } as const;
    await release.signal(approvalDecision, decision);
    // It cannot go over while a decision is being verified, and does nothing else meanwhile.
    await model.untilStill(release, ['verifyDecisions']);
    await release.signal(abortRelease, { requestId: 'a1', actor: 'otto', reason: 'enough' });
    verify();
    assert.equal(await model.ended(number), 'aborted');
    assert.equal(platform.serving, 'v1');
    assert.equal(platform.recorded('release.aborted').length, 1);
    assert.equal(platform.recorded('approval.refused').length, 1);
  });

  it('loses none of many decisions', async () => {
    const approval = { beforeDeploy: approvalBy(1, 'ann'), beforePromote: null };
    const { model, platform } = await start({ approval }, { champion: 'v1', releaseHistoryLimit: 300 });
    const number = await model.submit('v2');
    const good = await model.decision(number);
    const ids = Array.from({ length: 500 }, (_, index) => `junk-${index}`);
    for (let from = 0; from < ids.length; from += 25)
      await Promise.all(
        ids
          .slice(from, from + 25)
          .map((requestId) =>
            model.release(number).signal(approvalDecision, { ...good, requestId, approver: 'nobody' }),
          ),
      );
    await model.until(() => platform.recorded('approval.refused').length === 500);
    const recorded = platform.recorded('approval.refused').map(({ id }) => id.split('/')[3]);
    assert.deepEqual(new Set(recorded), new Set(ids));
    await model.release(number).executeUpdate(decideApproval, { args: [await model.decision(number)] });
    assert.equal(await model.ended(number), 'succeeded');
    const carried = await runs(model, `release:${model.name}:${number}`);
    assert.ok(carried.length >= 3, `${carried.length} runs`);
  });
});

describe('continue-as-new of a model', function () {
  this.timeout(60_000);
  const start = useModel();

  it('while a release is in flight hears of its end all the same', async () => {
    const { model, platform } = await start({}, { champion: 'v1', historyLimit: 40 });
    const goOn = platform.holdLooks(() => true);
    const number = await model.submit('v2');
    await model.untilStage(number, 'canary');
    const first = (await model.handle.describe()).runId;
    for (let count = 0; count < 12; count += 1) await model.ask(freezeModel, { reason: `${count}` });
    await model.until(async () => (await model.handle.describe()).runId !== first);
    await model.ask(rollBackModel, { reason: 'x', to: 'v9' });
    const looks = platform.count('awaitLook');
    await model.release(number).signal('freezeChanged', { frozen: false });
    // The time-skipping server loses a workflow task that cancels an activity which has just completed.
    await model.until(() => platform.count('awaitLook') > looks);
    goOn();
    assert.equal(await model.ended(number), 'succeeded');
    await model.idle();
    const view = await model.view();
    assert.deepEqual([view.champion?.version, view.inFlight], ['v2', null]);
    assert.equal(view.releases[0]?.stage, 'succeeded');
    assert.equal(view.head.sequence, platform.ledger.length);
  });

  it('finds out in its new run that the release in flight was terminated', async () => {
    const { model, platform } = await start({}, { champion: 'v1', historyLimit: 40 });
    platform.holdLooks(() => true);
    const number = await model.submit('v2');
    await model.untilStage(number, 'canary');
    await model.untilStill(model.release(number), ['awaitLook']);
    await model.release(number).terminate('by hand');
    for (let count = 0; count < 12; count += 1) await model.handle.signal('retryParked', {});
    await model.until(async () => (await model.view()).inFlight === null);
    assert.equal(platform.serving, 'v1');
    assert.equal(platform.recorded('release.aborted').length, 1);
  });

  it('answers the same request the same, and records it once', async () => {
    const { model, platform } = await start({}, { champion: 'v1', historyLimit: 40 });
    platform.holdLooks(() => true);
    platform.register(model.name, 'v2');
    const request = { version: 'v2', supersede: false, requestId: randomUUID() };
    const answer = await model.ask(submitRelease, request);
    const first = (await model.handle.describe()).runId;
    for (let count = 0; count < 500; count += 25) {
      const junk = Array.from({ length: 25 }, () =>
        model.handle.signal(releaseReported.name, { release: 'x' }),
      );
      await Promise.all(junk);
    }
    await model.until(async () => (await model.handle.describe()).runId !== first);
    assert.deepEqual(await model.ask(submitRelease, request), answer);
    assert.equal(platform.recorded('release.submitted').length, 1);
    assert.deepEqual((await model.view()).queue, []);
    const view = await model.view();
    assert.deepEqual(JSON.parse(JSON.stringify(view)), view);
  });
});
