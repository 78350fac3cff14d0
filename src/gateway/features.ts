/** Rows of requests in the bins of a version's profile. */
import { numberAt, type Tensor } from '../platform/onnx/tensors.js';
import type { FeatureSource, StoredProfile } from '../platform/profiles/index.js';
import type { CountedRows } from '../platform/windows/recorder.js';
import { likeliest } from '../statistics/metrics/scored.js';
import type { ReferenceProfile } from '../statistics/profile/types.js';
import { WindowCounter } from '../statistics/profile/window.js';

/** Sums of floats can pass 0 and 1 by a rounding: validation takes such scores for 0 and 1 too. */
const ROUNDING = 1e-6;

/** One value of a row of a tensor; undefined where the tensor has no such row. */
type Reader = (inputs: readonly Tensor[], outputs: readonly Tensor[], row: number) => unknown;

/** Reads what a profile has bins for out of requests and answers. */
export class FeatureReader {
  readonly digest: string;
  readonly #profile: ReferenceProfile;
  readonly #readers: readonly Reader[];
  readonly #scoreOutput: string | null;
  readonly #first: FeatureSource | null;
  /** Values of one row: the counter keeps none. */
  readonly #values: unknown[];

  constructor({ digest, content }: StoredProfile) {
    this.digest = digest;
    this.#profile = content.profile;
    this.#readers = content.sources.map(readerOf);
    this.#scoreOutput = content.score;
    this.#first = content.sources[0] ?? null;
    this.#values = content.sources.map(() => undefined);
  }

  /** @param inputs,outputs in the model's order */
  rows(inputs: readonly Tensor[], outputs: readonly Tensor[]): CountedRows {
    return new RequestRows(this, inputs, outputs);
  }

  open(): WindowCounter {
    return new WindowCounter(this.#profile, this.digest);
  }

  /** Counts each row of a request. */
  add(counter: WindowCounter, inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
    const score = this.#scoreOutput === null ? undefined : find(outputs, this.#scoreOutput);
    const rows = rowsOf(this.#first, inputs, outputs, score);
    const values = this.#values;
    for (let row = 0; row < rows; row += 1) {
      for (let i = 0; i < values.length; i += 1)
        values[i] = (this.#readers[i] as Reader)(inputs, outputs, row);
      counter.add(values, score === undefined ? undefined : clamped(numberAt(score, row)));
    }
  }
}

class RequestRows implements CountedRows {
  readonly #reader: FeatureReader;
  readonly #inputs: readonly Tensor[];
  readonly #outputs: readonly Tensor[];

  constructor(reader: FeatureReader, inputs: readonly Tensor[], outputs: readonly Tensor[]) {
    this.#reader = reader;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  get profile(): string {
    return this.#reader.digest;
  }

  open(): WindowCounter {
    return this.#reader.open();
  }

  addTo(counter: WindowCounter): void {
    this.#reader.add(counter, this.#inputs, this.#outputs);
  }
}

/** How many rows there are, by what is read first. */
function rowsOf(
  first: FeatureSource | null,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  score: Tensor | undefined,
): number {
  if (first === null) return score?.data.length ?? 0;
  const data = find(first.from === 'input' ? inputs : outputs, first.name)?.data;
  if (data === undefined) return 0;
  const width = first.from === 'input' ? first.width : first.as === 'class' ? first.classes.length : 1;
  return Math.floor(data.length / width);
}

function readerOf(source: FeatureSource): Reader {
  if (source.from === 'output') return outputReader(source);
  const { name, datatype, element, width } = source;
  const isTrue = datatype === 'BOOL';
  return (inputs, _outputs, row) => {
    const value = find(inputs, name)?.data[row * width + element];
    return isTrue && value !== undefined ? value === 1 : value;
  };
}

function outputReader(source: Extract<FeatureSource, { from: 'output' }>): Reader {
  const { name } = source;
  if (source.as === 'value') return (_inputs, outputs, row) => find(outputs, name)?.data[row];
  const classes = source.classes.map(String);
  return (_inputs, outputs, row) => {
    const tensor = find(outputs, name);
    if (tensor === undefined) return undefined;
    const from = row * classes.length;
    return classes[likeliest(classes.length, (k) => numberAt(tensor, from + k))];
  };
}

function find(tensors: readonly Tensor[], name: string): Tensor | undefined {
  for (const tensor of tensors) if (tensor.name === name) return tensor;
  return undefined;
}

function clamped(score: number): number {
  if (score < 0 && score >= -ROUNDING) return 0;
  return score > 1 && score <= 1 + ROUNDING ? 1 : score;
}
