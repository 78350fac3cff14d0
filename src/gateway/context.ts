import type { RoutingTable } from '../contracts/routes.js';
import type { Counting } from './counting.js';
import type { Observing } from './observing.js';
import type { LiveRoute } from './live-route.js';

/** What the handling of a request needs of the gateway around it. */
export interface InferContext {
  readonly counting: Counting;
  /** Null: nothing is kept of requests but their counts. */
  readonly observing: Observing | null;
  /** Whether the table was read within the lease. */
  readonly leaseHeld: (table: RoutingTable) => boolean;
  readonly tripped: (route: LiveRoute) => void;
  /** Copies to one shadow at a time. */
  readonly maxShadow: number;
  readonly random: () => number;
}
