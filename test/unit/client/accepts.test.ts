import { strict as assert } from 'node:assert';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { accepts } from '../../../src/client/accepts.js';
import { connect } from '../../../src/client/link.js';

describe('a Temporal that is not there, or hangs', () => {
  const sockets: Socket[] = [];
  let server: Server;
  let address: string;

  before(async () => {
    // Takes connections and says nothing.
    server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const connectTo = (to: string) =>
    connect({
      connection: { address: to, connectTimeout: '500ms' },
      namespace: 'default',
      taskQueue: 'tenure',
      actor: 'ada',
    });

  it('is told apart by whether connections are taken', async () => {
    assert.equal(await accepts(address), true);
    assert.equal(await accepts('127.0.0.1:1'), false);
    assert.equal(await accepts('[::1]:1'), false);
  });

  it('is named when one connects', async () => {
    await assert.rejects(
      connectTo(address),
      /^TenureError: Temporal does not answer at 127\.0\.0\.1:\d+: it hangs/,
    );
    await assert.rejects(
      connectTo('127.0.0.1:1'),
      /^TenureError: Temporal is not reachable at 127\.0\.0\.1:1: .*tenure up/,
    );
  });
});
