import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Lease } from '../../../src/gateway/lease.js';
import { Snapshot } from '../../../src/gateway/snapshot.js';
import { type TableSource, Watcher } from '../../../src/gateway/watcher.js';
import { canaryTable } from '../../support/windows.js';

/** A store without tables that takes every report, until it is away. */
class FakeSource implements TableSource {
  away = false;
  readAll(): Promise<readonly never[]> {
    return this.away ? Promise.reject(new Error('the store is away')) : Promise.resolve([]);
  }
  report(): Promise<void> {
    return Promise.resolve();
  }
}

describe('the lease of a gateway', () => {
  const SECOND = 1_000;

  it('is held from a reading on, for as long as the table says', () => {
    const lease = new Lease();
    assert.equal(lease.holds(15), false);
    lease.renew(performance.now() - 10 * SECOND, Date.now() - 10 * SECOND);
    assert.deepEqual([lease.holds(15), lease.holds(9)], [true, false]);
  });

  it('that was over comes back only when what was decided meanwhile has had the time to be written', () => {
    const now = performance.now();
    const renewed = (...secondsAgo: readonly number[]): Lease => {
      const lease = new Lease(20 * SECOND);
      for (const ago of secondsAgo) lease.renew(now - ago * SECOND, Date.now() - ago * SECOND);
      return lease;
    };
    // Away for 30 s, and back for 10 s: not for who lives by a lease of 15 s.
    const back = renewed(42, 41, 11, 10, 9, 5, 1);
    assert.deepEqual([back.holds(15), back.holds(31)], [false, true]);
    // A shorter absence after it does not make it forgotten.
    assert.equal(renewed(42, 41, 11, 10, 3, 1).holds(15), false);
    assert.equal(renewed(60, 30, 21, 14, 7, 1).holds(15), true);
    // Six seconds by a lease of four: a reading that took its time.
    assert.equal(renewed(10, 4, 1).holds(4), false);
    assert.equal(renewed(20, 14, 11, 8, 5, 2).holds(4), true);
  });

  it('of a gateway that started without the store begins like one that was over', () => {
    const lease = new Lease(20 * SECOND);
    lease.startedWithout();
    const from = performance.now();
    lease.renew(from - 1 * SECOND, Date.now());
    assert.equal(lease.holds(15), false);
    const earlier = new Lease(20 * SECOND);
    earlier.startedWithout();
    for (const ago of [21, 14, 7, 1]) earlier.renew(from - ago * SECOND, Date.now());
    assert.equal(earlier.holds(15), true);
  });

  const realNow = Date.now;
  afterEach(() => {
    Date.now = realNow;
  });

  it('is over as soon as one clock says so, and the set clock is told of', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-watcher-'));
    const lines: string[] = [];
    const source = new FakeSource();
    const watcher = new Watcher({
      gateway: 'g',
      boot: 'boot',
      url: () => '',
      source,
      snapshot: new Snapshot(join(folder, 'tables.json')),
      artifacts: { pathOf: () => Promise.reject(new Error('none')) },
      pollMs: 10,
      graceMs: 10,
      onRestart: () => undefined,
      log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
    });
    const table = canaryTable(1, 0.5, { leaseSeconds: 15 });
    assert.equal(watcher.leaseHeld(table), false);
    await watcher.start();
    assert.equal(watcher.leaseHeld(table), true);
    source.away = true;
    while (watcher.lastError === null) await new Promise((resolve) => setTimeout(resolve, 5));
    // As after an hour in which the machine was suspended, and its steady clock stood still.
    Date.now = () => realNow() + 3_600_000;
    assert.equal(watcher.leaseHeld(table), false);
    Date.now = () => realNow() - 3_600_000;
    assert.equal(watcher.leaseHeld(table), true);
    while (!lines.some((line) => /clock of this machine was set/.test(line)))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await watcher.stop();
    await rm(folder, { recursive: true });
  });
});
