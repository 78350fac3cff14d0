import assert from 'node:assert/strict';
import { Groups } from '../../../src/platform/observations/groups.js';

const done = <T>(value: T): PromiseFulfilledResult<T> => ({ status: 'fulfilled', value });

describe('Groups of what is done together', () => {
  it('do the first alone, and together what came meanwhile, so many at most', async () => {
    const seen: (readonly number[])[] = [];
    const groups = new Groups<number, number>(
      async (items) => {
        seen.push(items);
        await new Promise((resolve) => setImmediate(resolve));
        return items.map((item) => done(item * 10));
      },
      { most: 3, waitMs: 0 },
    );
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map((item) => groups.add(item)));
    assert.deepEqual(results, [10, 20, 30, 40, 50, 60]);
    assert.deepEqual(seen, [[1], [2, 3, 4], [5, 6]]);
    assert.equal(await groups.add(7), 70);
  });

  it('tell each its own failure, and all of a group what it failed of; those after it are done', async () => {
    const groups = new Groups<string, string>(
      async (items) => {
        if (items.includes('all')) throw new Error('away');
        return items.map((item) =>
          item === 'bad' ? { status: 'rejected', reason: new Error(item) } : done(item),
        );
      },
      { most: 2, waitMs: 0 },
    );
    const given = ['good', 'bad', 'also good', 'all', 'too', 'last'];
    const results = await Promise.allSettled(given.map((item) => groups.add(item)));
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason))),
      ['good', 'Error: bad', 'also good', 'Error: away', 'Error: away', 'last'],
    );
  });

  it('wait a moment for more, but not when there are enough', async () => {
    const seen: (readonly number[])[] = [];
    const groups = new Groups<number, number>(
      async (items) => {
        seen.push(items);
        return items.map(done);
      },
      { most: 3, waitMs: 20 },
    );
    await Promise.all([1, 2, 3, 4].map((item) => groups.add(item)));
    assert.deepEqual(seen, [[1, 2, 3], [4]]);
  });

  it('leave nobody without an answer', async () => {
    const groups = new Groups<number, number>(async () => [], { most: 9, waitMs: 0 });
    await assert.rejects(groups.add(1), /no answer/);
  });
});
