import { strict as assert } from 'node:assert';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { FailureType } from '../../src/contracts/failures.js';
import { retrainingWorkflowId } from '../../src/contracts/ids.js';
import type { RetrainingSettings } from '../../src/contracts/manifest.js';
import {
  freezeModel,
  modelContinues,
  monitorReported,
  retireModel,
  retrainingReported,
  retrainingState,
  retrainModel,
} from '../../src/contracts/messages.js';
import type { RetrainingOutcome } from '../../src/contracts/retraining.js';
import { findingNotice, monitoring, retrainingSettings } from '../support/manifests.js';
import type { ScriptedPlatform } from '../support/scripted-platform.js';
import { type ModelUnderTest, type StartOptions, useModel } from '../support/workflow-env.js';

describe('modelRetraining', function () {
  this.timeout(120_000);
  const useAny = useModel();
  const drift = monitoring({ policy: { ...monitoring().policy, drift: ['retrain'] } });
  const start = (retraining: Partial<RetrainingSettings> = {}, options: StartOptions = {}) =>
    useAny({ retraining: retrainingSettings(retraining), monitoring: drift }, { champion: 'v1', ...options });

  const byHand = (model: ModelUnderTest) => model.ask(retrainModel, { reason: 'new data' });
  /** A monitor tells of drift that began long before the promotion, by way of the model's policy. */
  const find = (model: ModelUnderTest, ...findings: readonly string[]) =>
    findSince(model, { onset: '2020-01-01T00:00:00.000Z' }, ...findings);
  const findSince = (
    model: ModelUnderTest,
    { onset, cause = 'data-drift' }: { readonly onset: string; readonly cause?: string },
    ...findings: readonly string[]
  ) => {
    const report = {
      findings: findings.map((finding) =>
        findingNotice(finding, Date.now(), {
          kind: 'data-drift',
          cause,
          onset,
        }),
      ),
      cleared: [],
    };
    return model.until(async () => {
      try {
        await model.handle.signal(monitorReported, report);
        return true;
      } catch (error) {
        // The time-skipping server refuses what comes between two runs of a workflow.
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    });
  };
  const handleOf = (model: ModelUnderTest, number: number) =>
    model.env.client.workflow.getHandle(retrainingWorkflowId(model.name, number));
  async function ended(model: ModelUnderTest, number: number) {
    await model.until(async () => (await model.view()).retraining?.last?.retraining === number);
    return (await model.view()).retraining?.last;
  }
  const recorded = (platform: ScriptedPlatform, prefix = 'retraining.') =>
    platform.actions.filter((action) => action.startsWith(prefix));
  const until = (model: ModelUnderTest, platform: ScriptedPlatform, action: string, times = 1) =>
    model.until(() => platform.recorded(action).length >= times);

  it('registers and releases a challenger that is better, with its lineage, and the release goes its way', async () => {
    const { model, platform } = await start();
    assert.deepEqual(await byHand(model), { accepted: true, retraining: 1 });
    const last = await ended(model, 1);
    assert.deepEqual([last?.outcome, last?.release, last?.reason], ['submitted', 2, null]);
    assert.equal(await model.ended(2), 'succeeded');
    await model.until(async () => (await model.view()).champion?.version === 'retrained-1');
    assert.deepEqual(recorded(platform), [
      'retraining.requested',
      'retraining.started',
      'retraining.compared',
      'retraining.ended',
    ]);
    const [requested] = platform.recorded('retraining.requested');
    assert.deepEqual(requested?.subject, { retraining: 1 });
    const { trigger, by, finding } = requested?.evidence ?? {};
    assert.deepEqual([trigger, by, finding], ['hand', 'otto', null]);
    const [compared] = platform.recorded('retraining.compared');
    assert.equal(compared?.evidence['better'], true);
    assert.deepEqual(platform.recorded('retraining.ended')[0]?.evidence, {
      outcome: 'submitted',
      release: 2,
      version: 'retrained-1',
      reason: null,
    });
    // Who asked for it cannot approve it.
    const [submitted] = platform.recorded('release.submitted');
    assert.deepEqual(
      [submitted?.actor, submitted?.evidence['retraining']],
      [{ kind: 'person', id: 'otto' }, 1],
    );
    const { release } = (await model.view()).releases[0] ?? {};
    assert.equal(release, 2);
    assert.equal(await model.resultOf(handleOf(model, 1)), 'submitted');
  });

  it('costs at most 43 events of history', async () => {
    const { model } = await start();
    await byHand(model);
    await ended(model, 1);
    await model.resultOf(handleOf(model, 1));
    const { events } = await handleOf(model, 1).fetchHistory();
    // Start and end 2; three steps and two writes of 3; the report 2. A workflow task is 3: seven, or eight when the first write,
    // which goes beside a step, ends apart from it.
    assert.ok((events?.length ?? 0) >= 37 && (events?.length ?? 0) <= 43, String(events?.length));
  });

  const outcomes: readonly (readonly [
    string,
    (platform: ScriptedPlatform) => void,
    RetrainingOutcome,
    RegExp,
  ])[] = [
    [
      'is not better by the margin',
      (platform) => (platform.judgement = { ...comparedBy(platform), lower: 0, gain: 0.02 }),
      'not-better',
      /better by 0.02 on 500 rows, with 95 % confidence by at least 0; more than 0 is needed/,
    ],
    [
      'cannot be compared',
      (platform) => (platform.judgement = { ...comparedBy(platform), lower: Number.NaN }),
      'insufficient',
      /auc cannot be compared on 500 rows/,
    ],
    [
      'has too few rows to be compared on',
      (platform) => (platform.judgement = { kind: 'insufficient', reason: '12 rows', rows: 12 }),
      'insufficient',
      /12 rows/,
    ],
    [
      'does not fit',
      (platform) => (platform.judgement = { kind: 'unfit', reason: 'the model has no input x' }),
      'failed',
      /no input x/,
    ],
    [
      'has no rows to be trained on',
      (platform) => (platform.set = { ...platform.set, training: null }),
      'insufficient',
      /to train on/,
    ],
    [
      'has no rows to be compared on',
      (platform) => (platform.set = { ...platform.set, comparison: null }),
      'insufficient',
      /to compare on/,
    ],
    [
      'fails in every attempt',
      (platform) =>
        platform.fail('trainChallenger', () =>
          ApplicationFailure.create({
            type: FailureType.TrainingFailed,
            message: 'exit code 3',
            nonRetryable: false,
          }),
        ),
      'failed',
      /exit code 3/,
    ],
    [
      'cannot be trained',
      (platform) =>
        platform.fail('trainChallenger', () =>
          ApplicationFailure.nonRetryable('no model', FailureType.TrainingFailed),
        ),
      'failed',
      /no model/,
    ],
  ];
  const comparedBy = ({ judgement }: ScriptedPlatform) => {
    if (judgement.kind !== 'compared') throw new Error('not compared');
    return judgement;
  };
  it('releases nothing when the challenger …', async () => {
    const { model, platform } = await start({ budget: { runs: 100, perSeconds: 86_400 } });
    const { judgement, set } = platform;
    for (const [i, [what, prepare, outcome, reason]] of outcomes.entries()) {
      Object.assign(platform, { judgement, set });
      platform.mend();
      prepare(platform);
      const before = platform.count('trainChallenger');
      await find(model, `f-${i}`);
      const last = await ended(model, i + 1);
      assert.deepEqual([last?.outcome, last?.release], [outcome, null], what);
      assert.match(last?.reason ?? '', reason);
      await until(model, platform, 'retraining.ended', i + 1);
      const attempts = platform.count('trainChallenger') - before;
      // People hear of a training that failed, until one did not; not that a challenger is not better.
      const open = ((await model.view()).incidents ?? []).filter(({ standing }) => standing === 'open');
      assert.deepEqual(
        open.map(({ cause, title }) => [cause, title]),
        outcome === 'failed' ? [['failed-action/train a challenger', 'A retraining failed']] : [],
        what,
      );
      if (what === 'fails in every attempt') assert.equal(attempts, 5);
      else assert.ok(attempts <= 1);
    }
    assert.equal(platform.count('registerVersion'), 0);
    assert.equal((await model.view()).releases.length, 1);
  });

  it('is not held back by the incident that asked for it; a release by hand is', async () => {
    const held = monitoring({ policy: { ...monitoring().policy, drift: ['hold', 'retrain'] } });
    const { model, platform } = await useAny(
      { retraining: retrainingSettings(), monitoring: held },
      { champion: 'v1' },
    );
    await find(model, 'f-1');
    assert.equal((await ended(model, 1))?.outcome, 'submitted');
    assert.equal(await model.ended(2), 'succeeded');
    await model.until(async () => (await model.view()).champion?.version === 'retrained-1');
    assert.match((await model.view()).hold?.reason ?? '', /^incident 1 is open/);
    const third = await model.submit('v3');
    await model.until(async () => (await model.releaseView(third)).frozen);
    assert.equal(platform.serving, 'retrained-1');
    const cleared = [{ cause: 'data-drift', windows: 3, at: new Date().toISOString() }];
    await model.handle.signal(monitorReported, { findings: [], cleared });
    assert.equal(await model.ended(third), 'succeeded');
  });

  it('parks while something is away that comes back, and loses nothing', async () => {
    const { model, platform } = await start();
    platform.fail('assembleTrainingSet', () => new Error('MongoDB is away'), 7);
    await byHand(model);
    await model.until(() => platform.count('assembleTrainingSet') === 5);
    // Time skips while somebody waits.
    assert.equal(await model.resultOf(handleOf(model, 1)), 'submitted');
    assert.equal((await ended(model, 1))?.outcome, 'submitted');
    assert.ok(platform.alerts.some(({ title }) => title === 'Parked: assemble the training set'));
  });

  it('goes on telling a model that is lost how it ended, and at once when that is there again', async () => {
    const { model, platform } = await start();
    const { before } = platform;
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    platform.before = async (activity, input: never) => {
      if (activity === 'judgeChallenger') await held;
      await before(activity, input);
    };
    await byHand(model);
    await model.until(() => platform.count('judgeChallenger') === 1);
    await model.handle.terminate('by hand');
    goOn();
    const handle = handleOf(model, 1);
    const triesOf = async (): Promise<number> => {
      const { waitingFor } = await handle.query(retrainingState);
      return Number(/try (\d+) of/.exec(waitingFor)?.[1] ?? 0);
    };
    await model.until(async () => (await triesOf()) === 1);
    await model.skip(15 * 60_000);
    await model.until(async () => (await triesOf()) === 10);
    await handle.signal(modelContinues);
    await model.until(async () => (await triesOf()) === 11);
  });

  it('ends cancelled when its workflow is cancelled, and nothing of it is released', async () => {
    const { model, platform } = await start();
    platform.before = (activity) =>
      activity === 'trainChallenger' ? new Promise(() => undefined) : undefined;
    await byHand(model);
    await model.until(() => platform.count('trainChallenger') > 0);
    const { waitingFor, parked, facts } = await handleOf(model, 1).query(retrainingState);
    assert.deepEqual([waitingFor, parked], ['train', null]);
    assert.ok(facts.length > 0, 'what it trains on');
    await handleOf(model, 1).cancel();
    const last = await ended(model, 1);
    assert.equal(last?.outcome, 'cancelled');
    assert.equal((await model.view()).releases.length, 1);
  });

  it('ends cancelled when its model is retired', async () => {
    const { model, platform } = await start();
    platform.before = (activity) =>
      activity === 'trainChallenger' ? new Promise(() => undefined) : undefined;
    await byHand(model);
    await model.until(() => platform.count('trainChallenger') > 0);
    await model.ask(retireModel, { reason: 'over' });
    assert.equal((await ended(model, 1))?.outcome, 'cancelled');
    await until(model, platform, 'retraining.ended');
    assert.equal(platform.recorded('retraining.ended')[0]?.evidence['outcome'], 'cancelled');
  });

  it('releases nothing that was compared with a champion which serves no more', async () => {
    const { model, platform } = await start();
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    platform.before = (activity) => (activity === 'judgeChallenger' ? held : undefined);
    await byHand(model);
    await model.until(() => platform.count('judgeChallenger') > 0);
    await model.succeed('v2');
    goOn();
    const last = await ended(model, 1);
    assert.deepEqual([last?.outcome, last?.release], ['failed', null]);
    assert.match(last?.reason ?? '', /compared with v1, and v2 serves now/);
  });

  it('starts one retraining for one finding, however often it is told, also across runs', async () => {
    const { model, platform } = await start({}, { historyLimit: 30 });
    for (let i = 0; i < 20; i += 1) await find(model, 'f-1');
    await ended(model, 1);
    await model.ended(2);
    await model.idle();
    for (let i = 0; i < 20; i += 1) await find(model, 'f-1');
    await find(model, 'f-2');
    assert.equal((await ended(model, 2))?.outcome, 'submitted');
    assert.equal(platform.recorded('retraining.requested').length, 2);
    assert.equal(platform.recorded('retraining.started').length, 2);
    const { firstExecutionRunId, runId } = await describeRun(model);
    assert.notEqual(runId, firstExecutionRunId, 'it has continued as new meanwhile');
  });

  it('is looked for by a run that did not start it: one that was terminated ends cancelled', async () => {
    const { model, platform } = await start({}, { historyLimit: 30 });
    // Parked: time stands still for good once a workflow is terminated whose activity waits for its next attempt.
    platform.fail('assembleTrainingSet', () => new Error('MongoDB is away'), 1_000);
    await byHand(model);
    await model.until(() =>
      platform.alerts.some(({ title }) => title === 'Parked: assemble the training set'),
    );
    const before = await describeRun(model);
    await Promise.all(Array.from({ length: 10 }, () => find(model, 'f-1')));
    await model.until(async () => (await describeRun(model)).runId !== before.runId);
    // The new run talks to it at once, to find out.
    await model.until(async () =>
      (await eventsOf(model)).some((event) => event.workflowExecutionSignaledEventAttributes),
    );
    await model.untilStill(handleOf(model, 1));
    await handleOf(model, 1).terminate('by hand');
    // The finding waits, and is the next to start one. From then on this server skips no time any more: no longer than is needed.
    platform.mend();
    await model.skip(6 * 3_600_000);
    await until(model, platform, 'retraining.ended');
    const [end] = platform.recorded('retraining.ended');
    assert.deepEqual(
      [end?.subject['retraining'], end?.evidence['outcome'], end?.evidence['reason']],
      [1, 'cancelled', 'its workflow ended without a word'],
    );
  });

  async function eventsOf(model: ModelUnderTest) {
    return (await handleOf(model, 1).fetchHistory()).events ?? [];
  }

  async function describeRun(model: ModelUnderTest) {
    const { runId, raw } = await model.handle.describe();
    const first = raw.workflowExecutionInfo?.firstRunId ?? '';
    return { runId, firstExecutionRunId: first };
  }

  it('lets go what is no report, and what is of no retraining', async () => {
    const { model, platform } = await start();
    await model.handle.signal('retrainingReported', 'nonsense');
    const head = { sequence: 0, hash: '' };
    await model.handle.signal(retrainingReported, {
      retraining: 9,
      outcome: 'failed',
      reason: 'unknown',
      challenger: null,
      head,
    });
    assert.equal((await model.view()).retraining?.running, null);
    assert.deepEqual(recorded(platform), []);
  });

  describe('held back', () => {
    async function refused(model: ModelUnderTest): Promise<string> {
      const answer = await byHand(model);
      return answer.accepted ? 'accepted' : answer.reason;
    }

    it('by the cooldown, then by the budget, until their time is over', async () => {
      const { model, platform } = await start({
        cooldownSeconds: 3600,
        budget: { runs: 2, perSeconds: 86_400 },
      });
      platform.judgement = { ...comparedBy(platform), lower: 0 };
      assert.equal(await refused(model), 'accepted');
      await ended(model, 1);
      assert.match(await refused(model), /^cooldown, until /);
      await model.skip(3_601_000);
      assert.equal(await refused(model), 'accepted');
      await ended(model, 2);
      await model.skip(3_601_000);
      assert.match(
        await refused(model),
        /^the budget of the model is used up: 2 retrainings in 86400 seconds/,
      );
      assert.match((await model.view()).retraining?.heldBack?.reason ?? '', /budget/);
      await model.skip(86_400_000);
      assert.equal(await refused(model), 'accepted');
      assert.equal((await model.view()).retraining?.heldBack, null);
      await ended(model, 3);
    });

    it('by too few labels; said once for each finding, looked at again, and started when there are enough', async () => {
      const { model, platform } = await start({ minLabels: 100 });
      platform.labels = 10;
      await find(model, 'f-1');
      await until(model, platform, 'retraining.held-back');
      // The monitor tells the same once more; it has been decided on.
      await find(model, 'f-1');
      await find(model, 'f-2');
      await until(model, platform, 'retraining.held-back', 2);
      const held = platform.recorded('retraining.held-back');
      assert.deepEqual(
        held.map(({ evidence }) => [evidence['trigger'], evidence['finding']]),
        [
          ['finding', 'f-1'],
          ['finding', 'f-2'],
        ],
      );
      assert.match(String(held[0]?.evidence['reason']), /^too few fresh labels: 10, and 200 are needed/);
      const [next] = (await model.view()).retraining?.next ?? [];
      assert.deepEqual(next?.by === 'finding' && [next.finding, next.others], ['f-1', 0]);
      platform.labels = 11;
      // A window of its monitor, then two.
      await model.skip(700_000);
      await model.until(() => platform.count('readRetrainingSigns') === 3);
      assert.equal(platform.recorded('retraining.held-back').length, 2);
      platform.labels = 200;
      await model.skip(1_300_000);
      assert.equal((await ended(model, 1))?.outcome, 'submitted');
      assert.equal(platform.recorded('retraining.requested')[0]?.evidence['finding'], 'f-1');
      assert.deepEqual((await model.view()).retraining?.next, []);
    });

    it('until its cause is gone: the one that waited behind it is looked at then', async () => {
      const { model, platform } = await start({ minLabels: 100 });
      platform.labels = 199;
      const now = await model.env.currentTimeMs();
      const earlier = new Date(now - 60_000).toISOString();
      const later = new Date(now - 30_000).toISOString();
      await findSince(model, { onset: earlier }, 'f-1');
      await until(model, platform, 'retraining.held-back');
      await findSince(model, { onset: later, cause: 'slow' }, 'f-2');
      await until(model, platform, 'retraining.held-back', 2);
      const cleared = [{ cause: 'data-drift', windows: 3, at: new Date(now).toISOString() }];
      await model.handle.signal(monitorReported, { findings: [], cleared });
      await model.until(async () => {
        const [next] = (await model.view()).retraining?.next ?? [];
        return next?.by === 'finding' && next.finding === 'f-2' && next.others === 0;
      });
      platform.labels = 200;
      await model.skip(700_000);
      assert.equal((await ended(model, 1))?.outcome, 'submitted');
      const [requested] = platform.recorded('retraining.requested');
      assert.equal(requested?.evidence['finding'], 'f-2');
      assert.equal(requested.evidence['onset'], later);
    });

    it('several of one report: one asks, the others wait behind it by their cause, and one training is for all', async () => {
      const { model, platform } = await start({ minLabels: 100 });
      platform.labels = 199;
      const now = await model.env.currentTimeMs();
      const notice = (id: string, cause: string, ago: number) =>
        findingNotice(id, now, {
          kind: 'data-drift',
          cause,
          onset: new Date(now - ago).toISOString(),
        });
      const findings = [notice('f-2', 'slow', 30_000), notice('f-1', 'data-drift', 60_000)];
      await model.handle.signal(monitorReported, { findings, cleared: [] });
      await until(model, platform, 'retraining.held-back', 2);
      const held = platform.recorded('retraining.held-back').map(({ evidence }) => evidence);
      assert.deepEqual(
        held.map(({ finding, cause }) => [finding, cause]),
        [
          ['f-2', 'slow'],
          ['f-1', 'data-drift'],
        ],
      );
      assert.equal(held[0]?.['reason'], 'finding f-1 asks for the same');
      assert.equal(platform.count('readRetrainingSigns'), 1);
      const [next] = (await model.view()).retraining?.next ?? [];
      assert.deepEqual(next?.by === 'finding' && [next.finding, next.others], ['f-1', 1]);
      platform.labels = 200;
      await model.skip(700_000);
      assert.equal((await ended(model, 1))?.outcome, 'submitted');
      const [requested] = platform.recorded('retraining.requested');
      assert.match(String(requested?.evidence['reason']), /not soon after the promotion|without a promotion/);
      assert.deepEqual((await model.view()).retraining?.next, []);
    });

    for (const happening of ['its cause clears', 'a person starts one'] as const)
      it(`and what happens while its labels are counted is not lost: ${happening}`, async () => {
        const { model, platform } = await start({ minLabels: 100 });
        const { before } = platform;
        let goOn: () => void = () => undefined;
        const held = new Promise<void>((resolve) => (goOn = resolve));
        platform.before = async (activity, input: never) => {
          if (activity === 'readRetrainingSigns' && platform.count(activity) === 1) await held;
          await before(activity, input);
        };
        await find(model, 'f-1');
        await model.until(() => platform.count('readRetrainingSigns') === 1);
        if (happening === 'its cause clears') {
          const cleared = [{ cause: 'data-drift', windows: 3, at: new Date().toISOString() }];
          await model.handle.signal(monitorReported, { findings: [], cleared });
          await model.until(async () => (await model.view()).retraining?.next?.length === 0);
          platform.labels = 10;
          goOn();
        } else {
          platform.labels = 500;
          assert.equal((await byHand(model)).accepted, true);
          goOn();
          await ended(model, 1);
        }
        await until(model, platform, 'retraining.held-back');
        assert.deepEqual((await model.view()).retraining?.next, []);
      });

    it('until labels of rows since the change have come; on these alone the challenger is compared', async () => {
      const { model, platform } = await start({ minLabels: 100 });
      const counted: string[] = [];
      const compared: { since: string; comparedSince?: string }[] = [];
      const { before } = platform;
      platform.before = (activity, input: never) => {
        if (activity === 'readRetrainingSigns') counted.push((input as { rowsSince: string }).rowsSince);
        if (activity === 'assembleTrainingSet') compared.push(input);
        return before(activity, input);
      };
      platform.labels = 199;
      const onset = new Date((await model.env.currentTimeMs()) - 60_000).toISOString();
      await findSince(model, { onset }, 'f-1');
      await until(model, platform, 'retraining.held-back');
      const [held] = platform.recorded('retraining.held-back');
      assert.match(String(held?.evidence['reason']), new RegExp(`of rows since the change of ${onset}$`));
      assert.equal(held?.evidence['onset'], onset);
      platform.labels = 200;
      await model.skip(3_700_000);
      assert.equal((await ended(model, 1))?.outcome, 'submitted');
      assert.deepEqual(counted, [onset, onset]);
      assert.equal(compared.length, 1);
      assert.equal(compared[0]?.comparedSince, onset);
      assert.ok(Date.parse(compared[0].since) < Date.parse(onset));
      assert.equal(platform.recorded('retraining.requested')[0]?.evidence['onset'], onset);
    });

    it('until its cause is gone: then nothing is trained', async () => {
      const { model, platform } = await start({ minLabels: 100 });
      platform.labels = 10;
      await find(model, 'f-1');
      await model.until(async () => (await model.view()).retraining?.next?.length === 1);
      const cleared = [{ cause: 'data-drift', windows: 3, at: new Date().toISOString() }];
      await model.handle.signal(monitorReported, { findings: [], cleared });
      await model.until(async () => (await model.view()).retraining?.next?.length === 0);
      platform.labels = 200;
      await model.skip(3 * 3_600_000);
      assert.equal(platform.recorded('retraining.requested').length, 0);
    });

    it('by a release in flight, a freeze, a running one, a manifest without it, and without a champion', async () => {
      const { model, platform } = await start();
      const goOn = platform.holdLooks(() => true);
      const release = await model.submit('v2');
      await model.untilStage(release, 'canary');
      assert.match(await refused(model), /^a release is in flight: number 2/);
      goOn();
      await model.ended(release);
      await model.idle();
      await model.ask(freezeModel, { reason: 'holidays', until: new Date(Date.now() + 1e9).toISOString() });
      assert.equal(await refused(model), 'the model is frozen');

      const other = await start();
      other.platform.before = (activity) =>
        activity === 'trainChallenger' ? new Promise(() => undefined) : undefined;
      assert.equal(await refused(other.model), 'accepted');
      assert.match(await refused(other.model), /^a retraining runs: number 1/);
      await handleOf(other.model, 1).terminate('end of test');

      const without = await useAny({}, { champion: 'v1' });
      assert.match(await refused(without.model), /no retraining section/);
      assert.equal((await without.model.view()).retraining?.heldBack?.trigger, 'hand');
      const empty = await useAny({ retraining: retrainingSettings() });
      assert.match(await refused(empty.model), /no version of .* serves/);
    });

    it('when labels cannot be counted', async () => {
      const { model, platform } = await start();
      platform.fail('readRetrainingSigns', () => new Error('MongoDB is away'), 5);
      assert.match(await refused(model), /^labels cannot be counted: MongoDB is away/);
      assert.equal(await refused(model), 'accepted');
      await ended(model, 1);
    });

    it('a finding, where the manifest wants none', async () => {
      const off = { finding: false, schedule: null, newLabels: null, maxAgeSeconds: null };
      const { model, platform } = await start({ triggers: off });
      await find(model, 'f-1');
      await until(model, platform, 'retraining.held-back');
      assert.match(
        String(platform.recorded('retraining.held-back')[0]?.evidence['reason']),
        /triggers.finding is false/,
      );
    });
  });

  describe('by the clock', () => {
    const NONE = { finding: false, schedule: null, newLabels: null, maxAgeSeconds: null };
    const notBetter = (platform: ScriptedPlatform): void => {
      platform.judgement = { ...comparedBy(platform), lower: 0 };
    };
    const triggersOf = (platform: ScriptedPlatform) =>
      platform.recorded('retraining.requested').map(({ evidence }) => evidence['trigger']);

    it('of a schedule, once at each of its moments', async () => {
      const schedule = { cron: '0 3 * * *', timeZone: 'Europe/Paris' };
      const { model, platform } = await start({ triggers: { ...NONE, schedule } });
      notBetter(platform);
      await model.until(async () => (await model.view()).retraining?.nextScheduled != null);
      assert.deepEqual(triggersOf(platform), []);
      await model.skip(24 * 3600_000 + 60_000);
      await ended(model, 1);
      await model.skip(24 * 3600_000);
      await ended(model, 2);
      assert.deepEqual(triggersOf(platform), ['schedule', 'schedule']);
      const moments = platform.recorded('retraining.requested').map(({ evidence }) => evidence['evidence']);
      assert.equal(new Set(moments).size, 2);
    });

    it('of new labels, when there are enough', async () => {
      const { model, platform } = await start({ triggers: { ...NONE, newLabels: 2_000 } });
      notBetter(platform);
      await model.until(() => platform.count('readRetrainingSigns') > 0);
      await model.skip(3600_000);
      assert.deepEqual(triggersOf(platform), []);
      platform.labels = 2_500;
      platform.before = (activity) => {
        // Those that started one are not fresh any more.
        if (activity === 'trainChallenger') platform.labels = 0;
      };
      await model.skip(48 * 3600_000);
      await ended(model, 1);
      assert.deepEqual(triggersOf(platform), ['labels']);
      // Counted once a day while there are none.
      await model.until(() => platform.count('readRetrainingSigns') >= 3);
      const counted = platform.count('readRetrainingSigns');
      await model.skip(23 * 3600_000);
      assert.equal(platform.count('readRetrainingSigns'), counted);
      await model.skip(2 * 3600_000);
      await model.until(() => platform.count('readRetrainingSigns') === counted + 1);
    });

    it('of the age of the champion, again after each such time', async () => {
      const { model, platform } = await start({ triggers: { ...NONE, maxAgeSeconds: 10 * 86_400 } });
      notBetter(platform);
      // It serves since the first of January 2026, so it is old already.
      await ended(model, 1);
      assert.deepEqual(triggersOf(platform), ['age']);
      await model.skip(10 * 86_400_000);
      await ended(model, 2);
      assert.deepEqual(triggersOf(platform), ['age', 'age']);
    });
  });
});
