import { strict as assert } from 'node:assert';
import { adoptEnd } from '../../../src/lifecycle/model-reports.js';
import {
  dropQueued,
  initialModelState,
  queueRelease,
  startRelease,
  type ModelState,
} from '../../../src/lifecycle/model-state.js';
import { tableProblem, withTable } from '../../../src/lifecycle/table-sight.js';
import { manifest } from '../../support/manifests.js';

const at = (generation: number | null): ModelState => ({
  ...initialModelState(manifest({ name: 'm' })),
  generation,
});

describe('routing table that a model looks at before a release', () => {
  it('is what the model knows, or its own act: then the release goes by it', () => {
    assert.equal(tableProblem(at(null), null), null);
    assert.equal(tableProblem(at(4), { generation: 4, changeId: 'release:m:1/settle/1' }), null);
    const own = { generation: 5, changeId: 'model:m/warm/5/1' };
    assert.equal(tableProblem(at(4), own), null);
    assert.equal(withTable(at(4), own).generation, 5);
    // Not looked at.
    assert.equal(tableProblem(at(4), undefined), null);
    assert.equal(withTable(at(4), undefined).generation, 4);
  });

  it('that was changed, removed, or belongs to a life that the model has forgotten is a problem in words', () => {
    const cases = [
      [at(4), { generation: 5, changeId: 'by-hand' }, /generation 5, by by-hand, .* knows generation 4/],
      [at(4), { generation: 3, changeId: 'release:m:1/canary/1/1' }, /generation 3/],
      [at(4), { generation: 9, changeId: 'model:m-2/x' }, /by model:m-2/],
      [at(4), null, /is gone/],
      [at(null), { generation: 9, changeId: 'model:m/roll-back/1' }, /knows none/],
    ] as const;
    for (const [state, table, words] of cases) {
      assert.match(tableProblem(state, table) ?? '', words);
      assert.equal(withTable(state, table).generation, state.generation);
    }
  });
});

describe('a queue', () => {
  const queued = (count: number): ModelState =>
    Array.from({ length: count }, (_, i) => i).reduce(
      (state, i) =>
        queueRelease(state, {
          version: { version: `v${i}`, digest: `${i}` },
          submittedBy: 'eve',
          supersede: false,
          now: 0,
        }).state,
      at(null),
    );

  it('loses a release that people abort, and keeps the others in order', () => {
    const { queue, releases } = dropQueued(queued(3), 2, 'not needed', 1000);
    assert.deepEqual(queue, [1, 3]);
    const { stage, reason, endedAt } = releases.find(({ release }) => release === 2)!;
    assert.deepEqual([stage, reason, endedAt], ['aborted', 'not needed', '1970-01-01T00:00:01.000Z']);
  });

  it('takes a lost release for what its record says', () => {
    const flying = { ...startRelease(queued(1), 1), inFlight: null };
    const won = adoptEnd(flying, 1, { outcome: 'succeeded', digest: '0', generation: 7 }, 1000);
    assert.deepEqual([won.champion?.version, won.generation, won.releases[0]?.stage], ['v0', 7, 'succeeded']);
    const lost = adoptEnd(flying, 1, { outcome: 'rolled-back', digest: '0', generation: 8 }, 1000);
    assert.deepEqual([lost.champion, lost.generation, lost.releases[0]?.stage], [null, 8, 'rolled-back']);
  });
});
