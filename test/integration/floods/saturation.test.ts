import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WindowCell } from '../../../src/contracts/windows.js';
import type { Gateway } from '../../../src/gateway/server.js';
import { GatewayBench, post, row, until } from '../../support/gateway.js';
import { slowModel } from '../../support/onnx.js';
import { scale } from '../../support/scale.js';

const SECONDS = scale(10, 30);
const CONCURRENCY = 3;

interface Answers {
  answered: number;
  fallbacks: number;
  shed: number;
  readonly other: Set<string>;
}

describe('A gateway at saturation', function () {
  this.timeout((SECONDS + 60) * 1_000);
  const bench = new GatewayBench();
  let gateway: Gateway;

  before(async () => {
    await bench.open();
    // Both bounds are met: that of a version, and the one of all requests at the door.
    gateway = await bench.start({ maxInFlight: 2 * CONCURRENCY - 1 });
    // Some tens of milliseconds a call: saturated by few requests, on any machine.
    const champion = await bench.version('v1', slowModel([1, 1, 1], 20_000));
    const candidate = await bench.version('v2', slowModel([1, 1, 1.1], 20_000));
    const busy = {
      champion,
      candidate: { ...candidate, weight: 0.5 },
      phase: 'canary' as const,
      release: 1,
      maxConcurrency: CONCURRENCY,
      deadlineMs: 20_000,
      leaseSeconds: 60,
    };
    await bench.route('busy', busy, [gateway]);
  });
  after(() => bench.close());

  /** Users who ask again at once, and after a refusal a moment later, until the time is over. */
  async function users(url: string, model: string, lanes: number): Promise<Answers> {
    const seen: Answers = { answered: 0, fallbacks: 0, shed: 0, other: new Set() };
    const end = performance.now() + SECONDS * 1_000;
    let sent = 0;
    const lane = async (): Promise<void> => {
      while (performance.now() < end) {
        const { status, headers, body } = await post(url, model, row(1, 0, 0), {
          'tenure-routing-key': `key-${sent++}`,
        });
        if (status === 200) seen.answered += 1;
        else if (status === 503 && headers.get('retry-after') === '1') seen.shed += 1;
        else seen.other.add(`${status}: ${body.error}`);
        if (headers.get('tenure-fallback') === 'true') seen.fallbacks += 1;
        if (status !== 200) await sleep(50);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return seen;
  }

  const sums = async (model: string) => {
    const cells = (await bench.windows(model)).flatMap((batch) => batch.cells);
    const sum = (of: (cell: WindowCell) => number): number =>
      cells.reduce((total, cell) => total + of(cell), 0);
    return {
      answered: sum(({ requests }) => requests.split + requests.unsplit + requests.fallback),
      fallbacks: sum(({ requests }) => requests.fallback),
      shed: sum(({ role, requests }) => (role === 'champion' ? requests.shed : 0)),
      passedOn: sum(({ role, requests }) => (role === 'candidate' ? requests.shed : 0)),
      errors: sum(({ errors }) => Object.values(errors).reduce((total, count) => total + count, 0)),
    };
  };

  it(`for ${SECONDS} s sheds with 503 and Retry-After, and counts every request as its user saw it`, async () => {
    let most = 0;
    const load = { over: false };
    const watching = (async () => {
      while (!load.over) {
        const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
        for (const [, count] of metrics.matchAll(/in_flight\{model="busy"[^}]*\} (\d+)/g))
          most = Math.max(most, Number(count));
        await sleep(500);
      }
    })();
    const seen = await users(gateway.url, 'busy', 16);
    load.over = true;
    await watching;
    const { answered, fallbacks, shed, other } = seen;
    assert.deepEqual([...other], []);
    assert.ok(shed > 50 && answered > 50 && fallbacks > 0, JSON.stringify(seen));
    assert.ok(most <= CONCURRENCY, `${most} with a version at once`);
    const { passedOn, ...counted } = await until('the windows', async () => {
      const found = await sums('busy');
      return found.answered + found.shed >= answered + shed && found;
    });
    assert.deepEqual(counted, { answered, fallbacks, shed, errors: 0 });
    // A candidate without room passes its users on: to an answer of the champion, or to a refusal.
    assert.ok(passedOn >= fallbacks, `${passedOn} passed on, ${fallbacks} answered so`);
    const { windows } = gateway.health();
    assert.deepEqual([windows.spooledBatches, windows.lostBatches], [0, 0]);
  });
});
