import type { DesiredRoute, RoutingTable } from '../contracts/routes.js';
import { canonicalHash } from './canonical.js';

/** What an act on the traffic records of the table that it set. @throws CanonicalError */
export const hashOfRoute = (desired: DesiredRoute, generation: number): string =>
  canonicalHash({ ...desired, generation });

/** The same of a table that was read; any field that was added to it counts. @throws CanonicalError */
export function hashOfTable({
  model: _model,
  changeId: _id,
  changedAt: _at,
  // It is known only when the act is written, and orders acts; no request follows it.
  intent: _intent,
  ...route
}: RoutingTable): string {
  const { generation, ...desired } = route;
  return hashOfRoute(desired, generation);
}
