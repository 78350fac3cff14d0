import type { FreezeReading } from '../contracts/activities.js';
import type { FreezeWindow, Manifest } from '../contracts/manifest.js';
import type { HoldView } from '../contracts/views.js';

/** A manifest that was applied before there were such has none. */
export const freezeWindowsOf = (
  manifest: Partial<Pick<Manifest, 'freezeWindows'>>,
): readonly FreezeWindow[] => manifest.freezeWindows ?? [];

/** What holds promotion back: a freeze of the model goes before a window of its manifest. */
export function holdOf({
  frozen,
  freeze,
  freezeReading,
}: {
  readonly frozen: boolean;
  /** What the model said of its freeze; not known of a release that an older worker started. */
  readonly freeze?: HoldView | null;
  readonly freezeReading?: FreezeReading | null;
}): HoldView | null {
  if (frozen) return freeze ?? { reason: 'the model is frozen', until: null };
  const reading = freezeReading ?? null;
  return reading === null || reading.reason === null
    ? null
    : { reason: reading.reason, until: reading.until };
}

export const inWords = ({ reason, until }: HoldView): string =>
  `${reason}${until === null ? '' : `, until ${until}`}`;
