/** Reading one input column: its type in the file, its values, what is missing or outside. */
import { DuckDBArrayValue, DuckDBListValue } from '@duckdb/node-api';
import type { DuckDBValue } from '@duckdb/node-api';
import type { Datatype, InputField, Manifest } from '../../contracts/manifest.js';
import type { ReadColumn } from '../../platform/data-files/data-file.js';
import { quotedName } from './data-file.js';
import { GateProblem } from './ports.js';

/** BOOL as 0 and 1, INT64 as whole doubles up to 2^53, BYTES as text. */
export type ColumnValues = Float64Array | Uint8Array | string[];

export interface InputColumn {
  readonly field: InputField;
  /** Row after row, `field.width` values each. */
  readonly values: ColumnValues;
  /** Rows with a missing value (NaN). */
  readonly missing: number;
  /** Rows outside `min`, `max` or `categories` of the manifest. */
  readonly outside: number;
}

const SQL_TYPE: Readonly<Record<Datatype, string>> = {
  BOOL: 'BOOLEAN',
  INT64: 'BIGINT',
  FP32: 'DOUBLE',
  FP64: 'DOUBLE',
  BYTES: 'VARCHAR',
};

const INTEGER = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$/;
const FLOATING = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/;

/** Whether a column of this DuckDB type can feed the field; floating columns may hold INT64 as long as every value is whole. */
function fits(type: string, datatype: Datatype): boolean {
  switch (datatype) {
    case 'FP32':
    case 'FP64':
    case 'INT64':
      return INTEGER.test(type) || FLOATING.test(type);
    case 'BOOL':
      return type === 'BOOLEAN' || INTEGER.test(type);
    case 'BYTES':
      return type === 'VARCHAR' || type.startsWith('ENUM');
  }
}

/** Types of the columns of a CSV file, from the manifest; those not named are guessed by DuckDB. */
export function csvTypes({ schema, task, prediction, validation }: Manifest): ReadonlyMap<string, string> {
  const types = new Map(
    schema.inputs
      .filter(({ width }) => width === 1)
      // As BIGINT, 1.5 would be rounded without a word; as DOUBLE it is seen and refused.
      .map(({ name, datatype }) => [name, datatype === 'INT64' ? 'DOUBLE' : SQL_TYPE[datatype]]),
  );
  const named = task !== 'regression' && prediction.classes.some((value) => typeof value === 'string');
  if (named) types.set(validation.target, 'VARCHAR');
  return types;
}

/** @throws GateProblem that names every missing column, or the first of a wrong type */
export function checkColumns(
  manifest: Manifest,
  columns: ReadonlyMap<string, string>,
  groups: readonly string[],
): void {
  const { inputs } = manifest.schema;
  const needed = [...inputs.map(({ name }) => name), manifest.validation.target, ...groups];
  const missing = [...new Set(needed)].filter((name) => !columns.has(name));
  if (missing.length > 0) {
    const has = [...columns.keys()].slice(0, 50).join(', ');
    throw new GateProblem(
      `${missing.length === 1 ? 'Column' : 'Columns'} ${missing.join(', ')} missing in the data set; it has ${has}`,
      {
        missing: missing.join(', '),
      },
    );
  }
  for (const { name, datatype, width } of inputs) {
    const type = columns.get(name) ?? '';
    const element = type.replace(/\[\d*\]$/, '');
    const isList = element !== type;
    if (isList !== width > 1 || !fits(element, datatype)) {
      const wanted = width > 1 ? `lists of ${width} values of ${datatype}` : datatype;
      throw new GateProblem(`Column ${name} has type ${type}; the manifest says ${wanted}`, { column: name });
    }
  }
}

/** SQL for a field's values: doubles, booleans or text, and lists of these. */
export function expressionOf({ name, datatype, width }: InputField): string {
  const type = datatype === 'INT64' ? 'DOUBLE' : SQL_TYPE[datatype];
  return `CAST(${quotedName(name)} AS ${type}${width > 1 ? '[]' : ''})`;
}

export interface FieldReader {
  /** @param start rows read before */
  take(values: ReadColumn, start: number): void;
  done(): InputColumn;
}

/** Collects a column's values, checking each. */
export function fieldReader(field: InputField, rows: number): FieldReader {
  const { name, width, datatype } = field;
  const size = rows * width;
  const values: ColumnValues =
    datatype === 'BYTES'
      ? Array<string>(size).fill('')
      : datatype === 'BOOL'
        ? new Uint8Array(size)
        : new Float64Array(size);
  const categories = field.categories === undefined ? null : new Set(field.categories.map(String));
  let missing = 0;
  let outside = 0;
  const put = (value: DuckDBValue, row: number, place: number): 'missing' | 'outside' | null => {
    const read = readValue(field, value, row + 1);
    values[place] = read;
    if (typeof read === 'number' && Number.isNaN(read)) return 'missing';
    const tooFar =
      typeof read === 'number' && (read < (field.min ?? -Infinity) || read > (field.max ?? Infinity));
    return tooFar || categories?.has(String(read)) === false ? 'outside' : null;
  };
  const takeOne = (value: DuckDBValue, row: number): void => {
    const found = put(value, row, row);
    if (found === 'missing') missing += 1;
    else if (found === 'outside') outside += 1;
  };
  const takeRow = (value: DuckDBValue, row: number): void => {
    const found = listOf(field, value, row + 1).map((element, k) => put(element, row, row * width + k));
    if (found.includes('missing')) missing += 1;
    if (found.includes('outside')) outside += 1;
  };
  const take = width === 1 ? takeOne : takeRow;
  const { least, most } = usual(field);
  const takeNumbers = (list: Float64Array, into: Float64Array, start: number): void => {
    for (let i = 0; i < list.length; i += 1) {
      const value = list[i] as number;
      if (value >= least && value <= most) into[start + i] = value;
      else takeOne(value, start + i);
    }
  };
  // Categories are looked at one by one.
  const plainTexts = width === 1 && categories === null;
  const takeTexts = (list: ReadColumn, into: string[], start: number): void => {
    for (let i = 0; i < list.length; i += 1) {
      const value = list[i] ?? null;
      if (typeof value === 'string') into[start + i] = value;
      else takeOne(value, start + i);
    }
  };
  return {
    take: (list, start) => {
      if (start + list.length > rows) throw new GateProblem(`Column ${name} has more rows than were counted`);
      if (list instanceof Float64Array && values instanceof Float64Array) takeNumbers(list, values, start);
      else if (plainTexts && Array.isArray(values)) takeTexts(list, values, start);
      else for (let i = 0; i < list.length; i += 1) take(list[i] ?? null, start + i);
    },
    done: () => ({ field, values, missing, outside }),
  };
}

/** Numbers that nothing can be wrong with. */
function usual({ datatype, categories, min, max }: InputField): {
  readonly least: number;
  readonly most: number;
} {
  // Whole numbers and categories are looked at one by one.
  if (datatype === 'INT64' || categories !== undefined)
    return { least: Number.POSITIVE_INFINITY, most: Number.NEGATIVE_INFINITY };
  const largest = datatype === 'FP32' ? LARGEST_FP32 : Number.MAX_VALUE;
  return { least: Math.max(min ?? -largest, -largest), most: Math.min(max ?? largest, largest) };
}

const LARGEST_FP32 = (2 - 2 ** -23) * 2 ** 127;

function listOf({ name, width }: InputField, value: DuckDBValue, row: number): readonly DuckDBValue[] {
  if (width === 1) return [value];
  if (value === null) return Array.from({ length: width }, () => null);
  const items = value instanceof DuckDBListValue || value instanceof DuckDBArrayValue ? value.items : [];
  if (items.length !== width) {
    throw new GateProblem(
      `Column ${name} has ${items.length} values in row ${row}; the manifest says ${width}`,
      { column: name },
    );
  }
  return items;
}

/** A missing value of a nullable FP32 or FP64 field is NaN; other datatypes have no way to say it. */
function readValue(
  { name, datatype, nullable }: InputField,
  value: DuckDBValue,
  row: number,
): number | string {
  const bad = (what: string): never => {
    throw new GateProblem(`Column ${name} is ${what} in row ${row}`, { column: name, row });
  };
  if (value === null || Number.isNaN(value)) {
    const what = value === null ? 'null' : 'NaN';
    if (!nullable) return bad(`${what}, but not nullable,`);
    return datatype === 'FP32' || datatype === 'FP64'
      ? Number.NaN
      : bad(`${what}, which ${datatype} cannot say (only FP32 and FP64 can, as NaN),`);
  }
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'number' || !Number.isFinite(value))
    return bad(`${String(value)}, not a finite number,`);
  if (datatype === 'INT64' && !Number.isSafeInteger(value))
    return bad(`${value}, not a whole number up to 2^53,`);
  if (datatype === 'FP32' && !Number.isFinite(Math.fround(value)))
    return bad(`${value}, too large for FP32,`);
  return value;
}
