import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { lastRound } from '../../../src/client/doctor.js';
import { DIFFERENCE_CODES } from '../../../src/contracts/doctor.js';
import { doctorScheduleId } from '../../../src/contracts/ids.js';
import { ensureDoctorSchedule } from '../../../src/platform/schedules/doctor-schedule.js';
import { freePorts } from '../../../src/stack/index.js';
import { type Ran, tenureHere } from '../../support/command.js';
import { Accidents } from '../../support/doctor-accidents.js';
import { until } from '../../support/gateway.js';
import { useReleaseStage } from '../../support/release-stage.js';

const MODEL = 'rounds';
const RULES = new URL('../../../docs/alerts/tenure.rules.yml', import.meta.url);
const PATIENCE_MS = 90_000;

/** Names of metrics in Prometheus's text format. */
const namesIn = (text: string): ReadonlySet<string> =>
  new Set(text.split('\n').flatMap((line) => /^([a-z_:][\w:]*)[{ ]/i.exec(line)?.[1] ?? []));

const valueOf = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')
      .at(-1) ?? Number.NaN,
  );

describe('doctor: rounds by a Schedule, the command, metrics', function () {
  this.timeout(240_000);
  // Before the stage is left: hooks of this kind run in order.
  after('a worker without', async function () {
    this.timeout(120_000);
    const { taskQueue } = stage().session.config;
    await ensureDoctorSchedule(accidents.client, taskQueue, 0);
    await stage().worker.stop();
    await stage().startWorker();
    await accidents.close();
  });
  const stage = useReleaseStage();
  let accidents: Accidents;
  let metrics: string;

  before('a model in production, and a worker that makes rounds', async function () {
    this.timeout(180_000);
    const traffic = await stage().model(MODEL);
    await traffic.stop();
    accidents = await Accidents.open(stage());
    const [port] = await freePorts(1);
    metrics = `http://127.0.0.1:${port}/metrics`;
    await stage().worker.stop();
    await stage().startWorker({ TENURE_METRICS_ADDRESS: `127.0.0.1:${port}`, TENURE_DOCTOR_SECONDS: '5' });
  });
  const scrape = async (): Promise<string> => (await fetch(metrics)).text();
  const alerts = () =>
    accidents.database.collections.alerts.find({ _id: { $regex: `^doctor/${MODEL}/` } }).toArray();
  const doctor = (...args: string[]): Promise<Ran> => tenureHere(['doctor', ...args], stage().environment);

  it('a difference is told of once, shown, measured, mended by the command, and told of as over', async () => {
    const first = await until('a first round', () => lastRound(stage().session), PATIENCE_MS);
    assert.ok(first.report.models >= 1);
    assert.deepEqual(await alerts(), []);
    assert.equal(valueOf(await scrape(), 'tenure_doctor_differences{kind="route-differs"}'), 0);

    const { champion } = await stage().table(MODEL);
    await accidents.changeRoute(MODEL, { candidate: { ...champion, weight: 1 } });
    const [told] = await until(
      'an alert',
      async () => {
        const found = await alerts();
        return found.some(({ sentAt }) => sentAt !== null) ? found : null;
      },
      PATIENCE_MS,
    );
    assert.deepEqual([told?.severity, told?.model, told?.state], ['critical', MODEL, 'firing']);
    assert.match(
      told?.text ?? '',
      /Expected: generation .* Found: another content: .*100 % to v1.*tenure doctor --repair/,
    );
    assert.equal(valueOf(await scrape(), 'tenure_doctor_differences{kind="route-differs"}'), 1);

    const shown = await doctor('--model', MODEL);
    assert.equal(shown.code, 1, shown.stderr);
    assert.match(shown.stdout, /^1 difference\(s\), 1 of them to be mended by --repair/);
    assert.match(shown.stdout, /route-differs {2}rounds\n {2}expected .*\n {2}found .*\n {2}next /);
    const last = await doctor('--last', '--json');
    assert.equal(last.code, 1);
    assert.match(last.stdout, /"code": "route-differs"/);
    const unasked = await doctor('--model', MODEL, '--repair');
    assert.deepEqual([unasked.code, /repeat it with --yes/.test(unasked.stderr)], [2, true]);

    const mended = await doctor('--model', MODEL, '--repair', '--yes', '--as', 'olga');
    assert.equal(mended.code, 0, mended.stdout);
    assert.match(mended.stdout, /mended {2}rounds\/route-differs: the routing table was set again/);
    assert.match(mended.stdout, /ok: the parts agree/);
    assert.equal((await stage().table(MODEL)).candidate, null);
    const record = await stage().record(MODEL);
    const realigned = record.find(({ action }) => action === 'model.realigned');
    assert.match(realigned?.sentence ?? '', /^olga had the routing table set again: v1 serves/);

    await until('the end of it', async () => (await alerts()).length === 2, PATIENCE_MS);
    const states = (await alerts()).map(({ state }) => state ?? '').sort((a, b) => a.localeCompare(b));
    assert.deepEqual(states, ['firing', 'resolved']);
    assert.equal(valueOf(await scrape(), 'tenure_doctor_differences{kind="route-differs"}'), 0);
    assert.equal((await doctor('--model', MODEL, '--quick')).code, 0);
  });

  it('the command refuses what does not go together, and says when nobody answers', async () => {
    const answers = await Promise.all([
      doctor('--yes'),
      doctor('--last', '--repair'),
      tenureHere(['doctor', '--timeout', '3'], {
        ...stage().environment,
        TENURE_TASK_QUEUE: `nobody-${randomUUID()}`,
      }),
    ]);
    assert.deepEqual(
      answers.map(({ code }) => code),
      [2, 2, 3],
    );
    assert.match(answers[2].stderr, /no worker answered/);
  });

  it('every metric that the example alerts go by is exported by a worker or a gateway', async () => {
    const { taskQueue } = stage().session.config;
    // A workflow task fails where the worker does not know the workflow.
    const stuck = await accidents.client.workflow.start('notAWorkflow', {
      workflowId: `stuck-${randomUUID()}`,
      taskQueue,
    });
    const isThere = async (): Promise<boolean> =>
      namesIn(await scrape()).has('temporal_workflow_task_execution_failed');
    await until('a failed workflow task', isThere, PATIENCE_MS);
    await stuck.terminate('seen');
    const [gateway] = stage().gateways;
    const exported = new Set([
      ...namesIn(await scrape()),
      ...namesIn(await (await fetch(`${gateway?.url}/metrics`)).text()),
    ]);
    const { groups } = parse(await readFile(RULES, 'utf8')) as {
      groups: { rules: { alert: string; expr: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    assert.ok(rules.length >= 8);
    for (const { alert, expr } of rules) {
      const used = expr.match(/\b(?:temporal|tenure)_\w+/g) ?? [];
      assert.ok(used.length > 0, alert);
      for (const name of used) assert.ok(exported.has(name), `${alert}: ${name} is not exported`);
    }
    const text = await scrape();
    for (const kind of DIFFERENCE_CODES)
      assert.equal(valueOf(text, `tenure_doctor_differences{kind="${kind}"}`) >= 0, true, kind);
    for (const name of ['tenure_ledger_write_failures', 'tenure_rollback_unverified'])
      assert.equal(valueOf(text, name) >= 0, true, name);
  });

  it('the Schedule is made once, takes a new interval, stays paused, and goes', async () => {
    const taskQueue = `schedule-${randomUUID()}`;
    const { client } = accidents;
    const handle = client.schedule.getHandle(doctorScheduleId(taskQueue));
    await Promise.all([
      ensureDoctorSchedule(client, taskQueue, 600),
      ensureDoctorSchedule(client, taskQueue, 600),
    ]);
    await handle.pause('maintenance');
    await ensureDoctorSchedule(client, taskQueue, 900);
    const { spec, state, policies } = await handle.describe();
    assert.deepEqual([spec.intervals?.[0]?.every, state.paused], [900_000, true]);
    assert.deepEqual([policies.overlap, policies.catchupWindow], ['SKIP', 60_000]);
    await ensureDoctorSchedule(client, taskQueue, 0);
    await assert.rejects(handle.describe());
    await ensureDoctorSchedule(client, taskQueue, 0);
  });
});
