/**
 * Records histories of the doctor's rounds, and of a model that it mended, into a folder of their own in test/replay/histories, for
 * test/replay/histories.test.ts:
 *   npx tsx scripts/record-doctor-histories.ts 8-doctor
 * On a real server with a real worker. Histories that are stored stay as they are: it fails where the folder is there already.
 */
import { runAfter } from './support/test-hooks.js';
import { RecordedFolder } from './support/recorded-folder.js';
import { manifest } from '../test/support/manifests.js';
import { examine, lastRound, repair } from '../src/client/doctor.js';
import { doctorScheduleId, doctorWorkflowId, modelWorkflowId } from '../src/contracts/ids.js';
import { Accidents } from '../test/support/doctor-accidents.js';
import { until } from '../test/support/until.js';
import { ReleaseStage } from '../test/support/release-stage.js';
import { ensureDoctorSchedule } from '../src/platform/schedules/doctor-schedule.js';

const MODEL = 'mended';
const [version = ''] = process.argv.slice(2);
const folder = await RecordedFolder.make(version, '8-doctor');

const stage = await ReleaseStage.open(['gateway-1']);
const accidents = await Accidents.open(stage);

const record = (workflowId: string, name: string): Promise<void> =>
  folder.record(accidents.client.workflow.getHandle(workflowId), name);

try {
  const { canary } = manifest();
  const steps = [{ weight: 0.5, minKeys: 1, minSeconds: 0 }];
  const traffic = await stage.model(MODEL, {
    canary: { ...canary, steps },
    soak: { seconds: 0, holdback: 0 },
  });
  await traffic.stop();
  const { champion } = await stage.table(MODEL);
  await accidents.changeRoute(MODEL, { candidate: { ...champion, weight: 1 } });
  const { taskQueue } = stage.session.config;
  await ensureDoctorSchedule(accidents.client, taskQueue, 5);
  await until(
    'a round',
    async () => ((await lastRound(stage.session))?.report.differences.length ? true : null),
    60_000,
  );
  const [round] = (await accidents.client.schedule.getHandle(doctorScheduleId(taskQueue)).describe()).info
    .recentActions;
  await ensureDoctorSchedule(accidents.client, taskQueue, 0);
  await record(round?.action.workflow.workflowId ?? '', 'doctor-round');
  const { mendable } = await examine(stage.session);
  await repair(stage.session, mendable, { requestId: 'recorded' });
  await record(doctorWorkflowId('repair-recorded'), 'doctor-repair');
  await record(modelWorkflowId(MODEL), 'model-realigned');
  await accidents.terminateModel(MODEL);
  const missing = await examine(stage.session);
  await repair(stage.session, missing.mendable, { requestId: 'recovered' });
  await record(modelWorkflowId(MODEL), 'model-recovered');
} finally {
  await accidents.close();
  await stage.close();
  await runAfter();
}
