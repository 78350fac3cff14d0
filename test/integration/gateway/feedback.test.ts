import assert from 'node:assert/strict';
import type { VersionRef } from '../../../src/contracts/model.js';
import type { LabelAnswer } from '../../../src/contracts/observations.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { openMongo, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { labelsOf, predictionsOf, samplesOf } from '../../../src/platform/observations/collections.js';
import type { CountedCell } from '../../../src/platform/observations/label-window.js';
import { MongoLabelJoin } from '../../../src/platform/observations/labels.js';
import { MongoObserved } from '../../../src/platform/observations/observed.js';
import { MongoObservationStore } from '../../../src/platform/observations/store.js';
import { checkWindow } from '../../../src/statistics/profile/check.js';
import { mergeWindows } from '../../../src/statistics/profile/merge.js';
import type { WindowCounts } from '../../../src/statistics/profile/types.js';
import { GatewayBench, monitored, post, row, until } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { putProfile, smallProfile } from '../../support/profile.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const DAY = 86_400_000;

describe('Labels and samples', () => {
  const bench = new GatewayBench();
  const profile = smallProfile(['x0', 'x1', 'x2']);
  let gateways: readonly Gateway[];
  let v1: VersionRef;
  const digests = new Map<string, string>();

  before(async () => {
    await bench.open();
    const observations = bench.observations();
    gateways = await Promise.all([bench.start({ observations }), bench.start({ observations })]);
    v1 = await bench.version('v1', logisticModel([1, -1, 0.5]));
    for (const model of ['m', 'half', 'races', 'bare']) {
      const settings = model === 'half' ? { sampleShare: 0.5, personal: ['x'] } : {};
      await bench.route(model, { champion: v1, ...monitored(settings) }, gateways);
      if (model !== 'bare') digests.set(model, await putProfile(bench.db, model, v1, profile));
    }
    await bench.route('unwatched', { champion: v1 }, gateways);
  });
  after(() => bench.close());

  const ask = async (model: string, id: string, values: readonly number[], at = 0): Promise<number[]> => {
    const { body } = await post(gateways[at]!.url, model, {
      id,
      inputs: [{ name: 'x', shape: [values.length / 3, 3], datatype: 'FP32', data: values }],
    });
    return body.outputs?.[0]?.data as number[];
  };
  const send = async (
    model: string,
    labels: unknown,
    at = 0,
  ): Promise<[number, LabelAnswer & { readonly error?: string }]> => {
    const response = await fetch(`${gateways[at]!.url}/v2/models/${model}/feedback`, {
      method: 'POST',
      body: JSON.stringify({ labels }),
    });
    return [response.status, (await response.json()) as LabelAnswer];
  };
  /** All that windows hold of a model, as a monitor adds it up. */
  const features = async (model: string): Promise<WindowCounts | null> => {
    const cells = (await bench.windows(model)).flatMap((batch) => batch.cells as CountedCell[]);
    const counts = cells.flatMap((cell) => cell.features ?? []);
    return counts.reduce<WindowCounts | null>(
      (sum, one) => (sum === null ? one : mergeWindows(sum, one)),
      null,
    );
  };
  const labelled = (counts: WindowCounts | null): readonly number[] => {
    const sum = (bins: readonly number[]): number => bins.reduce((total, count) => total + count, 0);
    return [sum(counts?.score?.positives ?? []), sum(counts?.score?.negatives ?? [])];
  };

  it('joins labels to what was answered, counts them in the bin of their score, and keeps them with the sample', async () => {
    const scores = await ask('m', 'a', [1, 0, 0, 0, 1, 0]);
    const at = new Date(Date.now() - 60_000).toISOString();
    const labels = [
      { id: 'a', label: 1, at },
      { id: 'a', row: 1, label: false },
    ];
    assert.deepEqual(await send('m', labels), [200, { accepted: 2, counted: 2, repeated: 0, refused: [] }]);
    const counts = await features('m');
    assert.ok(counts !== null);
    checkWindow(profile, counts);
    assert.deepEqual([counts.profile, counts.rows, labelled(counts)], [digests.get('m'), 0, [1, 1]]);
    const { cuts } = profile.score!.calibration;
    const bin = (score: number): number => cuts.filter((cut) => cut <= score).length;
    assert.deepEqual(
      [counts.score?.positives[bin(scores[0]!)], counts.score?.negatives[bin(scores[1]!)]],
      [1, 1],
    );
    const samples = await samplesOf(bench.db).find({ model: 'm', requestId: 'a' }).sort({ row: 1 }).toArray();
    assert.deepEqual(
      samples.map(({ row: place, inputs, score, label, version }) => [
        place,
        inputs['x'],
        score,
        label,
        version,
      ]),
      [
        [0, [1, 0, 0], scores[0], 1, 'v1'],
        [1, [0, 1, 0], scores[1], 0, 'v1'],
      ],
    );
    assert.equal(samples[0]?.labelledAt?.toISOString(), at);
    assert.equal(samples[0].expiresAt.getTime() - samples[0].at.getTime(), 3_600_000);

    // The same again, and one that contradicts: nothing is counted twice, the first is kept.
    const again = await send('m', [...labels, { id: 'a', label: 0 }]);
    assert.deepEqual([again[1].accepted, again[1].repeated], [0, 2]);
    assert.deepEqual(again[1].refused[0]?.reason, 'contradicts');
    assert.match(again[1].refused[0].message, /^Row 0 of request a has label 1 already, which is kept/);
    assert.deepEqual(labelled(await features('m')), [1, 1]);
  });

  it('says of each label that it does not take why, and takes the others', async () => {
    await ask('m', 'b', [1, 1, 1]);
    await ask('m', 'twice', [1, 1, 1]);
    await ask('m', 'twice', [1, 1, 1]);
    await ask('m', 'differs', [1, 1, 1]);
    await ask('m', 'differs', [0, 1, 1]);
    await ask('m', 'late', [1, 1, 1]);
    await send('m', [{ id: 'nobody', label: 1 }]);
    const [status, { accepted, refused }] = await send('m', [
      { id: 'b', label: 1 },
      { id: 'nobody', label: 1 },
      { id: 'b', label: 2 },
      { id: 'b', label: null },
      { id: 'b', row: 1, label: 1 },
      { id: 'b', label: 1, at: new Date(Date.now() + 3_600_000).toISOString() },
      { id: 'differs', label: 1 },
      { id: 'twice', label: 1 },
    ]);
    assert.deepEqual([status, accepted], [200, 2]);
    assert.deepEqual(
      refused.map(({ index, reason }) => [index, reason]),
      [
        [1, 'unknown'],
        [2, 'no-such-class'],
        [3, 'no-such-class'],
        [4, 'no-such-row'],
        [5, 'future'],
        [6, 'ambiguous'],
      ],
    );
    assert.match(refused[1]?.message ?? '', /^2 is no label of this model: its classes are 0, 1/);
    await predictionsOf(bench.db).updateMany({}, { $set: { labelsUntil: new Date(Date.now() - 1) } });
    const [, late] = await send('m', [{ id: 'late', label: 1 }]);
    assert.deepEqual([late.accepted, late.refused[0]?.reason], [0, 'too-late']);
  });

  it('refuses a malformed batch whole, naming the field', async () => {
    const refusals: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /^labels: a list of at least one label/],
      [[], /^labels: a list of at least one label/],
      [[1], /^labels\[0\]: an object is needed/],
      [[{ id: 'b', label: 1 }, { label: 1 }], /^labels\[1\]\.id: nothing is no request id/],
      [[{ id: 'b', row: -1, label: 1 }], /^labels\[0\]\.row: -1 is no row/],
      [
        [{ id: 'b', label: 1, at: 'tomorrow' }],
        /^labels\[0\]\.at: "tomorrow" is no time; it is written like/,
      ],
      [Array.from({ length: 10_001 }, () => ({ id: 'b', label: 1 })), /^labels: 10001 are more than 10000/],
    ];
    for (const [labels, expected] of refusals) {
      const [status, { error }] = await send('m', labels);
      assert.equal(status, 400);
      assert.match(error ?? '', expected);
    }
    const [status, { error }] = await send('unwatched', [{ id: 'b', label: 1 }]);
    assert.equal(status, 409);
    assert.match(error ?? '', /^unwatched is not monitored/);
    assert.equal((await send('nothing', [{ id: 'b', label: 1 }]))[0], 404);
  });

  it('keeps labels of a version without a profile with their samples, and counts none', async () => {
    await ask('bare', 'c', [1, 1, 1]);
    const [, { accepted, counted }] = await send('bare', [{ id: 'c', label: 1 }]);
    assert.deepEqual([accepted, counted], [1, 0]);
    assert.equal((await samplesOf(bench.db).findOne({ model: 'bare' }))?.label, 1);
  });

  it('keeps the same share of requests on all gateways, without what is personal, and the scores of all', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `h${i}`);
    await Promise.all(ids.map((id, i) => ask('half', id, [1, 1, i], i % 2)));
    await Promise.all(ids.map((id, i) => ask('half', id, [1, 1, i], 1 - (i % 2))));
    // What another gateway has answered is there after its next flush at the latest.
    await Promise.all([send('half', [{ id: 'x', label: 1 }], 0), send('half', [{ id: 'x', label: 1 }], 1)]);
    const samples = await samplesOf(bench.db).find({ model: 'half' }).toArray();
    assert.ok(samples.length > 30 && samples.length < 70, `${samples.length} of 100 were sampled`);
    assert.deepEqual(samples[0]?.inputs, {});
    const [, { accepted }] = await send(
      'half',
      ids.map((id, i) => ({ id, label: i % 2 })),
      1,
    );
    assert.equal(accepted, 100);
    assert.equal(await samplesOf(bench.db).countDocuments({ model: 'half', label: null }), 0);
    assert.deepEqual(labelled(await features('half')), [50, 50]);
  });

  it('counts each label once, whoever brings it at the same time', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `r${i}`);
    for (const id of ids) await ask('races', id, [1, 1, 1]);
    await send('races', [{ id: 'x', label: 1 }]);
    const batches = [0, 10, 20, 30].map((start) =>
      ids.slice(start, start + 20).map((id) => ({ id, label: 1 })),
    );
    const answers = await Promise.all(batches.map((labels, i) => send('races', labels, i % 2)));
    assert.deepEqual(
      answers.map(([status]) => status),
      [200, 200, 200, 200],
    );
    const sum = (of: (answer: LabelAnswer) => number): number =>
      answers.reduce((total, [, answer]) => total + of(answer), 0);
    assert.deepEqual([sum(({ accepted }) => accepted), sum(({ repeated }) => repeated)], [50, 30]);
    assert.deepEqual(labelled(await features('races')), [50, 0]);
    assert.equal(await labelsOf(bench.db).countDocuments({ model: 'races' }), 50);
  });

  it('lets what it keeps go in time, labels last', async () => {
    const indexes = await Promise.all(
      [predictionsOf(bench.db), samplesOf(bench.db), labelsOf(bench.db)].map((collection) =>
        collection.indexes(),
      ),
    );
    for (const found of indexes)
      assert.equal(found.find(({ name }) => name === 'expires')?.expireAfterSeconds, 0);
    const prediction = await predictionsOf(bench.db).findOne({ model: 'races' });
    const label = await labelsOf(bench.db).findOne({ model: 'races' });
    assert.equal(prediction!.expiresAt.getTime() - prediction!.to.getTime(), 3_600_000 + DAY);
    assert.ok(label!.expiresAt.getTime() > prediction!.expiresAt.getTime());
  });

  it('serves on while MongoDB is away, counts what it loses, and brings the rest when it is back', async () => {
    const [name = '', port = ''] = new URL(bench.uri).host.split(':');
    const proxy = new TcpProxy(name, Number(port));
    await proxy.open();
    const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const away: TenureDatabase = openMongo(uri, bench.db.databaseName, { serverSelectionTimeoutMs: 300 });
    const { client, db } = away;
    const labels = new MongoLabelJoin(client, db, 'away');
    const gateway = await bench.start({
      observations: { store: new MongoObservationStore(db), labels, observed: new MongoObserved(client, db) },
      keepMs: 50,
    });
    await bench.route('m', { champion: v1, ...monitored() }, [gateway]);
    await proxy.cut();
    const answer = await post(gateway.url, 'm', { id: 'away', ...row(1, 2, 3) });
    assert.equal(answer.status, 200);
    await until('it to notice', async () => gateway.health().observations?.storing === false);
    const refused = await fetch(`${gateway.url}/v2/models/m/feedback`, {
      method: 'POST',
      body: JSON.stringify({ labels: [{ id: 'away', label: 1 }] }),
    });
    assert.equal(refused.status, 503);
    assert.ok(refused.headers.get('retry-after') !== null);
    await proxy.open();
    await until('it to be stored', async () => gateway.health().observations?.samples.stored === 1);
    assert.equal((await samplesOf(bench.db).findOne({ requestId: 'away' }))?.model, 'm');
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    assert.match(metrics, /tenure_gateway_kept_rows\{what="sample",outcome="stored"\} 1/);
    await gateway.stop();
    await away.close();
    await proxy.cut();
  });
});
