/**
 * Makes examples/employment/data/ from the Parquet files in the nannyml 0.13.1 wheel.
 *
 *   pip download --no-deps nannyml==0.13.1
 *   npx tsx scripts/prepare-employment-data.ts nannyml-0.13.1-py3-none-any.whl
 *
 * The same wheel gives the same rows in the same order. Needs the `unzip` command.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { categories, subgroupColumns } from '../examples/employment/columns.js';
import { dataFile, labelsFile, years } from '../examples/employment/data.js';

const run = promisify(execFile);
const wheelSha256 = 'cf5f4a33489834ae6773cb1baa33a0f98c0a3ee6ed9b43049478b25ce22fe869';
const inWheel = 'nannyml/datasets/data';

/**
 * Rows go by blocks of a hundred, so that most households, whose members stand side by side, are on one side
 * only. Every third block is for validation.
 */
const isValidation = '(id // 100) % 3 = 0';

/**
 * Replay order: a fixed shuffle (Knuth's multiplicative hash of the id). The census files of 2017 and 2018 keep
 * the residents of institutions together, at the end and at the start, which no live traffic would.
 */
const replayOrder = '(id::UBIGINT * 2654435761) % 4294967296';

const wheel = process.argv[2];
if (wheel === undefined) throw new Error('Name the wheel file: see the head of this script');
const digest = createHash('sha256')
  .update(await readFile(wheel))
  .digest('hex');
if (digest !== wheelSha256)
  throw new Error(`${wheel} has SHA-256 ${digest}, expected ${wheelSha256} (nannyml 0.13.1)`);

const folder = await mkdtemp(join(tmpdir(), 'employment-'));
try {
  await run('unzip', ['-q', '-j', wheel, `${inWheel}/employment_MA_*.pq`, '-d', folder]);
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  const source = (name: string): string => `read_parquet('${join(folder, name).replaceAll("'", "''")}')`;
  const codes = [...categories.map((column) => column.name), ...subgroupColumns]
    .map((name) => `${name}::UTINYINT AS ${name}`)
    .join(', ');
  await connection.run(`
    CREATE TABLE people AS
    SELECT id::UINTEGER AS id, year::USMALLINT AS year, AGEP::UTINYINT AS AGEP, ${codes}, employed::UTINYINT AS employed
    FROM (
      SELECT * EXCLUDE (prediction, predicted_probability) FROM ${source('employment_MA_reference.pq')}
      UNION ALL BY NAME
      SELECT a.* EXCLUDE (prediction, predicted_probability), t.employed
      FROM ${source('employment_MA_analysis.pq')} a JOIN ${source('employment_MA_analysis_target.pq')} t USING (id)
    )`);
  await mkdir(new URL('../examples/employment/data/', import.meta.url), { recursive: true });
  const write = async (path: string, query: string): Promise<void> => {
    const target = path.replaceAll("'", "''");
    await connection.run(
      `COPY (${query}) TO '${target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19, ROW_GROUP_SIZE 100000)`,
    );
    const count = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM read_parquet('${target}')`);
    const { size } = await stat(path);
    process.stdout.write(`${path}  ${JSON.stringify(count.getRowsJson()[0]?.[0])} rows  ${size} bytes\n`);
  };
  const reference = 'SELECT * EXCLUDE (year) FROM people WHERE year = 2015';
  await write(dataFile('train'), `${reference} AND NOT (${isValidation}) ORDER BY id`);
  await write(dataFile('validation'), `${reference} AND ${isValidation} ORDER BY id`);
  for (const year of years) {
    const rows = `FROM people WHERE year = ${year} ORDER BY ${replayOrder}, id`;
    await write(dataFile(year), `SELECT * EXCLUDE (year, employed) ${rows}`);
    await write(labelsFile(year), `SELECT id, employed ${rows}`);
  }
  connection.closeSync();
} finally {
  await rm(folder, { recursive: true, force: true });
}
