import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePorts, isFree } from '../../../src/stack/ports.js';

describe('Free ports', () => {
  it('are different ones, and free', async () => {
    const ports = await freePorts(5);
    assert.equal(new Set(ports).size, 5);
    for (const port of ports) assert.equal(await isFree(port), true);
  });

  it('are not those that somebody listens on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      assert.equal(await isFree(port), false);
    } finally {
      server.close();
    }
  });
});
