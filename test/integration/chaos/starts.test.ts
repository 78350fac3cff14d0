import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment, loadConfig } from '../../../src/config.js';
import { type ProcessEnd, startProcess } from '../../../src/client/processes.js';
import { getTestStack } from '../../support/stack.js';

const NOBODY = '127.0.0.1:1';

describe('a process that cannot do its work ends, so that somebody starts it again', function () {
  this.timeout(120_000);
  let home: string;
  let taken: Server;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tenure-starts-'));
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    taken.close();
    await rm(home, { recursive: true, force: true });
  });

  async function end(
    entry: string,
    changes: Readonly<Record<string, string>>,
  ): Promise<ProcessEnd & { readonly said: string }> {
    const servers = await getTestStack();
    const base = loadConfig({ PATH: process.env['PATH'], TENURE_HOME: home });
    let said = '';
    const child = startProcess({
      name: 'process',
      entry: new URL(`../../../src/${entry}.ts`, import.meta.url),
      env: {
        ...childEnvironment(base, servers),
        TENURE_DATABASE: 'tenure-starts',
        TENURE_LOG_LEVEL: 'warn',
        ...changes,
      },
      onLine: (line) => {
        said += `${line}\n`;
      },
    });
    return { ...(await child.exited), said };
  }

  it('with exit code 1 and the reason: no MongoDB, no Temporal, a port that is taken', async () => {
    const { port } = taken.address() as AddressInfo;
    const [noMongo, noTemporal, noPort] = await Promise.all([
      end('worker', { MONGODB_URI: `mongodb://${NOBODY}/?directConnection=true` }),
      end('worker', { TEMPORAL_ADDRESS: NOBODY }),
      end('gateway/main', { TENURE_GATEWAY_PORT: String(port) }),
    ]);
    assert.match(noMongo.said, /MongoDB is not reachable at 127\.0\.0\.1:1/);
    assert.match(noTemporal.said, /127\.0\.0\.1:1/);
    assert.match(noPort.said, /EADDRINUSE|in use/);
    for (const { code, said } of [noMongo, noTemporal, noPort]) assert.equal(code, 1, said);
  });
});
