/** The numbers of a feature's column. */
import { MISSING, numberOf, WRONG_TYPE } from './values.js';

export interface FiniteNumbers {
  /** In the order of their rows; the column itself where it holds nothing else. */
  readonly numbers: Float64Array;
  /** Rows without a value. */
  readonly missing: number;
  /** Rows with a value of another type. */
  readonly wrongType: number;
}

/**
 * @param name of the feature, for the error
 * @param values one a row
 * @throws RangeError for an infinite value, by row
 */
export function finiteNumbers(name: string, values: ArrayLike<unknown>): FiniteNumbers {
  // Files have a million rows: no copy where none is needed.
  if (values instanceof Float64Array && areFinite(values))
    return { numbers: values, missing: 0, wrongType: 0 };
  const numbers = new Float64Array(values.length);
  let [found, missing, wrongType] = [0, 0, 0];
  for (let row = 0; row < values.length; row += 1) {
    const value = numberOf(values[row]);
    if (value === MISSING) missing += 1;
    else if (value === WRONG_TYPE) wrongType += 1;
    else if (Number.isFinite(value)) {
      numbers[found] = value;
      found += 1;
    } else
      throw new RangeError(
        `Feature ${name} has ${value} in row ${row + 1}: a reference's values must be finite`,
      );
  }
  return { numbers: numbers.subarray(0, found), missing, wrongType };
}

function areFinite(values: Float64Array): boolean {
  for (let row = 0; row < values.length; row += 1) if (!Number.isFinite(values[row])) return false;
  return true;
}
