import assert from 'node:assert/strict';
import type { InputColumn } from '../../../src/activities/validation/columns.js';
import { inputFeatures, type MadeFeature } from '../../../src/activities/validation/profile-features.js';
import type { InputField } from '../../../src/contracts/manifest.js';
import type { WindowCell } from '../../../src/contracts/windows.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { profileDigest, ProfileStore, type VersionProfile } from '../../../src/platform/profiles/index.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { compactWindows } from '../../../src/platform/windows/compaction.js';
import { readMonitored } from '../../../src/platform/windows/monitored.js';
import { mergeCells } from '../../../src/platform/windows/merge.js';
import { scoreProfile } from '../../../src/statistics/profile/build.js';
import { checkWindow } from '../../../src/statistics/profile/check.js';
import { WindowCounter } from '../../../src/statistics/profile/window.js';
import { GatewayBench, post, until } from '../../support/gateway.js';
import { identityModel } from '../../support/onnx.js';
import { createRandom } from '../../support/random.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Row {
  readonly flag: boolean;
  readonly code: number;
  readonly score: number;
  readonly amount: number;
  readonly kind: string;
}

const random = createRandom(3);
const makeRow = (shift = 0): Row => ({
  flag: random.uniform() < 0.3,
  code: Math.floor(random.uniform() * 5) + shift,
  score: Math.min(1, Math.max(0, random.uniform())),
  amount: random.normal() + shift,
  kind: `k${Math.floor(random.uniform() * 4) + shift}`,
});

const DATATYPES = { flag: 'BOOL', code: 'INT64', score: 'FP32', amount: 'FP64', kind: 'BYTES' } as const;
const NAMES = Object.keys(DATATYPES) as (keyof Row)[];

const fieldOf = (name: keyof Row): InputField => ({
  name,
  datatype: DATATYPES[name],
  width: 1,
  nullable: false,
  ...(name === 'code' ? { categories: [0, 1, 2, 3, 4] } : {}),
});

/** The profile that validation would make of these rows. */
function profileOf(model: string, artifact: string, rows: readonly Row[], salt: number): VersionProfile {
  const columns = NAMES.map((name): InputColumn => {
    const values =
      name === 'kind'
        ? rows.map(({ kind }) => kind)
        : name === 'flag'
          ? Uint8Array.from(rows, ({ flag }) => Number(flag))
          : Float64Array.from(rows, (row) => row[name]);
    return { field: fieldOf(name), values, missing: 0, outside: 0 };
  });
  const made = inputFeatures(columns).map((plan): MadeFeature => {
    const one = 'make' in plan ? plan.make() : plan.lack;
    if (typeof one === 'string') throw new Error(one);
    return one;
  });
  const scores = rows.map(({ score }) => Math.fround(score));
  const labels = scores.map((score, i) => (((i * 37) % 101) / 101 < score ? 1 : 0));
  return {
    format: 1,
    model,
    artifact,
    data: salt.toString(16).padStart(64, '0'),
    sources: made.map(({ source }) => source),
    score: 'out_score',
    lacks: [],
    profile: {
      format: 1,
      rows: rows.length,
      features: made.map(({ feature }) => feature),
      score: scoreProfile(scores, labels, 0.5, Math.floor(rows.length / 10)),
    },
  };
}

const bodyOf = (rows: readonly Row[]): object => ({
  inputs: NAMES.map((name) => ({
    name,
    datatype: DATATYPES[name],
    shape: [rows.length],
    data: rows.map((row) => row[name]),
  })),
});

/** What the rows come to, counted here. */
function counted(content: VersionProfile, digest: string, rows: readonly Row[]) {
  const counter = new WindowCounter(content.profile, digest);
  for (const { flag, code, score, amount, kind } of rows)
    counter.add([flag, code, Math.fround(score), amount, kind], Math.fround(score));
  return counter.counts();
}

describe('The gateway counts the rows of requests in the bins of the reference profile', () => {
  const bench = new GatewayBench();
  let store: ProfileStore;
  let artifact: string;
  let gateways: readonly Gateway[];
  const model = identityModel(NAMES.map((name) => ({ name, datatype: DATATYPES[name], shape: ['N'] })));

  before(async () => {
    await bench.open();
    store = new ProfileStore(bench.db);
    const settings = { profiles: store, profilesMs: 20 };
    gateways = [await bench.start(settings), await bench.start(settings)];
    artifact = (await bench.version('v1', model)).digest;
  });
  after(() => bench.close());

  const route = (name: string) =>
    bench.route(name, { champion: { version: 'v1', digest: artifact }, scoreOutput: 'out_score' }, gateways);
  const cellsOf = async (name: string): Promise<readonly WindowCell[]> =>
    mergeCells((await bench.windows(name)).flatMap(({ cells }) => cells));
  const send = async (name: string, rows: readonly Row[], gateway = 0): Promise<void> => {
    const { status } = await post(gateways[gateway]!.url, name, bodyOf(rows));
    assert.equal(status, 200);
  };
  const uncounted = (): number => gateways.reduce((sum, one) => sum + one.health().profiles.uncounted, 0);
  const stored = (name: string, requests: number) =>
    until(`${requests} requests of ${name} in the windows`, async () => {
      const cells = await cellsOf(name);
      return cells.reduce((sum, cell) => sum + cell.requests.split + cell.requests.forced, 0) === requests;
    });

  it('exactly those that were sent, from any gateway, in requests of many rows', async () => {
    const reference = Array.from({ length: 600 }, () => makeRow());
    const content = profileOf('census', artifact, reference, 1);
    const digest = await store.put(content);
    await route('census');
    await until('both gateways to have the profile', () => uncounted() === 0);
    const requests = Array.from({ length: 30 }, (_, i) =>
      Array.from({ length: 1 + (i % 7) }, () => makeRow(i % 5 === 0 ? 2 : 0)),
    );
    await Promise.all(requests.map((rows, i) => send('census', rows, i % 2)));
    await post(gateways[0]!.url, 'census/versions/v1', bodyOf(reference.slice(0, 9)));
    await stored('census', 31);

    const cells = await cellsOf('census');
    const expected = counted(content, digest, requests.flat());
    // A request that names its version is no traffic; in a flush of its own it makes a cell without features.
    const sums = (['split', 'forced'] as const).map((kind) =>
      cells.reduce((sum, cell) => sum + cell.requests[kind], 0),
    );
    assert.deepEqual(sums, [30, 1]);
    assert.deepEqual(
      cells.flatMap(({ features }) => features ?? []),
      [expected],
    );
    checkWindow(content.profile, expected);
    const kinds = expected.features[4];
    assert.ok(kinds?.kind === 'categorical' && kinds.unlisted.names.length > 0);

    // As monitors read them: by stretches, before and after they were merged.
    const hour = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;
    const backdated = await windowsOf(bench.db).find({ model: 'census' }).toArray();
    for (const [i, { _id }] of backdated.entries())
      await windowsOf(bench.db).updateOne(
        { _id },
        { $set: { insertedAt: new Date(hour + (i % 3) * 10_000), from: hour, to: hour + MINUTE } },
      );
    const read = async () => {
      const stretches = { from: hour - HOUR, to: hour + 24 * HOUR, length: HOUR };
      const query = {
        model: 'census',
        champion: artifact,
        windows: stretches,
        slots: { ...stretches, to: hour - HOUR },
      };
      const reading = (await readMonitored(bench.db, [query])).get('census');
      return reading!.windows.filter(({ requests }) => requests > 0);
    };
    assert.deepEqual(
      (await read()).map(({ from, to, requests, latency, features }) => [
        from - hour,
        to - from,
        requests,
        latency.count,
        [...features.values()],
      ]),
      [[0, HOUR, 30, 30, [expected]]],
    );
    const target = { client: bench.db.client, name: bench.db.databaseName };
    for (const now of [Date.now(), Date.now() + 72 * HOUR]) {
      assert.equal((await compactWindows(target, now)).into, 1);
      assert.deepEqual(
        (await read()).map(({ features }) => [...features.values()]),
        [[expected]],
      );
    }
  });

  it('only while it has the profile, and serves without', async () => {
    await route('late');
    await until('the gateways to miss a profile', () => uncounted() === 2);
    await send('late', [makeRow()]);
    const content = profileOf(
      'late',
      artifact,
      Array.from({ length: 400 }, () => makeRow()),
      2,
    );
    const digest = profileDigest(content);
    const profiles = bench.db.collection<{ _id: string }>('profiles');
    // One that is not what its digest says is as good as none.
    const forged = { ...content, lacks: ['forged'] };
    await profiles.insertOne({
      _id: digest,
      model: 'late',
      artifact,
      madeAt: new Date(),
      content: forged,
    } as {
      _id: string;
    });
    await until('the damage to be seen', () =>
      gateways.every((one) => /is damaged/.test(one.health().profiles.error ?? '')),
    );
    await send('late', [makeRow()]);
    assert.equal(gateways[0]!.health().status, 'serving');
    const metrics = await (await fetch(`${gateways[0]!.url}/metrics`)).text();
    assert.match(metrics, /tenure_gateway_versions_without_profile 1\n/);
    await profiles.updateOne({ _id: digest }, { $set: { 'content.lacks': [] } });
    await until('the profile to be there', () => uncounted() === 0);
    assert.ok(gateways.every((one) => one.health().profiles.error === null));
    const row = makeRow();
    await send('late', [row]);
    await stored('late', 3);
    const features = (await cellsOf('late')).map((cell) => cell.features ?? null);
    assert.deepEqual(features.filter(Boolean), [counted(content, digest, [row])]);
  });

  it('also those of missing values, as missing', async () => {
    const content = profileOf(
      'missing',
      artifact,
      Array.from({ length: 600 }, () => makeRow()),
      9,
    );
    await store.put(content);
    const champion = { version: 'v1', digest: artifact };
    await bench.route('missing', { champion, scoreOutput: 'out_score', nullable: ['amount'] }, gateways);
    await until('both gateways to have the profile', () => uncounted() === 0);
    const rows = Array.from({ length: 8 }, (_, i) => ({ ...makeRow(), amount: i < 3 ? null : 0.5 }));
    const { status, body } = await post(gateways[0]!.url, 'missing', bodyOf(rows as never));
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.outputs?.find(({ name }) => name === 'out_amount')?.data.slice(0, 4), [
      null,
      null,
      null,
      0.5,
    ]);
    const refused = await post(gateways[0]!.url, 'missing', bodyOf([{ ...makeRow(), score: null } as never]));
    assert.deepEqual(
      [refused.status, /null is not a value of FP32/.test(JSON.stringify(refused.body))],
      [400, true],
    );
    await stored('missing', 1);
    // The refused one has a cell of its own, without features, when it was flushed apart.
    const cell = (await cellsOf('missing')).find(({ features }) => (features ?? null) !== null);
    const counts = cell?.features?.features[NAMES.indexOf('amount')];
    assert.deepEqual([counts?.missing, counts?.wrongType, cell?.features?.rows], [3, 0, 8]);
  });
});
