export { COLLECTIONS, type CollectionPlan } from './collections.js';
export {
  collectionsOf,
  type Collections,
  connectMongo,
  type MongoSettings,
  openMongo,
  type TenureDatabase,
} from './connect.js';
export type {
  AlertDocument,
  GatewayDocument,
  LedgerDocument,
  RouteDocument,
  VersionDocument,
} from './documents.js';
export { codeOf, isDuplicateKey, MongoUnusableError } from './errors.js';
export { prepareDatabase } from './prepare.js';
