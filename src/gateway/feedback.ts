import type { FastifyInstance } from 'fastify';
import { MongoError } from 'mongodb';
import { type GivenLabel, MOST_LABELS } from '../contracts/observations.js';
import type { RoutingTable } from '../contracts/routes.js';
import type { LabelJoin } from '../platform/observations/labels.js';
import type { Keeper } from './keeper.js';
import type { ObservedStore } from './observations.js';
import { HttpError } from './protocol.js';

/** What the ways in need that bring labels and rows from elsewhere. */
export interface Observing {
  readonly keeper: Keeper;
  readonly labels: LabelJoin;
  readonly observed: ObservedStore;
}

/** Batches at a time: each is a transaction. */
const MOST_AT_ONCE = 4;

/** `POST /v2/models/{model}/feedback`: labels by request id. */
export function addFeedback(
  app: FastifyInstance,
  observing: Observing | null,
  tableOf: (model: string) => RoutingTable,
): void {
  const limited = atMost(MOST_AT_ONCE, 'batches of labels');
  app.post<{ Params: { readonly model: string } }>(
    '/v2/models/:model/feedback',
    async ({ params: { model }, body }) => {
      const { monitoring: settings } = tableOf(model);
      if (observing === null) throw new HttpError(501, 'This gateway takes no labels');
      if (settings === undefined)
        throw new HttpError(
          409,
          `${model} is not monitored: its routing table was written without a section monitoring of the manifest`,
        );
      const labels = readLabels(body);
      return limited(async () => {
        // What this gateway has just answered is not told to be unknown.
        if (observing.keeper.state.storing) await observing.keeper.flush();
        return observing.labels.join({ model, settings, labels, now: Date.now() });
      });
    },
  );
}

/** Runs at most so many at once; what the store does not take is told as 503, and can be sent again. */
export function atMost(most: number, what: string) {
  let running = 0;
  return async <T>(act: () => Promise<T>): Promise<T> => {
    if (running >= most) throw new HttpError(503, `More than ${most} ${what} are in flight; try again`, 1);
    running += 1;
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
      throw new HttpError(503, `MongoDB did not take it (${error.message}): send the same again`, 2);
    } finally {
      running -= 1;
    }
  };
}

/** @throws HttpError 400 that names the field: nothing of the batch is taken then */
export function readLabels(body: unknown): readonly GivenLabel[] {
  const labels: unknown = isRecord(body) ? body['labels'] : undefined;
  if (!Array.isArray(labels) || labels.length === 0)
    throw new HttpError(400, 'labels: a list of at least one label is needed');
  if (labels.length > MOST_LABELS)
    throw new HttpError(400, `labels: ${labels.length} are more than ${MOST_LABELS}; send several batches`);
  return labels.map((given: unknown, i) => {
    const field = `labels[${i}]`;
    if (!isRecord(given)) throw new HttpError(400, `${field}: an object is needed`);
    const { id, row = 0, label, at } = given;
    if (typeof id !== 'string' || id === '')
      throw new HttpError(400, `${field}.id: ${show(id)} is no request id; a string is needed`);
    if (typeof row !== 'number' || !Number.isSafeInteger(row) || row < 0)
      throw new HttpError(400, `${field}.row: ${show(row)} is no row; a whole number from 0 is needed`);
    return { id, row, label, at: at === undefined ? null : timeOf(at, `${field}.at`) };
  });
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
