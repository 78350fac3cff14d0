/**
 * The columns of a file of rows, counted in the bins of a profile by DuckDB: no row comes into this process, and the counts are those
 * that a window's counter has after the same rows.
 */
import { DuckDBMapValue, type DuckDBValue } from '@duckdb/node-api';
import type { Datatype } from '../../contracts/manifest.js';
import { increase } from '../../statistics/estimation/bins.js';
import type { FeatureCounts, FeatureProfile, NumericProfile } from '../../statistics/profile/types.js';
import { CategoricalCounter } from '../../statistics/profile/window.js';
import { type DataFile, DataFileError, quotedName } from '../data-files/data-file.js';

export interface FeatureColumn {
  readonly feature: FeatureProfile;
  /** Holds one value of the feature a row. */
  readonly column: string;
  /** Of the input that the feature is of: an FP32 is rounded before it is counted, as in a tensor. */
  readonly datatype: Extract<Datatype, 'FP32' | 'FP64' | 'BYTES'>;
}

/** What one feature asks of the file, and how its answers are read. */
interface Question {
  readonly expressions: readonly string[];
  readonly read: (answers: readonly DuckDBValue[]) => FeatureCounts;
}

const NUMBERS = new Set([
  'FLOAT',
  'DOUBLE',
  ...['TINY', 'SMALL', '', 'BIG'].flatMap((size) => [`${size}INT`, `U${size}INT`]),
  'INTEGER',
  'UINTEGER',
]);
/** Half a step above the largest FP32: from here on a value is rounded to infinity. */
const BEYOND_FP32 = 2 ** 128 - 2 ** 103;

/**
 * @param where a condition in DuckDB's SQL on the file's columns: rows that are counted
 * @returns in the order of the columns
 * @throws DataFileError for a column that is not in the file, or is of a type whose values would have to be read one by one
 */
export async function countColumns(
  file: Pick<DataFile, 'columns' | 'read'>,
  columns: readonly FeatureColumn[],
  where = 'true',
): Promise<readonly FeatureCounts[]> {
  const questions = columns.map((column) => questionOf(file, column));
  const expressions = questions.flatMap((question) => question.expressions);
  const answers: DuckDBValue[] = [];
  if (expressions.length > 0)
    for await (const chunk of file.read(expressions, where))
      for (const [value] of chunk) answers.push(value ?? null);
  let next = 0;
  return questions.map((question) => {
    const own = answers.slice(next, next + question.expressions.length);
    next += question.expressions.length;
    return question.read(own);
  });
}

function questionOf(file: Pick<DataFile, 'columns'>, { feature, column, datatype }: FeatureColumn): Question {
  const type = file.columns.get(column);
  if (type === undefined)
    throw new DataFileError(
      `Column ${column} is not in the file; it has ${[...file.columns.keys()].slice(0, 50).join(', ')}`,
    );
  if (!NUMBERS.has(type) && type !== 'VARCHAR' && type !== 'BOOLEAN')
    throw new DataFileError(
      `Column ${column} has type ${type}: it can be counted as a number of up to 64 bits, VARCHAR or BOOLEAN`,
    );
  const name = quotedName(column);
  if (feature.kind === 'numeric')
    return NUMBERS.has(type) ? numbers(feature, asServed(name, datatype)) : wrongNumbers(feature, name);
  // Numbers as doubles: so they are read from rows. A NaN would swallow all other values of a histogram.
  const [value, known] = NUMBERS.has(type)
    ? [`CAST(${name} AS DOUBLE)`, isNumber(name)]
    : [name, `${name} IS NOT NULL`];
  return {
    expressions: [`histogram(${value}) FILTER (WHERE ${known})`, `count(*) FILTER (WHERE NOT (${known}))`],
    read: ([found, missing]) => {
      const counter = new CategoricalCounter(feature);
      counter.add(null, rowsOf(missing));
      for (const { key, value } of entriesOf(found))
        counter.add(datatype === 'FP32' && typeof key === 'number' ? Math.fround(key) : key, rowsOf(value));
      return counter.counts();
    },
  };
}

/** A double; what rounds to infinity may stay as it is, as it is above all that a tensor can hold. */
function asServed(name: string, datatype: FeatureColumn['datatype']): string {
  const double = `CAST(${name} AS DOUBLE)`;
  return datatype === 'FP32'
    ? `CASE WHEN abs(${double}) < ${literal(BEYOND_FP32)} THEN CAST(CAST(${double} AS FLOAT) AS DOUBLE) ELSE ${double} END`
    : double;
}

function numbers({ cuts, range }: NumericProfile, value: string): Question {
  // Without values in the reference there is no range: whatever comes is below it.
  const least = literal(range?.least ?? Number.POSITIVE_INFINITY);
  const most = literal(range?.most ?? Number.NEGATIVE_INFINITY);
  // DuckDB's bins end with their border, the profile's begin with it: turned round they are the same.
  const borders = cuts.map((cut) => quoted(-cut)).reverse();
  const held = isNumber(value);
  const below = `${held} AND ${value} < ${least}`;
  const above = `${held} AND ${value} >= ${least} AND ${value} > ${most}`;
  const inside = `FILTER (WHERE ${held} AND ${value} BETWEEN ${least} AND ${most})`;
  return {
    expressions: [
      cuts.length === 0
        ? `count(*) ${inside}`
        : `histogram(-(${value}), CAST([${borders.join(', ')}] AS DOUBLE[])) ${inside}`,
      `count(*) FILTER (WHERE ${below})`,
      `count(*) FILTER (WHERE ${above})`,
      `count(*) FILTER (WHERE NOT (${held}))`,
    ],
    read: ([found, under, over, missing]) => ({
      kind: 'numeric',
      counts: cuts.length === 0 ? [rowsOf(found)] : binsOf(cuts, found),
      below: rowsOf(under),
      above: rowsOf(over),
      missing: rowsOf(missing),
      wrongType: 0,
    }),
  };
}

/** All of a column of another type. */
const wrongNumbers = ({ cuts }: NumericProfile, name: string): Question => ({
  expressions: [`count(*) - count(${name})`, `count(${name})`],
  read: ([missing, wrong]) => ({
    kind: 'numeric',
    counts: cuts.concat(0).map(() => 0),
    below: 0,
    above: 0,
    missing: rowsOf(missing),
    wrongType: rowsOf(wrong),
  }),
});

/** By the border that a bin is named after; what is above all borders, turned round, is in the first bin. */
function binsOf(cuts: readonly number[], found: DuckDBValue | undefined): readonly number[] {
  const bins = new Map(cuts.map((cut, i) => [cut, i + 1]));
  const counts = Array<number>(cuts.length + 1).fill(0);
  for (const { key, value } of entriesOf(found)) increase(counts, bins.get(-Number(key)) ?? 0, rowsOf(value));
  return counts;
}

/** NULL: there were no rows. */
const entriesOf = (found: DuckDBValue | undefined): DuckDBMapValue['entries'] =>
  found instanceof DuckDBMapValue ? found.entries : [];

const rowsOf = (count: DuckDBValue | undefined): number => Number(count ?? 0);

/** Neither NULL nor NaN; true or false of every value. */
const isNumber = (value: string): string => `isnan(CAST(${value} AS DOUBLE)) IS NOT DISTINCT FROM false`;

/** As text: a literal with a point is a decimal, which is not always rounded to the nearest double. */
const quoted = (value: number): string => `'${value}'`;
const literal = (value: number): string => `CAST(${quoted(value)} AS DOUBLE)`;
