import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { StoredReportHead } from '../../../src/contracts/report.js';
import { failPlanText } from '../../../src/fail-points/plan.js';
import { findReport } from '../../../src/report/store.js';
import { pointsOf } from '../../support/chaos/points.js';
import { marksIn } from '../../support/chaos/troupe.js';
import { ReleaseStage } from '../../support/release-stage.js';
import { scale } from '../../support/scale.js';

const DAY = '2026-03-10';

/** Each kill costs the ten seconds in which a worker that died is noticed. */
describe('report: the worker killed while it stores a day', function () {
  this.timeout(scale(120_000, 400_000));
  let stage: ReleaseStage;
  let connection: Connection;
  let marks: string;
  const wanted = scale(0, 1) === 0 ? (['report.keep.after'] as const) : pointsOf('report');
  const left = () => {
    const done = new Set(marksIn(marks).map(({ point }) => point));
    return wanted.filter((point) => !done.has(point));
  };
  const start = (): Promise<void> => {
    const plans = left().map((point) => failPlanText({ point, hit: 1, action: 'kill' }));
    return stage.startWorker({
      TENURE_FAIL_POINT: plans.join(','),
      TENURE_FAIL_FOLDER: marks,
      TENURE_FAIL_POINTS_ALLOWED: plans.length === 0 ? '' : 'this is a test',
    });
  };
  before(async () => {
    marks = await mkdtemp(join(tmpdir(), 'tenure-report-kills-'));
    stage = await ReleaseStage.open([]);
    connection = await Connection.connect({ address: stage.session.config.temporal?.address ?? '' });
  });
  after(async () => {
    await stage?.close();
    await connection?.close();
    if (marks !== undefined) await rm(marks, { recursive: true, force: true });
  });

  it('stores it once', async () => {
    const { namespace, taskQueue } = stage.session.config;
    await stage.worker.stop();
    await start();
    const keeper = { over: false };
    const keeping = (async () => {
      for (;;) {
        await stage.worker.exited;
        if (keeper.over) return;
        await start().catch(() => undefined);
      }
    })();
    const head = (await new Client({ connection, namespace }).workflow.execute('fleetReport', {
      workflowId: `${taskQueue}-report`,
      taskQueue,
      args: [{ day: DAY }],
    })) as StoredReportHead;
    keeper.over = true;
    await stage.worker.stop();
    await keeping;
    assert.deepEqual(left(), []);
    assert.deepEqual([head.day, head.revision], [DAY, 1]);
    const { report, ...stored } = (await findReport((await stage.session.database()).db, DAY)) ?? {};
    assert.deepEqual(stored, head);
    assert.equal(report?.deployments.frequency.why, 'no model is on record');
    assert.match((await stage.session.artifacts().read(head.html)).toString(), /^<!doctype html>/);
  });
});
