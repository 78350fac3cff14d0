import assert from 'node:assert/strict';
import { MongoError } from 'mongodb';
import type { IncidentRow } from '../../../src/client/incidents.js';
import { createMonitors } from '../../../src/activities/index.js';
import { incidentWorkflowId, monitorWorkflowId } from '../../../src/contracts/ids.js';
import type { IncidentView } from '../../../src/contracts/incidents.js';
import { FLEET_STREAM } from '../../../src/contracts/ledger.js';
import type { ShardReport } from '../../../src/contracts/monitors.js';
import type { FleetReport } from '../../../src/contracts/report.js';
import { setHook } from '../../../src/fail-points/reach.js';
import { type AlertChannel, DEFAULT_FLEET } from '../../../src/platform/alerts/index.js';
import { FindingStore } from '../../../src/platform/monitors/index.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { pointsOf } from '../../support/chaos/points.js';
import { IncidentStage } from '../../support/incident-stage.js';
import { HOUR } from '../../support/monitored-models.js';
import { scale } from '../../support/scale.js';
import { until } from '../../support/until.js';

const MINUTE = 60_000;
const SHARDS = 3;
const NOTHING = { models: 0, evaluated: 0, found: 0, told: 0, failed: [], silent: [] };
const MONITORS = { shards: SHARDS, seconds: 1 };
/** Effects that an incident of the fleet has while nobody else has its number. */
const ON_THE_WAY = pointsOf('fleet').filter(
  (point) => !point.startsWith('fleet.renumber') && (scale(0, 1) === 1 || point.endsWith('.after')),
);

describe('a monitor that has fallen silent', function () {
  this.timeout(120_000);
  let stage: IncidentStage;
  const environment = activityEnvironment();
  before(async () => {
    // What is started ends: here a test decides who was here when.
    const evaluateShard = async (): Promise<ShardReport> => ({ ...NOTHING, shards: SHARDS, seconds: 0 });
    stage = await IncidentStage.open({ evaluateShard });
  });
  beforeEach(async () => {
    await beats().deleteMany({});
    // Whatever a test left is another incident's business.
    await incidents().updateMany({}, { $set: { over: true } });
  });
  afterEach(() => setHook(null));
  after(() => stage.close());

  const beats = () => stage.database.db.collection<{ _id: number }>('monitors');
  const incidents = () =>
    stage.database.db.collection<{ _id: number; findings: string[]; over: boolean }>('fleetIncidents');
  const monitor = (shard: number) =>
    stage.client.workflow.getHandle(monitorWorkflowId(stage.worker.taskQueue, shard));
  const handle = (number: number) =>
    stage.client.workflow.getHandle(incidentWorkflowId(FLEET_STREAM, number));
  const view = (number: number) => handle(number).query<IncidentView>('incidentState');
  const tick = async (
    shard: number,
    more: { fleet?: typeof DEFAULT_FLEET; channel?: AlertChannel; monitors?: typeof MONITORS } = {},
  ) => {
    const { fleet = DEFAULT_FLEET, channel, monitors = MONITORS } = more;
    const acting = createMonitors({
      db: stage.database.db,
      client: stage.client,
      taskQueue: stage.worker.taskQueue,
      monitors,
      fleet,
      alertChannels: channel === undefined ? [] : [channel],
    });
    const { silent } = await inActivity(environment, () => acting.evaluateShard({ shard }));
    return silent;
  };
  /** All were here, and some of them `ago` for the last time. */
  const silence = async (shards: readonly number[], ago: number): Promise<void> => {
    const now = Date.now();
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const seenAt = new Date(shards.includes(shard) ? now - ago : now);
      await beats().replaceOne(
        { _id: shard },
        { since: new Date(now - 2 * HOUR), seenAt, models: 0 },
        { upsert: true },
      );
    }
  };
  /** Number of the newest. */
  const newest = async (): Promise<number> => {
    const found = await incidents().findOne({}, { sort: { _id: -1 } });
    assert.ok(found, 'no incident');
    return found._id;
  };
  const phase = (number: number, expected: string) =>
    until(`incident ${number} to be ${expected}`, async () => (await view(number)).phase === expected);
  const actions = async (number: number): Promise<readonly string[]> => {
    const events = await stage.database.collections.ledger
      .find({ stream: FLEET_STREAM, 'subject.incident': number })
      .sort({ sequence: 1 })
      .toArray();
    return events.map(({ action }) => action);
  };
  const told = (number: number): readonly string[] =>
    stage
      .events()
      .filter(({ data }) => data.incident.id === incidentWorkflowId(FLEET_STREAM, number))
      .map(({ type }) => type.replace('tenure.alert.', ''));

  it('is started again, found, and an incident of the fleet, acknowledged by the command, over when all are back', async () => {
    await silence([1, 2], HOUR);
    let started = 0;
    setHook(async (reached) => {
      if (reached !== 'monitor.findings.before') return;
      // Before anybody is told both are there: of one that was not started nothing is known.
      for (const shard of [1, 2]) await monitor(shard).describe();
      started += 1;
    });
    assert.deepEqual(await tick(0), [1, 2]);
    setHook(null);
    assert.equal(started, 2);
    const number = await newest();
    const found = await new FindingStore(stage.database.db).newest(FLEET_STREAM, 9);
    assert.deepEqual(found.map(({ cause }) => cause).toSorted(), ['monitor-silent/1', 'monitor-silent/2']);
    const opened = await view(number);
    assert.deepEqual(
      [opened.cause, opened.title, opened.severity, opened.owner, opened.repeats, opened.times.onset],
      [
        'monitor-silent',
        'Monitors are silent, and their models are not watched',
        'critical',
        'operators',
        0,
        found[0]?.onset?.estimate,
      ],
    );
    assert.deepEqual([...opened.findings].sort(), found.map(({ id }) => id).sort());
    // As long as they are silent nothing is told twice, whoever looks.
    assert.deepEqual(await tick(0), [1, 2]);
    assert.equal((await view(number)).repeats, 0);

    await until('the list to have it', async () => {
      const { stdout } = await stage.tenure('incident', 'list', FLEET_STREAM, '--json');
      return (JSON.parse(stdout) as IncidentRow[]).some(({ incident }) => incident === number);
    });
    const of = [FLEET_STREAM, String(number)];
    const done = await stage.tenure('incident', 'acknowledge', ...of, '--reason', 'a host is away');
    assert.equal(done.stdout, `acknowledged: incident ${number} of fleet; it is acknowledged now\n`);
    const { stdout: page } = await stage.tenure('incident', 'show', ...of);
    assert.match(page, /When it was opened: Monitor 1 is silent since/);

    // One is back, which is not all; it was away itself, and takes nobody for silent yet.
    assert.deepEqual(await tick(1), []);
    assert.deepEqual(await tick(0), [2]);
    assert.equal((await view(number)).phase, 'acknowledged');
    assert.deepEqual(await tick(2), []);
    await phase(number, 'resolved');
    assert.match((await view(number)).resolved?.reason ?? '', /Every monitor is here/);
    await tick(0);

    // Soon again: the same incident.
    await silence([1], 10 * MINUTE);
    assert.deepEqual(await tick(0), [1]);
    await until('it to be open again', async () => (await view(number)).reopened === 1);
    assert.deepEqual(await tick(1), []);
    await phase(number, 'resolved');
    const expected = ['opened', 'acknowledged', 'resolved', 'reopened', 'resolved'];
    await until('all to be on record', async () => (await actions(number)).length === expected.length);
    assert.deepEqual(
      await actions(number),
      expected.map((what) => `incident.${what}`),
    );
    await until('all to be told', () => told(number).length === 4);
    assert.deepEqual(told(number), ['firing', 'resolved', 'firing', 'resolved']);
    const { stdout: history } = await stage.tenure('history', FLEET_STREAM);
    assert.match(history, /incident/);
    const { stdout: report } = await stage.tenure('report', '--json');
    const { incidents: reported } = JSON.parse(report) as FleetReport;
    assert.deepEqual(reported.bySeverity.critical, { opened: 1, open: 0 });
    assert.ok((reported.detect.median ?? 0) >= HOUR / 1_000 - 60, JSON.stringify(reported.detect));
    // No model is told: there is none.
    const { events } = await handle(number).fetchHistory();
    assert.deepEqual(
      (events ?? []).filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes != null),
      [],
    );
    const doctor = await inActivity(environment, () =>
      stage.doctor().compareParts({ whole: false, model: FLEET_STREAM }),
    );
    assert.deepEqual(doctor.differences, []);
  });

  it('is another incident when the one before is over', async () => {
    const fleet = { ...DEFAULT_FLEET, settings: { ...DEFAULT_FLEET.settings, clearWindows: 0 } };
    await silence([1], HOUR);
    await tick(0, { fleet });
    const first = await newest();
    await tick(1, { fleet });
    await handle(first).result();
    await silence([1], 20 * MINUTE);
    await tick(0, { fleet });
    const second = await newest();
    assert.ok(second > first);
    assert.equal((await view(second)).phase, 'open');
    await tick(1, { fleet });
    await handle(second).result();
    await tick(0, { fleet });
    assert.equal((await incidents().findOne({ _id: second }))?.over, true);
  });

  it('is another incident when somebody ends its own by hand, which is recorded and told; resolved by hand it is open again', async () => {
    await silence([1], HOUR);
    await tick(0);
    const number = await newest();
    await phase(number, 'open');
    await handle(number).terminate('by hand');
    const alerts: [string, string | undefined][] = [];
    const channel: AlertChannel = {
      name: 'dead',
      send: async ({ key, state }) => {
        alerts.push([key, state]);
        throw new Error('the pager is away');
      },
    };
    // One alert that cannot be kept would be forgotten: the tick fails, and its repeat says so again.
    setHook(async (reached) => {
      if (reached === 'alert.keep.before') throw new MongoError('the database is away');
    });
    await assert.rejects(tick(0, { channel: { name: 'none', send: async () => undefined } }), /is away/);
    setHook(null);
    // A receiver that is out of order fails no tick.
    assert.deepEqual(await tick(0, { channel }), [1]);
    assert.deepEqual(alerts, [[`incident:fleet:${number}/lost`, 'resolved']]);
    assert.equal((await actions(number)).at(-1), 'incident.lost');
    const next = await newest();
    assert.ok(next > number);
    await phase(next, 'open');
    await stage.tenure('incident', 'resolve', FLEET_STREAM, String(next), '--reason', 'known');
    await phase(next, 'resolved');
    await tick(0, { channel });
    await until('it to be open again', async () => (await view(next)).reopened === 1);
    assert.equal(await newest(), next);
    assert.equal(alerts.length, 1);
    await tick(1);
    await phase(next, 'resolved');
  });

  it('takes the next number where its own is taken, and ends what the database does not know any more', async () => {
    await silence([1], HOUR);
    await tick(0);
    const taken = await newest();
    await phase(taken, 'open');
    // As after a restore of MongoDB to a time before.
    await incidents().deleteOne({ _id: taken });
    await silence([2], 40 * MINUTE);
    await tick(0);
    assert.equal(await newest(), taken + 1);
    await phase(taken, 'resolved');
    assert.equal((await view(taken)).repeats, 0);
    assert.match((await view(taken)).resolved?.reason ?? '', /put back to a time before it/);
    await tick(2);
    await phase(taken + 1, 'resolved');
  });

  it('is not what a stop of all of them is: each says that it was away, and no incident is opened', async () => {
    const before = await newest();
    await silence([0, 1, 2], HOUR);
    for (const shard of [2, 0, 1, 2, 0, 1]) assert.deepEqual(await tick(shard), []);
    assert.equal(await newest(), before);
    const found = await new FindingStore(stage.database.db).newest(FLEET_STREAM, 3);
    assert.deepEqual(
      found.map(({ cause, severity }) => `${cause}: ${severity}`).toSorted(),
      [0, 1, 2].map((shard) => `monitor-silent/${shard}: warning`),
    );
    assert.match(found[0]?.summary ?? '', /was away from .* to .*: its models were not watched/);
  });

  it('is told of with the others, however many they are', async () => {
    const many = 22;
    const now = Date.now();
    for (let shard = 0; shard < many; shard += 1)
      await beats().replaceOne(
        { _id: shard },
        { since: new Date(now - 2 * HOUR), seenAt: new Date(shard === 0 ? now : now - HOUR), models: 0 },
        { upsert: true },
      );
    const monitors = { shards: many, seconds: 1 };
    await tick(0, { monitors });
    const number = await newest();
    await tick(0, { monitors });
    await until(
      'all to be attached',
      async () => (await incidents().findOne({ _id: number }))?.findings.length === many - 1,
    );
    assert.equal((await view(number)).junk, 0);
    await stage.tenure('incident', 'resolve', FLEET_STREAM, String(number), '--reason', 'known');
    await tick(0, { monitors });
    await until('it to be open again', async () => (await view(number)).reopened === 1);
    assert.equal((await view(number)).junk, 0);
    await silence([], 0);
    await tick(0);
    await phase(number, 'resolved');
  });

  it('is missed from when there is to be one more, not from when there were fewer', async () => {
    const before = await newest();
    await silence([], 0);
    await beats().deleteOne({ _id: 2 });
    await beats().insertOne({ _id: SHARDS, since: new Date(0), seenAt: new Date(0), models: 0 } as never);
    assert.deepEqual(await tick(0), []);
    assert.deepEqual(
      (await beats().find().toArray()).map(({ _id }) => _id).toSorted((a, b) => a - b),
      [0, 1, 2],
    );
    assert.deepEqual(await tick(1), []);
    assert.equal(await newest(), before);
  });

  it('is one incident when several look at once', async () => {
    await silence([2], HOUR);
    await Promise.all([tick(0), tick(1), tick(0), tick(1)]);
    const number = await newest();
    const open = await incidents().find({ over: false }).toArray();
    assert.deepEqual(
      open.map(({ _id, findings }) => [_id, findings.length]),
      [[number, 1]],
    );
    assert.equal((await view(number)).repeats, 0);
    await Promise.all([tick(2), tick(2)]);
    await tick(0);
    await phase(number, 'resolved');
  });

  it('loses and repeats nothing, wherever its monitor dies', async () => {
    for (const point of ON_THE_WAY) {
      let died = false;
      const dying = async (shard: number): Promise<void> => {
        try {
          await tick(shard);
        } catch (error) {
          assert.match(String(error), /killed/, point);
          await tick(shard);
        }
      };
      setHook(async (reached) => {
        if (died || reached !== point) return;
        died = true;
        throw new Error('killed');
      });
      await beats().deleteMany({});
      await silence([1], HOUR);
      await dying(0);
      const number = await newest();
      assert.equal((await view(number)).findings.length, 1, point);
      await silence([2], HOUR);
      await dying(0);
      await until('the second to be attached', async () => (await view(number)).findings.length === 2);
      await silence([], 0);
      await dying(0);
      await phase(number, 'resolved');
      // Over, as if an hour had passed.
      await handle(number).terminate('an hour later');
      await dying(0);
      assert.ok(died, point);
      const later = await incidents()
        .find({ _id: { $gte: number } })
        .toArray();
      assert.deepEqual(
        later.map(({ _id, over }) => [_id, over]),
        [[number, true]],
        point,
      );
      const recorded = await actions(number);
      assert.deepEqual(
        [...new Set(recorded)].filter((action) => action !== 'incident.repeated'),
        ['incident.opened', 'incident.resolved'],
        point,
      );
      assert.equal(recorded.filter((action) => action === 'incident.opened').length, 1, point);
    }
  });
});
