/**
 * Records histories of the doctor's rounds, and of a model that it mended, into test/replay/histories:
 *   npx tsx scripts/record-doctor-histories.ts
 * On a real server with a real worker. Histories that are stored stay as they are: it refuses to replace one.
 */
import { access, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { manifest } from '../test/support/manifests.js';
import { storedHistory } from '../test/support/stored-history.js';

/** The tests' servers end themselves in a hook of the test runner, which is not there. */
const teardowns: (() => unknown)[] = [];
Object.assign(globalThis, {
  after: (...hook: unknown[]) =>
    teardowns.push((hook.at(-1) as () => unknown).bind({ timeout: () => undefined })),
});

const { examine, lastRound, repair } = await import('../src/client/doctor.js');
const { doctorScheduleId, doctorWorkflowId, modelWorkflowId } = await import('../src/contracts/ids.js');
const { Accidents } = await import('../test/support/doctor-accidents.js');
const { until } = await import('../test/support/until.js');
const { ReleaseStage } = await import('../test/support/release-stage.js');
const { ensureDoctorSchedule } = await import('../src/platform/schedules/doctor-schedule.js');

const MODEL = 'mended';
const folder = fileURLToPath(new URL('../test/replay/histories/', import.meta.url));
const index = JSON.parse(await readFile(`${folder}index.json`, 'utf8')) as {
  file: string;
  workflowId: string;
  events: number;
}[];

const stage = await ReleaseStage.open(['gateway-1']);
const accidents = await Accidents.open(stage);

async function record(workflowId: string, name: string): Promise<void> {
  const file = `${name}.bin`;
  if (
    await access(`${folder}${file}`).then(
      () => true,
      () => false,
    )
  )
    throw new Error(`${file} is stored already`);
  const history = await accidents.client.workflow.getHandle(workflowId).fetchHistory();
  await writeFile(`${folder}${file}`, storedHistory(history));
  index.push({ file, workflowId, events: history.events?.length ?? 0 });
  process.stdout.write(`${file}: ${history.events?.length} events\n`);
}

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
  index.sort((a, b) => (a.file < b.file ? -1 : 1));
  await writeFile(`${folder}index.json`, `${JSON.stringify(index, null, 2)}\n`);
} finally {
  await accidents.close();
  await stage.close();
  for (const teardown of teardowns) await teardown();
}
