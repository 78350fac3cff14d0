/** Labels that have come, by what the rows were answered by. */
import type { Db } from 'mongodb';
import type { WindowRole } from '../../contracts/windows.js';
import { windowsOf } from './collections.js';

export interface LabelCounts {
  readonly version: string;
  /** Of the version, and of the profile in whose bins they are. */
  readonly digest: string;
  readonly profile: string;
  readonly role: WindowRole;
  /** By the bin of the row's score. */
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

const ANSWER_MS = 20_000;

type Cell = Pick<LabelCounts, 'version' | 'digest' | 'role'> & {
  readonly features?: {
    readonly profile: string;
    readonly score: Pick<LabelCounts, 'positives' | 'negatives'> | null;
  } | null;
};

/** Those that came since a time (epoch milliseconds), of each version, role and profile. Versions without any are not here. */
export async function readLabels(db: Db, model: string, since: number): Promise<readonly LabelCounts[]> {
  const found = windowsOf(db)
    .find({ model, to: { $gt: since } }, { timeoutMS: ANSWER_MS, timeoutMode: 'iteration' })
    .project<{ readonly cells: readonly Cell[] }>({
      cells: {
        version: 1,
        digest: 1,
        role: 1,
        features: { profile: 1, score: { positives: 1, negatives: 1 } },
      },
    });
  const sums = new Map<string, LabelCounts>();
  for await (const { cells } of found)
    for (const { version, digest, role, features } of cells) {
      const score = features?.score;
      if (features === undefined || features === null || score === undefined || score === null) continue;
      if ([...score.positives, ...score.negatives].every((count) => count === 0)) continue;
      const { profile } = features;
      const id = `${digest}/${role}/${profile}`;
      const known = sums.get(id);
      const added = (a: readonly number[] | undefined, b: readonly number[]) =>
        b.map((count, i) => count + (a?.[i] ?? 0));
      sums.set(id, {
        version,
        digest,
        profile,
        role,
        positives: added(known?.positives, score.positives),
        negatives: added(known?.negatives, score.negatives),
      });
    }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counts]) => counts);
}
