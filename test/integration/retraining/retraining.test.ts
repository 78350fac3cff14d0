import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findVersion } from '../../../src/client/models.js';
import { modelWorkflowId, retrainingWorkflowId } from '../../../src/contracts/ids.js';
import type { RetrainingSettings } from '../../../src/contracts/manifest.js';
import { findingAsks } from '../../../src/contracts/messages.js';
import { retrainingSettings } from '../../support/manifests.js';
import { ReleaseStage } from '../../support/release-stage.js';
import { putSamples, samples } from '../../support/samples.js';
import { until } from '../../support/until.js';

const MODEL = 'retrained';
const TRAINER = fileURLToPath(new URL('../../../examples/training/train.mjs', import.meta.url));

/** The world has changed: the champion's labels followed sigmoid(0.5 x - 2.25). */
const NEW_WORLD = { slope: 0.5, bias: 0 };

describe('a retraining on a real server', function () {
  this.timeout(180_000);
  let stage: ReleaseStage;
  before(async () => {
    stage = await ReleaseStage.open(['gateway-1']);
    await (await stage.model(MODEL, {}, { rate: 100 })).stop();
    const { db } = await stage.session.database();
    await putSamples(db, samples(MODEL, 1_200, NEW_WORLD));
  });
  after(() => stage.close());

  const settings = (changes: Partial<RetrainingSettings> = {}): RetrainingSettings =>
    retrainingSettings({
      command: [process.execPath, TRAINER],
      metric: 'logLoss',
      minLabels: 500,
      ...changes,
    });
  const ended = (retraining: number) =>
    until(
      `the end of retraining ${retraining}`,
      async () => {
        const last = (await stage.tenure.model(MODEL)).retraining?.last;
        return last?.retraining === retraining ? last : null;
      },
      120_000,
    );
  const handleOf = (retraining: number) =>
    stage.temporal.workflow.getHandle(retrainingWorkflowId(MODEL, retraining));

  it('brings a model that is better on recent rows into a release, with its lineage', async () => {
    await stage.apply(MODEL, { retraining: settings() });
    assert.equal(await stage.tenure.retrain(MODEL, { reason: 'the world has changed' }), 1);
    const last = await ended(1);
    assert.deepEqual([last.outcome, last.reason, last.release], ['submitted', null, 2]);
    const { lineage, registeredBy } = await findVersion(stage.session, MODEL, 'retrained-1');
    assert.deepEqual([lineage.parentVersion, registeredBy], ['v1', 'retraining:retrained:1']);
    assert.ok((lineage.metrics?.['trainLoss'] ?? 1) < 0.6);
    const training = await stage.session.artifacts().pathOf(lineage.trainingDataDigest ?? '');
    const lines = (await readFile(training, 'utf8')).trim().split('\n');
    const compared = (await stage.history(MODEL)).find(({ event }) => event.action === 'retraining.compared');
    const { better, judgement, set } = (compared?.event.evidence ?? {}) as unknown as {
      better: boolean;
      judgement: { lower: number; rows: number };
      set: { training: { rows: number } };
    };
    assert.deepEqual([better, set.training.rows], [true, lines.length - 1]);
    assert.equal(judgement.rows + set.training.rows, 1_200, 'no row is both trained and compared on');
    assert.ok(judgement.lower > 0);
    const sentences = (await stage.record(MODEL)).map(({ sentence }) => sentence);
    assert.ok(sentences.includes('The retraining ended: its challenger retrained-1 goes into release 2'));
    assert.equal(await handleOf(1).result(), 'submitted');
    assert.equal(
      existsSync(join(stage.folder, 'training', 'retraining%3Aretrained%3A1')),
      false,
      'nothing is left',
    );
    // Its gates are judged on the old world: it goes its way as any other, to whatever end.
    await until(
      'the end of its release',
      async () => (await stage.tenure.model(MODEL)).inFlight === null,
      60_000,
    );
  });

  it('is started once by one finding, also when the worker is killed, and goes on from its checkpoint', async () => {
    const log = join(stage.folder, 'attempts');
    const trainer = join(stage.folder, 'slow.mjs');
    await writeFile(
      trainer,
      `import fs from 'node:fs';
       const request = JSON.parse(fs.readFileSync(process.env.TENURE_TRAINING_REQUEST, 'utf8'));
       const state = request.checkpoints + '/state';
       fs.appendFileSync(${JSON.stringify(log)}, (fs.existsSync(state) ? 'goes on' : 'begins') + '\\n');
       if (!fs.existsSync(state)) { fs.writeFileSync(state, ''); setInterval(() => {}, 1000); }
       else process.exit(65);`,
    );
    await stage.apply(MODEL, {
      retraining: settings({ command: [process.execPath, trainer], minLabels: 0 }),
    });
    const model = stage.temporal.workflow.getHandle(modelWorkflowId(MODEL));
    const find = () => model.signal(findingAsks, { finding: 'drift-1', by: 'monitor:0' });
    await Promise.all(Array.from({ length: 5 }, find));
    await until('the trainer', () => existsSync(log), 60_000);
    await stage.kill(stage.worker);
    await Promise.all(Array.from({ length: 5 }, find));
    await stage.startWorker();
    const last = await ended(2);
    assert.equal(last.outcome, 'failed');
    assert.match(last.reason ?? '', /these data give no model/);
    assert.equal(readFileSync(log, 'utf8'), 'begins\ngoes on\n');
    await find();
    const of = async (action: string) =>
      (await stage.record(MODEL)).filter(({ event }) => event.action === action).length;
    assert.deepEqual([await of('retraining.requested'), await of('retraining.started')], [2, 2]);
  });

  it('that is terminated by hand ends cancelled, and the next one may start', async () => {
    const forever = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    await stage.apply(MODEL, { retraining: settings({ command: forever, minLabels: 0 }) });
    assert.equal(await stage.tenure.retrain(MODEL, { reason: 'again' }), 3);
    await until('its workflow', () =>
      handleOf(3)
        .describe()
        .then(() => true)
        .catch(() => null),
    );
    await handleOf(3).terminate('by hand');
    assert.match((await ended(3)).reason ?? '', /ended without a word/);
  });
});
