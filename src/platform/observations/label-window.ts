import type { WindowBatch, WindowCell } from '../../contracts/windows.js';
import { ASSIGNMENT_KINDS } from '../../contracts/windows.js';
import type { WindowCounts } from '../../contracts/window-counts.js';
import { WindowCounter } from '../../statistics/profile/window.js';
import { emptySketch } from '../../statistics/sketch.js';
import type { JoinedLabel } from './decide-labels.js';
import type { StoredProfile } from '../profiles/index.js';

export type CountedCell = WindowCell & { readonly features: WindowCounts | null };

/** A cell in which nothing but the features of rows, or their labels, has been counted. */
export const cellOf = (
  key: Pick<WindowCell, 'version' | 'digest' | 'role' | 'generation'>,
  split: number,
  features: WindowCounts,
): CountedCell => ({
  ...key,
  release: null,
  requests: {
    ...(Object.fromEntries(ASSIGNMENT_KINDS.map((kind) => [kind, 0])) as WindowCell['requests']),
    split,
  },
  errors: {},
  latency: emptySketch(),
  scores: emptySketch(),
  slow: 0,
  bad: {},
  shadow: { compared: 0, agreed: 0, failed: 0, dropped: 0 },
  features,
});

/** A window that belongs to no release: no look reads it. */
export const windowOf = (
  head: Pick<WindowBatch, 'gateway' | 'boot' | 'sequence' | 'model' | 'from' | 'to'>,
  cells: readonly CountedCell[],
): WindowBatch => ({
  ...head,
  span: 'batch',
  tables: [],
  cells,
  releases: [],
  level: 0,
  evidence: [],
  lost: { batches: 0, requests: 0 },
});

/**
 * Labels in the bins of their rows' scores, by version, role and generation of what was answered.
 * @param classes `[negative, positive]`
 * @param profiles digest of the version -> its profile; labels of others, and of rows without a score in 0..1, are not counted
 */
export function countLabels(
  labels: readonly JoinedLabel[],
  classes: readonly (string | number)[],
  profiles: ReadonlyMap<string, StoredProfile>,
): { readonly cells: readonly CountedCell[]; readonly counted: number } {
  const counters = new Map<string, { readonly of: JoinedLabel['prediction']; counter: WindowCounter }>();
  let counted = 0;
  for (const { prediction, row, label } of labels) {
    const profile = profiles.get(prediction.digest);
    const score = prediction.scores[row] ?? Number.NaN;
    if (profile === undefined || profile.content.profile.score === null || !(score >= 0 && score <= 1))
      continue;
    const { digest, role, generation } = prediction;
    const id = `${digest}/${role}/${generation}`;
    let open = counters.get(id);
    if (open === undefined) {
      open = { of: prediction, counter: new WindowCounter(profile.content.profile, profile.digest) };
      counters.set(id, open);
    }
    open.counter.addLabel(score, label === classes[1] ? 1 : 0);
    counted += 1;
  }
  const cells = [...counters.values()].map(({ of, counter }) => {
    const { version, digest, role, generation } = of;
    return cellOf({ version, digest, role, generation }, 0, counter.counts());
  });
  return { cells, counted };
}
