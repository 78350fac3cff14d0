import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { labelled } from '../../../src/client/labelled.js';
import type { Session } from '../../../src/client/session.js';
import { createMonitors } from '../../../src/activities/index.js';
import type { Finding, HealthRecord } from '../../../src/contracts/monitoring.js';
import type { ShardReport } from '../../../src/contracts/monitors.js';
import { EFFECTS, type Effect } from '../../../src/fail-points/effects.js';
import { setHook } from '../../../src/fail-points/reach.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { compactWindows } from '../../../src/platform/windows/compaction.js';
import { FindingStore } from '../../../src/platform/monitors/index.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { closedStretch } from '../../support/closed-stretch.js';
import { openTestDatabase } from '../../support/database.js';
import { HOUR, MonitoredModels } from '../../support/monitored-models.js';
import { manifest } from '../../support/manifests.js';
import { monitoring } from '../../support/monitoring.js';
import { createRandom } from '../../support/random.js';
import { getTestStack } from '../../support/stack.js';
import { MadeModel } from '../../unit/statistics/monitor/made-model.js';

const MINUTE = 60_000;

/** Effects that are reached when a finding goes its way. */
const ON_THE_WAY = (Object.keys(EFFECTS) as Effect[]).filter(
  (name) => name.startsWith('monitor.') || name === 'ledger.insert' || name === 'activity.evaluateShard',
);

describe('a tick of a monitor', function () {
  this.timeout(60_000);
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let models: MonitoredModels;
  let findings: FindingStore;
  const taskQueue = `test-${randomUUID()}`;
  const made = new MadeModel(createRandom(77), 3);
  const environment = activityEnvironment();
  let closed = 0;

  before(async () => {
    database = await openTestDatabase();
    models = await MonitoredModels.open(database, (await getTestStack()).temporalAddress);
    findings = new FindingStore(database.db);
  });
  beforeEach(async () => {
    closed = await closedStretch(HOUR, 20_000);
  });
  afterEach(() => setHook(null));
  after(async () => {
    await models?.close();
    await database?.drop();
  });

  const activities = (monitors = { shards: 1, seconds: 60 }) =>
    createMonitors({ db: database.db, client: models.client, taskQueue, monitors, alertChannels: [] });
  const tick = (shard = 0, monitors?: { shards: number; seconds: number }): Promise<ShardReport> => {
    const acting = activities(monitors);
    return inActivity(environment, () => acting.evaluateShard({ shard }));
  };
  const health = async (model: string): Promise<HealthRecord> => {
    const found = await findings.health(model);
    assert.ok(found);
    return found;
  };
  const found = async (model: string): Promise<readonly Finding[]> =>
    (await findings.newest(model, 100)).filter(({ verdict }) => verdict === 'found');
  /** Ids of the findings that are on record. */
  const recorded = async (model: string): Promise<readonly string[]> => {
    const events = await database.collections.ledger
      .find({ stream: model, action: 'monitor.found' })
      .toArray();
    return events.map(({ subject }) => String(subject['finding'])).sort();
  };

  /** Five hours that no monitor was there for; `odd`: values that the reference does not have in the last one. */
  const fiveHours = async (name: string, odd = true): Promise<string> => {
    const model = `${name}-${randomUUID().slice(0, 8)}`;
    await models.serve(model, taskQueue);
    const profile = await models.profile(model, made.profile);
    await models.evaluatedTo(model, closed - 5 * HOUR);
    for (let hour = 0; hour < 5; hour += 1) {
      const unseen = odd && hour === 4 ? 60 : 0;
      // Two gateways' batches make the hour's rows.
      for (const minute of [10, 50])
        await models.window(model, {
          at: closed - (5 - hour) * HOUR + minute * MINUTE,
          features: { ...made.counts({ rows: 200, unseen }), profile },
          requests: 200,
        });
    }
    return model;
  };

  it('makes up for missed hours, finds the fault, stores, records and tells it; the next tick has nothing to say', async () => {
    const model = await fiveHours('fault');
    const report = await tick();
    assert.deepEqual([report.models, report.evaluated, report.told, report.failed], [1, 1, 1, []]);
    const all = await found(model);
    const [quality] = all.filter(({ kind }) => kind === 'data-quality');
    assert.deepEqual(
      [quality?.id, quality?.cause, quality?.features[0]?.what, quality?.rows],
      [`${model}/data-quality/color/${closed}`, 'data-quality/color', 'unseen value z', 400],
    );
    assert.deepEqual(await recorded(model), all.map(({ id }) => id).sort());
    // What a finding rests on is kept, and nothing else.
    const kept = await windowsOf(database.db).find({ model, cited: true }).toArray();
    assert.deepEqual(
      kept.map(({ from, to }) => from >= closed - HOUR && to <= closed),
      [true, true],
    );
    const [told] = await models.reports(model);
    assert.ok(told?.findings.some(({ id, cause }) => id === quality?.id && cause === 'data-quality/color'));
    const { state, evaluatedTo, open } = await health(model);
    assert.deepEqual([state, evaluatedTo], ['alarm', new Date(closed).toISOString()]);
    assert.ok(open.some(({ cause }) => cause === 'data-quality/color'));
    const again = await tick();
    assert.deepEqual([again.evaluated, again.told], [0, 0]);
    assert.equal((await models.reports(model)).length, 1);
  });

  it('loses and repeats nothing, wherever it dies', async () => {
    for (const point of ON_THE_WAY.flatMap((effect) => [`${effect}.before`, `${effect}.after`] as const)) {
      const model = await fiveHours('killed');
      let died = false;
      setHook(async (reached) => {
        if (died || reached !== point) return;
        died = true;
        throw new Error('killed');
      });
      await assert.rejects(tick(), /killed/, point);
      setHook(null);
      await tick();
      const ids = (await found(model)).map(({ id }) => id).sort();
      assert.ok(ids.includes(`${model}/data-quality/color/${closed}`), point);
      assert.deepEqual(await recorded(model), ids, point);
      const reports = await models.reports(model);
      // Told again only where it died between the telling and the note of it.
      assert.ok(
        reports.length === 1 || (reports.length === 2 && /report.after|delivered.before/.test(point)),
        point,
      );
      for (const { findings: told } of reports) assert.deepEqual(told.map(({ id }) => id).sort(), ids, point);
      assert.equal((await health(model)).state, 'alarm', point);
      const place = await database.db.collection('detectors').findOne({ _id: model as never });
      assert.equal(place?.['outbox'], null, point);
    }
  });

  it('is one evaluation when two workers do it at once', async () => {
    const model = await fiveHours('twice');
    await Promise.all([tick(), tick(), tick()]);
    const all = await found(model);
    assert.equal((await recorded(model)).length, all.length);
    // One that comes while another tells may tell it as well: the model knows findings by their ids.
    const ids = all.map(({ id }) => id).sort();
    for (const { findings: told } of await models.reports(model))
      assert.deepEqual(told.map(({ id }) => id).sort(), ids);
  });

  it('is not stopped by a model that cannot be evaluated; that is told at the third tick, and when it is over', async () => {
    const broken = await fiveHours('broken', false);
    const profiles = database.db.collection('profiles');
    const profile = await profiles.findOne({ model: broken });
    await profiles.updateOne({ _id: profile!._id }, { $set: { 'content.lacks': ['changed by hand'] } });
    const whole = await fiveHours('whole');
    const first = await tick();
    assert.deepEqual(
      first.failed.map(({ model }) => model),
      [broken],
    );
    assert.match(first.failed[0]?.reason ?? '', /is damaged/);
    assert.equal((await found(whole)).length > 0, true);
    assert.match(
      (await health(broken)).waitingFor[0] ?? '',
      /an evaluation that does not fail: Profile .* is damaged/,
    );
    assert.deepEqual(await models.reports(broken), []);
    await tick();
    await tick();
    const [told] = await models.reports(broken);
    assert.deepEqual(
      told?.findings.map(({ kind, cause }) => [kind, cause]),
      [['monitor-silent', 'monitor-silent']],
    );
    assert.equal((await health(broken)).state, 'alarm');
    await tick();
    assert.equal((await models.reports(broken)).length, 1);
    await profiles.replaceOne({ _id: profile!._id }, profile!);
    await tick();
    const [, over] = await models.reports(broken);
    assert.deepEqual(
      over?.cleared.map(({ cause }) => cause),
      ['monitor-silent'],
    );
    const { state, evaluatedTo } = await health(broken);
    assert.deepEqual([state, evaluatedTo], ['healthy', new Date(closed).toISOString()]);
  });

  it('does not judge windows of a gateway whose clock is hours off, and says so', async () => {
    const model = `clock-${randomUUID().slice(0, 8)}`;
    await models.serve(model, taskQueue);
    const profile = await models.profile(model, made.profile);
    const odd = { ...made.counts({ rows: 200, unseen: 200 }), profile };
    await models.window(model, { at: closed - 30 * MINUTE, features: odd, ahead: 3 * HOUR, gateway: 'fast' });
    await models.window(model, {
      at: closed - 20 * MINUTE,
      features: odd,
      ahead: -50 * HOUR,
      gateway: 'slow',
    });
    await models.window(model, {
      at: closed - 10 * MINUTE,
      features: { ...made.counts({ rows: 200 }), profile },
    });
    await tick();
    const { waitingFor } = await health(model);
    assert.match(
      waitingFor.join('\n'),
      /Gateway fast: 1 windows are not judged, their time is 3.0 h ahead of the database's/,
    );
    assert.match(
      waitingFor.join('\n'),
      /Gateway slow: 1 windows are not judged, their time is 50.0 h behind the database's/,
    );
    assert.deepEqual(await found(model), []);
  });

  it('judges windows that were stored long after their time, each once, and names the time that they are about', async () => {
    const model = `late-${randomUUID().slice(0, 8)}`;
    // What other tests left would be merged as well.
    await windowsOf(database.db).deleteMany({});
    await models.serve(model, taskQueue);
    const profile = await models.profile(model, made.profile);
    await models.evaluatedTo(model, closed - 2 * HOUR);
    const day = 20 * HOUR;
    for (let hour = 0; hour < 6; hour += 1)
      await models.window(model, {
        // As they come from a file: in one minute, about the day before, the last hour with a fault.
        at: closed - HOUR / 2,
        ahead: hour * HOUR - day,
        features: { ...made.counts({ rows: 200, unseen: hour === 5 ? 60 : 0 }), profile },
        requests: 200,
        gateway: 'observed',
      });
    const target = { client: database.client, name: database.db.databaseName };
    await compactWindows(target, Date.now() + HOUR);
    assert.equal(await windowsOf(database.db).countDocuments({ model, span: 'minute' }), 6);
    const { told } = await tick();
    assert.equal(told, 1);
    const to = Math.ceil((closed - HOUR / 2 + 5 * HOUR - day) / HOUR) * HOUR;
    const [finding] = (await found(model)).filter(({ kind }) => kind === 'data-quality');
    assert.deepEqual(
      [finding?.id, finding?.rows, finding?.window.to],
      [`${model}/data-quality/color/${to}/${closed}`, 200, new Date(to).toISOString()],
    );
    assert.match(finding?.summary ?? '', /with 200 rows that came late/);
    assert.doesNotMatch((await health(model)).waitingFor.join(), /not judged/);
    await tick();
    assert.equal((await models.reports(model)).length, 1);
    // What came late becomes part of the hours that it is about; what a finding rests on stays as it is.
    await compactWindows(target, Date.now() + 3 * 24 * HOUR);
    const hours = await windowsOf(database.db).find({ model }).sort({ from: 1 }).toArray();
    assert.deepEqual(
      hours.map(({ span, cells }) => [span, cells[0]?.features?.rows]),
      [...Array.from({ length: 5 }, () => ['hour', 200]), ['minute', 200]],
    );
    assert.equal(hours.length, 6);
  });

  it('counts the labels of what the champion answered as a candidate', async () => {
    const model = `labels-${randomUUID().slice(0, 8)}`;
    await models.serve(model, taskQueue);
    const profile = await models.profile(model, made.profile);
    const features = { ...made.counts({ rows: 2_000, labels: 'flipped' }), profile };
    await models.window(model, { at: closed - HOUR / 2, features, requests: 100, role: 'candidate' });
    await tick();
    const [measured, ...more] = await found(model);
    assert.deepEqual([measured?.kind, measured?.rows, more], ['measured-performance', 2_000, []]);
    assert.match((await health(model)).waitingFor.join(), /0 of 50 rows/);
    // For people, by role: what the champion has beside it are too few.
    const few = { ...made.counts({ rows: 20, labels: 'as-scored' }), profile };
    await models.window(model, { at: Date.now(), features: few });
    const session = { database: async () => database } as unknown as Session;
    const settings = manifest({ monitoring: monitoring() });
    const shown = await labelled(session, model, settings);
    assert.deepEqual(
      shown.map(({ version, role, labels, metric }) => [version, role, labels, metric]),
      [
        ['v1', 'candidate', 2_000, 'auc'],
        ['v1', 'champion', 20, 'auc'],
      ],
    );
    const [candidate, champion] = shown;
    assert.ok(
      candidate!.value! < 0.3 && candidate!.interval![0] < candidate!.value!,
      JSON.stringify(candidate),
    );
    assert.deepEqual([champion?.value, champion?.interval], [null, null]);
    assert.deepEqual(await labelled(session, model, { ...settings, monitoring: null }), []);
  });

  it('finds an outage in the slots, without any profile', async () => {
    const model = `outage-${randomUUID().slice(0, 8)}`;
    await models.serve(model, taskQueue);
    const slot = await closedStretch(5 * MINUTE, 5_000);
    await models.window(model, { at: slot - MINUTE, requests: 300, errors: 200 });
    await tick();
    const [finding] = await found(model);
    assert.deepEqual([finding?.kind, finding?.severity], ['availability', 'critical']);
    assert.match((await health(model)).waitingFor.join(), /a reference profile, version v1 has none/);
  });

  it('does nothing when monitors are off, or there are fewer of them', async () => {
    assert.deepEqual((await tick(0, { shards: 1, seconds: 0 })).models, 0);
    assert.deepEqual((await tick(3, { shards: 2, seconds: 60 })).models, 0);
  });
});
