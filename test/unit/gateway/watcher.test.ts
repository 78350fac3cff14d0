import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { GatewayRecord } from '../../../src/contracts/routes.js';
import { Snapshot } from '../../../src/gateway/snapshot.js';
import { type TableSource, Watcher } from '../../../src/gateway/watcher.js';
import { until } from '../../support/until.js';

/** A store that takes its time, and knows how many are at it at once. */
class FakeSource implements TableSource {
  readings = 0;
  most = 0;
  readonly reported: GatewayRecord['status'][] = [];
  #now = 0;

  async readAll(): Promise<[]> {
    this.#now += 1;
    this.readings += 1;
    this.most = Math.max(this.most, this.#now);
    await sleep(15);
    return [];
  }

  async report({ status }: Omit<GatewayRecord, 'seenAt'>): Promise<void> {
    await sleep(5);
    this.reported.push(status);
    if (status === 'serving') this.#now -= 1;
  }
}

describe('the watcher of routing tables', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-watcher-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('reads and reports one at a time, however often it is hurried, and nothing after its goodbye', async () => {
    const source = new FakeSource();
    const errors: string[] = [];
    const watcher = new Watcher({
      gateway: 'g',
      boot: 'b',
      url: () => 'http://127.0.0.1:1',
      source,
      snapshot: new Snapshot(join(folder, 'tables.json')),
      artifacts: { pathOf: () => Promise.reject(new Error('no artifacts here')) },
      pollMs: 5,
      graceMs: 100,
      onRestart: () => undefined,
      log: pino({ level: 'error' }, { write: (line: string) => void errors.push(line) }),
    });
    await watcher.start();
    await until('sixty readings', async () => {
      watcher.hurry();
      await sleep(3);
      return source.readings >= 60;
    });
    await watcher.stop();
    const { length } = source.reported;
    await sleep(60);
    assert.equal(source.most, 1);
    assert.deepEqual(errors, []);
    assert.equal(await readFile(join(folder, 'tables.json'), 'utf8'), '[]');
    assert.equal(source.reported.length, length);
    assert.equal(source.reported.at(-1), 'stopped');
  });
});
