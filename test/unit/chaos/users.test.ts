import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from '../../support/chaos/pool.js';
import type { Life } from '../../support/chaos/supervised.js';
import { until } from '../../support/until.js';
import { Users } from '../../support/chaos/users.js';

/** A gateway as far as a load balancer sees it, which can die. */
interface Stand {
  readonly life: Life;
  /** Cuts its connections; its death is heard of a moment later, as of a real process. */
  readonly die: () => void;
}

const good: RequestListener = (_, response) => {
  response.setHeader('tenure-version', 'v1').end('{}');
};

describe('the users of chaos', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function stand(pool: Pool, name: string, infer: RequestListener): Promise<Stand> {
    const server = createServer((request, response) =>
      request.url?.includes('health') === true ? response.end() : infer(request, response),
    );
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    let alive = true;
    let heard = (): void => undefined;
    const died = new Promise<void>((resolve) => (heard = resolve));
    const life: Life = {
      pid: 0,
      ready: Promise.resolve(`listens on http://127.0.0.1:${port}`),
      died,
      get alive() {
        return alive;
      },
    };
    await pool.watch(name, life);
    const die = (): void => {
      server.close().closeAllConnections();
      setTimeout(() => {
        alive = false;
        heard();
      }, 50);
    };
    return { life, die };
  }

  const start = (pool: Pool): Users => new Users(pool, 'm', { rate: 200, code: (n) => n });

  it('try again elsewhere when a gateway dies before it answers', async () => {
    const pool = new Pool();
    const dying = await stand(pool, 'gateway-1', () => dying.die());
    await stand(pool, 'gateway-2', good);
    const users = start(pool);
    await until('answers', () => users.facts.answered >= 20);
    await users.stop();
    const { asked, answered, lost, tries, longestGapMs } = users.facts;
    assert.deepEqual(lost, []);
    assert.equal(answered, asked);
    assert.ok(tries > asked, `${tries} tries of ${asked} requests`);
    assert.ok(longestGapMs > 0);
  });

  for (const status of [404, 500, 503])
    it(`count an answer ${status} as lost, also if the gateway dies right after it`, async () => {
      const pool = new Pool();
      const bad = await stand(pool, 'gateway-1', (_, response) => {
        response.writeHead(status).end('no champion');
        bad.die();
      });
      await stand(pool, 'gateway-2', good);
      const users = start(pool);
      await until('a loss', () => users.facts.lost.length > 0);
      await users.stop();
      assert.match(users.facts.lost[0] ?? '', new RegExp(`gateway-1 .*: ${status} no champion`));
      assert.ok(users.facts.answered < users.facts.asked);
    });

  it('count a connection that a living gateway cuts as lost', async () => {
    const pool = new Pool();
    await stand(pool, 'gateway-1', (request) => request.socket.destroy());
    const users = start(pool);
    await until('a loss', () => users.facts.lost.length > 0);
    await users.stop();
    assert.match(users.facts.lost[0] ?? '', /gateway-1 .*(ECONNRESET|socket hang up)/);
  });
});
