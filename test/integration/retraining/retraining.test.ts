import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { examine, repair } from '../../../src/client/doctor.js';
import { findVersion } from '../../../src/client/models.js';
import { modelWorkflowId, retrainingWorkflowId } from '../../../src/contracts/ids.js';
import { monitorReported } from '../../../src/contracts/messages.js';
import { PLACES } from '../../../src/platform/training/places.js';
import { pointsOf } from '../../support/chaos/points.js';
import { Accidents, codesOf } from '../../support/doctor-accidents.js';
import { findingNotice, monitoring, retrainingSettings } from '../../support/manifests.js';
import { MortalWorker } from '../../support/mortal-worker.js';
import { ReleaseStage } from '../../support/release-stage.js';
import { scale } from '../../support/scale.js';
import { putSamples, samples } from '../../support/samples.js';
import { deleteWorkflow, reset, tasksOf } from '../../support/temporal-hands.js';
import { alive } from '../../support/training.js';
import { until } from '../../support/until.js';

const MODEL = 'retrained';
const TRAINER = pathToFileURL(
  fileURLToPath(new URL('../../../examples/training/train.mjs', import.meta.url)),
).href;

/** The world has changed: the champion's labels followed sigmoid(0.5 x - 2.25). */
const NEW_WORLD = { slope: 0.5, bias: 0 };

/** Each costs ten or fifteen seconds in which a dead worker is noticed, and a start. In short: where the effect was had, and not told. */
const POINTS = pointsOf('retraining').filter((point) => scale(0, 1) === 1 || point.endsWith('.after'));

describe('a retraining on a real server', function () {
  this.timeout(180_000);
  let stage: ReleaseStage;
  let accidents: Accidents;
  let mortal: MortalWorker | null = null;
  before(async () => {
    stage = await ReleaseStage.open(['gateway-1']);
    accidents = await Accidents.open(stage);
    await (await stage.model(MODEL, {}, { rate: 100 })).stop();
    const { db } = await stage.session.database();
    await putSamples(db, samples(MODEL, 1_200, NEW_WORLD));
  });
  after(async function () {
    this.timeout(60_000);
    await mortal?.close();
    await accidents?.close();
    await stage?.close();
  });

  const run = (retraining: number) => retrainingWorkflowId(MODEL, retraining);
  const handleOf = (retraining: number) => stage.temporal.workflow.getHandle(run(retraining));
  const lastOf = async () => (await stage.tenure.model(MODEL)).retraining?.last;
  const ended = (retraining: number, ms = 60_000) =>
    until(
      `the end of retraining ${retraining}`,
      async () => {
        // Its worker may be dead just now.
        const last = await lastOf().catch(() => null);
        return last?.retraining === retraining ? last : null;
      },
      ms,
    );
  /** Actions on record that are about a retraining, but for those of its release. */
  const actionsOf = async (retraining: number) =>
    (await stage.record(MODEL))
      .filter(({ event }) => event.subject['retraining'] === retraining)
      .map(({ event }) => event.action);

  /** A trainer that says what it does, in a file of the stage's folder. */
  async function apply(name: string, body: string): Promise<string> {
    const log = join(stage.folder, `${name}.log`);
    const trainer = join(stage.folder, `${name}.mjs`);
    const head = `import fs from 'node:fs'; import { spawn } from 'node:child_process';
      const request = JSON.parse(fs.readFileSync(process.env.TENURE_TRAINING_REQUEST, 'utf8'));
      const say = (word) => fs.appendFileSync(${JSON.stringify(log)}, word + '\\n');\n`;
    await writeFile(trainer, head + body);
    await stage.apply(MODEL, {
      monitoring: monitoring({ policy: { ...monitoring().policy, drift: ['retrain'] } }),
      retraining: retrainingSettings({ command: [process.execPath, trainer], metric: 'logLoss' }),
    });
    return log;
  }
  const saidIn = (log: string, words: string) =>
    until(
      `the trainer to say ${words}`,
      () => existsSync(log) && readFileSync(log, 'utf8') === words,
      // Before it are up to five kills.
      240_000,
    );

  it('goes on wherever its worker is killed: one finding, one retraining, one release, each act on record once', async function () {
    this.timeout(400_000);
    const log = await apply(
      'slow',
      `const begun = request.checkpoints + '/begun';
       if (fs.existsSync(begun)) { say('goes on'); await import(${JSON.stringify(TRAINER)}); }
       else {
         say('begins');
         fs.writeFileSync(begun, '');
         spawn('sleep', ['1000'], { stdio: 'inherit' });
         setInterval(() => {}, 1000);
       }`,
    );
    mortal = await MortalWorker.start(stage, POINTS);
    const model = stage.temporal.workflow.getHandle(modelWorkflowId(MODEL));
    const finding = findingNotice('drift-1', Date.now(), {
      kind: 'data-drift',
      cause: 'data-drift',
      onset: '2020-01-01T00:00:00.000Z',
    });
    const find = () => model.signal(monitorReported, { findings: [finding], cleared: [] });
    await Promise.all(Array.from({ length: 5 }, find));
    await saidIn(log, 'begins\n');
    // In mid-training, where there is no fail point: the trainer is a process of its own.
    await stage.kill(stage.worker);
    await find();
    await saidIn(log, 'begins\ngoes on\n');
    const last = await ended(1, 180_000);
    assert.deepEqual([last.outcome, last.reason, last.release], ['submitted', null, 2], stage.said);
    assert.deepEqual(mortal.left, [], 'it was killed at each point');
    await find();
    // Its gates are judged on the old world: it goes its way as any other, to whatever end.
    await until('its end', async () => (await stage.tenure.model(MODEL)).inFlight === null, 60_000);
    await mortal.close();
    mortal = null;
    await stage.startWorker();

    assert.equal(readFileSync(log, 'utf8'), 'begins\ngoes on\n', 'what was trained was taken over');
    assert.deepEqual(alive(run(1)), []);
    assert.equal(existsSync(join(stage.folder, 'training', encodeURIComponent(run(1)))), false);
    const { db } = await stage.session.database();
    assert.equal(await db.collection(PLACES).countDocuments(), 0);
    assert.deepEqual(await actionsOf(1), [
      'retraining.requested',
      'retraining.started',
      'retraining.compared',
      'retraining.ended',
    ]);
    const record = await stage.record(MODEL);
    const submitted = record.filter(({ event }) => event.evidence['retraining'] === 1);
    assert.deepEqual(
      submitted.map(({ event }) => [event.action, event.subject['release']]),
      [['release.submitted', 2]],
    );
    assert.equal(record.filter(({ event }) => event.action === 'retraining.requested').length, 1);
    assert.equal((await stage.tenure.model(MODEL)).releases.length, 2);
    assert.equal(await handleOf(1).result(), 'submitted');
  });

  it('leaves the lineage of its challenger, and has trained and compared on different rows', async () => {
    const { lineage, registeredBy } = await findVersion(stage.session, MODEL, 'retrained-1');
    assert.deepEqual([lineage.parentVersion, registeredBy], ['v1', run(1)]);
    assert.ok((lineage.metrics?.['trainLoss'] ?? 1) < 0.6);
    const training = await stage.session.artifacts().pathOf(lineage.trainingDataDigest ?? '');
    const lines = (await readFile(training, 'utf8')).trim().split('\n');
    const record = await stage.record(MODEL);
    const compared = record.find(({ event }) => event.action === 'retraining.compared');
    const { better, judgement, set } = (compared?.event.evidence ?? {}) as unknown as {
      better: boolean;
      judgement: { lower: number; rows: number };
      set: { training: { rows: number } };
    };
    assert.deepEqual([better, set.training.rows], [true, lines.length - 1]);
    assert.equal(judgement.rows + set.training.rows, 1_200, 'no row is both trained and compared on');
    assert.ok(judgement.lower > 0);
    const sentences = record.map(({ sentence }) => sentence);
    assert.ok(sentences.includes('The retraining ended: its challenger retrained-1 goes into release 2'));
  });

  describe('in flight', () => {
    let log: string;
    let go: string;
    let said = '';
    /** The newest one. */
    let number = 0;
    before(async () => {
      number = (await lastOf())?.retraining ?? 0;
      go = join(stage.folder, 'go');
      log = await apply(
        'waits',
        `say(request.run.split(':').at(-1));
         setInterval(() => { if (fs.existsSync(${JSON.stringify(go)})) process.exit(65); }, 100);`,
      );
    });
    /** Asked for by hand, with the next number; its trainer runs. */
    async function trains(): Promise<number> {
      number += 1;
      assert.equal(await stage.tenure.retrain(MODEL, { reason: 'again' }), number);
      said += `${number}\n`;
      await saidIn(log, said);
      return number;
    }
    /** Its end is on record, once, as all else of it. */
    async function recorded(retraining: number): Promise<void> {
      await until(
        'the record',
        async () => (await actionsOf(retraining)).includes('retraining.ended'),
        60_000,
      );
      assert.deepEqual(await actionsOf(retraining), [
        'retraining.requested',
        'retraining.started',
        'retraining.ended',
      ]);
    }
    async function cancelled(retraining: number): Promise<void> {
      const last = await ended(retraining);
      assert.deepEqual([last.outcome, last.reason], ['cancelled', 'its workflow ended without a word']);
      await recorded(retraining);
      await until('the end of its trainer', () => alive(run(retraining)).length === 0, 60_000);
    }
    /** The doctor finds this, and mends it. @returns what it had expected */
    async function mended(code: string): Promise<string> {
      const found = await examine(stage.session, { model: MODEL });
      assert.deepEqual(codesOf(found.report.differences, MODEL), [code]);
      const { report, repairs } = await repair(stage.session, found.mendable, { model: MODEL });
      assert.deepEqual(report.differences, [], JSON.stringify(repairs));
      return found.report.differences[0]?.expected ?? '';
    }
    /** To its first task: that of the lifecycle that the doctor made. */
    async function resetToFirst(): Promise<void> {
      const id = modelWorkflowId(MODEL);
      const { raw } = await stage.temporal.workflow.getHandle(id).describe();
      const first = raw.workflowExecutionInfo?.firstRunId ?? '';
      await reset(stage.temporal, id, (await tasksOf(stage.temporal, id, first))[0] ?? 0, first);
    }

    it('ends cancelled when it is terminated by hand, with all that its trainer started', async () => {
      const retraining = await trains();
      await handleOf(retraining).terminate('by hand');
      await cancelled(retraining);
    });

    it('ends cancelled when all of Temporal is lost; its model is made again, and no number is used twice', async () => {
      const retraining = await trains();
      await handleOf(retraining).terminate('lost');
      await deleteWorkflow(stage.temporal, run(retraining));
      await accidents.deleteModel(MODEL);
      await mended('model-missing');
      await cancelled(retraining);
    });

    it('goes on when its model alone is lost or reset, and tells the one that is made again', async () => {
      const retraining = await trains();
      await accidents.terminateModel(MODEL);
      await mended('model-missing');
      const id = modelWorkflowId(MODEL);
      await reset(stage.temporal, id, (await tasksOf(stage.temporal, id)).at(-1) ?? 0);
      assert.equal((await stage.tenure.model(MODEL)).retraining?.running?.retraining, retraining);
      await resetToFirst();
      await writeFile(go, '');
      const last = await ended(retraining);
      assert.deepEqual([last.outcome, last.release], ['failed', null]);
      assert.match(last.reason ?? '', /these data give no model/);
      await recorded(retraining);
      assert.equal(readFileSync(log, 'utf8'), said, 'trained once');
    });

    it('of which its model lost all knowledge by a reset is named by the doctor, and its number is not used again', async () => {
      const retraining = await trains();
      await ended(retraining);
      await recorded(retraining);
      await resetToFirst();
      assert.equal(await mended('model-behind'), `retraining ${retraining} is known to the model`);
      await ended(await trains());
    });
  });
});
