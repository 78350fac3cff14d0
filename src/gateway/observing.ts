import type { LabelJoin } from '../platform/observations/labels.js';
import type { Keeper } from './keeper.js';
import type { ObservedStore } from './observations.js';

/** What the ways in need that bring labels and rows from elsewhere. */
export interface Observing {
  readonly keeper: Keeper;
  readonly labels: LabelJoin;
  readonly observed: ObservedStore;
}
