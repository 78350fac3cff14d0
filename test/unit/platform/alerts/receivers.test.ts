import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uiWorkflowLink } from '../../../../src/contracts/ui.js';
import {
  type Alert,
  DEFAULT_FLEET,
  loadReceivers,
  withLinks,
} from '../../../../src/platform/alerts/index.js';
import { startReceiver, type TestReceiver } from '../../../support/receiver.js';

const ALERT: Alert = {
  model: 'employment',
  key: 'release:employment:3/rolled-back',
  severity: 'critical',
  title: 'Release of v3 rolled back',
  text: 'errors <!channel> beyond [the](http://example.org) hard limit',
  at: '2026-01-31T12:00:00.000Z',
  link: 'http://127.0.0.1:8233/namespaces/default/workflows',
};

describe('alert receivers', () => {
  let folder: string;
  let receiver: TestReceiver;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-receivers-'));
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  });

  const file = async (text: string): Promise<string> => {
    const path = join(folder, 'alerts.yaml');
    await writeFile(path, text);
    return path;
  };
  const secret = (name: string, text: string): Promise<void> => writeFile(join(folder, name), `${text}\n`);
  const only = async (lines: string) => {
    const [channel] = (await loadReceivers(await file(`receivers:\n  - ${lines}\n`))).channels;
    assert.ok(channel !== undefined);
    return channel;
  };
  const last = (): { body: Record<string, unknown>; headers: Record<string, unknown>; path: string } => {
    const request = receiver.received.at(-1);
    assert.ok(request !== undefined, 'nothing was received');
    return { ...request, body: JSON.parse(request.body) as Record<string, unknown> };
  };

  it('PagerDuty: one incident a key, triggered and resolved, with the key of the service', async () => {
    await secret('key', 'R0UTING');
    const channel = await only(
      `{name: on-call, kind: pagerduty, routingKeyFile: key, url: "${receiver.url}/v2/enqueue"}`,
    );
    await channel.send(ALERT);
    assert.deepEqual(last().body, {
      routing_key: 'R0UTING',
      dedup_key: ALERT.key,
      event_action: 'trigger',
      payload: {
        summary: 'employment: Release of v3 rolled back',
        source: 'tenure/employment',
        severity: 'critical',
        timestamp: ALERT.at,
        component: 'employment',
        custom_details: { text: ALERT.text, key: ALERT.key },
      },
      links: [{ href: ALERT.link, text: 'Temporal UI' }],
    });
    await channel.send({ ...ALERT, state: 'resolved' });
    assert.deepEqual(last().body, {
      routing_key: 'R0UTING',
      dedup_key: ALERT.key,
      event_action: 'resolve',
    });
    await channel.send({ ...ALERT, key: `${'k'.repeat(300)}1` });
    const one = last().body['dedup_key'];
    await channel.send({ ...ALERT, key: `${'k'.repeat(300)}2` });
    assert.ok(typeof one === 'string' && one.length <= 255);
    assert.notEqual(last().body['dedup_key'], one);
  });

  it('the alerts of an incident are one at PagerDuty, and say whom they are for and where the evidence is', async () => {
    await secret('key', 'R0UTING');
    const channel = await only(
      `{name: on-call, kind: pagerduty, routingKeyFile: key, url: "${receiver.url}/v2/enqueue"}`,
    );
    const incident = {
      id: 'incident:employment:3',
      notice: 'escalation-1',
      contacts: [{ name: 'Ada', role: 'owner' }],
      findings: Array.from({ length: 12 }, (_, n) => `f${n}`),
    };
    await channel.send({ ...ALERT, incident });
    const { dedup_key: dedup, payload } = last().body as {
      dedup_key: string;
      payload: { custom_details: Record<string, string> };
    };
    assert.equal(dedup, incident.id);
    const { contacts, evidence = '' } = payload.custom_details;
    assert.equal(contacts, 'Ada (owner)');
    assert.match(evidence, /^tenure incident show employment 3; findings f0, .*f9 and 2 more$/);
    await channel.send({
      ...ALERT,
      state: 'resolved',
      incident: { ...incident, contacts: [], findings: [] },
    });
    assert.equal(last().body['dedup_key'], incident.id);
    await secret('slack', `${receiver.url}/T0/B0/secret`);
    for (const kind of ['slack', 'teams']) {
      await (await only(`{name: chat, kind: ${kind}, urlFile: slack}`)).send({ ...ALERT, incident });
      const message = JSON.stringify(last().body);
      assert.ok(message.includes('For: Ada (owner)'), message);
      assert.ok(message.includes('Evidence: tenure incident show employment 3'), message);
    }
  });

  /** Where each kind has what joins the alerts of an incident, at the beginning and at the end. */
  const KINDS: readonly {
    readonly kind: string;
    readonly fields: string;
    readonly thread: (body: never) => unknown;
    readonly firing: RegExp;
    readonly resolved: RegExp;
    /** A resolution says no more than which incident it ends. */
    readonly isBare?: true;
  }[] = [
    {
      kind: 'alertmanager',
      fields: 'url: "URL"',
      thread: ([{ labels }]: [{ labels: { key: string } }]) => labels.key,
      firing: /"startsAt":"2026-01-31T12:00:00.000Z","endsAt":"2026-05-01/,
      resolved: /"endsAt":"2026-01-31T12:00:00.000Z"/,
    },
    {
      kind: 'pagerduty',
      fields: 'routingKeyFile: secret, url: "URL"',
      thread: ({ dedup_key: key }: { dedup_key: string }) => key,
      firing: /"event_action":"trigger"/,
      resolved: /"event_action":"resolve"/,
      isBare: true,
    },
    {
      kind: 'slack',
      fields: 'urlFile: address',
      thread: () => 'incident:employment:3',
      firing: /"text":"Critical: employment: /,
      resolved: /"text":"Resolved: employment: /,
    },
    {
      kind: 'teams',
      fields: 'urlFile: address',
      thread: () => 'incident:employment:3',
      firing: /"text":"Critical: employment: /,
      resolved: /"text":"Resolved: employment: .*"color":"Good"/,
    },
    {
      kind: 'webhook',
      fields: 'url: "URL", secretFile: secret',
      thread: ({ data }: { data: { incident: { id: string } } }) => data.incident.id,
      firing: /"id":"[^"]*\/firing".*"type":"tenure.alert.firing"/,
      resolved: /"id":"[^"]*\/resolved".*"type":"tenure.alert.resolved"/,
    },
  ];
  for (const { kind, fields, thread, firing, resolved, isBare = false } of KINDS)
    it(`${kind}: an incident from its beginning to its end, with links to the Temporal UI and the evidence`, async () => {
      await secret('secret', 'S');
      await secret('address', `${receiver.url}/hook`);
      const [channel] = withLinks(
        [await only(`{name: one, kind: ${kind}, ${fields.replace('URL', receiver.url)}}`)],
        ({ incident }) => uiWorkflowLink('http://127.0.0.1:8233', 'default', incident?.id ?? ''),
      );
      const { link: _, ...told } = ALERT;
      const incident = { id: 'incident:employment:3', contacts: [], findings: ['f1'], notice: 'opened' };
      const ends = [{ severity: 'critical', notice: 'opened' }] as const;
      await channel?.send({ ...told, key: 'incident:employment:3/opened', incident });
      await channel?.send({
        ...told,
        key: 'incident:employment:3/ended/0',
        state: 'resolved',
        incident: { ...incident, ends },
      });
      const [begun = '', ended = ''] = receiver.received.map(({ body }) => body);
      assert.match(begun, firing);
      assert.match(ended, resolved);
      for (const body of [begun, ended]) {
        assert.equal(thread(JSON.parse(body) as never), 'incident:employment:3');
        if (isBare && body === ended) continue;
        assert.match(
          body,
          /http:\/\/127\.0\.0\.1:8233\/namespaces\/default\/workflows\/incident[^"]*employment/,
        );
        // In words, or as ids.
        assert.match(body, /tenure incident show employment 3; findings f1|"findings":\["f1"\]/);
      }
      // Out of order, and back: the same message again.
      receiver.answer = { status: 503, body: 'out of order' };
      await assert.rejects(
        async () => channel?.send({ ...told, key: 'k', incident }),
        /Receiver one: answered 503: out of order/,
      );
      receiver.answer = { status: 200 };
      await channel?.send({ ...told, key: 'k', incident });
      const [failed, again] = receiver.received.slice(-2).map(({ body }) => body);
      assert.equal(again, failed);
    });

  it('Slack: text that cannot ping a channel; Teams: text that cannot hide a link', async () => {
    await secret('slack', `${receiver.url}/T0/B0/secret`);
    await (await only('{name: chat, kind: slack, urlFile: slack}')).send(ALERT);
    assert.equal(last().path, '/T0/B0/secret');
    const slack = JSON.stringify(last().body);
    assert.ok(slack.includes('Critical: employment: Release of v3 rolled back'));
    assert.ok(slack.includes('&lt;!channel&gt;') && !slack.includes('<!channel>'), slack);
    await (await only('{name: chat, kind: teams, urlFile: slack}')).send({ ...ALERT, state: 'resolved' });
    const teams = JSON.stringify(last().body);
    assert.ok(teams.includes('Resolved: employment: Release of v3 rolled back'), teams);
    assert.ok(!teams.includes('[the](http'), teams);
  });

  it('webhook: a CloudEvent whose signature the receiver can check; a repeat has the same id', async () => {
    await secret('hmac', 'whsec');
    const channel = await only(`{name: own, kind: webhook, url: "${receiver.url}/hook", secretFile: hmac}`);
    await channel.send(ALERT);
    await channel.send(ALERT);
    const [first, second] = receiver.received;
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.headers['content-type'], 'application/cloudevents+json');
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = first.headers;
    const expected = createHmac('sha256', 'whsec')
      .update(`${String(id)}.${String(at)}.${first.body}`)
      .digest('base64');
    assert.equal(signature, `v1,${expected}`);
    assert.equal(second.headers['webhook-id'], id);
    const event = JSON.parse(first.body) as Record<string, unknown>;
    assert.deepEqual(
      [event['specversion'], event['type'], event['source'], event['time']],
      ['1.0', 'tenure.alert.firing', 'tenure/employment', ALERT.at],
    );
  });

  it('an alert below the minimum is not sent', async () => {
    await secret('hmac', 'whsec');
    const channel = await only(
      `{name: own, kind: webhook, url: "${receiver.url}", secretFile: hmac, minimum: critical}`,
    );
    await channel.send({ ...ALERT, severity: 'warning' });
    assert.equal(receiver.received.length, 0);
    await channel.send(ALERT);
    assert.equal(receiver.received.length, 1);
  });

  it('says what the receiver answered, never its secret address, and follows no redirect', async () => {
    await secret('slack', `${receiver.url}/T0/B0/secret`);
    const channel = await only('{name: chat, kind: slack, urlFile: slack}');
    receiver.answer = { status: 403, body: `no such hook ${receiver.url}/T0/B0/secret` };
    await assert.rejects(channel.send(ALERT), (error: Error) => {
      assert.match(error.message, /^Receiver chat: answered 403: no such hook \(address\)$/);
      return true;
    });
    receiver.answer = { status: 307, body: '', location: `${receiver.url}/elsewhere` };
    await assert.rejects(channel.send(ALERT), /Receiver chat: answered 307$/);
    assert.ok(receiver.received.every(({ path }) => path !== '/elsewhere'));
    await receiver.close();
    await assert.rejects(channel.send(ALERT), (error: Error) => {
      assert.match(error.message, /^Receiver chat: no answer: (ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET)$/);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  });

  it('says who is told of what belongs to no model; what is left out has its default', async () => {
    assert.deepEqual((await loadReceivers(await file('receivers: []'))).fleet, DEFAULT_FLEET);
    const { channels, fleet } = await loadReceivers(
      await file(
        'receivers: []\nfleet:\n  owner: platform\n  contacts: [{name: Kim, role: on-call, email: kim@example.org}]\n' +
          '  escalation: [{afterSeconds: 60, roles: [on-call]}, {afterSeconds: 120}]\n',
      ),
    );
    assert.deepEqual(channels, []);
    assert.deepEqual(fleet, {
      owner: 'platform',
      contacts: [{ name: 'Kim', role: 'on-call', email: 'kim@example.org' }],
      settings: {
        clearWindows: 1,
        escalation: [
          { afterSeconds: 60, roles: ['on-call'] },
          { afterSeconds: 120, roles: [] },
        ],
        reportSeconds: null,
      },
    });
  });

  it('a file that is not as it should be is refused, with the field and what is allowed', async () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ['receivers: [{name: a, kind: pager}]', /receivers\.0\.kind: /],
      [
        'receivers: [{name: A b, kind: alertmanager, url: "http://x"}]',
        /receivers\.0\.name: must be 1 to 63/,
      ],
      ['receivers: [{name: a, kind: alertmanager, url: "ftp://x"}]', /receivers\.0\.url: must be an http/],
      ['receivers: [{name: a, kind: alertmanager, url: "http://x", routingKey: y}]', /routingKey/],
      ['receivers: [{name: a, kind: slack, url: "http://x"}]', /urlFile/],
      ['receivers: [{name: a, kind: slack, urlFile: none}]', /Receiver a: .*none cannot be read \(ENOENT\)/],
      ['receivers: [{name: a, kind: slack, urlFile: empty}]', /Receiver a: .*empty is empty/],
      ['receivers: [{name: a, kind: slack, urlFile: text}]', /text does not hold an http/],
      [
        'receivers: [{name: a, kind: alertmanager, url: "http://x"}, {name: a, kind: alertmanager, url: "http://y"}]',
        /two receivers are named a/,
      ],
      ['receivers: {', /cannot be read/],
      ['receivers: []\nfleet: {owner: ""}', /fleet\.owner: /],
      ['receivers: []\nfleet: {contact: []}', /fleet: .*contact/],
      ['receivers: []\nfleet: {escalation: [{afterSeconds: 15m}]}', /fleet\.escalation\.0\.afterSeconds: /],
      [
        'receivers: []\nfleet: {escalation: [{afterSeconds: 60, roles: [head]}]}',
        /fleet\.escalation\.0\.roles\.0: is head; no contact has a role: add one to contacts/,
      ],
      [
        'receivers: []\nfleet: {contacts: [{name: K, role: on-call}], escalation: [{afterSeconds: 60, roles: [head]}]}',
        /fleet\.escalation\.0\.roles\.0: is head; allowed: a role of the contacts, on-call/,
      ],
      [
        'receivers: []\nfleet: {escalation: [{afterSeconds: 60}, {afterSeconds: 60}]}',
        /fleet\.escalation\.1\.afterSeconds: is 60; needed: above that of the step before, 60/,
      ],
    ];
    await secret('empty', '');
    await secret('text', 'not an address');
    for (const [text, message] of refused)
      await assert.rejects(loadReceivers(await file(text)), message, text);
    await assert.rejects(loadReceivers(join(folder, 'nowhere.yaml')), /nowhere\.yaml cannot be read/);
  });
});
