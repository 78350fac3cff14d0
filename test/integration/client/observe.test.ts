import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { VersionRef } from '../../../src/contracts/model.js';
import type { WindowCounts } from '../../../src/contracts/window-counts.js';
import type { CountedCell } from '../../../src/platform/observations/label-window.js';
import { labelsOf, observedOf, samplesOf } from '../../../src/platform/observations/collections.js';
import { identify } from '../../../src/platform/observations/identity.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { categoricalProfile } from '../../../src/statistics/profile/build.js';
import { mergeWindows } from '../../../src/statistics/profile/merge.js';
import { type Ran, tenureHere } from '../../support/command.js';
import { GatewayBench, monitored, post, row } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { putProfile, smallProfile } from '../../support/profile.js';

describe('Files of what happened elsewhere', () => {
  const bench = new GatewayBench();
  let v1: VersionRef;
  /** With texts that look like something else. */
  const texts = (() => {
    const { features, ...others } = smallProfile(['x', 'y'], 'c');
    const either = (name: string, ...values: readonly string[]) =>
      categoricalProfile(
        name,
        Array.from({ length: others.rows }, (_, i) => values[i % values.length]!),
        'string',
      );
    return { ...others, features: [...features, either('k', '01', '24'), either('t', 'true', 'false')] };
  })();

  before(async () => {
    await bench.open();
    const gateway = await bench.start({ observations: bench.observations() });
    v1 = await bench.register('m', 'v1', logisticModel([1, -1, 0.5]));
    await bench.route('m', { champion: v1, ...monitored() }, [gateway]);
    await bench.route('plain', { champion: v1 }, [gateway]);
    await putProfile(bench.db, 'm', v1, smallProfile(['x', 'y'], 'c'));
    await putProfile(bench.db, 'm', await bench.register('m', 'texts', logisticModel([1, 1, 1])), texts);
    for (const id of ['a', 'b', 'c']) await post(gateway.url, 'm', { id, ...row(1, 0, 0) });
    await gateway.stop();
  });
  after(() => bench.close());

  const tenure = (...args: readonly string[]): Promise<Ran> =>
    tenureHere(args, {
      MONGODB_URI: bench.uri,
      TENURE_DATABASE: bench.db.databaseName,
      TENURE_HOME: bench.folder,
    });
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(bench.folder, name);
    await writeFile(path, text);
    return path;
  };

  it('joins a file, says what it did not take and why, and takes it again without effect', async () => {
    const lines = [
      { id: 'a', label: true, at: '2026-11-28T12:00:00+02:00' },
      { id: 'b', label: false, at: '2026-11-28T10:00:00Z' },
      { id: 'gone', label: false, at: '2026-11-28T10:00:00Z' },
    ].map((line) => JSON.stringify(line));
    const path = await file('labels.jsonl', lines.join('\n'));
    const first = await tenure('labels', path, '--model', 'm');
    assert.equal(first.code, 1);
    assert.match(first.stdout, /^joined: 2 of 3 labels to requests of m, 2 counted in windows/);
    assert.match(first.stdout, /refused: 1 unknown\n {2}row 3: No request gone is known/);
    const sample = await samplesOf(bench.db).findOne({ requestId: 'a' });
    assert.deepEqual([sample?.label, sample?.labelledAt?.toISOString()], [1, '2026-11-28T10:00:00.000Z']);
    const again = await tenure('labels', path, '--model', 'm', '--json');
    const { accepted, repeated } = JSON.parse(again.stdout) as { accepted: number; repeated: number };
    assert.deepEqual([accepted, repeated], [0, 2]);
  });

  it('takes columns of other names, and refuses what it cannot read, by column and row', async () => {
    const path = await file('late.csv', 'request,paid\nc,1\n');
    const named = ['--model', 'm', '--id-column', 'request', '--label-column', 'paid'];
    const taken = await tenure('labels', path, ...named);
    // On a slow machine there is progress, and nothing else.
    assert.deepEqual([taken.code, taken.stderr.replace(/^1 of 1 labels\n/, '')], [0, '']);
    const refusals: readonly (readonly [readonly string[], number, RegExp])[] = [
      [
        [path, '--model', 'm'],
        2,
        /The file has no column id \(--id-column names another\); it has request, paid/,
      ],
      [[path, ...named, '--row-column', 'r'], 2, /Column r is not in the file; it has request, paid/],
      [[path, ...named, '--at-column', 'paid'], 2, /Column paid has type BIGINT: times are needed/],
      [[await file('empty.csv', ''), '--model', 'm'], 2, /is an empty file/],
      [[join(bench.folder, 'none.csv'), '--model', 'm'], 2, /none\.csv does not exist/],
      [
        [await file('times.csv', 'id,label,at\nc,1,soon\n'), '--model', 'm'],
        2,
        /Column at is no time in row 1 of the file/,
      ],
      [[path, '--model', 'nothing'], 1, /Model nothing has no routing table/],
      [[path, '--model', 'plain'], 1, /Model plain is not monitored/],
    ];
    for (const [args, code, message] of refusals) {
      const ran = await tenure('labels', ...args);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, message);
    }
  });

  const observe = (path: string, ...more: readonly string[]): Promise<Ran> =>
    tenure('observe', path, '--model', 'm', '--version', 'v1', ...more);
  const since = async (count: number): Promise<WindowCounts> => {
    const cells = (await bench.windows('m')).slice(count).flatMap((one) => one.cells as CountedCell[]);
    return cells.flatMap(({ features }) => features ?? []).reduce(mergeWindows);
  };

  it('gives the same windows from Parquet, CSV and JSON lines, each file once', async () => {
    const path = (ending: string): string => join(bench.folder, `rows.${ending}`);
    const database = await DuckDBInstance.create(':memory:');
    const connection = await database.connect();
    const rows = `SELECT (i % 7) / 2 - 1.5 AS x, CASE WHEN i % 5 > 0 THEN i % 3 END AS y,
      CASE i % 4 WHEN 0 THEN 'a' WHEN 1 THEN 'new' ELSE 'b' END AS c, i / 5000 AS score,
      CASE WHEN i % 4 = 0 THEN '01' ELSE '24' END AS k, CAST(i % 5 = 0 AS VARCHAR) AS t,
      CASE WHEN i % 2 = 0 THEN i % 4 = 0 END AS label, TIMESTAMP '2026-11-01' + INTERVAL (i) SECOND AS at
      FROM range(5000) t(i)`;
    await connection.run(`COPY (${rows}) TO '${path('parquet')}'`);
    await connection.run(`COPY (${rows}) TO '${path('csv')}'`);
    await connection.run(`COPY (${rows}) TO '${path('jsonl')}' (FORMAT json)`);
    connection.closeSync();
    database.closeSync();
    const seen: WindowCounts[] = [];
    for (const ending of ['parquet', 'csv', 'jsonl']) {
      const { length } = await bench.windows('m');
      const ran = await observe(path(ending), '--version', 'texts');
      assert.match(ran.stdout, /^observed: 5,000 rows of m texts, 2,500 labels, in 2 windows;/, ran.stderr);
      seen.push(await since(length));
    }
    const [parquet] = seen;
    assert.deepEqual([parquet!.rows, parquet!.features[1]?.missing], [5_000, 1_000]);
    assert.deepEqual(
      parquet!.features[2]?.kind === 'categorical' ? parquet!.features[2].unlisted.names : [],
      [['new', 1_250]],
    );
    assert.deepEqual(
      parquet!.features.slice(3).map(({ counts, wrongType }) => [new Set(counts), wrongType]),
      [
        [new Set([1_250, 3_750]), 0],
        [new Set([1_000, 4_000]), 0],
      ],
    );
    assert.deepEqual(seen, [parquet, parquet, parquet]);
    const before = await bench.windows('m');
    const again = await observe(path('csv'), '--version', 'texts');
    assert.deepEqual([again.code, again.stdout.split(':')[0]], [0, 'nothing to do']);
    assert.deepEqual(await bench.windows('m'), before);
  });

  it('reads texts of CSV that look like numbers or truth as texts; numbers of JSON lines stay a wrong type', async () => {
    const counted = async (path: string, ...more: readonly string[]) => {
      const { length } = await bench.windows('m');
      const ran = await observe(path, '--version', 'texts', ...more);
      assert.equal(ran.code, 0, ran.stderr);
      const [, , c, k, t] = (await since(length)).features;
      return [c, k, t].map((one) => [
        one?.kind === 'categorical' ? [...one.counts, ...one.unlisted.names] : [],
        one?.wrongType,
      ]);
    };
    const csv = ['1,1,2.50,01,true,0.5', '1,1,007,24,false,0.5', '1,1,a,01,TRUE,0.5'].map(
      (line) => `${line},2026-11-01T10:00:00Z\n`,
    );
    const inBins = (kept: readonly unknown[], ...unlisted: readonly unknown[]) => [[...kept, ...unlisted], 0];
    assert.deepEqual(
      await counted(
        await file('texts.csv', `x,y,amount,k,t,score,at\n${csv.join('')}`),
        '--column',
        'c=amount',
      ),
      [inBins([0, 1], ['007', 1], ['2.50', 1]), inBins([2, 1]), inBins([1, 1], ['TRUE', 1])],
    );
    const line = { x: 1, y: 1, c: 'a', k: 24, t: true, score: 0.5, at: '2026-11-01T10:00:00Z' };
    assert.deepEqual(await counted(await file('texts.jsonl', JSON.stringify(line))), [
      [[0, 1], 0],
      [[0, 0], 1],
      [[0, 0], 1],
    ]);
  });

  it('takes other names of columns, and numbers of a CSV column that has a text in it', async () => {
    const { length } = await bench.windows('m');
    const path = await file(
      'names.csv',
      'amount,y,c,p,when,note\n1.5,1,a,0.5,2026-11-28 10:00:00,\nmany,2,b,0.25,2026-11-28 10:30:00,x\n',
    );
    const named = ['--column', 'x=amount', '--score-column', 'p', '--at-column', 'when'];
    assert.match((await observe(path, ...named)).stderr, /has no input note: leave them out of the file/);
    const ran = await observe(path, ...named, '--ignore-others', '--batch', 'names', '--json');
    const { batch, rows, windows } = JSON.parse(ran.stdout) as Record<string, unknown>;
    assert.deepEqual([batch, rows, windows], ['names', 2, 1]);
    const [x] = (await since(length)).features;
    assert.deepEqual([x?.wrongType, x?.counts.reduce((sum, count) => sum + count, 0)], [1, 1]);
  });

  it('goes on with a file that has died among its labels, and knows each of them', async () => {
    const line = (i: number, label: number | string): string =>
      `1,1,a,0.5,2026-11-28T10:00:00Z,d${i},${label}\n`;
    const head = 'x,y,c,score,at,id,label\n';
    const rows = Array.from({ length: 20_001 }, (_, i) => line(i, i % 2));
    const path = await file('many.csv', head + rows.join(''));
    const { length } = await bench.windows('m');
    const ran = await observe(path, '--batch', 'many');
    assert.match(ran.stdout, /^observed: 20,001 rows of m v1, 20,001 labels, in 1 windows/, ran.stderr);
    const before = await since(length);
    // As a process leaves it that dies after the first transaction: half of the labels, and no window.
    const [_id] = (await observedOf(bench.db).find({}).toArray()).flatMap((one) =>
      one._id.endsWith('/many') ? one._id : [],
    );
    await observedOf(bench.db).updateOne({ _id: _id! }, { $set: { written: 0 } });
    const [{ boot } = { boot: '' }] = (await bench.windows('m')).slice(length);
    assert.equal((await windowsOf(bench.db).deleteMany({ model: 'm', boot })).deletedCount, 1);
    const last = rows.slice(10_000).map((_, i) => `${identify('m', `d${10_000 + i}`).identity}/0`);
    const { deletedCount } = await labelsOf(bench.db).deleteMany({ _id: { $in: last } });
    assert.equal(deletedCount, 10_001);
    const again = await observe(path, '--batch', 'many');
    assert.match(again.stdout, /^observed: 20,001 rows/, again.stderr);
    assert.deepEqual(await since(length), before);
    const joined = await tenure('labels', path, '--model', 'm', '--json');
    assert.deepEqual(
      [joined.code, (JSON.parse(joined.stdout) as { repeated: number }).repeated],
      [0, 20_001],
    );
    // One label in another file is another one: nothing of that is taken.
    const other = await file('other.csv', head + line(-1, 1) + line(20_000, 1));
    const refused = await observe(other);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /Row 0 of request d20000 has label 0 already, which is kept: 1 contradicts it/,
    );
    assert.equal((await observe(await file('other.csv', head + line(-1, 1) + line(20_000, 0)))).code, 0);
  });

  it('refuses a whole file, and says where and why', async () => {
    const before = await bench.windows('m');
    const head = 'x,y,c,score,at,id,label\n';
    const good = '1,1,a,0.5,2026-11-28T10:00:00Z,r1,1\n';
    const refusals: readonly (readonly [string, readonly string[], number, RegExp])[] = [
      ['x,score,at\n1,0.5,2026-11-28T10:00:00Z\n', [], 2, /lacks 2 of 3 input columns: y, c \(--column/],
      [
        head + good + good.replace('0.5', 'nan').replace('r1', 'r2'),
        [],
        2,
        /row 2 of the file: score is NaN/,
      ],
      [
        head + good.replace('2026', '2036'),
        [],
        2,
        /row 1 of the file: time 2036-\S+ is more than five minutes/,
      ],
      [head + good + good.replace(/1\n$/, '0\n'), [], 2, /row 2 of the file: id "r1" was that of row 0/],
      [head + good.replace(/1\n$/, '7\n'), [], 2, /7 is no label of this model: its classes are 0, 1/],
      [head, [], 2, /The file has no rows/],
      [head + good, ['--column', 'z=x'], 2, /profile has no input z; it has x, y, c/],
      [head + good, ['--column', 'z'], 2, /It must be like INPUT=COLUMN/],
      [head + good, ['--version', 'v9'], 1, /Model m has no version v9; it has v1, texts/],
      [head + good, ['--batch', 'names'], 1, /Batch names of m v1 was sent before with other content/],
    ];
    for (const [text, more, code, message] of refusals) {
      const ran = await observe(await file('bad.csv', text), ...more);
      assert.match(ran.stderr, message);
      assert.equal(ran.code, code);
    }
    // The fifth of June or the sixth of May: nobody guesses.
    const guess = await file(
      'guess.jsonl',
      '{"x":1,"y":1,"c":"a","score":0.5,"at":"2026-05-06 10:00:00"}\n{"x":1,"y":1,"c":"a","score":0.5,"at":"05-06-2026 10:00:00"}\n',
    );
    assert.match(
      (await observe(guess)).stderr,
      /Column at is no time in row 2 of the file: .* not written like/,
    );
    assert.deepEqual(await bench.windows('m'), before);
  });
});
