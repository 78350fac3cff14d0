/** The stored rows and figures of NannyML, scikit-learn and numpy. See reference.py. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { LabelledMulticlassRows } from '../../../src/statistics/estimation/multiclass.js';
import type { LabelledBinaryRows } from '../../../src/statistics/estimation/performance.js';

const read = (name: string): Buffer => readFileSync(new URL(name, import.meta.url));

/** Figures a chunk, and of all chunks. */
export interface Figures {
  readonly estimate: readonly number[];
  readonly realised: readonly number[];
  readonly samplingError: readonly number[];
  readonly lowest: readonly number[];
  readonly highest: readonly number[];
  readonly lower: number;
  readonly upper: number;
  /** 0 or 1 a chunk. */
  readonly alerts: string;
}

type Periods = Readonly<Record<'reference' | 'analysis', Readonly<Record<string, Figures>>>>;

export const reference = JSON.parse(read('reference.json').toString()) as {
  readonly carLoan: Periods & {
    readonly rows: number;
    readonly chunkRows: number;
    readonly needsCalibration: boolean;
    /** Its sampling error of AUC with the rows of one score in the two extreme orders. */
    readonly errorByTies: readonly [number, number];
    readonly calibrator: readonly [readonly number[], readonly number[]];
  };
  readonly multiclass: Periods & {
    readonly rows: number;
    readonly chunkRows: number;
    readonly classes: number;
    readonly needsCalibration: readonly boolean[];
  };
  readonly isotonic: readonly {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly weights: readonly number[] | null;
    readonly knots: readonly [readonly number[], readonly number[]];
    readonly at: readonly number[];
    readonly values: readonly number[];
  }[];
  readonly decisions: readonly {
    readonly scores: readonly number[];
    readonly labels: string;
    readonly needed: boolean;
    /** Of 15 times with the rows in another order. */
    readonly shuffled: number;
  }[];
  readonly samplingErrors: readonly {
    readonly scores: readonly number[];
    readonly labels: string;
    readonly deviation: number;
    readonly share: number;
  }[];
  readonly shuffles: {
    readonly words: readonly number[];
    readonly permutations: readonly (readonly number[])[];
    readonly splits: readonly {
      readonly labels: readonly number[];
      readonly splits: readonly (readonly [readonly number[], readonly number[]])[];
    }[];
  };
};

/** All rows of the car loans, the reference's first. */
export function carLoan(): LabelledBinaryRows {
  const bytes = gunzipSync(read('car-loan.bin.gz'));
  const rows = bytes.length / 2;
  const flags = bytes.subarray(rows);
  return {
    scores: Float64Array.from(bytes.subarray(0, rows), (hundredths) => hundredths / 100),
    labels: Uint8Array.from(flags, (flag) => flag & 1),
    predicted: Uint8Array.from(flags, (flag) => flag >> 1),
  };
}

/** Every fourth row of the credit cards, the reference's first. */
export function creditCards(): LabelledMulticlassRows {
  const { classes } = reference.multiclass;
  const bytes = gunzipSync(read('multiclass.bin.gz'));
  const rows = bytes.length / (classes + 1);
  const flags = bytes.subarray(classes * rows);
  return {
    classes,
    scores: Float64Array.from(
      { length: rows * classes },
      (_, i) => bytes[(i % classes) * rows + Math.floor(i / classes)]! / 100,
    ),
    labels: Uint8Array.from(flags, (flag) => flag & 3),
    predicted: Uint8Array.from(flags, (flag) => flag >> 2),
  };
}

export function binaryRows(rows: LabelledBinaryRows, from: number, to: number): LabelledBinaryRows {
  return {
    scores: Array.prototype.slice.call(rows.scores, from, to) as number[],
    labels: Array.prototype.slice.call(rows.labels, from, to) as number[],
    predicted: Array.prototype.slice.call(rows.predicted, from, to) as number[],
  };
}
