/** What monitors read: the windows of versions by stretches of time, for many models in one reading. */
import type { Db } from 'mongodb';
import type { Sketch, WindowCell, WindowRole } from '../../contracts/windows.js';
import { type WindowDocument, windowsOf } from './collections.js';
import { mergeCells } from './merge.js';

/** A version of a model, by the digest of its artifact. */
export interface WatchedVersion {
  readonly model: string;
  readonly digest: string;
}

export interface FeatureQuery {
  readonly versions: readonly WatchedVersion[];
  /** Epoch milliseconds, whole multiples of `windowSeconds`: from the one until the other. */
  readonly from: number;
  readonly to: number;
  /** Length of a stretch: a whole multiple of 60. */
  readonly windowSeconds: number;
}

/** What all gateways saw of one version in one stretch, as champion, candidate or hold-back. */
export interface FeatureWindow {
  readonly model: string;
  readonly digest: string;
  /** Epoch milliseconds, by the database's clock. */
  readonly from: number;
  readonly to: number;
  readonly requests: WindowCell['requests'];
  /** By kind. */
  readonly errors: Readonly<Record<string, number>>;
  /** Milliseconds inside the thread. */
  readonly latency: Sketch;
  readonly scores: Sketch;
  /** Rows in the bins of the version's profile: one a profile, by its digest. Empty when none was known to the gateways. */
  readonly features: readonly NonNullable<WindowCell['features']>[];
}

export interface FeatureReading {
  /** Stretches that end later are not closed, and are not in here. Epoch milliseconds. */
  readonly closedBefore: number;
  /** In order of model, digest and time. A stretch without any window has none here: nothing was asked of the version. */
  readonly windows: readonly FeatureWindow[];
}

/** A window that was inserted so long ago is visible, whatever the server was doing: an insert is given up after 5 s. */
const VISIBLE_MS = 10_000;
const MINUTE = 60_000;
const ANSWER_MS = 60_000;

const ROLES: ReadonlySet<WindowRole> = new Set<WindowRole>(['champion', 'candidate', 'holdback']);

/**
 * Closed stretches of many versions. A window belongs to the stretch in which it was stored, by the database's clock: so each is in
 * exactly one of the stretches that were read one after the other, also one that lay in a spool, and no gateway's clock matters. Only
 * of windows that were merged into hours (after 48 h) the time that they are about decides.
 * @throws RangeError when stretches and times do not fit each other
 */
export async function readFeatureWindows(db: Db, query: FeatureQuery): Promise<FeatureReading> {
  const size = checked(query);
  const { localTime } = (await db.command({ hello: 1 })) as { readonly localTime: Date };
  const now = localTime.getTime() - VISIBLE_MS;
  const closedBefore = now - (now % size);
  const to = Math.min(query.to, closedBefore);
  const watched = new Map<string, Set<string>>();
  for (const { model, digest } of query.versions)
    watched.set(model, (watched.get(model) ?? new Set()).add(digest));
  const open = new Map<string, Open>();
  const take = ({ model, cells, at }: Pick<Read, 'model' | 'cells'> & { readonly at: number }): void => {
    for (const cell of cells)
      if (ROLES.has(cell.role) && watched.get(model)?.has(cell.digest) === true)
        put(open, { model, digest: cell.digest, from: at - (at % size) }, cell);
  };
  if (to > query.from) {
    const model = { $in: [...watched.keys()] };
    const options = { timeoutMS: ANSWER_MS, timeoutMode: 'iteration', batchSize: 1_000 } as const;
    const stored = windowsOf(db)
      .find(
        {
          model,
          span: { $in: ['batch', 'minute'] },
          insertedAt: { $gte: new Date(query.from), $lt: new Date(to) },
        },
        options,
      )
      .project<Read>(READ);
    for await (const { insertedAt, ...read } of stored) take({ ...read, at: insertedAt.getTime() });
    // By `to`, of which there is an index: of recent stretches there are none.
    const merged = windowsOf(db)
      .find(
        {
          model,
          span: { $in: ['hour', 'day'] },
          to: { $gt: query.from },
          from: { $gte: query.from, $lt: to },
        },
        options,
      )
      .project<Read>(READ);
    for await (const { from, ...read } of merged) take({ ...read, at: from });
  }
  const windows = [...open.values()].map((one) => closed(one, size)).sort(inOrder);
  return { closedBefore, windows };
}

type Read = Pick<WindowDocument, 'model' | 'from' | 'insertedAt' | 'cells'>;
const READ = { model: 1, from: 1, insertedAt: 1, cells: 1 } as const;

interface Place extends WatchedVersion {
  readonly from: number;
}

interface Open {
  readonly place: Place;
  cells: WindowCell[];
}

/** Cells that are held until they are merged: what is read of many models fits into memory. */
const HELD = 8;

function put(open: Map<string, Open>, place: Place, cell: WindowCell): void {
  const id = `${place.model}/${place.digest}/${place.from}`;
  const known = open.get(id) ?? { place, cells: [] };
  open.set(id, known);
  known.cells.push(alike(cell));
  if (known.cells.length >= HELD) known.cells = [...mergeCells(known.cells)];
}

/** Roles, generations and releases make no difference here. */
const alike = (cell: WindowCell): WindowCell => ({
  ...cell,
  role: 'champion',
  generation: 0,
  release: null,
  bad: {},
});

function closed({ place, cells }: Open, size: number): FeatureWindow {
  const byProfile = mergeCells(cells);
  const features = byProfile.flatMap((cell) => cell.features ?? []);
  const [all] = mergeCells(byProfile.map((cell) => ({ ...cell, features: null })));
  if (all === undefined) throw new Error('A stretch without cells was opened');
  const { requests, errors, latency, scores } = all;
  return { ...place, to: place.from + size, requests, errors, latency, scores, features };
}

function inOrder(a: FeatureWindow, b: FeatureWindow): number {
  if (a.model !== b.model) return a.model < b.model ? -1 : 1;
  if (a.digest !== b.digest) return a.digest < b.digest ? -1 : 1;
  return a.from - b.from;
}

function checked({ from, to, windowSeconds }: FeatureQuery): number {
  const size = windowSeconds * 1_000;
  if (!(Number.isSafeInteger(windowSeconds) && windowSeconds > 0 && size % MINUTE === 0))
    throw new RangeError(`windowSeconds is ${windowSeconds}: a whole multiple of 60 is needed`);
  for (const [field, value] of Object.entries({ from, to }))
    if (!(Number.isSafeInteger(value) && value >= 0 && value % size === 0))
      throw new RangeError(
        `${field} is ${value}: a whole multiple of ${size} is needed, as stretches begin there`,
      );
  return size;
}
