import type { Metric, Registry } from 'prom-client';

export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Labels {
  readonly model: string;
  readonly version: string;
  readonly role: string;
}

/** A histogram of one set of labels: how many values are in each bucket alone, above the last bound at the end. */
class Buckets {
  readonly counts: number[] = Array.from({ length: SECONDS.length + 1 }, () => 0);
  sum = 0;
  count = 0;

  add(seconds: number): void {
    let i = 0;
    while (i < SECONDS.length && seconds > (SECONDS[i] ?? Infinity)) i += 1;
    this.counts[i] = (this.counts[i] ?? 0) + 1;
    this.sum += seconds;
    this.count += 1;
  }
}

interface Tally {
  readonly labels: Labels;
  /** Outcome -> requests. */
  readonly outcomes: Map<string, number>;
  readonly duration: Buckets;
  readonly inference: Buckets;
}

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * What Prometheus is told of every request. The client library checks and hashes the labels at each observation, which shows at ten
 * thousand requests a second: here they are looked up, plain numbers are counted, and the library reads them when it is asked.
 */
export class RequestMetrics {
  /** Model -> version -> role. */
  readonly #tallies = new Map<string, Map<string, Map<string, Tally>>>();

  constructor(registry: Registry, prefix: string) {
    const register = (
      name: string,
      help: string,
      type: 'counter' | 'histogram',
      samples: (name: string, tally: Tally) => readonly Sample[],
    ): void => {
      const full = `${prefix}${name}`;
      const values = (): Sample[] => this.#all().flatMap((tally) => [...samples(full, tally)]);
      const metric = {
        name: full,
        get: () => Promise.resolve({ name: full, help, type, aggregator: 'sum', values: values() }),
        reset: () => this.#tallies.clear(),
      };
      // The library's own classes are what its type allows; a registry asks no more of a metric than this.
      registry.registerMetric(metric as unknown as Metric);
    };
    register('requests_total', 'Inference requests by how they were answered', 'counter', (_, tally) =>
      [...tally.outcomes].map(([outcome, value]) => ({ labels: { ...tally.labels, outcome }, value })),
    );
    register(
      'request_duration_seconds',
      'Time from the parsed request to its answer',
      'histogram',
      (name, { labels, duration }) => histogram(name, labels, duration),
    );
    register(
      'inference_duration_seconds',
      "Time inside the model's thread",
      'histogram',
      (name, { labels, inference }) => histogram(name, labels, inference),
    );
  }

  /** @param elapsedMs inside the thread; null without an answer */
  seen(
    model: string,
    version: string,
    role: string,
    outcome: string,
    ms: number,
    elapsedMs: number | null,
  ): void {
    const tally = this.#tallyOf(model, version, role);
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    tally.duration.add(ms / 1_000);
    if (elapsedMs !== null) tally.inference.add(elapsedMs / 1_000);
  }

  #tallyOf(model: string, version: string, role: string): Tally {
    const known = this.#tallies.get(model)?.get(version)?.get(role);
    if (known !== undefined) return known;
    const versions = this.#tallies.get(model) ?? new Map<string, Map<string, Tally>>();
    const roles = versions.get(version) ?? new Map<string, Tally>();
    const tally: Tally = {
      labels: { model, version, role },
      outcomes: new Map(),
      duration: new Buckets(),
      inference: new Buckets(),
    };
    this.#tallies.set(model, versions.set(version, roles.set(role, tally)));
    return tally;
  }

  #all(): Tally[] {
    return [...this.#tallies.values()].flatMap((versions) =>
      [...versions.values()].flatMap((roles) => [...roles.values()]),
    );
  }
}

/** As Prometheus wants it: each bucket holds those below it too. Without values there is nothing to tell. */
function histogram(name: string, labels: Labels, { counts, sum, count }: Buckets): readonly Sample[] {
  if (count === 0) return [];
  let below = 0;
  const buckets = counts.map((own, i): Sample => {
    below += own;
    return { metricName: `${name}_bucket`, labels: { le: SECONDS[i] ?? '+Inf', ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { ...labels }, value: sum },
    { metricName: `${name}_count`, labels: { ...labels }, value: count },
  ];
}
