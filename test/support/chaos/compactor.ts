/** A process that merges windows once, from its environment: what the gateway's process does every minute. */
import { loadConfig } from '../../../src/config.js';
import { armFailPoints } from '../../../src/fail-points/arm.js';
import { openMongo } from '../../../src/platform/mongo/index.js';
import { compactWindows, DEFAULT_RETENTION } from '../../../src/platform/windows/compaction.js';

const { mongodbUri, database, failPoints } = loadConfig();
if (mongodbUri === null) throw new Error('MONGODB_URI is not set');
armFailPoints(failPoints);
const mongo = openMongo(mongodbUri, database, { serverSelectionTimeoutMs: 2_000 });
try {
  const done = await compactWindows({ client: mongo.client, name: database }, Date.now(), DEFAULT_RETENTION);
  process.stdout.write(`${JSON.stringify(done)}\n`);
} finally {
  await mongo.close();
}
