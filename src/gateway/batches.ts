/** What the ways in have in common that take batches. */
import { MongoError } from 'mongodb';
import { HttpError } from './protocol.js';

/**
 * Runs at most so many at once; what the store does not take is told as 503, and can be sent again.
 * @param most of them, or of what they weigh; one alone may weigh more
 */
export function atMost(most: number, what: string) {
  let running = 0;
  return async <T>(act: () => Promise<T>, weight = 1): Promise<T> => {
    if (running > 0 && running + weight > most)
      throw new HttpError(503, `More than ${most} ${what} are in flight; try again`, 1);
    running += weight;
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
      throw new HttpError(503, `MongoDB did not take it (${error.message}): send the same again`, 2);
    } finally {
      running -= weight;
    }
  };
}

/** ISO 8601 with a time zone, as epoch milliseconds. @throws HttpError 400 */
export function timeOf(given: unknown, field: string): number {
  const time = typeof given === 'string' && ISO.test(given) ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(time))
    throw new HttpError(400, `${field}: ${show(given)} is no time; it is written like 2026-11-28T18:00:00Z`);
  return time;
}

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
