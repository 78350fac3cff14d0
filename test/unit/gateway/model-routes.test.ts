import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObservedRoute, RoutingTable } from '../../../src/contracts/routes.js';
import { ModelRoutes } from '../../../src/gateway/model-routes.js';
import { desired } from '../../support/gateway.js';

describe('what a gateway has of a model', () => {
  const table = (generation: number, changes: Parameters<typeof desired>[0] = {}): RoutingTable => ({
    ...desired(changes),
    model: 'm',
    generation,
    changeId: `c${generation}`,
    changedAt: '2026-01-01T00:00:00.000Z',
  });

  it('is the same object until it changes', async () => {
    let asked = 0;
    const routes = new ModelRoutes(
      'm',
      {
        artifacts: {
          pathOf: async () => {
            asked += 1;
            throw new Error('not here');
          },
        },
        graceMs: 100,
        onRestart: () => undefined,
      },
      () => undefined,
    );
    const nothing = routes.observed;
    assert.equal(routes.observed, nothing);
    const empty = table(1);
    routes.want(empty);
    const first: ObservedRoute = routes.observed;
    assert.deepEqual(first, { generation: 1, wanted: 1, ready: [], failed: [], trips: [] });
    routes.want(empty);
    assert.equal(routes.observed, first);

    const missing = { version: 'v1', digest: 'd'.repeat(64) };
    routes.want(table(2, { champion: missing }));
    assert.deepEqual([routes.observed.generation, routes.observed.wanted], [1, 2]);
    await sleep(0);
    const failed: ObservedRoute = routes.observed;
    assert.match(failed.failed.map(({ reason }) => reason).join(), /not here/);
    // Tried again, with what comes of it the same.
    const again = { ...table(2, { champion: missing }), changedAt: '2026-01-01T00:00:01.000Z' };
    routes.want(again);
    routes.want(table(3, { champion: missing }));
    await sleep(0);
    const third = routes.observed;
    assert.deepEqual(third, { ...failed, wanted: 3 });
    assert.notEqual(third, failed);
    assert.equal(asked, 2);
    routes.want({ ...again, generation: 3 });
    assert.equal(routes.observed, third);

    routes.want(table(4));
    assert.deepEqual(routes.observed, { ...first, generation: 4, wanted: 4 });
    await routes.close();
  });
});
