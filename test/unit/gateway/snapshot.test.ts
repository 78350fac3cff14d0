import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RoutingTable } from '../../../src/contracts/routes.js';
import { Snapshot } from '../../../src/gateway/snapshot.js';

describe('the snapshot of the routing tables', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'tenure-snapshot-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Large and small in turn, so that writes take different times. */
  const tables = (generation: number): readonly RoutingTable[] => [
    {
      model: 'm'.repeat(generation % 2 === 0 ? 200_000 : 1),
      generation,
    } as RoutingTable,
  ];

  it('saves that come at the same time all succeed, and the newest is kept', async () => {
    const snapshot = new Snapshot(join(folder, 'gateway', 'tables.json'));
    for (let round = 0; round < 5; round += 1) {
      const last = 20 * (round + 1) - 1;
      const saves = Array.from({ length: 20 }, (_, i) => snapshot.save(tables(20 * round + i)));
      await Promise.all(saves);
      assert.deepEqual(await snapshot.load(), tables(last));
    }
  });

  it('a save that fails does not hold up the next', async () => {
    const file = join(folder, 'tables.json');
    const snapshot = new Snapshot(file);
    const cyclic = tables(1) as unknown as unknown[];
    cyclic.push(cyclic);
    await assert.rejects(snapshot.save(cyclic as unknown as readonly RoutingTable[]));
    await snapshot.save(tables(3));
    assert.deepEqual(await new Snapshot(file).load(), tables(3));
  });
});
