/** The features of a reference profile, from the columns of the data set as the gateway will see them. */
import type { InputField, Manifest } from '../../contracts/manifest.js';
import type { FeatureSource } from '../../platform/profiles/index.js';
import { item, likeliest } from '../../statistics/metrics/scored.js';
import { categoricalProfile, numericProfile, scoreProfile } from '../../statistics/profile/build.js';
import { personalCategories, personalNumeric } from '../../statistics/profile/personal.js';
import type {
  CategoricalProfile,
  CategoryType,
  FeatureProfile,
  ScoreProfile,
} from '../../statistics/profile/types.js';
import type { ColumnValues, InputColumn } from './columns.js';

/** Values of an input a row that are profiled one by one; wider inputs are vectors whose places mean nothing alone. */
const MOST_ELEMENTS = 16;
/** Features of a profile: windows hold counts of each. */
export const MOST_FEATURES = 200;
/** Characters of all category names of a feature: what has more is free text. */
const MOST_TEXT = 20_000;

export interface MadeFeature {
  readonly source: FeatureSource;
  readonly feature: FeatureProfile;
}

/** One feature to make, or why it is not made. */
export type PlannedFeature =
  { readonly name: string; readonly make: () => MadeFeature | string } | { readonly lack: string };

/** Of inputs, in the manifest's order. Nothing is read before `make`. */
export function inputFeatures(columns: readonly InputColumn[]): readonly PlannedFeature[] {
  return columns.flatMap((column): readonly PlannedFeature[] => {
    const { name, width } = column.field;
    if (width > MOST_ELEMENTS)
      return [
        {
          lack: `${name}: it has ${width} values a row; inputs of at most ${MOST_ELEMENTS} are profiled, value by value`,
        },
      ];
    return Array.from({ length: width }, (_, element) => ({
      name: width === 1 ? name : `${name}[${element}]`,
      make: () => inputFeature(column, element),
    }));
  });
}

function inputFeature({ field, values }: InputColumn, element: number): MadeFeature | string {
  const { name: input, width, datatype } = field;
  const name = width === 1 ? input : `${input}[${element}]`;
  const source: FeatureSource = { from: 'input', name: input, datatype, element, width };
  const category = categoryType(field);
  const own = width === 1 ? values : elements(values, element, width);
  if (category === null) {
    const made = numericProfile(name, asServed(own, datatype));
    const known = { least: field.min ?? null, most: field.max ?? null };
    return { source, feature: field.personal === true ? personalNumeric(made, known) : made };
  }
  const given =
    category === 'boolean'
      ? Array.from<string | number, boolean>(own, (value) => value === 1)
      : category === 'number'
        ? asServed(own, datatype)
        : own;
  const made = categoricalProfile(name, given, category);
  if (field.personal === true) return { source, feature: personalCategories(made) };
  const lack = tooMuchText(made);
  return lack ?? { source, feature: made };
}

function elements(values: ColumnValues, element: number, width: number): ColumnValues {
  const of = <T extends ColumnValues & { [row: number]: string | number }>(into: T): T => {
    for (let row = 0; row < into.length; row += 1) into[row] = values[row * width + element] ?? 0;
    return into;
  };
  const rows = values.length / width;
  if (values instanceof Float64Array) return of(new Float64Array(rows));
  return values instanceof Uint8Array ? of(new Uint8Array(rows)) : of(Array<string>(rows).fill(''));
}

/** As the gateway reads them from an FP32 tensor: .7 is .699999988 there. */
const asServed = (values: ColumnValues, datatype: InputField['datatype']): ColumnValues =>
  datatype === 'FP32' && values instanceof Float64Array ? new Float64Array(new Float32Array(values)) : values;

/** Null: a number that is binned. */
function categoryType({ datatype, categories }: InputField): CategoryType | null {
  if (datatype === 'BYTES') return 'string';
  if (datatype === 'BOOL') return 'boolean';
  return categories === undefined ? null : 'number';
}

function tooMuchText({ name, values }: CategoricalProfile): string | null {
  const characters = values.reduce((sum, text) => sum + text.length, 0);
  return characters <= MOST_TEXT
    ? null
    : `${name}: its ${values.length} most frequent values have ${characters} characters, so it is free text; ${MOST_TEXT} are allowed`;
}

/** What models without a score in 0..1 predict, as a feature of its own. Null for a binary model. */
export function predictionFeature(
  { task, prediction }: Pick<Manifest, 'task' | 'prediction'>,
  scores: ArrayLike<number>,
): { readonly name: string; readonly make: () => MadeFeature } | null {
  const { score: output, classes } = prediction;
  const name = `prediction.${output}`;
  if (task === 'binary') return null;
  if (task === 'regression')
    return {
      name,
      make: () => ({
        source: { from: 'output', name: output, as: 'value' },
        feature: numericProfile(name, scores),
      }),
    };
  const rows = scores.length / classes.length;
  return {
    name,
    make: () => ({
      source: { from: 'output', name: output, as: 'class', classes },
      feature: categoricalProfile(
        name,
        Array.from({ length: rows }, (_, row) =>
          String(classes[likeliest(classes.length, (k) => item(scores, row * classes.length + k))]),
        ),
        'string',
      ),
    }),
  };
}

/** Chunks of the data set whose metrics give a score's bounds. */
const CHUNKS = 10;
const LEAST_CHUNK_ROWS = 30;
/** Rows of a score's profile: its calibration is fitted ten times over, and other work waits meanwhile. */
const MOST_SCORE_ROWS = 200_000;

export interface MadeScore {
  readonly score: ScoreProfile | null;
  readonly lack: string | null;
}

/** Of a binary model's scores; every k-th row where there are too many. */
export function scoreFeature(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
): MadeScore {
  const step = Math.ceil(scores.length / MOST_SCORE_ROWS);
  const rows = Math.ceil(scores.length / step);
  const each = Math.floor(rows / CHUNKS);
  if (each < LEAST_CHUNK_ROWS)
    return {
      score: null,
      lack: `scores: ${rows} rows do not make ${CHUNKS} chunks of at least ${LEAST_CHUNK_ROWS}`,
    };
  const taken = (values: ArrayLike<number>): Float64Array => {
    const some = new Float64Array(rows);
    for (let row = 0; row < rows; row += 1) some[row] = item(values, row * step);
    return some;
  };
  return {
    score: scoreProfile(taken(scores), taken(labels), threshold, each),
    lack: step === 1 ? null : `scores: one row of ${step} was taken, ${rows} of ${scores.length}`,
  };
}
