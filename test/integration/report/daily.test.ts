import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { createReportActivities } from '../../../src/activities/report.js';
import { reportScheduleId } from '../../../src/contracts/ids.js';
import type { FleetReport, StoredReportHead } from '../../../src/contracts/report.js';
import { collectionsOf } from '../../../src/platform/mongo/index.js';
import { ensureReportSchedule } from '../../../src/platform/schedules/report-schedule.js';
import { makeReport } from '../../../src/report/fleet-report.js';
import { tenureHere } from '../../support/command.js';
import { DailyReports, storeRecord } from '../../support/report/daily-reports.js';
import { randomRecord } from '../../support/report/random-record.js';

const DAY = '2026-03-10';

describe('report: daily, by a Schedule', function () {
  this.timeout(60_000);
  let daily: DailyReports;
  let first: StoredReportHead;
  const here = (...args: string[]) => tenureHere(args, daily.home.env);
  before(async () => {
    daily = await DailyReports.open();
  });
  after(() => daily?.close());

  it('stores the thirty days up to the day before, as JSON and HTML', async () => {
    const { head, history, workflowId } = await daily.backfill(DAY);
    first = head;
    assert.deepEqual([head.day, head.revision], [DAY, 1]);
    assert.match(workflowId, /^report:daily-.*\/day-2026-03-11T00:15:00Z$/);
    assert.equal(history.events?.length, 11);
    const scope = {
      since: '2026-02-09T00:00:00.000Z',
      until: '2026-03-11T00:00:00.000Z',
      model: null,
      team: null,
    };
    const stored = await collectionsOf(daily.home.db).reports.findOne({ _id: DAY });
    assert.deepEqual(stored?.report, await makeReport(daily.home.db, scope));
    assert.match((await daily.home.store.read(head.html)).toString(), /<svg/);
  });

  it('changes nothing when it says the same again, and is a new revision when late events restate the day', async () => {
    assert.deepEqual(await daily.run({ day: DAY }), first);
    const late = randomRecord(8);
    await storeRecord(daily.home, late);
    const again = await daily.run({ day: DAY });
    assert.deepEqual([again.day, again.revision], [DAY, 2]);
    assert.notEqual(again.html, first.html);
  });

  it('is stored once by several workers at a time', async () => {
    const { db, store } = daily.home;
    const { writeFleetReport } = createReportActivities({ db, artifacts: store });
    const heads = await Promise.all([1, 2, 3].map(() => writeFleetReport({ day: '2026-03-12' })));
    assert.deepEqual(new Set(heads.map(({ revision }) => revision)), new Set([1]));
  });

  it('refuses a day that is not over, and one that is none', async () => {
    const days = [new Date().toISOString().slice(0, 10), '2026-02-30', 'yesterday'];
    for (const day of days)
      await assert.rejects(
        daily.run({ day }),
        (error: unknown) =>
          error instanceof WorkflowFailedError &&
          /a day/.test(deepest(error)) &&
          deepest(error).includes(JSON.stringify(day)),
        day,
      );
  });

  it('is listed and shown by the command, as it was stored', async () => {
    const list = await here('report', '--daily');
    assert.match(list.stdout, /^day +revision +made\n2026-03-12 +1 .*\n2026-03-10 +2 /);
    const file = join(daily.home.folder, 'day.html');
    const [json, html] = await Promise.all([
      here('report', '--day', DAY, '--json'),
      here('report', '--day', DAY, '--html', file),
    ]);
    assert.deepEqual([json.code, html.code], [0, 0]);
    assert.equal((JSON.parse(json.stdout) as FleetReport).until, '2026-03-11T00:00:00.000Z');
    const { html: digest } = (await collectionsOf(daily.home.db).reports.findOne({ _id: DAY })) ?? {};
    assert.deepEqual(await readFile(file), await daily.home.store.read(digest ?? ''));
    const missing = await here('report', '--day', '2020-01-01');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /No report of 2020-01-01 is stored/);
    assert.equal((await here('report', '--day', DAY, '--team', 'billing')).code, 2);
    assert.equal((await here('report', '--daily', '--html', file)).code, 2);
  });

  it('keeps its Schedule: its time follows the settings, a pause stays, and off removes it', async () => {
    const { client, taskQueue } = daily;
    const handle = client.schedule.getHandle(reportScheduleId(taskQueue));
    await handle.pause('holidays');
    await ensureReportSchedule(client, taskQueue, '00:15');
    await ensureReportSchedule(client, taskQueue, '23:05');
    const { state, spec } = await handle.describe();
    assert.equal(state.paused, true);
    assert.deepEqual(
      [spec.calendars?.[0]?.hour?.[0]?.start, spec.calendars?.[0]?.minute?.[0]?.start],
      [23, 5],
    );
    await ensureReportSchedule(client, taskQueue, null);
    await assert.rejects(handle.describe());
    await ensureReportSchedule(client, taskQueue, null);
  });
});

/** In words, the last cause. */
const deepest = (error: Error): string =>
  error.cause instanceof Error ? deepest(error.cause) : error.message;
