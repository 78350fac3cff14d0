import { randomUUID } from 'node:crypto';
import { connectMongo, prepareDatabase, type TenureDatabase } from '../../src/platform/mongo/index.js';
import { getTestStack } from './stack.js';

/** A prepared database of its own on the tests' mongod; `drop` removes and closes it. TENURE_TEST_MONGODB_URI names another server. */
export async function openTestDatabase(): Promise<
  TenureDatabase & { readonly uri: string; drop(): Promise<void> }
> {
  const uri = process.env['TENURE_TEST_MONGODB_URI'] ?? (await getTestStack()).mongodbUri;
  const opened = await connectMongo(uri, `test-${randomUUID().slice(0, 13)}`);
  await prepareDatabase(opened.db);
  const drop = async (): Promise<void> => {
    await opened.db.dropDatabase();
    await opened.close();
  };
  return { ...opened, uri, drop };
}
