import assert from 'node:assert/strict';
import type { HistoryEntry } from '../../../src/client/audit.js';
import { retireGateway } from '../../../src/client/gateways.js';
import { until } from '../../support/gateway.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import type { Traffic } from '../../support/release-traffic.js';

/** The canary's first step lasts long enough to be killed in. */
const LONG_STEP = { weight: 0.25, minKeys: 200, minSeconds: 4 };

describe('releases whose processes are killed', function () {
  this.timeout(60_000);
  const stage = useReleaseStage();
  let killed: Traffic;
  let silent: Traffic;

  before('two models with a first version in production', async function () {
    this.timeout(90_000);
    [killed, silent] = await Promise.all([stage().model('killed'), stage().model('silent')]);
    for (const model of ['killed', 'silent']) {
      const { canary } = (await stage().tenure.model(model)).manifest;
      await stage().apply(model, { canary: { ...canary, steps: [LONG_STEP, ...canary.steps.slice(1)] } });
    }
  });
  after(() => Promise.all([killed, silent].map((traffic) => traffic?.stop())));

  it('end as they should after worker and gateway were killed in mid-canary: no act twice, the ledger verifies', async () => {
    const at = stage();
    killed.resume();
    const release = await at.submit('killed', 'v2', MODELS.v2);
    await at.follow('killed', release, ({ canary }) => (canary?.looks ?? 0) > 0);
    const victim = at.gateways[0]!;
    await Promise.all([at.kill(at.worker), at.kill(victim.process)]);
    killed.reset();
    await until('answers while the worker is dead', () => (killed.seen.byStatus['200'] ?? 0) > 100);
    const [, again] = await Promise.all([at.startWorker(), at.startGateway(victim.id)]);
    killed.add(again.url);
    silent.add(again.url);
    await at.ends('killed', release, 'succeeded');

    await killed.stop();
    // Those who asked the dead gateway got no answer; nobody got a bad one.
    assert.deepEqual(Object.keys(killed.seen.byStatus), ['200'], killed.seen.complaint ?? '');
    const record = await at.record('killed');
    oneActEach(record);
    const table = await at.table('killed');
    assert.deepEqual([table.champion?.version, table.phase], ['v2', 'steady']);
    assert.equal(table.generation, generationsOf(record).at(-1));
  });

  it('count out a gateway that is killed in mid-canary and never comes back', async () => {
    const at = stage();
    const extra = await at.startGateway('gateway-x');
    silent.add(extra.url);
    silent.resume();
    const release = await at.submit('silent', 'v2', MODELS.v2);
    await at.follow('silent', release, ({ canary }) => (canary?.looks ?? 0) > 0);
    await at.kill(extra.process);
    const died = Date.now();
    await at.ends('silent', release, 'succeeded');
    const record = await at.record('silent');
    oneActEach(record);
    const promoted = record.find(
      ({ event }) => event.action === 'release.promoted' && event.subject['release'] === release,
    );
    assert.deepEqual(promoted?.event.evidence['unreachable'], ['gateway-x']);
    assert.match(promoted?.sentence ?? '', /1 gateway\(s\) unreachable: gateway-x/);
    // Lease (4 s) and clock margin (2 s) from when it was last heard of: before, it may still send requests to what it believes.
    const out = record.find(({ event }) => isUnreachable(event.evidence['unreachable']));
    const seconds = Number(out?.event.evidence['seconds']);
    const waited = (Date.parse(out?.at ?? '') - died) / 1_000 + seconds;
    assert.ok(waited >= 4 + 2 - 1.5, `counted out after ${waited} s`);
    await retireGateway(at.session, 'gateway-x');
    at.gateways = at.gateways.filter(({ id }) => id !== 'gateway-x');
  });
});

/** No event stands twice, and each generation of the table was made by one act, none left out. */
function oneActEach(record: readonly HistoryEntry[]): void {
  const ids = record.map(({ event }) => event.id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(
    ids.filter((id) => id.includes('/again/')),
    [],
  );
  const once = record.map(({ event }) => `${event.action} ${JSON.stringify(event.subject)}`);
  for (const action of ['release.deployed', 'release.promoted', 'release.succeeded'])
    for (const act of once.filter((text) => text.startsWith(`${action} `)))
      assert.equal(once.filter((text) => text === act).length, 1, act);
  const generations = generationsOf(record);
  assert.deepEqual(
    generations,
    generations.map((_, i) => i + 1),
  );
}

const isUnreachable = (unreachable: unknown): boolean => Array.isArray(unreachable) && unreachable.length > 0;

/** Of the tables, as the events about traffic have them. */
const generationsOf = (record: readonly HistoryEntry[]): readonly number[] =>
  record.flatMap(({ event }) => {
    const { generation } = event.evidence;
    return typeof generation === 'number' && Array.isArray(event.evidence['confirmed']) ? [generation] : [];
  });
