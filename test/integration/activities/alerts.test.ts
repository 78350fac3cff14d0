import assert from 'node:assert/strict';
import { MongoError } from 'mongodb';
import { pino } from 'pino';
import { createAlertActivities } from '../../../src/activities/alerts.js';
import {
  type Alert,
  type AlertChannel,
  logChannel,
  MongoAlertDesk,
} from '../../../src/platform/alerts/index.js';
import { openMongo } from '../../../src/platform/mongo/index.js';
import { openTestDatabase } from '../../support/database.js';
import { until } from '../../support/gateway.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const alert = (key: string, changes: Partial<Alert> = {}): Alert => ({
  model: 'employment',
  key,
  severity: 'warning',
  title: 'Release of v3 rolled back',
  text: 'errors beyond the hard limit',
  at: '2026-01-31T12:00:00.000Z',
  ...changes,
});

/** A channel that can be out of order. */
class FakeChannel implements AlertChannel {
  readonly name: string;
  constructor(name = 'fake') {
    this.name = name;
  }
  readonly sent: string[] = [];
  down = false;
  asked = 0;
  async send({ key }: Alert): Promise<void> {
    this.asked += 1;
    if (this.down) throw new Error('mail server is away');
    this.sent.push(key);
  }
}

describe('alerts', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  before(async () => {
    database = await openTestDatabase();
  });
  after(() => database.drop());

  it('tells an alert once a key, and again when a channel was down', async () => {
    const channel = new FakeChannel();
    const activities = createAlertActivities({ alerts: new MongoAlertDesk(database.db, [channel]) });
    channel.down = true;
    await assert.rejects(activities.sendAlert(alert('a')), /mail server is away/);
    channel.down = false;
    for (const key of ['a', 'a', 'b']) await activities.sendAlert(alert(key));
    assert.deepEqual(channel.sent, ['a', 'b']);
    const stored = await database.collections.alerts.find({}, { sort: { _id: 1 } }).toArray();
    assert.deepEqual(
      stored.map(({ _id, sentAt }) => [_id, sentAt instanceof Date]),
      [
        ['a', true],
        ['b', true],
      ],
    );
  });

  const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();

  it('a channel that is out of order keeps the alert from no other, and gets it when it is back', async () => {
    const [good, bad] = [new FakeChannel('good'), new FakeChannel('bad')];
    bad.down = true;
    const desk = new MongoAlertDesk(database.db, [bad, good]);
    for (const key of ['late', 'later'])
      await assert.rejects(desk.send(alert(key, { at: ago(1) })), /mail server is away/);
    // Who sent it still tries by itself; this one nobody needs to hear any more.
    await assert.rejects(desk.send(alert('new', { at: ago(0) })), /mail server is away/);
    await assert.rejects(desk.send(alert('old', { at: ago(73) })), /mail server is away/);
    bad.asked = 0;
    assert.deepEqual(await desk.retryPending(10), { told: 0, problems: ['mail server is away'] });
    assert.equal(bad.asked, 1, 'a channel that is away is asked once');
    assert.deepEqual([good.sent, bad.sent], [['late', 'later', 'new', 'old'], []]);
    bad.down = false;
    // What was tried last comes last.
    assert.deepEqual(await desk.retryPending(1), { told: 1, problems: [] });
    assert.deepEqual(await desk.retryPending(10), { told: 1, problems: [] });
    assert.deepEqual(await desk.retryPending(10), { told: 0, problems: [] });
    assert.equal(good.sent.length, 4);
    assert.deepEqual(bad.sent.toSorted(), ['late', 'later']);
    assert.equal(await desk.send(alert('late')), false);
  });

  it('what is over by then is not told late that it began, its end is', async () => {
    const channel = new FakeChannel('pager');
    const desk = new MongoAlertDesk(database.db, [channel]);
    channel.down = true;
    const incident = { id: 'incident:employment:3', contacts: [], findings: [] };
    const told = (notice: string) => ({ ...incident, notice });
    const ends = [{ severity: 'warning', notice: 'opened' }] as const;
    for (const one of [
      alert('i3/opened', { at: ago(5), incident: told('opened') }),
      alert('i3/report-due', { at: ago(4), incident: told('report-due') }),
      alert('i3/ended', { at: ago(3), state: 'resolved', incident: { ...told('opened'), ends } }),
      alert('i3/opened/again-1', { at: ago(2), incident: told('opened') }),
      alert('alone', { at: ago(5) }),
      alert('alone', { at: ago(4), state: 'resolved' }),
    ])
      await assert.rejects(desk.send(one), /mail server is away/);
    channel.down = false;
    await desk.retryPending(10);
    assert.deepEqual(channel.sent.toSorted(), ['alone', 'i3/ended', 'i3/opened/again-1', 'i3/report-due']);
    assert.equal(await desk.send(alert('i3/opened')), false);
  });

  it('tells people while MongoDB is away, once, and keeps it when it can', async () => {
    const { hostname, port } = new URL(database.uri);
    const proxy = new TcpProxy(hostname, Number(port));
    await proxy.open();
    const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const through = openMongo(uri, database.db.databaseName, { serverSelectionTimeoutMs: 200 });
    // On a busy machine it may not be connected within its 200 ms at once.
    const ping = (): Promise<boolean> => through.db.command({ ping: 1 }).then(Boolean, () => false);
    await until('MongoDB to be reached', ping);
    const channel = new FakeChannel();
    const desk = new MongoAlertDesk(through.db, [channel]);
    await proxy.cut();
    for (let attempt = 0; attempt < 3; attempt += 1)
      await assert.rejects(desk.send(alert('mongodb-is-away')), MongoError);
    assert.deepEqual(channel.sent, ['mongodb-is-away']);
    await proxy.open();
    await until('it to be kept', () => desk.send(alert('mongodb-is-away')).catch(() => false));
    const kept = await database.collections.alerts.findOne({ _id: 'mongodb-is-away' });
    assert.deepEqual([kept?.told, kept?.sentAt instanceof Date], [['fake'], true]);
    assert.deepEqual(channel.sent, ['mongodb-is-away']);
    await through.close();
    await proxy.cut();
  });

  it('tells of a resolution once, under the same key', async () => {
    const channel = new FakeChannel('resolutions');
    const desk = new MongoAlertDesk(database.db, [channel]);
    for (const state of ['firing', 'firing', 'resolved', 'resolved'] as const)
      await desk.send(alert('over', { state }));
    assert.deepEqual(channel.sent, ['over', 'over']);
  });

  it('writes log lines of the right level', async () => {
    const lines: { level: number; msg: string; alert: string }[] = [];
    const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const desk = new MongoAlertDesk(database.db, [logChannel(logger)]);
    await desk.send(alert('c', { severity: 'critical' }));
    await desk.send(alert('d', { severity: 'info' }));
    assert.deepEqual(
      lines.map(({ level, msg, alert: key }) => [level, msg, key]),
      [
        [50, 'Release of v3 rolled back', 'c'],
        [30, 'Release of v3 rolled back', 'd'],
      ],
    );
  });
});
