import assert from 'node:assert/strict';
import type { VersionRef } from '../../../src/contracts/model.js';
import type { LabelAnswer, ObservedAnswer } from '../../../src/contracts/observations.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { observedOf, samplesOf } from '../../../src/platform/observations/collections.js';
import type { CountedCell } from '../../../src/platform/observations/label-window.js';
import { compactWindows } from '../../../src/platform/windows/compaction.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { mergeWindows } from '../../../src/statistics/profile/merge.js';
import { GatewayBench, monitored } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { putProfile, smallProfile } from '../../support/profile.js';

const HOUR = 3_600_000;

describe('A model that is served elsewhere', () => {
  const bench = new GatewayBench();
  let gateway: Gateway;
  let v1: VersionRef;

  before(async () => {
    await bench.open();
    gateway = await bench.start({ observations: bench.observations() });
    v1 = await bench.register('m', 'v1', logisticModel([1, -1, 0.5]));
    await bench.register('m', 'v0', logisticModel([1, 1, 1]));
    await bench.route('m', { champion: v1, ...monitored() }, [gateway]);
    await bench.route('plain', { champion: v1 }, [gateway]);
    for (const [version, weight] of [
      ['v1', 1],
      ['v2', 2],
    ] as const) {
      const ref = await bench.register('n', version, logisticModel([weight, 2, 2]));
      await putProfile(bench.db, 'n', ref, smallProfile(['x', 'y'], 'c'));
      if (version === 'v1') await bench.route('n', { champion: ref, ...monitored() }, [gateway]);
    }
    await putProfile(bench.db, 'm', v1, smallProfile(['x', 'y'], 'c'));
  });
  after(() => bench.close());

  const send = async <T = ObservedAnswer>(
    path: string,
    body: unknown,
  ): Promise<[number, T & { readonly error?: string }]> => {
    const response = await fetch(`${gateway.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return [response.status, (await response.json()) as T & { readonly error?: string }];
  };
  const at = (hoursAgo: number): string => new Date(Date.now() - hoursAgo * HOUR).toISOString();
  const row = (changes: object = {}): object => ({
    inputs: { x: 0.5, y: -0.5, c: 'a' },
    score: 0.25,
    at: at(0),
    ...changes,
  });
  const batchOf = (batch: string, rows: readonly object[]): object => ({
    model: 'm',
    version: 'v1',
    batch,
    rows,
  });
  const sums = async (model = 'm'): Promise<readonly number[]> => {
    const cells = (await bench.windows(model)).flatMap((one) => one.cells as CountedCell[]);
    const total = cells
      .flatMap(({ version, features }) => (version === 'v1' ? (features ?? []) : []))
      .reduce(mergeWindows);
    const sum = (bins: readonly number[] = []): number => bins.reduce((all, count) => all + count, 0);
    return [total.rows, sum(total.score?.positives), sum(total.score?.negatives)];
  };

  it('has its rows counted by the hour, each batch once, whoever sends it how often', async () => {
    const rows = [
      row({ id: 'e1' }),
      row({ id: 'e2', at: at(3), label: 1 }),
      row({ id: 'e3', at: at(3), inputs: { x: null, y: 'text', c: 'unseen' } }),
    ];
    const answers = await Promise.all([1, 2, 3].map(() => send('/observations', batchOf('b1', rows))));
    assert.deepEqual(
      answers.map(([status, { rows: taken, labels, windows, samples }]) => [
        status,
        taken,
        labels,
        windows,
        samples,
      ]),
      Array.from({ length: 3 }, () => [200, 3, 1, 2, 3]),
    );
    assert.equal(answers.filter(([, { repeated }]) => !repeated).length, 1);
    assert.deepEqual(await sums(), [3, 1, 0]);
    const windows = await bench.windows('m');
    assert.equal(windows.length, 2);
    const [cell] = windows.find(({ from }) => from < Date.now() - HOUR)!.cells as readonly CountedCell[];
    const [, y, c] = cell!.features!.features;
    assert.equal(y?.wrongType, 1);
    assert.deepEqual(c?.kind === 'categorical' ? c.unlisted.names : [], [['unseen', 1]]);

    // After its windows have been merged beyond recognition it is still known.
    const { client, db } = bench.database;
    await windowsOf(db).updateMany({}, [{ $set: { insertedAt: { $toDate: '$from' } } }]);
    await compactWindows({ client, name: db.databaseName }, Date.now() + 60 * 24 * HOUR);
    assert.equal((await send('/observations', batchOf('b1', rows)))[1].repeated, true);
    assert.deepEqual(await sums(), [3, 1, 0]);
    const [status, { error }] = await send('/observations', batchOf('b1', [row()]));
    assert.equal(status, 409);
    assert.match(error ?? '', /^Batch b1 of m v1 was sent before with other content/);
  });

  it('has many batches stored at once, a refused one and a repeat among them, each as if it came alone', async () => {
    const before = await sums();
    const names = ['g1', 'g2', 'g3', 'g4', 'g5', 'g1', 'g6'];
    const rows = [row(), row({ label: 1 })];
    const batches = names.map((name) => batchOf(name, rows));
    const other = batchOf('g2', [row({ score: 0.5 })]);
    const answers = await Promise.all([...batches, other].map((body) => send('/observations', body)));
    const statuses = answers.map(([status]) => status);
    // Of two contents under one id the first to be stored wins, whichever that is.
    assert.deepEqual(new Set([statuses[1], statuses[7]]), new Set([200, 409]));
    assert.deepEqual([...new Set(statuses.filter((_status, i) => i !== 1 && i !== 7))], [200]);
    assert.deepEqual(new Set([answers[0]?.[1].repeated, answers[5]?.[1].repeated]), new Set([false, true]));
    const [taken, positives] = statuses[1] === 200 ? [12, 6] : [11, 5];
    const after = await sums();
    assert.deepEqual(
      after.map((count, i) => count - before[i]!),
      [taken, positives, 0],
    );
  });

  it('has its labels joined later, by the ids of its rows, once', async () => {
    const before = await sums().catch(() => [0, 0, 0]);
    const rows = [row({ id: 'l1' }), row({ id: 'l2', label: 0 })];
    await send('/observations', batchOf('labels', rows));
    const labels = [
      { id: 'l1', label: 1 },
      { id: 'l2', label: 0 },
    ];
    const [, { accepted, counted, repeated, refused }] = await send<LabelAnswer>('/v2/models/m/feedback', {
      labels,
    });
    // What came with its row is counted already.
    assert.deepEqual([accepted, counted, repeated, refused], [1, 1, 1, []]);
    const after = await sums();
    assert.deepEqual(
      after.map((count, i) => count - before[i]!),
      [2, 1, 1],
    );
    assert.equal((await samplesOf(bench.db).findOne({ requestId: 'l1' }))?.label, 1);
  });

  const sendTo = (version: string, batch: string, rows: readonly object[]) =>
    send('/observations', { model: 'n', version, batch, rows });
  const feed = async (...labels: readonly object[]) => {
    const [, { accepted, counted, repeated, refused }] = await send<LabelAnswer>('/v2/models/n/feedback', {
      labels,
    });
    return [accepted, counted, repeated, refused.map(({ reason }) => reason)];
  };

  it('has samples of each version of one batch, once, and labels find them as they find older ones', async () => {
    const rows = [row(), row({ id: 's1' })];
    for (const version of ['v1', 'v2', 'v1', 'v2']) {
      const [status, { samples }] = await sendTo(version, 'both', rows);
      assert.deepEqual([status, samples], [200, 2]);
    }
    const kept = await samplesOf(bench.db).find({ model: 'n' }).sort({ version: 1, requestId: 1 }).toArray();
    assert.deepEqual(
      kept.map(({ version, requestId }) => [version, requestId]),
      ['v1', 'v2'].flatMap((version) => [
        [version, 'both#0'],
        [version, 's1'],
      ]),
    );
    // As they were stored when the version was no part of the id.
    const { _id, ...content } = kept[0]!;
    await samplesOf(bench.db).insertOne({ ...content, _id: 'n/s2/0', requestId: 's2' });
    await sendTo('v1', 'alone', [row({ id: 's2' })]);
    assert.deepEqual(await feed({ id: 's2', label: 1 }), [1, 1, 0, []]);
    const labelled = await samplesOf(bench.db).find({ model: 'n', label: 1 }).toArray();
    assert.deepEqual(labelled.map((one) => one._id).sort(), [_id.replace('both#0', 's2'), 'n/s2/0'].sort());
  });

  it('has labels that came with rows answered as all others are: known again, or refused where they contradict', async () => {
    const labelled = row({ id: 'f1', label: 1 });
    await sendTo('v1', 'first', [labelled]);
    const [windows, before] = [await bench.windows('n'), await sums('n')];
    for (const _time of [1, 2]) {
      assert.deepEqual(await feed({ id: 'f1', label: 1 }), [0, 0, 1, []]);
      assert.deepEqual(await feed({ id: 'f1', label: 0 }), [0, 0, 0, ['contradicts']]);
      const [status, { error }] = await sendTo('v1', 'second', [
        row({ id: 'f2', label: 0 }),
        row({ id: 'f1', label: 0 }),
      ]);
      assert.equal(status, 409);
      assert.match(error ?? '', /^Row 0 of request f1 has label 1 already, which is kept: 0 contradicts it/);
    }
    assert.deepEqual(await bench.windows('n'), windows);
    assert.equal(await samplesOf(bench.db).countDocuments({ requestId: 'f2' }), 0);
    assert.deepEqual(await feed({ id: 'f2', label: 1 }), [0, 0, 0, ['unknown']]);
    // Nothing of it is known, so that its id can be had by what is right.
    assert.equal((await sendTo('v1', 'second', [row({ id: 'f2', label: 0 }), labelled]))[0], 200);
    assert.deepEqual(
      (await sums('n')).map((count, i) => count - before[i]!),
      [2, 1, 1],
    );
    // With a row that was sent without it before, it gets to what is kept of that.
    await sendTo('v1', 'without', [row({ id: 'f4' })]);
    await sendTo('v1', 'with', [row({ id: 'f4', label: 1 })]);
    assert.equal((await samplesOf(bench.db).findOne({ requestId: 'f4' }))?.label, 1);
    // A label that was joined by feedback is no other.
    await sendTo('v1', 'third', [row({ id: 'f3' })]);
    assert.deepEqual(await feed({ id: 'f3', label: 0 }), [1, 1, 0, []]);
    assert.equal((await sendTo('v1', 'fourth', [row({ id: 'f3', label: 1 })]))[0], 409);
  });

  it('has one of two batches that contradict each other at the same time taken, whichever', async () => {
    for (const turn of [1, 2, 3]) {
      const before = await sums('n');
      const answers = await Promise.all(
        [0, 1].map((label) => sendTo('v1', `turn${turn}/${label}`, [row({ id: `turn${turn}`, label })])),
      );
      assert.deepEqual(new Set(answers.map(([status]) => status)), new Set([200, 409]));
      const after = await sums('n');
      assert.equal(after[0]! - before[0]!, 1);
      // Whose label that is, everybody is told.
      const taken = answers[0]![0] === 200 ? 0 : 1;
      assert.deepEqual(await feed({ id: `turn${turn}`, label: taken }), [0, 0, 1, []]);
      assert.equal((await samplesOf(bench.db).findOne({ requestId: `turn${turn}` }))?.label, taken);
    }
  });

  it('has a label that came with the row of one version joined to that of another, once', async () => {
    await sendTo('v1', 'waits', [row({ id: 'w1' })]);
    await sendTo('v2', 'knows', [row({ id: 'w1', label: 1 })]);
    const before = await sums('n');
    assert.deepEqual(await feed({ id: 'w1', label: 0 }), [0, 0, 0, ['contradicts']]);
    assert.deepEqual(await feed({ id: 'w1', label: 1 }), [1, 1, 0, []]);
    assert.deepEqual(await feed({ id: 'w1', label: 1 }), [0, 0, 1, []]);
    assert.deepEqual(
      (await sums('n')).map((count, i) => count - before[i]!),
      [0, 1, 0],
    );
  });

  it('goes on where an attempt has died, by what that had counted with', async () => {
    const rows = [0, 1, 2, 3].map((hours) => row({ at: at(hours) }));
    await send('/observations', batchOf('dies', rows));
    const before = await sums();
    const [_id] = (await observedOf(bench.db).find({}).toArray()).flatMap((one) =>
      one._id.endsWith('/dies') ? one._id : [],
    );
    // As a process leaves it that dies after two of four windows: the others were not stored.
    const stored = await windowsOf(bench.db)
      .find({ gateway: 'observed', sequence: { $gte: 3 } })
      .toArray();
    assert.equal(stored.length, 2);
    await windowsOf(bench.db).deleteMany({ _id: { $in: stored.map((one) => one._id) } });
    await observedOf(bench.db).updateOne({ _id: _id! }, { $set: { written: 2 } });
    await putProfile(bench.db, 'm', v1, smallProfile(['x', 'y']));
    const [status, answer] = await send('/observations', batchOf('dies', rows));
    assert.deepEqual([status, answer.repeated], [200, false]);
    assert.deepEqual(await sums(), before);
    await putProfile(bench.db, 'm', v1, smallProfile(['x', 'y'], 'c'));
  });

  it('is told what is wrong with a batch, and nothing of it is kept', async () => {
    const before = await bench.windows('m');
    const refusals: readonly (readonly [unknown, number, RegExp])[] = [
      [[], 400, /^body: an object is needed/],
      [{ version: 'v1', batch: 'b', rows: [row()] }, 400, /^model: nothing must be a text/],
      [{ ...batchOf('b', [row()]), model: 'nothing' }, 404, /There is no model nothing/],
      [{ ...batchOf('b', [row()]), model: 'plain' }, 409, /^plain is not monitored/],
      [{ ...batchOf('b', [row()]), version: 'v9' }, 404, /^Model m has no version v9; it has v1, v0/],
      [{ ...batchOf('b', [row()]), version: 'v0' }, 404, /^Version v0 of m has no reference profile/],
      [batchOf('b', []), 400, /^rows: a list of at least one row/],
      [batchOf('b', [row({ at: 'soon' })]), 400, /^rows\[0\]\.at: "soon" is no time/],
      [batchOf('b', [row({ at: at(-2) })]), 400, /more than five minutes ahead/],
      [batchOf('b', [row(), row({ score: null })]), 400, /^rows\[1\]: score is null; a number from 0 to 1/],
      [batchOf('b', [row({ inputs: { x: 1 } })]), 400, /^rows: no row has y, c, 2 of 3 inputs/],
      [
        batchOf('b', [row({ inputs: { x: 1, y: 1, c: 'a', z: 1 } })]),
        400,
        /profile of v1 has no "z"; it has x, y, c/,
      ],
      [
        batchOf('b', [row({ id: 'i', label: 0 }), row({ id: 'i', label: 1 })]),
        400,
        /id "i" was that of row 0/,
      ],
    ];
    for (const [body, status, message] of refusals) {
      const [found, { error }] = await send('/observations', body);
      assert.equal(found, status, error);
      assert.match(error ?? '', message);
    }
    assert.deepEqual(await bench.windows('m'), before);
    assert.equal(await observedOf(bench.db).countDocuments({ _id: /\/b$/ }), 0);
  });
});
