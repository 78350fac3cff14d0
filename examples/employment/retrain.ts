/**
 * Trains an employment model for a retraining, by the contract in docs/training.md: the network of v2 on the rows that Tenure has
 * put together. `npx tsx examples/employment/retrain.ts` with TENURE_TRAINING_REQUEST set runs it by hand.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { inputNames } from './columns.js';
import type { Table } from './data.js';
import { exportOnnx } from './training/export.js';
import { train } from './training/network.js';
import { recipes } from './training/versions.js';

interface TrainingRequest {
  readonly run: string;
  readonly target: string;
  readonly data: { readonly file: string; readonly rows: number };
  readonly output: { readonly model: string; readonly metrics: string };
}

/** These data give no model: nobody need try again. */
const UNUSABLE = 65;
const LEAST_ROWS = 1_000;

const tell = (progress: number, message: string): void => {
  process.stdout.write(`${JSON.stringify({ progress, message })}\n`);
};

/** Rows without a gap; the others are left out. */
async function readTrainingRows({ data, target }: TrainingRequest): Promise<Table> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const names = [...inputNames, target];
    const columns = names.map((name) => `TRY_CAST("${name}" AS DOUBLE)::INTEGER AS "${name}"`).join(', ');
    const reader = await connection.runAndReadAll(
      `SELECT * FROM (SELECT ${columns} FROM read_csv($file, header = true)) WHERE COLUMNS(*) IS NOT NULL`,
      { file: data.file },
    );
    const all = reader.getColumnsJS();
    const column = (name: string): Int32Array => Int32Array.from(all[names.indexOf(name)] as number[]);
    const rows = reader.currentRowCount;
    return {
      rows,
      ids: Int32Array.from({ length: rows }, (_, row) => row),
      columns: new Map(inputNames.map((name) => [name, column(name)])),
      labels: column(target),
    };
  } finally {
    connection.closeSync();
  }
}

async function main(): Promise<number> {
  const path = process.env['TENURE_TRAINING_REQUEST'];
  if (path === undefined) {
    process.stderr.write(
      'TENURE_TRAINING_REQUEST is not set: it is the path of the request, see docs/training.md\n',
    );
    return 2;
  }
  const request = JSON.parse(await readFile(path, 'utf8')) as TrainingRequest;
  tell(0, `reading ${request.data.rows} rows`);
  const table = await readTrainingRows(request);
  const positives = table.labels.reduce((sum, label) => sum + label, 0);
  if (table.rows < LEAST_ROWS || positives === 0 || positives === table.rows) {
    process.stderr.write(
      `${table.rows} whole rows, ${positives} of them employed: at least ${LEAST_ROWS} rows of both kinds are needed\n`,
    );
    return UNUSABLE;
  }
  const recipe = recipes.v2;
  const network = await train(recipe, table, [], (epoch) =>
    tell(epoch / recipe.epochs, `epoch ${epoch} of ${recipe.epochs} on ${table.rows} rows`),
  );
  const write = async (file: string, content: Uint8Array | string): Promise<void> => {
    await writeFile(`${file}.part`, content);
    await rename(`${file}.part`, file);
  };
  await write(request.output.metrics, JSON.stringify({ rows: table.rows, positives }));
  await write(request.output.model, exportOnnx(request.run.replaceAll(/[^A-Za-z0-9_-]/g, '-'), network));
  return 0;
}

process.exitCode = await main();
