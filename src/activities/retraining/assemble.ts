/** Assembles what is trained on and what is compared on, with DuckDB. */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { FailureType } from '../../contracts/failures.js';
import type { InputField, Manifest } from '../../contracts/manifest.js';
import type { RetrainingWork, StoredRows, TrainingSet } from '../../contracts/retraining.js';
import { refusal } from '../failures.js';
import { DataFileError, quotedName, quotedText, sourceOf } from '../../platform/data-files/data-file.js';
import type { RetrainingDeps } from './ports.js';
import { csvLine, isHeldOut, usable } from './rows.js';

const MOST_ROWS = 1_000_000;
/** Characters that are written at a time. */
const CHUNK = 65_536;

/** @param progress told now and then how many rows have been read; throws to end it */
export async function assemble(
  { artifacts, rows, mostRows = MOST_ROWS }: Pick<RetrainingDeps, 'artifacts' | 'rows' | 'mostRows'>,
  { manifest, since, comparedSince = since }: Parameters<RetrainingWork['assembleTrainingSet']>[0],
  progress: (rows: number) => void,
): Promise<TrainingSet> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-assemble-'));
  try {
    const recent = newTable(join(folder, 'recent.csv'), manifest);
    const held = newTable(join(folder, 'held.csv'), manifest);
    const compared = Date.parse(comparedSince);
    let [recentRows, unusableRows] = [0, 0];
    for await (const row of rows.read({ model: manifest.name, since: new Date(since), most: mostRows })) {
      recentRows += 1;
      if (recentRows % 1000 === 0) progress(recentRows);
      const cells = usable(manifest, row);
      if (cells === null) unusableRows += 1;
      else if (!isHeldOut(row.requestId)) await recent.add(csvLine(cells));
      // One from before the change is trained on no more than another that is held out.
      else if (row.at.getTime() >= compared) await held.add(csvLine(cells));
    }
    await recent.end();
    await held.end();
    const { dataDigest } = manifest.retraining ?? {};
    const reference = dataDigest === undefined ? null : await artifacts.pathOf(dataDigest);
    const made = await combine(manifest, folder, reference);
    progress(recentRows);
    const store = async (file: string, count: number): Promise<StoredRows | null> =>
      count === 0 ? null : { digest: (await artifacts.put({ file })).digest, rows: count };
    return {
      training: await store(made.training, made.trainingRows),
      comparison: await store(made.comparison, held.rows()),
      referenceRows: made.referenceRows,
      recentRows,
      unusableRows,
    };
  } catch (error) {
    throw error instanceof DataFileError ? refusal(FailureType.InvalidInput, error.message, error) : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Nothing is open between two chunks, and each is waited for: a disk that is full fails the call that writes, and leaves nothing to be
 * closed. An error of a stream comes when nobody waits for it, and ends the worker.
 */
function newTable(file: string, manifest: Manifest) {
  let [rows, unwritten] = [0, csvLine(columnsOf(manifest))];
  const write = async (): Promise<void> => {
    const chunk = unwritten;
    unwritten = '';
    await appendFile(file, chunk);
  };
  return {
    rows: () => rows,
    add: async (line: string): Promise<void> => {
      rows += 1;
      unwritten += line;
      if (unwritten.length >= CHUNK) await write();
    },
    end: write,
  };
}

const columnsOf = ({ schema, validation }: Manifest): readonly string[] => [
  ...schema.inputs.map(({ name }) => name),
  validation.target,
];

interface Combined {
  readonly training: string;
  readonly trainingRows: number;
  readonly referenceRows: number;
  readonly comparison: string;
}

/** `training.csv` from the reference data and the recent rows, and `comparison.parquet` from those that were held out. */
async function combine(manifest: Manifest, folder: string, reference: string | null): Promise<Combined> {
  const database = await DuckDBInstance.create(':memory:', {
    // One after the other: the same rows give the same bytes.
    threads: '1',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await database.connect();
  const run = async (sql: string): Promise<void> => {
    await connection.run(sql).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      throw new DataFileError(
        `The training set cannot be assembled: ${text.replaceAll(folder, '').replaceAll(/\s+/g, ' ').slice(0, 500)}`,
      );
    });
  };
  try {
    for (const table of ['recent', 'held'])
      await run(
        `CREATE TABLE ${table} AS SELECT ${typed(manifest)} FROM ${csvTable(join(folder, `${table}.csv`), manifest)}`,
      );
    await run(
      reference === null
        ? 'CREATE TABLE reference AS SELECT * FROM recent LIMIT 0'
        : `CREATE TABLE reference AS SELECT ${await referenceColumns(connection, manifest, reference)}`,
    );
    // What a manifest's query may reach: these tables, and nothing else of the machine.
    await run(`SET allowed_directories = [${quotedText(`${folder}/`)}]`);
    await run('SET enable_external_access = false');
    const columns = columnsOf(manifest).map(quotedName).join(', ');
    const query =
      manifest.retraining?.query ?? 'SELECT * FROM reference UNION ALL BY NAME SELECT * FROM recent';
    await run(`CREATE TABLE training AS SELECT ${columns} FROM (${query})`);
    const training = join(folder, 'training.csv');
    const comparison = join(folder, 'comparison.parquet');
    await run(
      `COPY (SELECT ${written(manifest)} FROM training) TO ${quotedText(training)} (FORMAT csv, HEADER true)`,
    );
    await run(`COPY held TO ${quotedText(comparison)} (FORMAT parquet)`);
    const counted = async (table: string): Promise<number> =>
      Number((await (await connection.run(`SELECT count(*) FROM ${table}`)).getRows())[0]?.[0] ?? 0);
    return {
      training,
      trainingRows: await counted('training'),
      referenceRows: await counted('reference'),
      comparison,
    };
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

const SQL_TYPE = {
  BOOL: 'BOOLEAN',
  INT64: 'BIGINT',
  FP32: 'DOUBLE',
  FP64: 'DOUBLE',
  BYTES: 'VARCHAR',
} as const;

const typeOf = ({ datatype, width }: InputField): string => `${SQL_TYPE[datatype]}${width > 1 ? '[]' : ''}`;

/** Everything as text first: nothing is guessed. */
const csvTable = (file: string, manifest: Manifest): string =>
  `read_csv(${quotedText(file)}, header = true, nullstr = '', allow_quoted_nulls = false, quote = '"', escape = '"', delim = ',', auto_detect = false, columns = {${columnsOf(
    manifest,
  )
    .map((name) => `${quotedText(name)}: 'VARCHAR'`)
    .join(', ')}})`;

const typed = ({ schema, task, validation }: Manifest): string =>
  [
    ...schema.inputs.map(
      (field) => `CAST(${quotedName(field.name)} AS ${typeOf(field)}) AS ${quotedName(field.name)}`,
    ),
    `CAST(${quotedName(validation.target)} AS ${task === 'regression' ? 'DOUBLE' : 'VARCHAR'}) AS ${quotedName(validation.target)}`,
  ].join(', ');

/** Of the reference data, which may be Parquet or CSV; columns that are not of the model are left out. */
async function referenceColumns(
  connection: DuckDBConnection,
  manifest: Manifest,
  file: string,
): Promise<string> {
  const { schema, task, validation } = manifest;
  const table = (await sourceOf(file, { kinds: ['Parquet', 'CSV'], name: 'retraining.data' })).table([]);
  const found = await (await connection.run(`DESCRIBE SELECT * FROM ${table}`)).getRows();
  const types = new Map(found.map((row) => [String(row[0]), String(row[1])]));
  const missing = columnsOf(manifest).filter((name) => !types.has(name));
  if (missing.length > 0)
    throw new DataFileError(
      `retraining.data has no column ${missing.join(', ')}; it has ${[...types.keys()].slice(0, 50).join(', ')}`,
    );
  const target = quotedName(validation.target);
  const type = types.get(validation.target) ?? '';
  // 1.0 and true are the class 1, as in a data set of the gates.
  const label =
    task === 'regression'
      ? `CAST(${target} AS DOUBLE)`
      : /^(FLOAT|DOUBLE|DECIMAL)/.test(type)
        ? `CASE WHEN ${target} = floor(${target}) THEN CAST(CAST(${target} AS BIGINT) AS VARCHAR) ELSE CAST(${target} AS VARCHAR) END`
        : type === 'BOOLEAN' && manifest.prediction.classes.map(String).join() === '0,1'
          ? `CAST(CAST(${target} AS INTEGER) AS VARCHAR)`
          : `CAST(${target} AS VARCHAR)`;
  const inputs = schema.inputs.map(
    (field) => `CAST(${quotedName(field.name)} AS ${typeOf(field)}) AS ${quotedName(field.name)}`,
  );
  return `${[...inputs, `${label} AS ${target}`].join(', ')} FROM ${table}`;
}

/** As docs/training.md has it: booleans as 0 and 1, lists as JSON. */
const written = ({ schema, validation }: Manifest): string =>
  [
    ...schema.inputs.map((field) => {
      const name = quotedName(field.name);
      const cast =
        field.datatype === 'BOOL' ? `CAST(${name} AS ${field.width > 1 ? 'INTEGER[]' : 'INTEGER'})` : name;
      return `${field.width > 1 ? `CAST(${cast} AS VARCHAR)` : cast} AS ${name}`;
    }),
    quotedName(validation.target),
  ].join(', ');
