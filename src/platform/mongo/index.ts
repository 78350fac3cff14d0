export { COLLECTIONS } from './collections.js';
export type { CollectionPlan } from './plan.js';
export { collectionsOf, connectMongo, openMongo, type TenureDatabase } from './connect.js';
export { MongoUnusableError } from './errors.js';
export { prepareDatabase } from './prepare.js';
export { guardSchema, SchemaError } from './schema/state.js';
export { databaseTime } from './time.js';
