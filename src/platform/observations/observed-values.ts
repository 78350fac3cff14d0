/** What a row from elsewhere says, read as the gateway would read it from tensors. Pure; refusals name the field and the value. */
import type { Task } from '../../contracts/model.js';
import type { Datatype } from '../../contracts/manifest.js';
import type { FeatureSource, VersionProfile } from '../profiles/index.js';
import { likeliest } from '../../statistics/metrics/scored.js';

/** Something that was sent cannot be taken; nothing of its batch is. */
export class ObservationError extends Error {
  /** `unknown`: there is no such model, version or profile; `conflict`: the batch's id was used for something else, or a label contradicts one that is kept. */
  readonly code: 'invalid' | 'unknown' | 'conflict';

  constructor(message: string, code: ObservationError['code'] = 'invalid') {
    super(message);
    this.name = 'ObservationError';
    this.code = code;
  }
}

/** A row's score: one number, or the probability of each class. */
export type Score = number | readonly number[];

/** Which row it is, for messages. */
export type Place = () => string;
export type RowPlace = (row: number) => string;

/** @throws ObservationError for anything but finite numbers, in 0..1 where they are probabilities */
export function readScore(given: unknown, task: Task, classes: number, place: Place): Score {
  if (task !== 'multiclass') {
    const isProbability = task === 'binary';
    if (typeof given === 'number' && Number.isFinite(given) && (!isProbability || (given >= 0 && given <= 1)))
      return given;
    throw new ObservationError(
      `${place()}: score is ${show(given)}; a ${isProbability ? 'number from 0 to 1' : 'finite number'} is needed`,
    );
  }
  if (
    Array.isArray(given) &&
    given.length === classes &&
    given.every((one) => typeof one === 'number' && one >= 0 && one <= 1)
  )
    return given as readonly number[];
  throw new ObservationError(
    `${place()}: score is ${show(given)}; a list of ${classes} probabilities is needed, in the order of the classes`,
  );
}

/** One value a row. */
export type Column = ArrayLike<unknown>;

/** A feature's values, for a window's counter, from those of the inputs in the order of {@link inputNames}. */
export type FeatureColumn = (inputs: readonly Column[], scores: ArrayLike<Score>, place: RowPlace) => Column;

/** One a feature, in the profile's order. */
export function featureColumns({ sources }: Pick<VersionProfile, 'sources'>): readonly FeatureColumn[] {
  const names = inputNames({ sources });
  return sources.map((source): FeatureColumn => {
    if (source.from === 'output') return (_inputs, scores) => predicted(source, scores);
    const { name, datatype, element, width } = source;
    const input = names.indexOf(name);
    if (width === 1) return (inputs) => served(inputs[input] ?? [], datatype);
    return (inputs, _scores, place) =>
      served(
        mapped(inputs[input] ?? [], (value, row) => elementOf(value, element, width, name, () => place(row))),
        datatype,
      );
  });
}

/** Names of the inputs that a row must have. */
export const inputNames = ({ sources }: Pick<VersionProfile, 'sources'>): readonly string[] => [
  ...new Set(sources.flatMap((source) => (source.from === 'input' ? [source.name] : []))),
];

/** Inputs that hold numbers. */
export const numericInputs = ({ sources }: Pick<VersionProfile, 'sources'>): ReadonlySet<string> =>
  new Set(
    sources.flatMap((source) =>
      source.from === 'input' && source.datatype !== 'BYTES' && source.datatype !== 'BOOL'
        ? [source.name]
        : [],
    ),
  );

/** Inputs that hold texts, whatever these look like. */
export const textInputs = ({ sources }: Pick<VersionProfile, 'sources'>): readonly string[] =>
  sources.flatMap((source) => (source.from === 'input' && source.datatype === 'BYTES' ? [source.name] : []));

function predicted(
  source: Extract<FeatureSource, { from: 'output' }>,
  scores: ArrayLike<Score>,
): ArrayLike<unknown> {
  if (source.as === 'value') return scores;
  return mapped(scores, (score) =>
    typeof score === 'number'
      ? score
      : String(source.classes[likeliest(score.length, (k) => score[k] ?? Number.NaN)]),
  );
}

function mapped<T>(values: ArrayLike<T>, of: (value: T, row: number) => unknown): unknown[] {
  const all: unknown[] = [];
  for (let row = 0; row < values.length; row += 1) all.push(of(values[row] as T, row));
  return all;
}

function elementOf(value: unknown, element: number, width: number, name: string, place: Place): unknown {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value) && value.length === width) return value[element];
  throw new ObservationError(
    `${place()}: input ${name} is ${show(value)}; a list of ${width} values is needed`,
  );
}

/** What would stand in a tensor: .7 is .699999988 in FP32. What fits no tensor stays as it is, and is counted as a wrong type. */
function served(values: Column, datatype: Datatype): Column {
  switch (datatype) {
    case 'FP32':
      if (values instanceof Float64Array) return new Float64Array(new Float32Array(values));
      return mapped(values, (value) => (typeof value === 'number' ? Math.fround(value) : value));
    case 'BOOL':
      return mapped(values, (value) => (value === 1 ? true : value === 0 ? false : value));
    case 'INT64':
      if (values instanceof Float64Array) return values;
      return mapped(values, (value) =>
        typeof value === 'string' && WHOLE.test(value) ? Number(value) : value,
      );
    case 'FP64':
    case 'BYTES':
      return values;
  }
}

const WHOLE = /^-?\d{1,19}$/;

/** A value for a message, shortened. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
