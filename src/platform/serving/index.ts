export { ChangedTables } from './changed-tables.js';
export { MongoRoutingStore } from './mongo-store.js';
export { OvertakenError, type RouteChange, type RoutingStore, StaleGenerationError } from './store.js';
