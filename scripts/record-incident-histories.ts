/**
 * Records histories of incidents into a folder of their own in test/replay/histories, for test/replay/histories.test.ts:
 *   npx tsx scripts/record-incident-histories.ts 3-incidents
 * With `models` after the name, of models that incidents come from, and of a release whose troubles are incidents.
 * Histories that are stored stay as they are: it fails where the folder is there already.
 */
import { runAfter, runBefore } from './support/test-hooks.js';
import type { FindingNotice, MonitorReport } from '../src/contracts/monitoring.js';
import { useIncident } from '../test/support/incident-under-test.js';
import { acknowledgeIncident, monitorReported } from '../src/contracts/messages.js';
import { findingNotice, manifest, monitoring } from '../test/support/manifests.js';
import { ScriptedPlatform } from '../test/support/scripted-platform.js';
import { ModelUnderTest } from '../test/support/workflow-env.js';
import { RecordedFolder } from './support/recorded-folder.js';

const [version = '', of = 'incidents'] = process.argv.slice(2);
const folder = await RecordedFolder.make(version, '3-incidents');

const escalation = [
  { afterSeconds: 900, roles: ['on-call'] },
  { afterSeconds: 3600, roles: [] },
];

type Start = ReturnType<typeof useIncident>;

async function story(start: Start, name: string, historyLimit?: number): Promise<void> {
  const incident = await start({
    settings: { escalation, reportSeconds: 24 * 3600 },
    ...(historyLimit === undefined ? {} : { historyLimit }),
  });
  await incident.skip(20);
  await incident.repeat({ severity: 'critical', summary: 'half of the rows' });
  await incident.handle.signal(acknowledgeIncident, { actor: 'ada' });
  await incident.until(({ phase }) => phase === 'acknowledged');
  await incident.handle.signal('incidentRepeated', { junk: true });
  await incident.mitigate();
  await incident.clear();
  await incident.skip(10);
  await incident.repeat({ findings: ['back'] });
  await incident.until(({ phase }) => phase === 'open');
  await incident.skip(60 * 25);
  await incident.act('report', 'to the authority');
  await incident.act('resolve', 'mended');
  await incident.act('resolve', 'mended');
  await incident.result();
  await folder.record(incident.handle, `incident-${name}`);
}

async function ofIncidents(): Promise<void> {
  const start = useIncident();
  await runBefore();
  await story(start, 'whole');
  await story(start, 'continued', 60);
  const cleared = await start();
  await cleared.skip(5);
  await cleared.act('acknowledge', 'on it');
  await cleared.clear();
  await cleared.result();
  await folder.record(cleared.handle, 'incident-cleared');
  const untold = await start({
    prepare: (platform) => platform.fail('sendAlert', () => new Error('Receiver chat: answered 500'), 7),
  });
  await untold.until((view) => view.untold.length === 1);
  await untold.skip(2);
  await untold.until(() => untold.told.length === 1);
  await untold.handle.cancel();
  await untold.result();
  await folder.record(untold.handle, 'incident-untold-cancelled');
}

async function ofModels(historyLimit?: number): Promise<void> {
  const prefix = historyLimit === undefined ? '' : 'continued-';
  const settings = monitoring({
    policy: { ...monitoring().policy, quality: ['hold', 'roll-back'], drift: ['notify', 'retrain'] },
    revalidateSeconds: 30 * 24 * 3600,
  });
  const platform = new ScriptedPlatform();
  const limits = historyLimit === undefined ? {} : { historyLimit };
  const model = await ModelUnderTest.start(platform, manifest({ monitoring: settings }), limits);
  const report = async (
    id: string,
    fields: Partial<FindingNotice>,
    cleared: MonitorReport['cleared'] = [],
  ) => {
    const finding = findingNotice(id, await model.env.currentTimeMs(), fields);
    await model.handle.signal(monitorReported, { findings: [finding], cleared });
  };
  await model.succeed('v1');
  await model.succeed('v2');
  const { champion } = await model.view();
  const old = { kind: 'data-drift' as const, cause: 'data-drift', onset: '2020-01-01T00:00:00.000Z' };
  await report('d1', old);
  await report('q1', { version: champion });
  await model.until(async () => (await model.view()).champion?.version === 'v1');
  platform.fail('validateVersion', () => new TypeError('bug'), 6);
  platform.traffic = { keysPerSecond: 1000, candidateBad: 0.3, championBad: 0 };
  const { before } = platform;
  platform.before = (activity, input: { safety?: boolean }) => {
    if (activity === 'changeTraffic' && input.safety === true && platform.count('changeTraffic') < 14)
      throw new Error('gateway g1 does not answer');
    return before(activity, input as never);
  };
  const at = new Date(await model.env.currentTimeMs()).toISOString();
  await report('d2', old, [{ cause: 'data-quality/SCHL', windows: 3, at }]);
  await model.until(async () => (await model.view()).hold === null);
  const third = await model.submit('v3');
  await model.ended(third);
  await model.idle();
  await folder.record(model.release(third), `${prefix}release-troubled-rolled-back`);
  await model.skip(31 * 24 * 3600_000);
  await model.until(async () =>
    ((await model.view()).incidents ?? []).some(
      ({ origin, severity }) => origin === 'revalidation' && severity === 'warning',
    ),
  );
  await folder.record(model.handle, `${prefix}model-with-incidents`);
  await model.stop();
}

if (of === 'models') {
  await ofModels();
  await ofModels(150);
} else await ofIncidents();
await runAfter();
