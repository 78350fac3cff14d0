import assert from 'node:assert/strict';
import { Counter, Histogram, Registry } from 'prom-client';
import { RequestMetrics, SECONDS } from '../../../src/gateway/request-metrics.js';
import { createRandom } from '../../support/random.js';

/** The same by the library's own counter and histograms. */
function reference(registry: Registry) {
  const registers = [registry];
  const labelNames = ['model', 'version', 'role'] as const;
  const requests = new Counter({
    name: 'requests_total',
    help: 'Inference requests by how they were answered',
    labelNames: [...labelNames, 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'request_duration_seconds',
    help: 'Time from the parsed request to its answer',
    labelNames,
    buckets: [...SECONDS],
    registers,
  });
  const inference = new Histogram({
    name: 'inference_duration_seconds',
    help: "Time inside the model's thread",
    labelNames,
    buckets: [...SECONDS],
    registers,
  });
  return { requests, duration, inference };
}

describe('Metrics of requests', () => {
  it('are told as the client library would tell them', async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const metrics = new RequestMetrics(ours, '');
    const { requests, duration, inference } = reference(theirs);
    const random = createRandom(20_261_125);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random.uniform() * from.length)]!;
    for (let n = 0; n < 5_000; n += 1) {
      const labels = {
        model: pick(['a', 'b']),
        version: pick(['v1', 'v2']),
        role: pick(['champion', 'candidate']),
      };
      const outcome = pick(['ok', 'error', 'timeout']);
      // Each bound itself too, which belongs to its bucket.
      const ms = n % 5 === 0 ? pick(SECONDS) * 1_000 : random.uniform() * 12_000;
      const elapsed = outcome === 'timeout' ? null : ms / 2;
      metrics.seen(labels.model, labels.version, labels.role, outcome, ms, elapsed);
      requests.inc({ ...labels, outcome });
      duration.observe(labels, ms / 1_000);
      if (elapsed !== null) inference.observe(labels, elapsed / 1_000);
    }
    const lines = async (registry: Registry): Promise<readonly string[]> =>
      (await registry.metrics()).split('\n').toSorted();
    const [said, wanted] = [await lines(ours), await lines(theirs)];
    assert.deepEqual(said, wanted);
    assert.ok(wanted.length > 100);
  });

  it('say nothing of what was never asked for', async () => {
    const registry = new Registry();
    const metrics = new RequestMetrics(registry, '');
    assert.doesNotMatch(await registry.metrics(), /^[a-z]/m);
    metrics.seen('m', 'v1', 'champion', 'error', 3, null);
    const text = await registry.metrics();
    assert.match(text, /^requests_total\{model="m",version="v1",role="champion",outcome="error"\} 1$/m);
    assert.doesNotMatch(text, /^inference_duration_seconds/m);
  });
});
