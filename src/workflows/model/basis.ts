import type { VersionRef } from '../../contracts/model.js';
import type { ModelState } from '../../lifecycle/model-state.js';
import type { RouteBasis } from '../../lifecycle/routing.js';

/** What a route without a release is made from. */
export const basis = (
  state: ModelState,
  champion: VersionRef | null,
  warm: readonly VersionRef[],
): RouteBasis => ({
  manifest: state.manifest,
  champion,
  warm,
  release: null,
  slowThresholdMs: null,
});
