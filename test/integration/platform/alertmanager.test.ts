import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alertmanagerShows } from '../../../examples/employment/demo/people.js';
import { type Alert, loadReceivers } from '../../../src/platform/alerts/index.js';
import { freePorts } from '../../../src/stack/ports.js';
import { startReceiver } from '../../support/receiver.js';

const ALERT: Alert = {
  model: 'employment',
  key: 'release:employment:3/rolled-back',
  severity: 'critical',
  title: 'Release of v3 rolled back',
  text: 'errors beyond the hard limit',
  at: new Date().toISOString(),
  link: 'http://127.0.0.1:8233/namespaces/default/workflows',
};

interface Shown {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generatorURL: string;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** The real server where the machine has it (Debian: prometheus-alertmanager). */
function program(): string | null {
  for (const name of ['prometheus-alertmanager', 'alertmanager']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // The next name.
    }
  }
  return null;
}

describe('Alertmanager', () => {
  let folder: string;
  let server: ChildProcess | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-alertmanager-'));
  });
  after(async () => {
    if (server?.exitCode === null) {
      const exit = new Promise((resolve) => server?.once('exit', resolve));
      server.kill('SIGKILL');
      await exit;
    }
    await rm(folder, { recursive: true, force: true });
  });

  const channelTo = async (url: string) => {
    const file = join(folder, 'alerts.yaml');
    await writeFile(file, `receivers:\n  - {name: alertmanager, kind: alertmanager, url: "${url}"}\n`);
    const [channel] = (await loadReceivers(file)).channels;
    assert.ok(channel !== undefined);
    return channel;
  };

  it('is sent what its API asks for', async () => {
    const receiver = await startReceiver();
    try {
      const channel = await channelTo(`${receiver.url}/`);
      await channel.send(ALERT);
      const [request] = receiver.received;
      assert.equal(request?.path, '/api/v2/alerts');
      const [sent] = JSON.parse(request.body) as Shown[];
      assert.deepEqual(sent?.labels, {
        alertname: 'Tenure',
        model: 'employment',
        severity: 'critical',
        key: ALERT.key,
      });
      assert.deepEqual(sent.annotations, { summary: ALERT.title, description: ALERT.text });
      assert.equal(sent.startsAt, ALERT.at);
      assert.ok(sent.endsAt > ALERT.at);
    } finally {
      await receiver.close();
    }
  });

  const real = program();
  it(`the real one shows an alert once, each notice of an incident, and ends them${real === null ? ' (skipped: no prometheus-alertmanager on PATH)' : ''}`, async function () {
    if (real === null) return this.skip();
    const [port = 0] = await freePorts(1);
    const config = join(folder, 'alertmanager.yml');
    await writeFile(config, 'route: {receiver: none}\nreceivers: [{name: none}]\n');
    const url = `http://127.0.0.1:${port}`;
    server = spawn(
      real,
      [
        `--config.file=${config}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ],
      { stdio: 'ignore' },
    );
    const shown = async (): Promise<readonly Shown[]> =>
      (await (await fetch(`${url}/api/v2/alerts`)).json()) as readonly Shown[];
    const until = async (isSo: (alerts: readonly Shown[]) => boolean): Promise<void> => {
      for (let tries = 0; tries < 600; tries += 1) {
        const alerts = await shown().catch(() => null);
        if (alerts !== null && isSo(alerts)) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.fail('not within half a minute');
    };
    await until(() => true);
    const channel = await channelTo(url);
    await channel.send(ALERT);
    await channel.send(ALERT);
    await until((alerts) => alerts.length === 1);
    const [alert] = await shown();
    assert.equal(alert?.labels['key'], ALERT.key);
    assert.equal(alert.annotations['summary'], ALERT.title);
    assert.equal(alert.generatorURL, ALERT.link);
    assert.equal(Date.parse(alert.startsAt), Date.parse(ALERT.at));
    await channel.send({ ...ALERT, state: 'resolved', at: new Date().toISOString() });
    await until((alerts) => alerts.length === 0);

    const incident = {
      id: 'incident:employment:3',
      contacts: [{ name: 'Ada', role: 'owner' }],
      findings: ['employment/data-drift/1769857200000'],
    };
    await channel.send({ ...ALERT, key: 'a', incident: { ...incident, notice: 'opened' } });
    await channel.send({ ...ALERT, key: 'b', incident: { ...incident, notice: 'escalation-1' } });
    await until((alerts) => alerts.length === 2);
    const [one, other] = await shown();
    const notices = new Set([one?.labels['notice'], other?.labels['notice']]);
    assert.deepEqual(notices, new Set(['escalation-1', 'opened']));
    assert.equal(one?.labels['key'], incident.id);
    assert.equal(one.annotations['contacts'], 'Ada (owner)');
    assert.match(
      one.annotations['evidence'] ?? '',
      /^tenure incident show employment 3; findings employment/,
    );
    // As the demo asks.
    const shows = (model: string, key: string) => alertmanagerShows(url, { model, key });
    assert.deepEqual(
      [
        await shows('employment', incident.id),
        await shows('employment', 'incident:employment:4'),
        await shows('survey', incident.id),
      ],
      [true, false, false],
    );
    const ends = ['opened', 'escalation-1'].map((notice) => ({ severity: ALERT.severity, notice }));
    await channel.send({
      ...ALERT,
      key: 'c',
      state: 'resolved',
      at: new Date().toISOString(),
      incident: { ...incident, notice: 'opened', ends },
    });
    await until((alerts) => alerts.length === 0);
    assert.equal(await shows('employment', incident.id), false);
  });
});
