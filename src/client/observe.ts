import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ObservedAnswer } from '../contracts/observations.js';
import type { DataFile } from '../platform/data-files/data-file.js';
import { MongoObserved } from '../platform/observations/observed.js';
import { numericInputs, ObservationError, textInputs } from '../platform/observations/observed-values.js';
import { RowTaker } from '../platform/observations/take-rows.js';
import { TenureError } from './errors.js';
import { csvTypes, type ReadingOptions, takeFile } from './observed-file.js';
import { explainFile, monitoringOf, withRows } from './row-file.js';
import type { Session } from './session.js';

export type { ObserveColumns } from './observed-file.js';

export interface ObserveOptions extends ReadingOptions {
  readonly version: string;
  /** Default: the file's digest. */
  readonly batch?: string;
}

export interface ObservedFile extends ObservedAnswer {
  readonly model: string;
  readonly version: string;
  readonly seconds: number;
}

/** Hours of more than a year: windows of a file are counted in memory. */
const MOST_STRETCHES = 10_000;

/**
 * Counts a file of rows that were answered elsewhere (Parquet, CSV or JSON lines) into windows. All of it is checked before anything is
 * stored; the same file again does nothing, and one that was interrupted goes on.
 * @throws TenureError `invalid`, `refused`, `not-found`, `unreachable`
 */
export async function observeFile(
  session: Session,
  model: string,
  path: string,
  options: ObserveOptions,
): Promise<ObservedFile> {
  const began = performance.now();
  const { client, db } = await session.database();
  const observed = new MongoObserved(client, db);
  try {
    const monitoring = await monitoringOf(session, model);
    const { version } = options;
    const ref = await observed.version(model, version);
    const content = await digestOf(path);
    const head = { model, ref, batch: options.batch ?? content, content };
    const { profile, done } = await observed.begin(head);
    const finished = (answer: ObservedAnswer): ObservedFile => ({
      model,
      version,
      ...answer,
      seconds: (performance.now() - began) / 1_000,
    });
    if (done !== null) return finished(done);
    const types = csvTypes(textInputs(profile.content), options.columns);
    const take = async (file: DataFile): Promise<ObservedFile> => {
      const taker = new RowTaker({
        head,
        profile,
        monitoring,
        now: Date.now(),
        mostStretches: MOST_STRETCHES,
      });
      await takeFile(file, taker, numericInputs(profile.content), options);
      return finished(await observed.store(head, profile, taker.counted()));
    };
    return await withRows(path, take, types);
  } catch (error) {
    if (!(error instanceof ObservationError)) throw explainFile(error, path);
    const code = ({ invalid: 'invalid', unknown: 'not-found', conflict: 'refused' } as const)[error.code];
    throw new TenureError(code, error.message, { cause: error });
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
