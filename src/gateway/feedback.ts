import type { FastifyInstance } from 'fastify';
import { type GivenLabel, MOST_LABELS } from '../contracts/observations.js';
import type { RoutingTable } from '../contracts/routes.js';
import { atMost, isRecord, show, timeOf } from './batches.js';
import type { Observing } from './observing.js';
import { HttpError } from './protocol.js';

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

/** @throws HttpError 400 that names the field: nothing of the batch is taken then */
function readLabels(body: unknown): readonly GivenLabel[] {
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
