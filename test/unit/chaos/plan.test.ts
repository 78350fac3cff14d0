import assert from 'node:assert/strict';
import { deathOf, isServer, type Kill, killOf, kindOf, VICTIMS } from '../../support/chaos/plan.js';
import { KINDS } from '../../support/chaos/kinds.js';
import { pointsOf, processOf } from '../../support/chaos/points.js';

const N = 2_000;
const kills = (seed: number): readonly Kill[] => Array.from({ length: N }, (_, n) => killOf(seed, n));
const deaths = (seed: number, process: string) =>
  Array.from({ length: N }, (_, life) => deathOf(seed, process, life + 1));

describe('the plan of chaos', () => {
  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(kills(1), kills(1));
    assert.notDeepEqual(kills(1), kills(2));
    assert.deepEqual(deaths(1, 'worker'), deaths(1, 'worker'));
    assert.notDeepEqual(deaths(1, 'worker'), deaths(2, 'worker'));
    assert.notDeepEqual(deaths(1, 'gateway-1'), deaths(1, 'gateway-2'));
  });

  it('kills every process, and leaves servers away for a while', () => {
    const all = kills(3);
    for (const victim of VICTIMS) {
      const share = all.filter((kill) => kill.victim === victim).length / N;
      assert.ok(share > 0.15 && share < 0.25, `${victim}: ${share}`);
    }
    for (const { victim, afterMs, downMs } of all) {
      assert.ok(afterMs >= 1_000 && afterMs <= 9_000, `${afterMs}`);
      if (!isServer(victim)) assert.equal(downMs, 0);
      assert.ok(downMs >= 0 && downMs <= 6_000, `${downMs}`);
    }
    assert.ok(all.some(({ downMs }) => downMs > 5_000));
    const meanwhile = all.filter((kill) => kill.meanwhile).length / N;
    assert.ok(meanwhile > 0.25 && meanwhile < 0.35, `${meanwhile}`);
  });

  it('lets each process die at each of its own points, and mostly live', () => {
    for (const process of ['worker', 'gateway-1'] as const) {
      const found = deaths(4, process).filter((death) => death !== null);
      assert.ok(found.length > 0.35 * N && found.length < 0.45 * N, `${found.length}`);
      const kind = process === 'worker' ? 'worker' : 'gateway';
      for (const { point, hit, action } of found) {
        assert.equal(processOf(point), kind);
        assert.ok(hit >= 1 && hit <= 8);
        assert.equal(action, 'kill');
      }
      assert.deepEqual(
        [...new Set(found.map(({ point }) => point))].sort(),
        [...pointsOf(kind)].sort(),
        'some point is never drawn',
      );
    }
  });

  it('releases every kind', () => {
    const kinds = Array.from({ length: 200 }, (_, n) => kindOf(5, 'chaos-1', n));
    assert.deepEqual([...new Set(kinds)].sort(), [...KINDS].sort());
    assert.deepEqual(
      kinds,
      Array.from({ length: 200 }, (_, n) => kindOf(5, 'chaos-1', n)),
    );
  });
});
