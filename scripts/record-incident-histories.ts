/**
 * Records histories of incidents into a folder of their own in test/replay/histories, for test/replay/histories.test.ts:
 *   npx tsx scripts/record-incident-histories.ts 3-incidents
 * Histories that are stored stay as they are: it fails where the folder is there already.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

/** The tests' servers end themselves in hooks of the test runner, which is not there. */
const hooks = { before: [] as (() => unknown)[], after: [] as (() => unknown)[] };
const hook =
  (name: keyof typeof hooks) =>
  (...given: unknown[]) =>
    hooks[name].push((given.at(-1) as () => unknown).bind({ timeout: () => undefined }));
Object.assign(globalThis, {
  before: hook('before'),
  after: hook('after'),
  afterEach: () => undefined,
});

const { useIncident } = await import('../test/support/incident-under-test.js');
const { acknowledgeIncident } = await import('../src/contracts/messages.js');

const [version = ''] = process.argv.slice(2);
if (!/^\d+-[a-z-]+$/.test(version))
  throw new Error(`The name of a version is needed, as in 3-incidents: got ${JSON.stringify(version)}`);
const folder = fileURLToPath(new URL(`../test/replay/histories/${version}/`, import.meta.url));
await mkdir(folder);
const index: { file: string; workflowId: string; events: number }[] = [];

const start = useIncident();
for (const prepare of hooks.before) await prepare();
type Opened = Awaited<ReturnType<typeof start>>;

async function record({ handle }: Opened, name: string): Promise<void> {
  const history = await handle.fetchHistory();
  const file = `incident-${name}.bin`;
  await writeFile(`${folder}${file}`, proto.temporal.api.history.v1.History.encode(history).finish());
  index.push({ file, workflowId: handle.workflowId, events: history.events?.length ?? 0 });
  const sorted = index.toSorted((a, b) => (a.file < b.file ? -1 : 1));
  await writeFile(`${folder}index.json`, `${JSON.stringify(sorted, null, 2)}\n`);
  process.stdout.write(`${file}: ${history.events?.length} events\n`);
}

const escalation = [
  { afterSeconds: 900, roles: ['on-call'] },
  { afterSeconds: 3600, roles: [] },
];

async function story(name: string, historyLimit?: number): Promise<void> {
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
  await record(incident, name);
}

await story('whole');
await story('continued', 60);
const cleared = await start();
await cleared.skip(5);
await cleared.act('acknowledge', 'on it');
await cleared.clear();
await cleared.result();
await record(cleared, 'cleared');
const untold = await start({
  prepare: (platform) => platform.fail('sendAlert', () => new Error('Receiver chat: answered 500'), 7),
});
await untold.until((view) => view.untold.length === 1);
await untold.skip(2);
await untold.until(() => untold.told.length === 1);
await untold.handle.cancel();
await untold.result();
await record(untold, 'untold-cancelled');
for (const teardown of hooks.after) await teardown();
