import type { Manifest } from '../contracts/manifest.js';
import type { WindowRole } from '../contracts/windows.js';
import { ProfileStore } from '../platform/profiles/index.js';
import { readLabels, type LabelCounts } from '../platform/windows/labelled.js';
import { realisedWindow } from '../statistics/profile/performance.js';
import { explainStorage } from './errors.js';
import type { Session } from './session.js';

/** What labels say of a version in one role, by the metric of the manifest's `monitoring.performance`. */
export interface Labelled {
  readonly version: string;
  readonly role: WindowRole;
  readonly labels: number;
  readonly positives: number;
  readonly metric: 'auc' | 'accuracy' | 'f1';
  /** Null: too few labels, or of one class only. */
  readonly value: number | null;
  /** Three sampling errors on either side. */
  readonly interval: readonly [least: number, most: number] | null;
}

const DAYS = 30;
const DAY_MS = 86_400_000;

/** Of the last 30 days; of binary models that are monitored, others have none. */
export async function labelled(
  session: Session,
  model: string,
  { monitoring, task }: Pick<Manifest, 'monitoring' | 'task'>,
): Promise<readonly Labelled[]> {
  if ((monitoring ?? null) === null || monitoring === null || task !== 'binary') return [];
  const { db } = await session.database();
  try {
    const counts = await readLabels(db, model, Date.now() - DAYS * DAY_MS);
    const profiles = new ProfileStore(db);
    return await Promise.all(counts.map((one) => measured(profiles, one, monitoring)));
  } catch (error) {
    throw explainStorage(error);
  }
}

async function measured(
  profiles: ProfileStore,
  { version, role, profile, positives, negatives }: LabelCounts,
  { performance: { metric }, minRows }: NonNullable<Manifest['monitoring']>,
): Promise<Labelled> {
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const [yes, no] = [sum(positives), sum(negatives)];
  const told = { version, role, labels: yes + no, positives: yes, metric };
  const score = (await profiles.get(profile))?.content.profile.score ?? null;
  if (score === null || yes + no < minRows || yes === 0 || no === 0)
    return { ...told, value: null, interval: null };
  const counts = positives.map((count, i) => count + (negatives[i] ?? 0));
  const { value, lowest, highest } = realisedWindow(score, { counts, positives, negatives, invalid: 0 })[
    metric
  ];
  return { ...told, value, interval: lowest === null || highest === null ? null : [lowest, highest] };
}
