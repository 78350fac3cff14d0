import { createHash } from 'node:crypto';
import type { Collection, Document, MongoClient } from 'mongodb';
import type { Logger } from 'pino';
import type { WindowSpan } from '../../contracts/windows.js';
import { effect } from '../../fail-points/index.js';
import { collectionsOf } from '../mongo/connect.js';
import { databaseTime } from '../mongo/time.js';
import { guardSchema } from '../mongo/schema/state.js';
import { LATE_MS } from './monitored.js';
import { boundedCells } from './bounded.js';
import { WINDOW_COLLECTIONS, type WindowDocument, windowsOf } from './collections.js';
import { mergeCells, mergeEvidence, mergeTables } from './merge.js';
import { sumsOf } from './sums.js';

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

/** Stretches that are merged in one run at most, so that a run is short; and those that hold one document, which are only renamed. */
const MAX_BUCKETS = 1_000;
const MAX_SINGLE = 50_000;
const RENAMED_AT_ONCE = 1_000;

interface Step {
  readonly from: WindowSpan;
  readonly to: WindowSpan;
  readonly size: number;
  readonly keep: number;
}

/**
 * Batches are merged by the minute of their insertion, with their key evidence, so that reading a release comes out the same
 * before and after; longer spans by the time they are about, without it.
 */
const keepsEvidence = ({ to }: Pick<Step, 'to'>): boolean => to === 'minute';

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
 * Merges old windows into longer ones and deletes those past their retention. Minutes of a release that a routing table
 * names stay minutes, and cited windows stay as they are. Safe to run anywhere and several times at once: each merge is one transaction that
 * deletes exactly what it merged.
 * @param now epoch milliseconds
 */
export async function compactWindows(
  { client, name }: Database,
  now: number,
  retention: Retention = DEFAULT_RETENTION,
): Promise<Compacted> {
  const db = client.db(name);
  await guardSchema(db, WINDOW_COLLECTIONS);
  const windows = windowsOf(db);
  const routes = await collectionsOf(db)
    .routes.find({ release: { $ne: null } }, { projection: { model: 1, release: 1 } })
    .toArray();
  const inFlight = routes.flatMap(({ model, release }) =>
    release === null ? [] : [{ model, releases: release }],
  );
  const notInFlight = inFlight.length === 0 ? {} : { $nor: inFlight };
  // Of each document in one act, and nothing else rests on it: wherever a compactor dies, the next one goes on.
  await windows.updateMany(
    { ...storedBefore('batch', now - retention.batches), ...LATE },
    { $set: { span: 'minute' } },
  );
  let merged = 0;
  let into = 0;
  for (const step of stepsOf(retention)) {
    const buckets = await windows
      .aggregate<{ _id: { model: string; start: number }; ids: string[] }>([
        { $match: dueFor(step, now, notInFlight) },
        {
          $group: {
            _id: { model: '$model', start: bucketOf(step) },
            ids: { $push: '$_id' },
          },
        },
        { $limit: MAX_SINGLE },
      ])
      .toArray();
    const single = keepsEvidence(step) ? buckets.filter(({ ids }) => ids.length === 1) : [];
    const renamed = await rename(
      windows,
      step,
      single.flatMap(({ ids }) => ids),
    );
    merged += renamed;
    into += renamed;
    const several = single.length === 0 ? buckets : buckets.filter(({ ids }) => ids.length > 1);
    for (const { _id, ids } of several.slice(0, MAX_BUCKETS)) {
      if (await effect('windows.merge', () => mergeBucket({ client, name }, step, _id, ids))) {
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
  // Made again from the windows, should anybody still ask.
  await sumsOf(db).deleteMany({ upTo: { $lt: new Date(now - retention.minutes) } });
  return { merged, into, deleted: deletedCount };
}

/**
 * Stored long after their time, and of no release, so that no look reads them: merged by the minute of their insertion, the rows of
 * many hours, and those of now, would be one. They count as minutes as they are, and become part of the hours that they are about.
 */
const LATE: Document = {
  releases: [],
  $expr: { $gt: [{ $subtract: [{ $toLong: '$insertedAt' }, '$to'] }, LATE_MS] },
};

const storedBefore = (span: WindowSpan, before: number): Document => ({
  span,
  cited: { $ne: true },
  insertedAt: { $lt: new Date(before - (before % MINUTE)) },
});

/** Minutes of a release in flight are kept; its batches become minutes, or a long canary would drown its reader. */
function dueFor(step: Step, now: number, notInFlight: Document): Document {
  const before = now - step.keep;
  // Of both steps the time that it is about is asked, by which there is an index. What is ahead of its insertion waits until then.
  const due = { to: { $lt: before }, cited: { $ne: true } };
  if (keepsEvidence(step)) return { ...due, ...storedBefore(step.from, before), $nor: [LATE] };
  // What came late is kept by the minute as long as what came in time: monitors read it by its insertion.
  const stored = step.from === 'minute' ? { insertedAt: { $lt: new Date(before) } } : {};
  return { ...due, span: step.from, ...stored, ...notInFlight };
}

/** A document that is alone in its stretch is what merging would make of it. @returns how many were renamed */
async function rename(
  windows: Collection<WindowDocument>,
  { from, to }: Step,
  ids: readonly string[],
): Promise<number> {
  let renamed = 0;
  for (let at = 0; at < ids.length; at += RENAMED_AT_ONCE) {
    const some = ids.slice(at, at + RENAMED_AT_ONCE);
    const { modifiedCount } = await effect('windows.merge', () =>
      windows.updateMany({ _id: { $in: some }, span: from, cited: { $ne: true } }, { $set: { span: to } }),
    );
    renamed += modifiedCount;
  }
  return renamed;
}

function bucketOf(step: Step): Document {
  const time = keepsEvidence(step) ? { $toLong: '$insertedAt' } : '$from';
  return { $toDouble: { $subtract: [time, { $mod: [time, step.size] }] } };
}

/** @returns false when somebody else has merged some of them meanwhile */
async function mergeBucket(
  { client, name }: Database,
  step: Step,
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
      const sources = await windows
        .find({ _id: { $in: [...ids] } }, { session })
        .sort({ insertedAt: 1, gateway: 1, boot: 1, sequence: 1 })
        .toArray();
      if (sources.length !== ids.length) return false;
      const { deletedCount } = await effect('windows.merge-delete', () =>
        windows.deleteMany({ _id: { $in: [...ids] } }, { session }),
      );
      if (deletedCount !== ids.length) throw new Error('A window vanished while it was merged');
      const id = `${step.to}/${model}/${start}/${fingerprint}`;
      await effect('windows.merge-insert', () =>
        windows.insertOne(mergeDocuments(id, step, sources), { session }),
      );
      return true;
    }),
  );
}

/**
 * One document for several of a model.
 * @param sources in the order of their times
 */
function mergeDocuments(id: string, step: Step, sources: readonly WindowDocument[]): WindowDocument {
  const { model = '' } = sources[0] ?? {};
  const lost = [
    ...new Map(sources.map(({ gateway, boot, lost: given }) => [`${gateway}/${boot}`, given])).values(),
  ];
  const level = keepsEvidence(step) ? Math.max(...sources.map((source) => source.level)) : 0;
  return {
    _id: id,
    // Days are older than any batch that could still come again.
    batches: step.to === 'day' ? [] : sources.flatMap(({ batches }) => batches),
    insertedAt: new Date(Math.max(...sources.map(({ insertedAt }) => insertedAt.getTime()))),
    gateway: 'merged',
    boot: id,
    sequence: 0,
    model,
    span: step.to,
    from: Math.min(...sources.map(({ from }) => from)),
    to: Math.max(...sources.map(({ to }) => to)),
    tables: mergeTables(sources),
    cells: boundedCells(mergeCells(sources.flatMap(({ cells }) => cells))),
    releases: [...new Set(sources.flatMap(({ releases }) => releases))].sort((a, b) => a - b),
    level,
    evidence: keepsEvidence(step) ? mergeEvidence(sources, level) : [],
    lost: {
      batches: lost.reduce((sum, given) => sum + given.batches, 0),
      requests: lost.reduce((sum, given) => sum + given.requests, 0),
    },
  };
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

/** What has been deleted does not come back: of two clocks the one that says that less time has passed, in case the other jumps. */
async function earlierClock({ client, name }: Database): Promise<number> {
  return Math.min(Date.now(), await databaseTime(client.db(name)));
}

async function compactOnce(database: Database, log: Logger, retention: Retention): Promise<void> {
  try {
    const done = await compactWindows(database, await earlierClock(database), retention);
    if (done.merged + done.deleted > 0) log.info(done, 'Windows were compacted');
  } catch (error) {
    log.warn({ err: error }, 'Windows were not compacted; tried again later');
  }
}
