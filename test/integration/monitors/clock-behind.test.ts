import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createMonitors } from '../../../src/activities/index.js';
import type { Finding } from '../../../src/contracts/monitoring.js';
import { DetectorStore, FindingStore } from '../../../src/platform/monitors/index.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { closedStretch } from '../../support/closed-stretch.js';
import { openTestDatabase } from '../../support/database.js';
import { HOUR, MonitoredModels } from '../../support/monitored-models.js';
import { createRandom } from '../../support/random.js';
import { getTestStack } from '../../support/stack.js';
import { MadeModel } from '../../unit/statistics/monitor/made-model.js';

const MINUTE = 60_000;
const HOURS = 30;
const BEHIND = /Gateway slow: its time is 3\.0 h behind the database's in all windows, as of a wrong clock/;

/** Windows that carry the time of a gateway's clock, as one leaves them that could not ask the database. */
describe('monitors of a gateway whose clock is hours behind', function () {
  this.timeout(60_000);
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let models: MonitoredModels;
  let findings: FindingStore;
  const taskQueue = `test-${randomUUID()}`;
  const made = new MadeModel(createRandom(78), 3);
  const environment = activityEnvironment();

  before(async () => {
    database = await openTestDatabase();
    models = await MonitoredModels.open(database, (await getTestStack()).temporalAddress);
    findings = new FindingStore(database.db);
  });
  after(async () => {
    await models?.close();
    await database?.drop();
  });

  const tick = () => {
    const monitors = { shards: 1, seconds: 60 };
    const { db } = database;
    const acting = createMonitors({ db, client: models.client, taskQueue, monitors, alertChannels: [] });
    return inActivity(environment, () => acting.evaluateShard({ shard: 0 }));
  };
  const found = async (model: string): Promise<readonly Finding[]> =>
    (await findings.newest(model, 100)).filter(({ verdict }) => verdict === 'found');
  const waitingFor = async (model: string): Promise<string> =>
    ((await findings.health(model))?.waitingFor ?? []).join('\n');

  /** A model with so many hours of traffic that no monitor was there for, the last one left out. */
  const dayOf = async (closed: number): Promise<string> => {
    const model = `behind-${randomUUID().slice(0, 8)}`;
    await models.serve(model, taskQueue);
    await models.evaluatedTo(model, closed - HOURS * HOUR);
    for (let hour = 2; hour <= HOURS; hour += 1)
      await models.window(model, { at: closed - hour * HOUR + 30 * MINUTE, requests: 200 + (hour % 7) });
    return model;
  };

  it('count its requests, judge its rows, and say so', async () => {
    const closed = await closedStretch(HOUR, 20_000);
    const model = await dayOf(closed);
    const profile = await models.profile(model, made.profile);
    for (const [minute, unseen] of [
      [10, 0],
      [50, 60],
    ] as const)
      await models.window(model, {
        at: closed - HOUR + minute * MINUTE,
        ahead: -3 * HOUR,
        gateway: 'slow',
        requests: 100,
        features: { ...made.counts({ rows: 100, unseen }), profile },
      });
    assert.deepEqual((await tick()).failed, []);
    const all = await found(model);
    assert.deepEqual(
      all.filter(({ kind }) => kind === 'traffic'),
      [],
    );
    const quality = all.find(({ kind }) => kind === 'data-quality');
    assert.deepEqual(
      [quality?.cause, quality?.rows, quality?.window.to],
      ['data-quality/color', 200, new Date(closed - 3 * HOUR).toISOString()],
    );
    assert.match(await waitingFor(model), BEHIND);
  });

  it('see its outage in the slots', async () => {
    const slot = await closedStretch(5 * MINUTE, 5_000);
    const model = `outage-${randomUUID().slice(0, 8)}`;
    await models.serve(model, taskQueue);
    for (const seconds of [15, 30, 45])
      await models.window(model, {
        at: slot - seconds * 1_000,
        ahead: -3 * HOUR,
        gateway: 'slow',
        requests: 100,
        errors: 70,
      });
    await tick();
    const [finding, ...more] = await found(model);
    assert.deepEqual(
      [finding?.kind, finding?.severity, finding?.rows, more],
      ['availability', 'critical', 300, []],
    );
    assert.match(await waitingFor(model), BEHIND);
  });

  it('do not take traffic out of a spool for that of now', async () => {
    const closed = await closedStretch(HOUR, 20_000);
    const model = await dayOf(closed);
    // The earlier ones are late by more. In time is the last one, and what came by itself.
    for (const late of [3 * HOUR, 2.5 * HOUR, 2 * HOUR, 0])
      await models.window(model, {
        at: closed - 30 * MINUTE,
        ahead: -late,
        gateway: 'slow',
        requests: 200,
        errors: late === 0 ? 0 : 200,
      });
    // Rows of a file, all of one time.
    await models.window(model, {
      at: closed - 20 * MINUTE,
      ahead: -20 * HOUR,
      gateway: 'observed',
      requests: 500,
    });
    assert.deepEqual((await tick()).failed, []);
    assert.deepEqual(await found(model), []);
    assert.doesNotMatch(await waitingFor(model), /behind/);
    const carried = (await new DetectorStore(database.db).read([model])).get(model);
    assert.equal(carried?.state?.volume.history.at(-1), 200);
  });
});
