import type { ModelParts } from '../../contracts/doctor.js';
import type { ModelView } from '../../contracts/views.js';

/** What the model's workflow says; null when it does not run or does not answer. */
export const viewOf = ({ lifecycle }: ModelParts): ModelView | null =>
  lifecycle.state === 'open' ? lifecycle.view : null;

/** The release in flight by the model's own word has a workflow that runs: it owns the traffic. */
export function ownerOf(parts: ModelParts): number | null {
  const inFlight = viewOf(parts)?.inFlight ?? null;
  const owner = parts.releases.find(({ release }) => release === inFlight);
  return owner?.state === 'open' ? owner.release : null;
}

/** Somebody is at work: there are acts to do, or done ones that are not recorded yet. */
export function isAtWork(parts: ModelParts): boolean {
  const view = viewOf(parts);
  const carries = parts.releases.some(
    (release) => release.state === 'open' && (release.view === null || release.view.unrecorded !== null),
  );
  return (view !== null && (view.acts.length > 0 || view.unrecorded !== null)) || carries;
}
