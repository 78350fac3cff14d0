import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type DataFile, openRows } from '../../../src/platform/data-files/data-file.js';
import { countColumns, type FeatureColumn } from '../../../src/platform/profiles/file-counts.js';
import { categoricalProfile, numericProfile } from '../../../src/statistics/profile/build.js';
import { personalCategories } from '../../../src/statistics/profile/personal.js';
import type { FeatureCounts } from '../../../src/statistics/profile/types.js';
import { WindowCounter } from '../../../src/statistics/profile/window.js';
import { createRandom } from '../../support/random.js';

const ROWS = 1_000;
const AWKWARD = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0,
  5e-324,
  -5e-324,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2 ** 128 - 2 ** 103,
  2 ** 128 - 2 ** 103 - 2 ** 76,
  1e39,
  1e-46,
  0.1,
  0.7,
] as const;

const random = createRandom(16);
const draw = (): number => random.normal();
/** Reference values of one kind each: continuous, tied, lumped at zero, a constant, one of few, and huge. */
const REFERENCES = {
  continuous: draw,
  tied: () => Math.round(40 * draw()) / 10,
  lumped: () => (random.uniform() < 0.6 ? 0 : draw()),
  constant: () => 0.3,
  few: () => [-1, -0, 0.1, 7][random.below(4)] as number,
  huge: () => draw() * 1e300,
} as const;

type Value = string | number | boolean | null;
/** Values of the file's columns. */
type Columns = Readonly<Record<string, { readonly type: string; readonly values: readonly Value[] }>>;

describe('file counts', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-file-counts-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('are those of a window that has counted the same numbers, at and around every cut', async () => {
    for (const [kind, drawOne] of Object.entries(REFERENCES)) {
      const feature = numericProfile(kind, Float64Array.from({ length: ROWS }, drawOne));
      const { cuts, range } = feature;
      const bounds = [...cuts, range?.least ?? 0, range?.most ?? 0];
      const values = [
        ...bounds.flatMap((cut) => [cut, cut * (1 + Number.EPSILON), cut * (1 - Number.EPSILON)]),
        ...Array.from({ length: ROWS }, drawOne),
        ...AWKWARD,
      ];
      await assertSame({ x: { type: 'DOUBLE', values } }, [{ column: 'x', feature, datatype: 'FP64' }]);
    }
  });

  it('round as an FP32 tensor does, also where a value becomes infinite', async () => {
    for (const [kind, drawOne] of Object.entries(REFERENCES)) {
      if (kind === 'huge') continue;
      const rounded = Float64Array.from({ length: ROWS }, () => Math.fround(drawOne()));
      const feature = numericProfile(kind, rounded);
      const values = [
        ...feature.cuts.flatMap((cut) => [cut, cut * (1 + 2 ** -25), cut * (1 - 2 ** -26)]),
        ...Array.from({ length: ROWS }, drawOne),
        ...AWKWARD,
      ];
      await assertSame({ x: { type: 'DOUBLE', values } }, [{ column: 'x', feature, datatype: 'FP32' }]);
    }
  });

  it('know a feature that had no values, and a column of another type', async () => {
    const empty = numericProfile('empty', []);
    const feature = numericProfile('x', [1, 2, 3]);
    await assertSame(
      {
        e: { type: 'DOUBLE', values: AWKWARD },
        t: { type: 'VARCHAR', values: [...AWKWARD].map((value) => (value === null ? null : '1')) },
        b: { type: 'BOOLEAN', values: [...AWKWARD].map((value) => (value === null ? null : true)) },
        w: { type: 'BIGINT', values: AWKWARD.map((_, i) => (i === 3 ? null : 2 ** 53 + i)) },
      },
      [
        { column: 'e', feature: empty, datatype: 'FP64' },
        { column: 't', feature, datatype: 'FP64' },
        { column: 'b', feature, datatype: 'FP64' },
        { column: 'w', feature: numericProfile('w', [2 ** 53, 2 ** 53 + 2, 2 ** 53 + 10]), datatype: 'FP64' },
      ],
    );
  });

  it('are those of categories: listed, more of others than are named, of another type, of persons', async () => {
    const name = (i: number): string => `it's "${i}" \u{1f600}`;
    const texts = Array.from({ length: ROWS }, () => name(Math.floor(120 * random.uniform() ** 2)));
    const later = Array.from({ length: ROWS }, (_, i) =>
      i % 50 === 0 ? null : name(Math.floor(400 * random.uniform() ** 2)),
    );
    const feature = categoricalProfile('text', texts, 'string', 80);
    const numbers = categoricalProfile('number', [0, 1, 1, 0.1, 2 ** 53], 'number');
    const flags = categoricalProfile('flag', [true, true, false], 'boolean');
    const given = later.map((_, i) => AWKWARD[i % AWKWARD.length] ?? null);
    await assertSame(
      {
        text: { type: 'VARCHAR', values: later },
        number: { type: 'DOUBLE', values: given },
        flag: { type: 'BOOLEAN', values: later.map((_, i) => (i % 7 === 0 ? null : i % 3 === 0)) },
      },
      [
        { column: 'text', feature, datatype: 'BYTES' },
        { column: 'text', feature: personalCategories(feature), datatype: 'BYTES' },
        { column: 'number', feature: numbers, datatype: 'FP64' },
        { column: 'number', feature: numbers, datatype: 'FP32' },
        { column: 'flag', feature: flags, datatype: 'BYTES' },
        { column: 'flag', feature, datatype: 'BYTES' },
        { column: 'number', feature, datatype: 'BYTES' },
      ],
    );
  });

  it('take only the rows that are meant, and none of an empty file', async () => {
    const feature = numericProfile('x', [1, 2, 3]);
    const text = categoricalProfile('t', ['a', 'b'], 'string');
    await withFile(
      {
        x: { type: 'DOUBLE', values: [1, 2, 3, 9, null] },
        t: { type: 'VARCHAR', values: 'abaca'.split('') },
      },
      async (file) => {
        const columns: FeatureColumn[] = [
          { column: 'x', feature, datatype: 'FP64' },
          { column: 't', feature: text, datatype: 'BYTES' },
        ];
        assert.deepEqual(await countColumns(file, columns, 'x >= 2'), [
          { kind: 'numeric', counts: [0, 1, 1], below: 0, above: 1, missing: 0, wrongType: 0 },
          {
            kind: 'categorical',
            counts: [1, 1],
            unlisted: { names: [['c', 1]], rest: 0 },
            missing: 0,
            wrongType: 0,
          },
        ]);
        assert.deepEqual(await countColumns(file, columns, 'false'), window(columns, []));
        assert.deepEqual(await countColumns(file, []), []);
      },
    );
  });

  it('refuse a column that is not there, and one whose values must be read one by one', async () => {
    const feature = numericProfile('x', [1, 2, 3]);
    await withFile({ d: { type: 'DATE', values: ['2026-11-28'] } }, async (file) => {
      await assert.rejects(
        countColumns(file, [{ column: 'x', feature, datatype: 'FP64' }]),
        /Column x is not in the file; it has d/,
      );
      await assert.rejects(
        countColumns(file, [{ column: 'd', feature, datatype: 'FP64' }]),
        /Column d has type DATE: it can be counted as/,
      );
    });
  });

  async function withFile(columns: Columns, act: (file: DataFile) => Promise<void>): Promise<void> {
    const path = join(folder, 'rows.parquet');
    const database = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await database.connect();
    try {
      const list = Object.entries(columns).map(([name, { type }]) => `${name} ${type}`);
      await connection.run(`CREATE TABLE rows (${list.join(', ')})`);
      const all = Object.values(columns);
      for (let at = 0; at < (all[0]?.values.length ?? 0); at += 500) {
        const rows = (all[0]?.values ?? []).slice(at, at + 500).map((_, i) => {
          const row = all.map(({ type, values }) => sqlOf(values[at + i] ?? null, type));
          return `(${row.join(', ')})`;
        });
        await connection.run(`INSERT INTO rows VALUES ${rows.join(', ')}`);
      }
      await connection.run(`COPY rows TO '${path}' (FORMAT parquet)`);
    } finally {
      connection.closeSync();
      database.closeSync();
    }
    const file = await openRows(path, { kinds: ['Parquet'], name: 'The file' });
    try {
      await act(file);
    } finally {
      file.close();
    }
  }

  async function assertSame(given: Columns, columns: readonly FeatureColumn[]): Promise<void> {
    const all = columns.map(({ column }) => given[column]?.values ?? []);
    const rows = (all[0] ?? []).map((_, row) =>
      columns.map(({ datatype }, i) => {
        const value = all[i]?.[row];
        return datatype === 'FP32' && typeof value === 'number' ? Math.fround(value) : value;
      }),
    );
    await withFile(given, async (file) => {
      assert.deepEqual(await countColumns(file, columns), window(columns, rows));
    });
  }
});

function window(
  columns: readonly FeatureColumn[],
  rows: readonly (readonly unknown[])[],
): readonly FeatureCounts[] {
  const features = columns.map(({ feature }) => feature);
  const counter = new WindowCounter({ format: 1, rows: 0, features, score: null }, '');
  for (const row of rows) counter.add(row);
  return counter.counts().features;
}

function sqlOf(value: Value, type: string): string {
  if (value === null) return 'NULL';
  const text = Object.is(value, -0) ? '-0.0' : String(value);
  return `CAST('${text.replaceAll("'", "''")}' AS ${type})`;
}
