/** Refusals of bad input, by field and value. All throw a RangeError. */
import { item } from '../metrics/scored.js';

/** That there are rows, and as many as in the other field. */
export function checkLength(field: string, values: ArrayLike<number>, rows: number, as: string): void {
  if (values.length !== rows)
    throw new RangeError(`${field} has ${values.length} rows and ${as} has ${rows}: both must have the same`);
  if (rows === 0) throw new RangeError(`${field} has no rows: at least one is needed`);
}

/** Probabilities: finite, from 0 to 1. */
export function checkScores(field: string, scores: ArrayLike<number>): void {
  for (let i = 0; i < scores.length; i += 1) {
    const score = item(scores, i);
    if (!(score >= 0 && score <= 1))
      throw new RangeError(`${field}[${i}] is ${score}: a score must be a number from 0 to 1`);
  }
}

/** Class numbers, from 0 to below `classes`. */
export function checkClasses(field: string, values: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < values.length; i += 1) {
    const value = item(values, i);
    if (!(Number.isInteger(value) && value >= 0 && value < classes))
      throw new RangeError(`${field}[${i}] is ${value}: it must be a whole number from 0 to ${classes - 1}`);
  }
}

/** Labels 0 or 1 of which both occur. Answers how many are 1. */
export function checkBothClasses(field: string, labels: ArrayLike<number>): number {
  checkClasses(field, labels, 2);
  let positives = 0;
  for (let i = 0; i < labels.length; i += 1) positives += item(labels, i);
  if (positives === 0 || positives === labels.length)
    throw new RangeError(
      `${field} holds only ${positives === 0 ? 0 : 1} in ${labels.length} rows: rows of both classes are needed`,
    );
  return positives;
}

/** Counts: whole numbers of at least 0. */
export function checkCounts(field: string, counts: ArrayLike<number>): void {
  for (let i = 0; i < counts.length; i += 1) {
    const count = item(counts, i);
    if (!(Number.isSafeInteger(count) && count >= 0))
      throw new RangeError(`${field}[${i}] is ${count}: a count must be a whole number of at least 0`);
  }
}

/** Finite numbers, each above the one before. */
export function checkRising(field: string, edges: ArrayLike<number>): void {
  for (let i = 0; i < edges.length; i += 1) {
    const edge = item(edges, i);
    if (!Number.isFinite(edge)) throw new RangeError(`${field}[${i}] is ${edge}: an edge must be finite`);
    if (i > 0 && edge <= item(edges, i - 1))
      throw new RangeError(`${field}[${i}] is ${edge}, after ${item(edges, i - 1)}: edges must rise`);
  }
}
