import type { DesiredRoute, GatewayRecord, RoutingTable } from '../../contracts/routes.js';

export interface RouteChange {
  readonly model: string;
  /** The generation that the caller believes in, 0 for none yet; `any` for acts towards safety. */
  readonly expectedGeneration: number | 'any';
  readonly desired: DesiredRoute;
  /** Identity of the act. */
  readonly changeId: string;
  /** Place of the act's intent in the model's stream, null where it is not known. An act for `any` generation is fenced by it. */
  readonly intent?: number | null;
  /** The new generation is above this one too (default 0). */
  readonly above?: number;
}

export interface RouteChanged {
  /** `already`: the table in force was made by this very change. */
  readonly outcome: 'applied' | 'already';
  /** The first one is 1. */
  readonly generation: number;
  /** The table in force after the call. */
  readonly table: RoutingTable;
}

export interface GatewaysSeen {
  /** The store's clock at the reading, epoch milliseconds: compare `seenAt` with this and with nothing else. */
  readonly now: number;
  readonly gateways: readonly GatewayRecord[];
}

/** Routing tables, and what the gateways say about them. One clock, the store's, sets and judges all times in it. */
export interface RoutingStore {
  /** The table in force; null before the first. */
  read(model: string): Promise<RoutingTable | null>;
  readAll(): Promise<readonly RoutingTable[]>;
  /**
   * Replaces the table if it is still at the expected generation. The next generation is one higher than that, or than `above`.
   * @throws StaleGenerationError when somebody else has changed it
   * @throws OvertakenError for `any`, when the table in force was made by an act that was decided later
   */
  compareAndSet(change: RouteChange): Promise<RouteChanged>;
  gateways(): Promise<GatewaysSeen>;
  /**
   * A gateway's word about itself; replaces the one before. `seenAt` is set by the store's clock.
   * A gateway that reports after it was retired is counted again: what serves users is never out of sight. A goodbye is only of
   * the process that says it, not of the one that came after.
   */
  report(record: Omit<GatewayRecord, 'seenAt'>): Promise<void>;
  /** Counts a gateway out for good. @returns false when there is no such gateway */
  retireGateway(gateway: string): Promise<boolean>;
}

/** An attempt that was thought dead has come too late: what was decided after its act is in force. */
export class OvertakenError extends Error {
  /** Place of the later act's intent. */
  readonly by: number;

  constructor(model: string, generation: number, by: number) {
    super(
      `Routing table of ${model} is at generation ${generation}, which was decided later (event ${by} of its ledger): ` +
        'this act was overtaken, and does nothing any more',
    );
    this.name = 'OvertakenError';
    this.by = by;
  }
}

/** The table has moved on: somebody else changed the traffic. */
export class StaleGenerationError extends Error {
  readonly expected: number;
  readonly found: number;

  constructor(model: string, expected: number, found: number) {
    super(
      `Routing table of ${model} is at generation ${found}, not ${expected}: somebody else changed the traffic`,
    );
    this.name = 'StaleGenerationError';
    this.expected = expected;
    this.found = found;
  }
}
