import type { Measures } from '../measures.js';
import type { LedgerReader, LedgerWriter } from '../../ledger/index.js';
import type { ArtifactStore } from '../../platform/registry/index.js';
import type { RoutingStore } from '../../platform/serving/index.js';

export interface TrafficSettings {
  /** How often the gateways' reports are read while waiting, milliseconds. */
  readonly pollMs: number;
  /** Added to the lease before a silent gateway is counted out: gateways measure their lease by clocks of their own. */
  readonly clockMarginSeconds: number;
  /** How long to wait for confirmation before `NotConfirmed`; beyond lease and margin, below the activity's own limit. */
  readonly confirmSeconds: number;
  /** How long an act towards safety tries to write to the ledger, milliseconds, before and after the act. */
  readonly safetyLedgerMs: number;
}

export const DEFAULT_TRAFFIC_SETTINGS: TrafficSettings = {
  pollMs: 200,
  clockMarginSeconds: 2,
  confirmSeconds: 90,
  safetyLedgerMs: 2_000,
};

export interface TrafficDeps {
  readonly ledger: LedgerWriter & LedgerReader;
  readonly routes: RoutingStore;
  readonly artifacts: Pick<ArtifactStore, 'has'>;
  readonly settings: TrafficSettings;
  readonly measures: Measures;
}
