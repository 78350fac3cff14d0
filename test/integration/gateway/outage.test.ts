import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionRef } from '../../../src/contracts/model.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { openMongo, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { ChangedTables } from '../../../src/platform/serving/index.js';
import { MongoWindowStore } from '../../../src/platform/windows/store.js';
import { GatewayBench, post, row, until } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

describe('The gateway while MongoDB is away', () => {
  const bench = new GatewayBench();
  const opened: TenureDatabase[] = [];
  let proxy: TcpProxy;
  let v1: VersionRef;
  let v2: VersionRef;

  before(async () => {
    await bench.open();
    const { host } = new URL(bench.uri);
    const [name = '', port = ''] = host.split(':');
    proxy = new TcpProxy(name, Number(port));
    await proxy.open();
    v1 = await bench.version('v1', logisticModel([1, -1, 0.5]));
    v2 = await bench.version('v2', logisticModel([1, -1, 0.51]));
  });
  after(async () => {
    await bench.close();
    await Promise.all(opened.map((database) => database.close()));
    await proxy.cut();
  });

  /** A gateway whose way to MongoDB can be cut. */
  const start = (settings: Parameters<GatewayBench['start']>[0] = {}): Promise<Gateway> => {
    const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const database = openMongo(uri, bench.db.databaseName, { serverSelectionTimeoutMs: 300 });
    opened.push(database);
    return bench.start({
      source: new ChangedTables(database.db),
      windows: new MongoWindowStore(database.db),
      ...settings,
    });
  };
  const ask = async (gateway: Gateway, model: string, key: string) => {
    const { status, headers } = await post(gateway.url, model, row(1, 2, 3), { 'tenure-routing-key': key });
    return [status, headers.get('tenure-version')];
  };
  const readiness = async (gateway: Gateway): Promise<number> =>
    (await fetch(`${gateway.url}/v2/health/ready`)).status;

  it('serves on, takes the candidate away when its lease is out, spools, restarts from its snapshot, and catches up', async () => {
    const dataDir = `${bench.folder}/outage`;
    const name = 'outage-gateway';
    const first = await start({ gateway: name, dataDir });
    const table = {
      phase: 'canary',
      champion: v1,
      candidate: { ...v2, weight: 1 },
      release: 1,
      leaseSeconds: 1,
    } as const;
    const generation = await bench.route('m', table, [first]);
    let sent = 0;
    const send = async (gateway: Gateway): Promise<unknown> => {
      sent += 1;
      return ask(gateway, 'm', `key-${sent}`);
    };
    for (let i = 0; i < 5; i += 1) assert.deepEqual(await send(first), [200, 'v2']);
    await until(
      'five requests stored',
      async () => (await bench.sum('m', (cell) => cell.requests.split)) === 5,
    );

    await proxy.cut();
    assert.deepEqual(await send(first), [200, 'v2']);
    await sleep(1_200);
    for (let i = 0; i < 5; i += 1) assert.deepEqual(await send(first), [200, 'v1']);
    await until('the spool', () => first.health().windows.spooledBatches > 0);
    assert.equal(first.health().status, 'degraded');
    assert.equal(await readiness(first), 200);
    assert.ok(Number(first.health().tables.lastReadAgeSeconds) > 1);
    await first.stop();

    const second = await start({ gateway: name, dataDir });
    assert.equal(second.health().tables.from, 'snapshot');
    await until('the champion to be loaded', async () => (await readiness(second)) === 200);
    for (let i = 0; i < 3; i += 1) assert.deepEqual(await send(second), [200, 'v1']);
    assert.notEqual(second.boot, first.boot);

    await proxy.open();
    await until('all requests stored', async () => {
      const count = await bench.sum('m', ({ requests }) => requests.split + requests.unsplit);
      assert.ok(count <= sent, `${count} of ${sent} requests: some are counted twice`);
      return count === sent;
    });
    await until('the spool to be empty', () => second.health().windows.spooledBatches === 0);
    assert.equal(await bench.sum('m', ({ requests }) => requests.split), 6);
    await until('the lease', () => second.health().tables.from === 'store');
    await until('the candidate again', async () => (await ask(second, 'm', 'again'))[1] === 'v2');
    const { gateways } = await bench.routes.gateways();
    assert.equal(gateways.find(({ gateway }) => gateway === name)?.observed['m']?.generation, generation);
    await second.stop();
    const after = await bench.routes.gateways();
    assert.equal(after.gateways.find(({ gateway }) => gateway === name)?.status, 'stopped');
  });

  it('is not ready without tables and without snapshot, and becomes so by itself', async () => {
    await bench.write('late', { champion: v1 });
    await proxy.cut();
    const gateway = await start();
    assert.equal(await readiness(gateway), 503);
    assert.equal((await fetch(`${gateway.url}/v2/health/live`)).status, 200);
    const refused = await post(gateway.url, 'late', row(1, 2, 3));
    assert.equal(refused.status, 503);
    assert.match(refused.body.error ?? '', /have not been read yet/);
    await proxy.open();
    await until('readiness', async () => (await readiness(gateway)) === 200);
    assert.deepEqual(await ask(gateway, 'late', 'k'), [200, 'v1']);
  });

  it('gives up windows when the spool is full, and says how many', async () => {
    const gateway = await start({ spoolBytes: 1_500 });
    await bench.route('full', { champion: v1 }, [gateway]);
    await proxy.cut();
    for (let i = 0; i < 6; i += 1) {
      assert.deepEqual(await ask(gateway, 'full', 'k'), [200, 'v1']);
      await sleep(100);
    }
    const { lostBatches } = await until(
      'a loss',
      () => gateway.health().windows.lostRequests > 0 && gateway.health().windows,
    );
    assert.ok(lostBatches > 0);
    await proxy.open();
    let sent = 6;
    const batches = await until('the loss to be told', async () => {
      sent += 1;
      await ask(gateway, 'full', 'k');
      const found = await bench.windows('full');
      return found.some(({ lost }) => lost.requests > 0) && gateway.stop().then(() => bench.windows('full'));
    });
    const counted = batches
      .flatMap(({ cells }) => cells)
      .reduce((sum, { requests }) => sum + requests.split, 0);
    const lost = Math.max(...batches.map((batch) => batch.lost.requests));
    assert.equal(counted + lost, sent);
  });
});
