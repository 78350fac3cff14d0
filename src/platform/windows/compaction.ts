import { createHash } from 'node:crypto';
import type { MongoClient } from 'mongodb';
import type { Logger } from 'pino';
import type { WindowSpan } from '../../contracts/windows.js';
import { collectionsOf } from '../mongo/connect.js';
import { type WindowDocument, windowsOf } from './collections.js';
import { mergeCells, mergeTables } from './merge.js';

/** How long each span is kept, milliseconds. */
export interface Retention {
  /** Batches as flushed, before they become minutes. */
  readonly batches: number;
  readonly minutes: number;
  readonly hours: number;
  readonly days: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const DEFAULT_RETENTION: Retention = {
  batches: 15 * MINUTE,
  minutes: 48 * HOUR,
  hours: 35 * DAY,
  days: 3 * 365 * DAY,
};

/** Merged in one run at most, so that a run is short. */
const MAX_BUCKETS = 1_000;

interface Step {
  readonly from: WindowSpan;
  readonly to: WindowSpan;
  readonly size: number;
  readonly keep: number;
}

const stepsOf = ({ batches, minutes, hours }: Retention): readonly Step[] => [
  { from: 'batch', to: 'minute', size: MINUTE, keep: batches },
  { from: 'minute', to: 'hour', size: HOUR, keep: minutes },
  { from: 'hour', to: 'day', size: DAY, keep: hours },
];

export interface Compacted {
  readonly merged: number;
  readonly into: number;
  readonly deleted: number;
}

interface Database {
  readonly client: MongoClient;
  readonly name: string;
}

/**
 * Merges old windows into longer ones and deletes those past their retention. Windows of a release that a routing table
 * names, and cited ones, stay as they are. Safe to run anywhere and several times at once: each merge is one transaction that
 * deletes exactly what it merged.
 * @param now epoch milliseconds
 */
export async function compactWindows(
  { client, name }: Database,
  now: number,
  retention: Retention = DEFAULT_RETENTION,
): Promise<Compacted> {
  const db = client.db(name);
  const windows = windowsOf(db);
  const routes = await collectionsOf(db)
    .routes.find({ release: { $ne: null } }, { projection: { model: 1, release: 1 } })
    .toArray();
  const inFlight = routes.flatMap(({ model, release }) =>
    release === null ? [] : [{ model, releases: release }],
  );
  const notInFlight = inFlight.length === 0 ? {} : { $nor: inFlight };
  let merged = 0;
  let into = 0;
  for (const step of stepsOf(retention)) {
    const buckets = await windows
      .aggregate<{ _id: { model: string; start: number }; ids: string[] }>([
        { $match: { span: step.from, to: { $lt: now - step.keep }, cited: { $ne: true }, ...notInFlight } },
        {
          $group: {
            _id: { model: '$model', start: { $subtract: ['$from', { $mod: ['$from', step.size] }] } },
            ids: { $push: '$_id' },
          },
        },
        { $limit: MAX_BUCKETS },
      ])
      .toArray();
    for (const { _id, ids } of buckets) {
      if (await mergeBucket({ client, name }, step, _id, ids)) {
        merged += ids.length;
        into += 1;
      }
    }
  }
  const { deletedCount } = await windows.deleteMany({
    span: 'day',
    to: { $lt: now - retention.days },
    cited: { $ne: true },
  });
  return { merged, into, deleted: deletedCount };
}

/** @returns false when somebody else has merged some of them meanwhile */
async function mergeBucket(
  { client, name }: Database,
  { to: span, size }: Step,
  { model, start }: { readonly model: string; readonly start: number },
  ids: readonly string[],
): Promise<boolean> {
  const windows = windowsOf(client.db(name));
  const fingerprint = createHash('sha256')
    .update([...ids].sort().join('\n'))
    .digest('hex')
    .slice(0, 16);
  return client.withSession((session) =>
    session.withTransaction(async () => {
      const sources = await windows.find({ _id: { $in: [...ids] } }, { session }).toArray();
      if (sources.length !== ids.length) return false;
      const { deletedCount } = await windows.deleteMany({ _id: { $in: [...ids] } }, { session });
      if (deletedCount !== ids.length) throw new Error('A window vanished while it was merged');
      await windows.insertOne(
        mergeDocuments(`${span}/${model}/${start}/${fingerprint}`, span, start, size, sources),
        {
          session,
        },
      );
      return true;
    }),
  );
}

/** One document for several of a model; without key evidence, which only a release in flight needs. */
export function mergeDocuments(
  id: string,
  span: WindowSpan,
  start: number,
  size: number,
  sources: readonly WindowDocument[],
): WindowDocument {
  const { model = '' } = sources[0] ?? {};
  const lost = new Map(sources.map(({ gateway, boot, lost: given }) => [`${gateway}/${boot}`, given]));
  return {
    _id: id,
    // Days are older than any batch that could still come again.
    batches: span === 'day' ? [] : sources.flatMap(({ batches }) => batches),
    insertedAt: new Date(Math.max(...sources.map(({ insertedAt }) => insertedAt.getTime()))),
    gateway: 'merged',
    boot: id,
    sequence: 0,
    model,
    span,
    from: Math.min(start, ...sources.map(({ from }) => from)),
    to: Math.max(start + size, ...sources.map(({ to }) => to)),
    tables: mergeTables(sources),
    cells: mergeCells(sources.flatMap(({ cells }) => cells)),
    releases: [...new Set(sources.flatMap(({ releases }) => releases))].sort((a, b) => a - b),
    level: 0,
    evidence: [],
    lost: {
      batches: [...lost.values()].reduce((sum, given) => sum + given.batches, 0),
      requests: [...lost.values()].reduce((sum, given) => sum + given.requests, 0),
    },
  };
}

/** Keeps all windows of a model that overlap a stretch of time for ever, as something rests on them. */
export async function citeWindows(
  { client, name }: Database,
  { model, from, to }: { readonly model: string; readonly from: number; readonly to: number },
): Promise<number> {
  const { modifiedCount } = await windowsOf(client.db(name)).updateMany(
    { model, to: { $gt: from }, from: { $lt: to }, cited: { $ne: true } },
    { $set: { cited: true } },
  );
  return modifiedCount;
}

/** Compacts every so often until stopped. Runs in the gateway's process, which is there whenever windows are. */
export function startCompactor(
  database: Database,
  log: Logger,
  everyMs: number = MINUTE,
  retention: Retention = DEFAULT_RETENTION,
): { stop(): Promise<void> } {
  let work: Promise<void> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    work = compactOnce(database, log, retention).finally(() => {
      busy = false;
    });
  }, everyMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await work;
    },
  };
}

async function compactOnce(database: Database, log: Logger, retention: Retention): Promise<void> {
  try {
    const done = await compactWindows(database, Date.now(), retention);
    if (done.merged + done.deleted > 0) log.info(done, 'Windows were compacted');
  } catch (error) {
    log.warn({ err: error }, 'Windows were not compacted; tried again later');
  }
}
