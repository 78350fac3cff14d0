import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { takeFile } from '../../../src/client/observed-file.js';
import { FeatureReader } from '../../../src/gateway/features.js';
import { openRows, quotedName } from '../../../src/platform/data-files/data-file.js';
import type { CountedCell } from '../../../src/platform/observations/label-window.js';
import { RowTaker } from '../../../src/platform/observations/take-rows.js';
import type { Tensor } from '../../../src/platform/onnx/tensors.js';
import type { StoredProfile } from '../../../src/platform/profiles/index.js';
import { categoricalProfile, numericProfile } from '../../../src/statistics/profile/build.js';
import { monitored } from '../../support/gateway.js';
import { versionProfile } from '../../support/profile.js';
import { createRandom } from '../../support/random.js';

const NOW = Date.UTC(2026, 10, 28, 12);
/** More than two chunks, and more than one. */
const ROWS = 5_000;
const COUNTED = 2_500;
const AWKWARD = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0,
  5e-324,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2 ** 128 - 2 ** 103,
  2 ** 128 - 2 ** 103 - 2 ** 76,
  1e39,
  1e-46,
  0.1,
  0.7,
] as const;
/** Around the 12 bytes that lie in a vector itself, with more bytes than characters, and too long to be kept. */
const TEXTS = ['', 'a', 'twelve bytes', 'thirteen byte', 'ünïcödé \u{1f600}', 'x'.repeat(300)];

const random = createRandom(16);
const oneOf = <T>(values: readonly T[]): T => values[random.below(values.length)] as T;
const numberNear = (bounds: readonly number[]): number => {
  const kind = random.uniform();
  if (kind < 0.1) return oneOf(AWKWARD);
  if (kind < 0.5) return oneOf(bounds) * oneOf([1, 1 + Number.EPSILON, 1 - Number.EPSILON, 1 + 2 ** -25]);
  return random.normal();
};

describe('Counts of a file', function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-file-counts-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Writes the rows of a query, and reads them back by the library. */
  async function written(
    path: string,
    query: string,
    options = 'FORMAT parquet',
  ): Promise<readonly (readonly DuckDBValue[])[]> {
    const database = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await database.connect();
    try {
      await connection.run(`COPY (${query}) TO '${path}' (${options})`);
      const reader = await connection.runAndReadAll(`SELECT * FROM '${path}'`);
      return reader.getColumns();
    } finally {
      connection.closeSync();
      database.closeSync();
    }
  }

  it('begin with the values that the library reads, of every type, with NULLs and without', async () => {
    const path = join(folder, 'types.parquet');
    const texts = `[${TEXTS.map((text) => `'${text}'`).join(', ')}]`;
    const columns = {
      plain: 'row * 0.1::DOUBLE',
      awkward: `[${AWKWARD.map((value) => `'${value}'::DOUBLE`).join(', ')}][1 + row % ${AWKWARD.length}]`,
      sparse: 'CASE WHEN row % 3 = 1 OR row > 4500 THEN NULL ELSE row / 7 END',
      flag: 'row % 5 = 0',
      doubt: 'CASE WHEN row % 64 = 63 THEN NULL ELSE row % 2 = 0 END',
      few: `${texts}[1 + row % ${TEXTS.length}]`,
      many: `${texts}[1 + row % ${TEXTS.length}] || (row * 7919 % 4987)`,
      some: `CASE WHEN row % 2 = 0 THEN ${texts}[1 + row % ${TEXTS.length}] END`,
      nothing: 'NULL::VARCHAR',
      whole: 'row::BIGINT',
      half: 'row::FLOAT',
      list: '[row::DOUBLE, 0.5]',
      at: "TIMESTAMP '2026-11-28 00:00:00' + INTERVAL (row) SECOND",
    };
    const select = Object.entries(columns).map(([name, sql]) => `${sql} AS ${quotedName(name)}`);
    const expected = await written(path, `SELECT ${select.join(', ')} FROM range(${ROWS}) made(row)`);
    const names = Object.keys(columns);
    const file = await openRows(path, { kinds: ['Parquet'], name: 'The file' });
    try {
      const read: DuckDBValue[][] = names.map(() => []);
      for await (const chunk of file.read(names.map(quotedName)))
        chunk.forEach((column, i) => read[i]?.push(...column));
      names.forEach((name, i) => assert.deepEqual(read[i], expected[i], name));
      assert.deepEqual([file.rows, read[0]?.length], [ROWS, ROWS]);
      // Who stops early can close the file at once.
      for await (const _ of file.read(['plain', 'many'])) break;
    } finally {
      file.close();
    }
  });

  it('are those of the gateway for the same rows in tensors, from Parquet and from CSV', async () => {
    const reference = Array.from({ length: 1_000 }, () => random.normal());
    const half = numericProfile('half', reference.map(Math.fround));
    const double = numericProfile('double', reference);
    const features = [
      half,
      double,
      numericProfile('whole', [-3, -1, 0, 2, 2, 2 ** 40]),
      categoricalProfile('flag', [true, false], 'boolean'),
      categoricalProfile('kind', ['a', 'twelve bytes', 'thirteen byte'], 'string'),
      categoricalProfile('code', [0, 1, 2], 'number'),
    ];
    const datatypes = ['FP32', 'FP64', 'INT64', 'BOOL', 'BYTES', 'INT64'] as const;
    const content = versionProfile('m', 'a'.repeat(64), {
      format: 1,
      rows: 1_000,
      features,
      score: null,
    });
    const profile: StoredProfile = {
      digest: 'p',
      madeAt: '',
      content: {
        ...content,
        score: null,
        sources: features.map(({ name }, i) => ({
          from: 'input',
          name,
          datatype: datatypes[i] ?? 'FP64',
          element: 0,
          width: 1,
        })),
      },
    };
    const rows = Array.from({ length: COUNTED }, () => ({
      half: numberNear([...half.cuts, half.range?.least ?? 0, half.range?.most ?? 0]),
      double: numberNear([...double.cuts, double.range?.least ?? 0, double.range?.most ?? 0]),
      whole: oneOf([-4, -3, -1, 0, 1, 2, 2 ** 40, 2 ** 40 + 1]),
      flag: oneOf([true, false]),
      kind: oneOf(['a', 'twelve bytes', 'thirteen byte', 'unseen', 'another that is unseen']),
      code: random.below(4),
    }));
    const tensor = (name: string, data: Tensor['data']): Tensor => ({
      name,
      datatype: datatypes[features.findIndex((feature) => feature.name === name)] ?? 'FP64',
      shape: [COUNTED, 1],
      data,
    });
    const gateway = new FeatureReader(profile);
    const counter = gateway.open();
    const inputs = [
      tensor(
        'half',
        Float32Array.from(rows, (row) => row.half),
      ),
      tensor(
        'double',
        Float64Array.from(rows, (row) => row.double),
      ),
      tensor(
        'whole',
        BigInt64Array.from(rows, (row) => BigInt(row.whole)),
      ),
      tensor(
        'flag',
        Uint8Array.from(rows, (row) => Number(row.flag)),
      ),
      tensor(
        'kind',
        rows.map((row) => row.kind),
      ),
      tensor(
        'code',
        BigInt64Array.from(rows, (row) => BigInt(row.code)),
      ),
    ];
    gateway.add(counter, inputs, []);
    const expected = counter.counts().features;
    // NaN is missing, and so is NULL: each stands for some.
    const sql = (value: number): string =>
      Number.isNaN(value) && random.uniform() < 0.5 ? 'NULL' : `'${Object.is(value, -0) ? '-0.0' : value}'`;
    const select = [
      `unnest([${rows.map((row) => sql(row.half)).join(', ')}]::DOUBLE[]) AS half`,
      `unnest([${rows.map((row) => sql(row.double)).join(', ')}]::DOUBLE[]) AS double`,
      `unnest([${rows.map((row) => row.whole).join(', ')}]::BIGINT[]) AS whole`,
      `unnest([${rows.map((row) => row.flag).join(', ')}]) AS flag`,
      `unnest([${rows.map((row) => `'${row.kind}'`).join(', ')}]) AS kind`,
      `unnest([${rows.map((row) => row.code).join(', ')}]::INTEGER[]) AS code`,
      '0.5 AS score',
      `make_timestamp_ms(${NOW - 1_000}) AS at`,
    ].join(', ');
    for (const [kind, options] of [
      ['Parquet', 'FORMAT parquet'],
      ['CSV', 'FORMAT csv, HEADER'],
    ] as const) {
      const path = join(folder, `rows.${kind}`);
      await written(path, `SELECT ${select}`, options);
      const taker = new RowTaker({
        head: {
          model: 'm',
          ref: { version: 'v1', digest: 'a'.repeat(64) },
          batch: 'b',
          content: 'b'.repeat(64),
        },
        profile,
        monitoring: monitored().monitoring!,
        now: NOW,
        mostStretches: 5,
      });
      const file = await openRows(path, { kinds: ['Parquet', 'CSV'], name: 'The file' });
      try {
        await takeFile(file, taker, new Set());
      } finally {
        file.close();
      }
      const [window, ...others] = taker.counted().windows;
      const [cell] = (window?.cells ?? []) as readonly CountedCell[];
      assert.equal(others.length, 0);
      assert.deepEqual(cell?.features?.features, expected, kind);
    }
  });
});
