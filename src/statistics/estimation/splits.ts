/** Splits into a training and a test part that keep the classes' shares: scikit-learn 1.9.1's StratifiedShuffleSplit. */
import { item } from '../metrics/scored.js';
import { MersenneTwister } from './mersenne.js';

/** Rows of each part; their order is of no meaning. */
interface Split {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

const TEST_SHARE = 0.1;
const SEED = 42;

/** Fewest rows that can be split: each part needs a row of each class. */
export const LEAST_ROWS = 11;
/** Fewest rows of each class. */
export const LEAST_ROWS_OF_CLASS = 2;

/**
 * @param labels 0 or 1 a row, at least {@link LEAST_ROWS} rows, of each class at least {@link LEAST_ROWS_OF_CLASS}
 */
export function* stratifiedSplits(labels: ArrayLike<number>, count: number): Generator<Split> {
  const rowsOf: readonly [number[], number[]] = [[], []];
  for (let i = 0; i < labels.length; i += 1) rowsOf[item(labels, i) === 1 ? 1 : 0].push(i);
  const sizes = rowsOf.map((rows) => rows.length);
  const tests = Math.ceil(labels.length * TEST_SHARE);
  const trains = labels.length - tests;
  const random = new MersenneTwister(SEED);
  for (let split = 0; split < count; split += 1) {
    const trained = shares(sizes, trains, random);
    const left = sizes.map((size, k) => size - item(trained, k));
    const tested = shares(left, tests, random);
    const train = new Uint32Array(trains);
    const test = new Uint32Array(tests);
    let [trainEnd, testEnd] = [0, 0];
    rowsOf.forEach((rows, k) => {
      const drawn = random.permutation(rows.length).map((place) => item(rows, place));
      const [forTrain, forTest] = [item(trained, k), item(tested, k)];
      train.set(drawn.subarray(0, forTrain), trainEnd);
      test.set(drawn.subarray(forTrain, forTrain + forTest), testEnd);
      trainEnd += forTrain;
      testEnd += forTest;
    });
    // The order of the rows does not matter here, but the draws that shuffle them come before the next split's.
    random.permutation(trains);
    random.permutation(tests);
    yield { train, test };
  }
}

/** Rows of each class among `draws`: in proportion, the largest remainders rounded up, equal ones by lot. */
function shares(sizes: readonly number[], draws: number, random: MersenneTwister): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const exact = sizes.map((size) => (size / total) * draws);
  const whole = exact.map(Math.floor);
  const remainders = exact.map((value, k) => value - item(whole, k));
  let missing = Math.trunc(draws - whole.reduce((sum, size) => sum + size, 0));
  for (const value of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (missing === 0) break;
    const places = remainders.flatMap((remainder, k) => (remainder === value ? [k] : []));
    const chosen = random.permutation(places.length).subarray(0, Math.min(places.length, missing));
    for (const place of chosen) whole[item(places, place)] = item(whole, item(places, place)) + 1;
    missing -= chosen.length;
  }
  return whole;
}
