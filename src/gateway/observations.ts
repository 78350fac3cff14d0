import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { MOST_ROWS, type ObservedAnswer, type ObservedRow } from '../contracts/observations.js';
import type { RoutingTable } from '../contracts/routes.js';
import {
  LONGEST_BATCH_ID,
  type MongoObserved,
  type ObservedHead,
} from '../platform/observations/observed.js';
import { ObservationError } from '../platform/observations/observed-values.js';
import { RowTaker } from '../platform/observations/take-rows.js';
import { atMost, isRecord, show, timeOf } from './batches.js';
import { HttpError } from './protocol.js';

/** What takes rows from elsewhere. */
export type ObservedStore = Pick<MongoObserved, 'version' | 'begin' | 'store'>;

/** Rows in flight: a few large batches, or many small ones, which are stored together. 64 of the smallest. */
const MOST_ROWS_AT_ONCE = 8 * MOST_ROWS;
const LIGHTEST = MOST_ROWS_AT_ONCE / 64;
/** Stretches of one batch: its windows are stored in one transaction. */
const MOST_STRETCHES = 100;

/** `POST /observations`: rows of a model that is served elsewhere, in batches, each once. */
export function addObservations(
  app: FastifyInstance,
  observed: ObservedStore | null,
  tableOf: (model: string) => RoutingTable,
): void {
  const limited = atMost(MOST_ROWS_AT_ONCE, 'rows of observations');
  app.post('/observations', async ({ body }) => {
    if (observed === null) throw new HttpError(501, 'This gateway takes no observations');
    const batch = readBatch(body);
    const { monitoring } = tableOf(batch.model);
    if (monitoring === undefined)
      throw new HttpError(
        409,
        `${batch.model} is not monitored: its routing table was written without a section monitoring of the manifest`,
      );
    const weight = Math.max(LIGHTEST, batch.rows.length);
    return limited(() => take(observed, batch, monitoring).catch(refused), weight);
  });
}

async function take(
  observed: ObservedStore,
  { model, version, batch, rows, content }: Batch,
  monitoring: NonNullable<RoutingTable['monitoring']>,
): Promise<ObservedAnswer> {
  const head: ObservedHead = { model, ref: await observed.version(model, version), batch, content };
  const { profile, done } = await observed.begin(head);
  if (done !== null) return done;
  const taker = new RowTaker({ head, profile, monitoring, now: Date.now(), mostStretches: MOST_STRETCHES });
  checkInputs(rows, taker.names, version);
  const given = {
    inputs: taker.names.map((name) =>
      rows.map(({ inputs }) => (Object.hasOwn(inputs, name) ? inputs[name] : null)),
    ),
    scores: rows.map(({ score }) => score),
    labels: rows.map(({ label }) => label),
    at: rows.map(({ at }) => at),
    ids: rows.map(({ id }) => id),
  };
  taker.take(given, (row) => `rows[${row}]`);
  return observed.store(head, profile, taker.counted());
}

/** An input that no row has is a column that was forgotten; null says that a value is missing. */
function checkInputs(rows: readonly ObservedRow[], names: readonly string[], version: string): void {
  const known = new Set(names);
  const absent = new Set(names);
  rows.forEach(({ inputs }, i) => {
    for (const name of Object.keys(inputs)) {
      if (!known.has(name))
        throw new ObservationError(
          `rows[${i}].inputs: the profile of ${version} has no ${show(name)}; it has ${names.slice(0, 50).join(', ')}`,
        );
      absent.delete(name);
    }
  });
  if (absent.size > 0)
    throw new ObservationError(
      `rows: no row has ${[...absent].slice(0, 50).join(', ')}, ${absent.size} of ${names.length} inputs; null says that a value is missing`,
    );
}

interface Batch {
  readonly model: string;
  readonly version: string;
  readonly batch: string;
  readonly rows: readonly ObservedRow[];
  readonly content: string;
}

/** @throws HttpError 400 that names the field */
function readBatch(body: unknown): Batch {
  if (!isRecord(body)) throw new HttpError(400, 'body: an object is needed');
  const text = (field: string): string => {
    const value = body[field];
    if (typeof value === 'string' && value !== '' && value.length <= LONGEST_BATCH_ID) return value;
    throw new HttpError(
      400,
      `${field}: ${show(value)} must be a text of 1 to ${LONGEST_BATCH_ID} characters`,
    );
  };
  const [model, version, batch] = [text('model'), text('version'), text('batch')];
  const given: unknown = body['rows'];
  if (!Array.isArray(given) || given.length === 0)
    throw new HttpError(400, 'rows: a list of at least one row is needed');
  if (given.length > MOST_ROWS)
    throw new HttpError(400, `rows: ${given.length} are more than ${MOST_ROWS}; send several batches`);
  const rows = given.map((row: unknown, i) => readRow(row, `rows[${i}]`));
  const content = createHash('sha256').update(JSON.stringify(given)).digest('hex');
  return { model, version, batch, rows, content };
}

function readRow(given: unknown, field: string): ObservedRow {
  if (!isRecord(given)) throw new HttpError(400, `${field}: an object is needed`);
  const { inputs, score, label, at, id } = given;
  if (!isRecord(inputs))
    throw new HttpError(400, `${field}.inputs: ${show(inputs)} is no object of inputs by name`);
  if (id !== undefined && typeof id !== 'string')
    throw new HttpError(400, `${field}.id: ${show(id)} is no request id; a string is needed`);
  return { inputs, score, label, at: timeOf(at, `${field}.at`), id: id ?? null };
}

function refused(error: unknown): never {
  if (!(error instanceof ObservationError)) throw error;
  const status = { invalid: 400, unknown: 404, conflict: 409 }[error.code];
  throw new HttpError(status, error.message);
}
