import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RoutingTable } from '../../../src/contracts/routes.js';
import { setHook } from '../../../src/fail-points/reach.js';
import { Snapshot } from '../../../src/gateway/snapshot.js';
import { canaryTable, CANDIDATE } from '../../support/windows.js';

describe('the snapshot of the tables', () => {
  let folder: string;
  let snapshot: Snapshot;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-snapshot-'));
    snapshot = new Snapshot(join(folder, 'tables.json'), 1_000);
  });
  afterEach(async () => {
    setHook(null);
    await rm(folder, { recursive: true });
  });

  const before = [canaryTable(1, 0.1)];
  const sameChampion = [canaryTable(2, 0.5)];
  const otherChampion = [canaryTable(3, 0, { champion: CANDIDATE, candidate: null })];
  const full = (): void =>
    setHook((point) =>
      point === 'snapshot.save.before'
        ? Promise.reject(new Error('ENOSPC: no space left on device'))
        : Promise.resolve(),
    );

  /** Large and small in turn, so that writes take different times. */
  const ofSize = (generation: number): readonly RoutingTable[] => [
    canaryTable(generation, 0.1, { model: 'm'.repeat(generation % 2 === 0 ? 200_000 : 1) }),
  ];

  it('saves that come at the same time all succeed, and the newest is kept', async () => {
    const patient = new Snapshot(join(folder, 'gateway', 'tables.json'), 30_000);
    for (let round = 0; round < 5; round += 1) {
      const last = 20 * (round + 1) - 1;
      await Promise.all(Array.from({ length: 20 }, (_, i) => patient.save(ofSize(20 * round + i))));
      assert.deepEqual([await patient.load(), patient.problem], [ofSize(last), null]);
    }
  });

  it('a save that fails does not hold up the next', async () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    await snapshot.save(cyclic as RoutingTable[]);
    assert.match(snapshot.problem ?? '', /circular/);
    await snapshot.save(before);
    assert.deepEqual([await snapshot.load(), snapshot.problem], [before, null]);
  });

  it('of a former process stays when the first save fails, unless a champion has changed', async () => {
    await snapshot.save(before);
    full();
    const next = new Snapshot(join(folder, 'tables.json'), 1_000);
    await next.save([...sameChampion, canaryTable(1, 0, { model: 'another' })]);
    assert.deepEqual(await next.load(), before);
    await next.save(otherChampion);
    assert.equal(await next.load(), null);
  });

  it('is what was saved last', async () => {
    assert.equal(await snapshot.load(), null);
    await snapshot.save(before);
    await snapshot.save(sameChampion);
    assert.deepEqual([await snapshot.load(), snapshot.problem], [sameChampion, null]);
  });

  it('is of the newest tables when saves come at the same time', async () => {
    const patient = new Snapshot(join(folder, 'together.json'), 60_000);
    for (let round = 0; round < 5; round += 1) {
      const all = Array.from({ length: 20 }, (_, i) => [canaryTable(20 * round + i + 1, 0.1)]);
      await Promise.all(all.map((tables) => patient.save(tables)));
      assert.deepEqual(await patient.load(), all.at(-1));
    }
  });

  it('that cannot be renewed says why, and stays while it has the champions that serve', async () => {
    await snapshot.save(before);
    full();
    await snapshot.save(sameChampion);
    assert.match(snapshot.problem ?? '', /no space left/);
    assert.deepEqual(await snapshot.load(), before);
  });

  it('goes when it has a champion that serves no more: what was taken away must not come back with a restart', async () => {
    await snapshot.save(before);
    full();
    await snapshot.save(otherChampion);
    assert.equal(await snapshot.load(), null);
    setHook(null);
    await snapshot.save(otherChampion);
    assert.deepEqual([await snapshot.load(), snapshot.problem], [otherChampion, null]);
  });

  it('is not waited for when the disk hangs, and has the newest tables afterwards', async () => {
    const hasty = new Snapshot(join(folder, 'tables.json'), 50);
    let go = (): void => undefined;
    setHook((point) =>
      point === 'snapshot.save.before' ? new Promise<void>((resolve) => (go = resolve)) : Promise.resolve(),
    );
    await hasty.save(before);
    assert.match(hasty.problem ?? '', /the disk has not taken it for 0.05 s/);
    await hasty.save(sameChampion);
    await hasty.save(otherChampion);
    setHook(null);
    go();
    while (hasty.problem !== null || (await hasty.load())?.[0]?.generation !== 3)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(await hasty.load(), otherChampion);
  });
});
