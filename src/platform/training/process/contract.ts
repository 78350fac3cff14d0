/** What a trainer is told and what it tells, `tenure/training/v1`. The words for people are in docs/training.md. */
import type { Json } from '../../../contracts/ledger.js';
import type { TrainingOrder } from '../platform.js';

const CONTRACT = 'tenure/training/v1';

/** Exit code with which a trainer says that trying again cannot help. */
export const CANNOT_TRAIN = 65;

export interface Places {
  readonly model: string;
  readonly metrics: string;
  readonly checkpoints: string;
}

/** The request, as it stands in the file that `TENURE_TRAINING_REQUEST` names. */
export function requestOf(order: TrainingOrder, attempt: number, places: Places): Json {
  const { run, manifest, data, champion, timeoutSeconds, memoryMb } = order;
  const { name, task, schema, prediction, validation } = manifest;
  return {
    contract: CONTRACT,
    run,
    attempt,
    model: name,
    task,
    inputs: schema.inputs.map(({ name: input, datatype, width, nullable }) => ({
      name: input,
      datatype,
      width,
      nullable,
    })),
    outputs: schema.outputs.map(({ name: output, datatype, width }) => ({ name: output, datatype, width })),
    score: prediction.score,
    classes: [...prediction.classes],
    target: validation.target,
    data: { ...data },
    champion: champion === null ? null : { ...champion },
    checkpoints: places.checkpoints,
    output: { model: places.model, metrics: places.metrics },
    limits: { seconds: timeoutSeconds, memoryMb },
  };
}

export interface ProgressLine {
  readonly progress: number | null;
  readonly message: string | null;
}

const MOST_MESSAGE = 200;

/** What a line of standard output says of the progress; null when it is a line like any other. */
export function progressOf(line: string): ProgressLine | null {
  if (!line.startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const { progress, message } = value as { readonly progress?: unknown; readonly message?: unknown };
  const share = typeof progress === 'number' && progress >= 0 && progress <= 1 ? progress : null;
  const text = typeof message === 'string' && message !== '' ? message.slice(0, MOST_MESSAGE) : null;
  return share === null && text === null ? null : { progress: share, message: text };
}

/** Most metrics, and the longest name of one, that are taken over. */
const MOST_METRICS = 50;
const MOST_NAME = 64;

/** The metrics that a trainer wrote: a JSON object of numbers. What is no finite number is let go; null when nothing is left. */
export function metricsOf(text: string): Readonly<Record<string, number>> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const kept = Object.entries(value)
    .filter((entry): entry is [string, number] => entry[0].length <= MOST_NAME && Number.isFinite(entry[1]))
    .slice(0, MOST_METRICS);
  return kept.length === 0 ? null : Object.fromEntries(kept);
}
