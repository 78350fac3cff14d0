import { loadConfig } from '../../../../src/config.js';
import { armFailPoints } from '../../../../src/fail-points/arm.js';
import { connectMongo, prepareDatabase } from '../../../../src/platform/mongo/index.js';
import { PEOPLE } from '../../../support/schema-plans.js';

// A process of its own that migrates a database, to be killed in it.
const { failPoints, mongodbUri, database } = loadConfig();
armFailPoints(failPoints);
const mongo = await connectMongo(mongodbUri ?? '', database);
await prepareDatabase(mongo.db, [PEOPLE], { lease: { leaseMs: 1_500 } });
await mongo.close();
