import type { Collection, Db } from 'mongodb';
import type { WindowBatch } from '../../contracts/windows.js';
import { databaseTime } from '../mongo/time.js';
import { type WindowDocument, windowsOf, WITHOUT_FEATURES } from './collections.js';
import { mergeCells, mergeEvidence, mergeTables } from './merge.js';
import { ReleaseReader, type ReleaseQuery } from './reader.js';

/** All closed windows of a release, merged into one: reading it and what came after is reading them all. */
export type ReleaseSums = Pick<WindowBatch, 'tables' | 'cells' | 'level' | 'evidence'>;

interface SumsDocument extends ReleaseSums {
  readonly _id: string;
  /** Everything inserted before is in here, nothing else. The start of a minute, so that a merged minute is in or out as a whole. */
  readonly upTo: Date;
}

const MINUTE = 60_000;
/** A batch that was inserted so long ago is visible, whatever the server was doing; less than what the compactor waits. */
const CLOSED_MS = 2 * MINUTE;
/** Merged at a time. */
const CHUNK = 500;
/** A document holds 16 MB. */
const MOST_BYTES = 12 * 1024 * 1024;

export const sumsOf = (db: Db): Collection<SumsDocument> => db.collection('windowSums');

/** @param documents in the order of their times, each once */
export function addToSums(
  known: ReleaseSums | null,
  documents: readonly ReleaseSums[],
  release: number,
): ReleaseSums {
  const parts = [...(known === null ? [] : [known]), ...documents.map((part) => ofRelease(part, release))];
  const level = Math.max(0, ...parts.map((part) => part.level));
  return {
    tables: mergeTables(parts),
    cells: mergeCells(parts.flatMap(({ cells }) => cells)),
    level,
    evidence: mergeEvidence(parts, level),
  };
}

function ofRelease({ tables, cells, level, evidence }: ReleaseSums, release: number): ReleaseSums {
  const mine = tables.filter((table) => table.release === release);
  const generations = new Set(mine.map(({ generation }) => generation));
  const isMine = ({ generation }: { readonly generation: number }): boolean => generations.has(generation);
  return { tables: mine, cells: cells.filter(isMine), level, evidence: evidence.filter(isMine) };
}

export interface Opening {
  /** Called between chunks: the first reading takes long. */
  readonly beat?: () => void;
  /** The sums could not be kept: the next reading takes longer, nothing else. */
  readonly unkept?: (error: unknown) => void;
}

/**
 * A reader that knows everything up to some minutes ago, from the sums of the release, which are kept beside the windows and
 * moved on here: what is read does not grow with the age of a canary. They are a cache: without them all windows are read.
 */
export async function openReleaseReader(
  db: Db,
  query: ReleaseQuery,
  { beat, unkept }: Opening = {},
): Promise<ReleaseReader> {
  const { model, release } = query;
  const _id = `${model}/${release}`;
  const found = await sumsOf(db).findOne({ _id });
  const until = await closedBefore(db);
  let sums: ReleaseSums | null = found;
  let upTo = found?.upTo ?? new Date(0);
  if (upTo.getTime() < until.getTime()) {
    let [read, chunk]: [number, WindowDocument[]] = [0, []];
    const merge = (): void => {
      sums = addToSums(sums, chunk, release);
      chunk = [];
      beat?.();
    };
    for await (const document of windowsOf(db)
      .find(
        { model, releases: release, insertedAt: { $gte: upTo, $lt: until } },
        { projection: WITHOUT_FEATURES },
      )
      .sort({ insertedAt: 1, gateway: 1, boot: 1, sequence: 1 })) {
      read += 1;
      if (chunk.push(document) >= CHUNK) merge();
    }
    if (chunk.length > 0) merge();
    upTo = until;
    if (sums !== null && read > 0) await keep(db, { _id, upTo, ...content(sums) }).catch(unkept);
  }
  const reader = new ReleaseReader(query);
  if (sums !== null) reader.startFrom(sums, upTo);
  return reader;
}

const content = ({ tables, cells, level, evidence }: ReleaseSums): ReleaseSums => ({
  tables,
  cells,
  level,
  evidence,
});

/** By the server's clock, as the times of the windows are. */
async function closedBefore(db: Db): Promise<Date> {
  const time = (await databaseTime(db)) - CLOSED_MS;
  return new Date(time - (time % MINUTE));
}

/** Of two that read at once the later one wins: each is right by itself. Too many keys for one document: the older sums stay. */
async function keep(db: Db, document: SumsDocument): Promise<void> {
  const bytes = document.evidence.reduce((sum, { seen, newBad }) => sum + seen.length + newBad.length, 0);
  if (bytes > MOST_BYTES) return;
  const { _id, ...rest } = document;
  await sumsOf(db).replaceOne({ _id }, rest, { upsert: true });
}
