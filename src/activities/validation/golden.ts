/** Golden rows: inputs with the candidate's offline answers, which the deployed candidate must give again. */
import type { Json } from '../../contracts/ledger.js';
import { type Random, seededRandom, seedOf } from '../../statistics/metrics/random.js';
import { item } from '../../statistics/metrics/scored.js';
import type { Bench } from './bench.js';
import type { DataSet } from './data-set.js';
import { withoutPersons } from './golden-personal.js';
import { GateProblem } from './ports.js';
import { inputTensors, scoresOf, scoreWidth } from './scoring.js';

export interface GoldenRow {
  /** Tensors of the Open Inference Protocol, one row each. */
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly datatype: string;
    readonly data: readonly Json[];
  }[];
  /** Values of the score output. */
  readonly score: readonly number[];
}

/** Content of the stored JSON file. */
export interface GoldenFile {
  readonly rows: readonly GoldenRow[];
}

/**
 * Answers are asked for one row at a time, as a gateway does. Rows with a missing value are left out: JSON has no NaN.
 * @throws GateProblem when no row is left
 */
export async function goldenRows(bench: Bench): Promise<GoldenFile> {
  const { manifest, progress } = bench;
  const data = await bench.data();
  const { scores } = await bench.candidateScores();
  const model = await bench.candidateModel();
  const wanted = manifest.validation.goldenRows;
  const whole = Uint8Array.from({ length: data.rows }, (_, row) => (isComplete(data, row) ? 1 : 0));
  const random = seededRandom(seedOf(manifest.validation.dataDigest ?? ''));
  const chosen = chooseRows(
    data,
    whole,
    scores,
    scoreWidth(manifest),
    manifest.prediction.threshold,
    wanted,
    random,
  );
  if (chosen.length === 0)
    throw new GateProblem(
      'No golden rows: every row of the data set has a missing value, or validation.goldenRows is 0',
    );
  const complete = Uint32Array.from({ length: data.rows }, (_, row) => row).filter((row) => whole[row] === 1);
  const shown = withoutPersons(data, complete, chosen, random);
  const rows: GoldenRow[] = [];
  for (const row of chosen) {
    const inputs = inputTensors(shown, [row], model);
    const answer = await model.infer(inputs, { signal: progress.signal });
    rows.push({
      inputs: inputs.map(({ name, shape, datatype, data: values }) => ({
        name,
        shape,
        datatype,
        data: Array.from<string | number | bigint, Json>(values, (value) =>
          datatype === 'BOOL' ? value === 1 : typeof value === 'bigint' ? Number(value) : value,
        ),
      })),
      score: [...scoresOf(answer, manifest, 1, `the candidate, golden row ${row + 1}`)],
    });
    progress.report('recording golden rows', rows.length, chosen.length);
  }
  return { rows };
}

/**
 * Row numbers in ascending order: first rows at the edges (least and largest score, the score nearest the threshold, least and
 * largest value of each numeric input), then a seeded choice of the rest.
 */
function chooseRows(
  data: Pick<DataSet, 'rows' | 'inputs' | 'groups'>,
  whole: Uint8Array,
  scores: ArrayLike<number>,
  scoreWidth: number,
  threshold: number,
  wanted: number,
  random: Random,
): readonly number[] {
  const chosen = new Set<number>();
  const least = (valueOf: (row: number) => number): void => {
    let best = -1;
    for (let row = 0; row < data.rows; row += 1) {
      if (whole[row] === 1 && (best < 0 || valueOf(row) < valueOf(best))) best = row;
    }
    if (best >= 0 && chosen.size < wanted) chosen.add(best);
  };
  const score = (row: number): number => item(scores, row * scoreWidth);
  least(score);
  least((row) => -score(row));
  least((row) => Math.abs(score(row) - threshold));
  for (const { field, values } of data.inputs) {
    // The least and the largest are somebody's, where it says something about persons.
    if (field.datatype === 'BYTES' || field.personal === true) continue;
    least((row) => Number(values[row * field.width]));
    least((row) => -Number(values[row * field.width]));
  }
  const rest = Uint32Array.from({ length: data.rows }, (_, row) => row).filter(
    (row) => whole[row] === 1 && !chosen.has(row),
  );
  for (let i = 0; i < rest.length && chosen.size < wanted; i += 1) {
    const j = i + random.below(rest.length - i);
    const row = item(rest, j);
    rest[j] = item(rest, i);
    rest[i] = row;
    chosen.add(row);
  }
  return [...chosen].sort((a, b) => a - b);
}

function isComplete({ inputs }: Pick<DataSet, 'inputs'>, row: number): boolean {
  return inputs.every(({ field, values, missing }) => {
    if (missing === 0) return true;
    for (let k = 0; k < field.width; k += 1) if (Number.isNaN(values[row * field.width + k])) return false;
    return true;
  });
}
