import assert from 'node:assert/strict';
import type { DoctorReport } from '../../../src/contracts/doctor.js';
import { examine } from '../../../src/client/doctor.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import type { Traffic } from '../../support/release-traffic.js';

/** Looks again and again until the work is done. */
async function watch(look: () => Promise<DoctorReport>, work: Promise<unknown>): Promise<DoctorReport[]> {
  const reports: DoctorReport[] = [];
  const progress = { over: false };
  const done = work.finally(() => (progress.over = true));
  while (!progress.over) reports.push(await look());
  await done;
  reports.push(await look());
  return reports;
}

describe('doctor: a healthy system that is busy', function () {
  this.timeout(120_000);
  const stage = useReleaseStage();
  let traffic: Traffic[] = [];

  before('two models with a first version in production', async function () {
    this.timeout(90_000);
    const names = ['doctor-fine', 'doctor-broken'] as const;
    traffic = await Promise.all(
      names.map((name) => stage().model(name, {}, name === 'doctor-broken' ? { code: (n) => n % 11 } : {})),
    );
  });
  after(() => Promise.all(traffic.map((one) => one.stop())));

  it('has no difference, at any moment of releases that succeed and are rolled back, and of a rollback', async () => {
    const at = stage();
    for (const one of traffic) one.resume();
    const work = Promise.all([
      (async () => {
        await at.ends('doctor-fine', await at.submit('doctor-fine', 'v2', MODELS.v2), 'succeeded');
        await at.tenure.rollBack('doctor-fine', { reason: 'complaints' });
      })(),
      (async () => {
        const release = await at.submit('doctor-broken', 'narrow', MODELS.narrow);
        await at.ends('doctor-broken', release, 'rolled-back');
      })(),
    ]);
    const reports = await watch(async () => (await examine(at.session, { whole: false })).report, work);
    for (const one of traffic) one.pause();
    assert.deepEqual(
      reports.flatMap(({ differences }) => differences),
      [],
    );
    assert.ok(reports.length >= 5, `${reports.length} rounds`);
    assert.ok(reports.every(({ models }) => models >= 2));
    const whole = await examine(at.session);
    assert.deepEqual([whole.report.differences, whole.report.gateways.serving], [[], 2]);
  });
});
