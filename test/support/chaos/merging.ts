import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeptProcess, startProcess } from '../../../src/client/processes.js';
import { type FailMark, markName } from '../../../src/fail-points/plan.js';
import { connectMongo, prepareDatabase, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { compactWindows } from '../../../src/platform/windows/compaction.js';
import { readCanaryCounts } from '../../../src/platform/windows/reader.js';
import { MongoWindowStore } from '../../../src/platform/windows/store.js';
import { until } from '../until.js';
import { CANDIDATE, canaryTable, CHAMPION, FakeCounting } from '../windows.js';
import { marksIn } from './troupe.js';

const MINUTE = 60_000;
const BATCHES = 24;
const EVERY_MS = 7_500;

const QUERY = {
  model: 'm',
  release: 1,
  candidate: CANDIDATE.digest,
  champion: CHAMPION.digest,
  guardrails: ['errors', 'slow'],
};

/** Windows of a release that are due to be merged, in a database of their own, and a process that merges them. */
export class Merging {
  readonly #database: TenureDatabase;
  readonly #uri: string;
  readonly #folder: string;

  private constructor(database: TenureDatabase, uri: string, folder: string) {
    this.#database = database;
    this.#uri = uri;
    this.#folder = folder;
  }

  /** @param folder for marks; made when it is not there */
  static async open(uri: string, folder: string): Promise<Merging> {
    const database = await connectMongo(uri, `merging-${randomUUID().slice(0, 8)}`);
    const { db } = database;
    await prepareDatabase(db);
    const gateway = new FakeCounting('g');
    const start = Date.now() - 40 * MINUTE;
    const batches = Array.from({ length: BATCHES }, (_, i) => {
      const from = start + i * EVERY_MS;
      for (let n = 0; n < 4; n += 1)
        gateway.request(canaryTable(1 + Math.floor(i / 8), 0.5), `k${(i * 3 + n) % 40}`, (i + n) % 4);
      return gateway.flush(from).map((batch) => ({ ...batch, from, to: from + EVERY_MS }));
    }).flat();
    await new MongoWindowStore(db).insert(batches);
    // As if each had been inserted at the time that it is about.
    await windowsOf(db).updateMany({}, [{ $set: { insertedAt: { $toDate: '$from' } } }]);
    return new Merging(database, uri, folder);
  }

  /** What the release's looks read, and what was counted in all. */
  async read(): Promise<object> {
    const { db } = this.#database;
    const windows = await windowsOf(db).find({}).toArray();
    const requests = windows
      .flatMap(({ cells }) => cells)
      .reduce((all, cell) => all + cell.requests.split, 0);
    const batches = windows.flatMap((window) => window.batches).sort();
    return { requests, batches, counts: await readCanaryCounts(db, QUERY, 0) };
  }

  async spans(): Promise<readonly string[]> {
    return windowsOf(this.#database.db).distinct('span');
  }

  /** Without anybody dying. */
  async mergeHere(): Promise<void> {
    const { client, db } = this.#database;
    await compactWindows({ client, name: db.databaseName }, Date.now());
  }

  /** @param at fail point with action, in the form of the environment */
  merge(at: string): KeptProcess {
    const { databaseName } = this.#database.db;
    return startProcess({
      name: 'compactor',
      entry: new URL('compactor.ts', import.meta.url),
      env: {
        PATH: process.env['PATH'],
        MONGODB_URI: this.#uri,
        TENURE_DATABASE: databaseName,
        TENURE_FAIL_POINT: at,
        TENURE_FAIL_FOLDER: this.#folder,
        TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
      },
      onLine: () => undefined,
    });
  }

  /** Where the process has stopped. */
  stopped(): Promise<FailMark> {
    return until(
      'the compactor to stop',
      () => (existsSync(this.#folder) ? marksIn(this.#folder)[0] : null),
      60_000,
    );
  }

  async goOn(mark: FailMark): Promise<void> {
    await rm(join(this.#folder, markName(mark)));
  }

  async close(): Promise<void> {
    await this.#database.db.dropDatabase();
    await this.#database.close();
  }
}
