import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createMonitors } from '../../../src/activities/index.js';
import { FindingStore } from '../../../src/platform/monitors/index.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { closedStretch } from '../../support/closed-stretch.js';
import { openTestDatabase } from '../../support/database.js';
import { HOUR, MonitoredModels } from '../../support/monitored-models.js';
import { createRandom } from '../../support/random.js';
import { getTestStack } from '../../support/stack.js';
import { MadeModel } from '../../unit/statistics/monitor/made-model.js';

describe('the onset of a measured loss', function () {
  this.timeout(60_000);
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let models: MonitoredModels;

  before(async () => {
    database = await openTestDatabase();
    models = await MonitoredModels.open(database, (await getTestStack()).temporalAddress);
  });
  after(async () => {
    await models?.close();
    await database?.drop();
  });

  it('goes with the detectors that saw it into the collection and into the ledger', async () => {
    const model = `loss-${randomUUID().slice(0, 8)}`;
    const taskQueue = `test-${randomUUID()}`;
    const closed = await closedStretch(HOUR, 20_000);
    const made = new MadeModel(createRandom(78), 2);
    await models.serve(model, taskQueue);
    const profile = await models.profile(model, made.profile);
    await models.evaluatedTo(model, closed - 8 * HOUR);
    for (let ago = 8; ago > 0; ago -= 1) {
      const labels = ago === 1 ? 'flipped' : 'as-scored';
      const features = { ...made.counts({ labels }), profile };
      await models.window(model, { at: closed - ago * HOUR + HOUR / 2, features, requests: 500 });
    }
    const monitors = createMonitors({
      db: database.db,
      client: models.client,
      taskQueue,
      monitors: { shards: 1, seconds: 60 },
      alertChannels: [],
    });
    await inActivity(activityEnvironment(), () => monitors.evaluateShard({ shard: 0 }));
    const newest = await new FindingStore(database.db).newest(model, 100);
    const finding = newest.find(({ kind }) => kind === 'measured-performance');
    const began = new Date(closed - HOUR).toISOString();
    assert.equal(finding?.onset?.estimate, began);
    assert.deepEqual(finding.detectors?.[0], { name: 'Page-Hinkley', since: began });
    const events = await database.collections.ledger
      .find({ stream: model, action: 'monitor.found' })
      .toArray();
    const event = events.find(({ subject }) => subject['kind'] === 'measured-performance');
    assert.deepEqual(event?.evidence['detectors'], finding.detectors);
    for (const { subject, evidence } of events)
      assert.equal('detectors' in evidence, String(subject['kind']).endsWith('-performance'));
  });
});
