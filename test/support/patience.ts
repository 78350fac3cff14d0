import type { RootHookObject, Runnable, Suite } from 'mocha';
import { scale } from './scale.js';

/** Long runs share two cores with simulations: a test that waits for others waits so much longer, and is no worse for it. */
const FACTOR = scale(1, 10);

function lengthen(suite: Suite): void {
  const { _beforeAll, _beforeEach, _afterEach, _afterAll } = suite as unknown as Record<string, Runnable[]>;
  const hooks = [_beforeAll, _beforeEach, _afterEach, _afterAll].flatMap((some) => some ?? []);
  for (const one of [...suite.tests, ...hooks]) one.timeout(one.timeout() * FACTOR);
  for (const inner of suite.suites) lengthen(inner);
}

/** Once all tests are known. */
export const mochaHooks: RootHookObject = {
  beforeAll(this: Mocha.Context) {
    const root = this.test?.parent;
    if (root !== undefined && FACTOR > 1) lengthen(root);
  },
};
