/** What a row from elsewhere says, read as the gateway would read it from tensors. Pure; refusals name the field and the value. */
import type { Task } from '../../contracts/model.js';
import type { Datatype } from '../../contracts/manifest.js';
import type { FeatureSource, VersionProfile } from '../profiles/index.js';
import { likeliest } from '../../statistics/metrics/scored.js';

/** Something that was sent cannot be taken; nothing of its batch is. */
export class ObservationError extends Error {
  /** `unknown`: there is no such model, version or profile; `conflict`: the batch's id was used for something else. */
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

/** Value of an input in a row, by the input's place in {@link inputNames}. */
export type InputOf = (input: number) => unknown;

/** Values of a row by feature, for a window's counter. */
export type FeatureReader = (inputOf: InputOf, score: Score, place: Place) => unknown;

/** One reader a feature, in the profile's order. */
export function featureReaders({ sources }: Pick<VersionProfile, 'sources'>): readonly FeatureReader[] {
  const names = inputNames({ sources });
  return sources.map((source): FeatureReader => {
    if (source.from === 'output') return (_inputOf, score) => predicted(source, score);
    const { name, datatype, element, width } = source;
    const input = names.indexOf(name);
    const asServed = servedAs(datatype);
    if (width === 1) return (inputOf) => asServed(inputOf(input));
    return (inputOf, _score, place) => asServed(elementOf(inputOf(input), element, width, name, place));
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

function predicted(source: Extract<FeatureSource, { from: 'output' }>, score: Score): unknown {
  if (source.as === 'value' || typeof score === 'number') return score;
  return String(source.classes[likeliest(score.length, (k) => score[k] ?? Number.NaN)]);
}

function elementOf(value: unknown, element: number, width: number, name: string, place: Place): unknown {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value) && value.length === width) return value[element];
  throw new ObservationError(
    `${place()}: input ${name} is ${show(value)}; a list of ${width} values is needed`,
  );
}

/** What would stand in a tensor: .7 is .699999988 in FP32. What fits no tensor stays as it is, and is counted as a wrong type. */
function servedAs(datatype: Datatype): (value: unknown) => unknown {
  switch (datatype) {
    case 'FP32':
      return (value) => (typeof value === 'number' ? Math.fround(value) : value);
    case 'BOOL':
      return (value) => (value === 1 ? true : value === 0 ? false : value);
    case 'INT64':
      return (value) => (typeof value === 'string' && WHOLE.test(value) ? Number(value) : value);
    case 'FP64':
    case 'BYTES':
      return (value) => value;
  }
}

const WHOLE = /^-?\d{1,19}$/;

/** A value for a message, shortened. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
