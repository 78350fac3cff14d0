/**
 * Prints what each version of the employment model is worth, year by year, with its fairness and latency:
 * `npx tsx examples/employment/evaluate.ts`.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { age, inputNames, subgroupColumns } from './columns.js';
import { readTable, years } from './data.js';
import type { Table } from './data.js';
import { groupRates, quality } from './metrics.js';
import { ensureModels } from './models.js';

const print = (...cells: readonly (string | number)[]): void => {
  const shown = cells.map((cell) =>
    typeof cell === 'number' && !Number.isInteger(cell) ? cell.toFixed(4) : `${cell}`,
  );
  process.stdout.write(`| ${shown.join(' | ')} |\n`);
};

/** Scores rows one by one, as the gateway would; NaN where the runtime raised an error. */
async function scoreEach(session: InferenceSession, table: Table, rows: number) {
  const scores = new Float32Array(rows);
  const milliseconds: number[] = [];
  const errors = new Map<string, number>();
  for (let row = 0; row < rows; row += 1) {
    const feeds: Record<string, Tensor> = {};
    for (const name of inputNames) {
      const value = table.columns.get(name)?.[row] ?? 0;
      feeds[name] =
        name === age.name
          ? new Tensor('float32', Float32Array.of(value), [1, 1])
          : new Tensor('int64', BigInt64Array.of(BigInt(value)), [1, 1]);
    }
    const start = performance.now();
    try {
      const { score } = await session.run(feeds);
      scores[row] = score?.data[0] as number;
    } catch (error) {
      scores[row] = NaN;
      const message = (error as Error).message.replaceAll(/\d+/g, '#');
      errors.set(message, (errors.get(message) ?? 0) + 1);
    }
    milliseconds.push(performance.now() - start);
  }
  return { scores, milliseconds: milliseconds.slice(200).sort((a, b) => a - b), errors };
}

const models = await ensureModels();
const validation = await readTable('validation');
const tables: (readonly [string, Table])[] = [['2015', validation]];
for (const year of years) tables.push([`${year}`, await readTable(year)]);

print(
  'version',
  'year',
  'rows',
  'failed %',
  'AUC',
  'log loss',
  'Brier',
  'accuracy',
  'ECE',
  'mean ms',
  'p95 ms',
);
print(...Array.from({ length: 11 }, () => '---'));
const fairness: (readonly (string | number)[])[] = [];
const faults = new Set<string>();
for (const { version, path } of models) {
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  for (const [year, table] of tables) {
    const { scores, milliseconds, errors } = await scoreEach(session, table, table.rows);
    const fine = Array.from(scores.keys()).filter((row) => !Number.isNaN(scores[row]));
    const pick = (values: ArrayLike<number>): number[] => fine.map((row) => values[row] as number);
    const { auc, logLoss, brier, accuracy, ece } = quality(pick(table.labels), pick(scores));
    const failed = (100 * (table.rows - fine.length)) / table.rows;
    const mean = milliseconds.reduce((sum, value) => sum + value, 0) / milliseconds.length;
    const p95 = milliseconds[Math.floor(milliseconds.length * 0.95)] ?? NaN;
    print(version, year, table.rows, failed, auc, logLoss, brier, accuracy, ece, mean, p95);
    for (const message of errors.keys()) faults.add(message);
    if (year !== '2015') continue;
    for (const column of subgroupColumns)
      for (const rate of groupRates(table.columns.get(column) ?? [], table.labels, scores))
        fairness.push([
          version,
          `${column} ${rate.group}`,
          rate.rows,
          rate.positives,
          rate.baseRate,
          rate.selected,
          rate.truePositives,
        ]);
  }
  await session.release();
}
process.stdout.write('\n');
print('version', 'group (2015)', 'rows', 'positives', 'base rate', 'selected', 'true positive rate');
print(...Array.from({ length: 7 }, () => '---'));
for (const row of fairness) print(...row);
for (const message of faults) process.stdout.write(`\nThe runtime said: ${message}\n`);
