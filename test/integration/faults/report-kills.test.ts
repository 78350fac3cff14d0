import assert from 'node:assert/strict';
import { Client, Connection } from '@temporalio/client';
import type { StoredReportHead } from '../../../src/contracts/report.js';
import { findReport } from '../../../src/report/store.js';
import { pointsOf } from '../../support/chaos/points.js';
import { MortalWorker } from '../../support/mortal-worker.js';
import { ReleaseStage } from '../../support/release-stage.js';
import { scale } from '../../support/scale.js';

const DAY = '2026-03-10';

/** Each kill costs the ten seconds in which a worker that died is noticed. */
describe('report: the worker killed while it stores a day', function () {
  this.timeout(scale(120_000, 400_000));
  let stage: ReleaseStage;
  let connection: Connection;
  let mortal: MortalWorker | null = null;
  const points = scale(0, 1) === 0 ? (['report.keep.after'] as const) : pointsOf('report');
  before(async () => {
    stage = await ReleaseStage.open([]);
    connection = await Connection.connect({ address: stage.session.config.temporal?.address ?? '' });
  });
  after(async () => {
    await mortal?.close();
    await stage?.close();
    await connection?.close();
  });

  it('stores it once', async () => {
    const { namespace, taskQueue } = stage.session.config;
    mortal = await MortalWorker.start(stage, points);
    const head = (await new Client({ connection, namespace }).workflow.execute('fleetReport', {
      workflowId: `${taskQueue}-report`,
      taskQueue,
      args: [{ day: DAY }],
    })) as StoredReportHead;
    assert.deepEqual(mortal.left, []);
    assert.deepEqual([head.day, head.revision], [DAY, 1]);
    const { report, ...stored } = (await findReport((await stage.session.database()).db, DAY)) ?? {};
    assert.deepEqual(stored, head);
    assert.equal(report?.deployments.frequency.why, 'no model is on record');
    assert.match((await stage.session.artifacts().read(head.html)).toString(), /^<!doctype html>/);
  });
});
