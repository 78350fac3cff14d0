import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTE_NAMES } from '../../../src/contracts/search-attributes.js';
import { findByArgument } from '../../../src/processes/identity.js';
import { freshDatabase, getTestStack } from '../../support/stack.js';

describe('embedded stack', () => {
  it('takes transactions and majority writes', async () => {
    const { db, close } = await freshDatabase();
    try {
      const session = db.client.startSession();
      await session.withTransaction(
        async () => {
          await db.collection('a').insertOne({ n: 1 }, { session });
          await db.collection('b').insertOne({ n: 2 }, { session });
        },
        { writeConcern: { w: 'majority', journal: true } },
      );
      await session.endSession();
      assert.equal((await db.collection('a').findOne())?.['n'], 1);
      assert.equal((await db.collection('b').findOne())?.['n'], 2);
    } finally {
      await close();
    }
  });

  it('answers as Temporal, with search attributes and UI', async () => {
    const { temporalAddress, temporalUiUrl } = await getTestStack();
    const connection = await Connection.connect({ address: temporalAddress });
    try {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({
        namespace: 'default',
      });
      for (const name of SEARCH_ATTRIBUTE_NAMES) assert.ok(name in customAttributes, name);
    } finally {
      await connection.close();
    }
    assert.equal((await fetch(temporalUiUrl)).status, 200);
  });

  // Seen with a tracer: without the variable the server asks for version-info.temporal.io as it starts, with it for nothing.
  it('starts a Temporal that does not tell its maker of itself', async function () {
    if (process.platform !== 'linux') this.skip();
    const { temporalAddress } = await getTestStack();
    const [server] = findByArgument(`--port=${temporalAddress.split(':')[1]}`);
    const environment = await readFile(`/proc/${server?.pid}/environ`, 'utf8');
    assert.ok(environment.split('\0').includes('TEMPORAL_VERSION_CHECK_DISABLED=1'));
  });
});
