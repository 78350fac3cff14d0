/** Rows that ours and the Python tools are asked about: the same files for all, with fixed seeds. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom, type Random } from '../../test/support/random.js';

export const FEATURES = 20;
export const WINDOWS = 90;
export const ROWS = 500;
export const REFERENCE_ROWS = 5_000;
/** Features that move by .3 sd in the two windows after the last. */
export const SHIFTED = 3;
const CATEGORY_SHARES = [0.4, 0.25, 0.2, 0.1, 0.05];
const SMALL_ROWS = 50_000;

export interface MadeRun {
  /** Row by row, FEATURES values each. */
  readonly reference: Float64Array;
  readonly windows: Float64Array;
}

export interface Made {
  readonly categories: readonly (readonly [reference: readonly number[], window: readonly number[]])[];
  readonly runs: readonly MadeRun[];
  readonly small: { readonly reference: Float64Array; readonly window: Float64Array };
}

/** Makes everything, and writes it where the Python tools read it. */
export async function make(
  folder: string,
  { pairs, runs }: { readonly pairs: number; readonly runs: number },
): Promise<Made> {
  const random = createRandom(20_261_128);
  const made: Made = {
    categories: Array.from({ length: pairs }, () => [categories(random), categories(random)] as const),
    runs: Array.from({ length: runs }, () => ({
      reference: normals(random, REFERENCE_ROWS * FEATURES),
      windows: windows(random),
    })),
    small: {
      reference: normals(random, SMALL_ROWS),
      window: normals(random, SMALL_ROWS).map((value) => value + 0.08),
    },
  };
  const about = { categories: made.categories, runs, features: FEATURES, rows: ROWS, shifted: SHIFTED };
  const write = (name: string, values: Float64Array): Promise<void> =>
    writeFile(join(folder, `${name}.bin`), values);
  await Promise.all([
    writeFile(join(folder, 'about.json'), JSON.stringify(about)),
    write('small-reference', made.small.reference),
    write('small-window', made.small.window),
    ...made.runs.flatMap((run, i) => [
      write(`reference-${i}`, run.reference),
      write(`windows-${i}`, run.windows),
    ]),
  ]);
  return made;
}

const normals = (random: Random, count: number): Float64Array =>
  Float64Array.from({ length: count }, () => random.normal());

/** The last two are shifted. */
function windows(random: Random): Float64Array {
  const values = normals(random, (WINDOWS + 2) * ROWS * FEATURES);
  for (let i = WINDOWS * ROWS * FEATURES; i < values.length; i += 1)
    if (i % FEATURES < SHIFTED) values[i]! += 0.3;
  return values;
}

function categories(random: Random): number[] {
  const counts = CATEGORY_SHARES.map(() => 0);
  for (let row = 0; row < ROWS; row += 1) {
    let left = random.uniform();
    const found = CATEGORY_SHARES.findIndex((share) => (left -= share) < 0);
    counts[found < 0 ? counts.length - 1 : found]! += 1;
  }
  return counts;
}

/** Streams of errors: .2 for a thousand, then `after` for a thousand. */
export const errorStreams = (after: number, count: number): string[] =>
  Array.from({ length: count }, (_, k) => {
    const random = createRandom(1_000 + k);
    return Array.from({ length: 2_000 }, (__, i) =>
      random.uniform() < (i < 1_000 ? 0.2 : after) ? 1 : 0,
    ).join('');
  });
