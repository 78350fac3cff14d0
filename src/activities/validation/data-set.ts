/** A labelled data set in memory, checked against the manifest. */
import type { DuckDBValue } from '@duckdb/node-api';
import type { Manifest } from '../../contracts/manifest.js';
import type { ReadColumn } from '../../platform/data-files/data-file.js';
import type { InputColumn } from './columns.js';
import { checkColumns, csvTypes, expressionOf, fieldReader } from './columns.js';
import { openDataFile, quotedName } from './data-file.js';
import { GateProblem } from './ports.js';
import type { Progress } from './ports.js';
import { MISSING_GROUP } from '../../statistics/metrics/groups.js';

export interface DataSet {
  readonly rows: number;
  readonly inputs: readonly InputColumn[];
  /** Index of the class, or the value (regression). */
  readonly labels: Float64Array;
  /** Rows a class, in the manifest's order; empty for regression. */
  readonly classRows: readonly number[];
  /** Subgroup column -> group of each row. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

const MAX_DATA_VALUES = 100_000_000;

/** Columns that subgroup gates name. */
function subgroupColumns({ validation }: Manifest): readonly string[] {
  return [...new Set(validation.gates.flatMap((gate) => (gate.kind === 'subgroup' ? [gate.column] : [])))];
}

/**
 * Reads the data set in the order of its rows. Row numbers in messages count from 1.
 * @throws GateProblem that names the column: missing, wrong type, null, NaN, unknown label, a class without rows; or no rows, too many
 */
export async function readDataSet(
  path: string,
  manifest: Manifest,
  progress: Progress,
  maxValues = MAX_DATA_VALUES,
): Promise<DataSet> {
  const { schema, validation } = manifest;
  const groupColumns = subgroupColumns(manifest);
  const file = await openDataFile(path, csvTypes(manifest));
  try {
    checkColumns(manifest, file.columns, groupColumns);
    const { rows } = file;
    if (rows === 0) throw new GateProblem('The data set has no rows');
    const width = schema.inputs.reduce((sum, field) => sum + field.width, 0) + 1 + groupColumns.length;
    if (rows * width > maxValues) {
      throw new GateProblem(
        `The data set has ${rows} rows with ${width} values each; ${maxValues} values are allowed, so take a sample`,
      );
    }
    const readers = schema.inputs.map((field) => fieldReader(field, rows));
    const labels = labelReader(manifest, rows);
    const groups = groupColumns.map(() => new Array<string>());
    const expressions = [
      ...schema.inputs.map((field) => expressionOf(field)),
      labelExpression(validation.target, file.columns),
      ...groupColumns.map((column) => groupExpression(column, file.columns)),
    ];
    let start = 0;
    for await (const columns of file.read(expressions)) {
      readers.forEach((reader, i) => reader.take(columns[i] ?? [], start));
      labels.take(columns[readers.length] ?? [], start);
      groups.forEach((names, i) => {
        const column = columns[readers.length + 1 + i] ?? [];
        for (let row = 0; row < column.length; row += 1) names.push(groupName(column[row] ?? null));
      });
      start += columns[0]?.length ?? 0;
      progress.report('reading the data set', start, rows);
    }
    if (start !== rows) throw new GateProblem(`The data set gave ${start} rows where ${rows} were counted`);
    return {
      rows,
      inputs: readers.map((reader) => reader.done()),
      ...labels.done(),
      groups: new Map(groupColumns.map((column, i) => [column, groups[i] ?? []])),
    };
  } finally {
    file.close();
  }
}

const isFloating = (type: string | undefined): boolean =>
  type === 'DOUBLE' || type === 'FLOAT' || type?.startsWith('DECIMAL') === true;

/** Numbers as doubles, so that 1 and 1.0 are the same; everything else as text. */
function labelExpression(target: string, columns: ReadonlyMap<string, string>): string {
  const name = quotedName(target);
  return `CAST(${name} AS ${isFloating(columns.get(target)) ? 'DOUBLE' : 'VARCHAR'})`;
}

const groupExpression = labelExpression;

function groupName(value: DuckDBValue): string {
  return value === null || Number.isNaN(value) ? MISSING_GROUP : String(value);
}

interface LabelReader {
  take(values: ReadColumn, start: number): void;
  done(): Pick<DataSet, 'labels' | 'classRows'>;
}

function labelReader({ task, prediction, validation }: Manifest, rows: number): LabelReader {
  const column = validation.target;
  const labels = new Float64Array(rows);
  const names = prediction.classes.map(String);
  const index = new Map(names.map((name, i) => [name, i]));
  // A BOOLEAN column reads as false and true: classes 0 and 1 mean the same.
  if (names.join() === '0,1') index.set('false', 0).set('true', 1);
  const classRows = names.map(() => 0);
  const read = (value: DuckDBValue, row: number): number => {
    if (value === null || Number.isNaN(value) || value === '') {
      throw new GateProblem(
        `Column ${column} (the label) is ${value === null ? 'null' : value === '' ? 'empty' : 'NaN'} in row ${row}`,
      );
    }
    if (task === 'regression') {
      const number = Number(value);
      if (Number.isFinite(number)) return number;
      throw new GateProblem(
        `Column ${column} (the label) is ${String(value).slice(0, 80)} in row ${row}; a finite number is needed`,
      );
    }
    const label = index.get(String(value));
    if (label === undefined) {
      throw new GateProblem(
        `Column ${column} (the label) is ${String(value).slice(0, 80)} in row ${row}; prediction.classes has ${names.join(', ')}`,
      );
    }
    classRows[label] = (classRows[label] ?? 0) + 1;
    return label;
  };
  return {
    take: (values, start) => {
      for (let i = 0; i < values.length; i += 1) labels[start + i] = read(values[i] ?? null, start + i + 1);
    },
    done: () => {
      const absent = names.filter((_, i) => classRows[i] === 0);
      if (absent.length > 0) {
        const only = names.length - absent.length === 1 ? 'has one class only: ' : '';
        throw new GateProblem(
          `Column ${column} (the label) ${only}no row has ${absent.join(', ')}, of ${names.join(', ')}`,
        );
      }
      return { labels, classRows };
    },
  };
}
