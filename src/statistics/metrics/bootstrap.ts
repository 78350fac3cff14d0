/** Seeded bootstrap of a statistic of rows, for metrics whose difference has no simple standard error. */
import { seededRandom } from './random.js';
import { item } from './scored.js';

export const REPLICATES = 1000;

/** Drawn values, sorted. */
export interface Drawn {
  readonly values: Float64Array;
  readonly standardError: number;
}

/**
 * Draws rows with replacement and computes the statistic of each draw. Strata keep their sizes: a draw never lacks one.
 * A generator, so that a caller can do other things in between; it yields the number of draws done.
 * @param strata stratum of each row, from 0; one stratum for all rows when every entry is 0
 */
export function* bootstrap(
  strata: ArrayLike<number>,
  statistic: (choice: Int32Array) => number,
  seed: number,
  replicates = REPLICATES,
): Generator<number, Drawn, void> {
  const random = seededRandom(seed);
  const members = new Map<number, number[]>();
  for (let row = 0; row < strata.length; row += 1) {
    const stratum = item(strata, row);
    const list = members.get(stratum);
    if (list === undefined) members.set(stratum, [row]);
    else list.push(row);
  }
  const groups = [...members.values()].map((rows) => Int32Array.from(rows));
  const choice = new Int32Array(strata.length);
  const values = new Float64Array(replicates);
  for (let draw = 0; draw < replicates; draw += 1) {
    let place = 0;
    for (const group of groups) {
      for (let i = 0; i < group.length; i += 1) {
        choice[place] = item(group, random.below(group.length));
        place += 1;
      }
    }
    values[draw] = statistic(choice);
    yield draw + 1;
  }
  values.sort();
  let sum = 0;
  for (const value of values) sum += value;
  let squares = 0;
  for (const value of values) squares += (value - sum / replicates) ** 2;
  return { values, standardError: Math.sqrt(squares / (replicates - 1)) };
}

/** Quantile of sorted values, linear between neighbours. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return item(sorted, below) + (place - below) * (item(sorted, above) - item(sorted, below));
}
