export { ChangedTables } from './changed-tables.js';
export { MongoRoutingStore } from './mongo-store.js';
export {
  type GatewaysSeen,
  type RouteChange,
  type RouteChanged,
  type RoutingStore,
  StaleGenerationError,
} from './store.js';
