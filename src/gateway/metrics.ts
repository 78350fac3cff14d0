import { Counter, Gauge, Registry } from 'prom-client';
import { RequestMetrics } from './request-metrics.js';

/** What Prometheus sees; one registry a gateway. */
export interface GatewayMetrics {
  readonly registry: Registry;
  readonly requests: RequestMetrics;
  readonly inFlight: Gauge<'model' | 'version'>;
  readonly shed: Counter<'model'>;
  readonly fallbacks: Counter<'model'>;
  readonly trips: Counter<'model' | 'guardrail'>;
  readonly shadow: Counter<'model' | 'outcome'>;
  readonly restarts: Counter<'model' | 'version' | 'why'>;
  readonly generation: Gauge<'model'>;
  readonly lease: Gauge<'model'>;
  readonly readAge: Gauge;
  readonly snapshotBehind: Gauge;
  readonly clockBehind: Gauge;
  readonly spooled: Gauge;
  readonly lost: Gauge;
  readonly uncounted: Gauge;
  readonly kept: Gauge<'what' | 'outcome'>;
}

/** @param collect sets the gauges; called at every scrape */
export function createMetrics(collect: (metrics: GatewayMetrics) => void): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  const name = (rest: string): string => `tenure_gateway_${rest}`;
  const metrics: GatewayMetrics = {
    registry,
    requests: new RequestMetrics(registry, name('')),
    inFlight: new Gauge({
      name: name('in_flight'),
      help: 'Requests with a version at this moment',
      labelNames: ['model', 'version'],
      registers,
      collect: () => collect(metrics),
    }),
    shed: new Counter({
      name: name('shed_total'),
      help: 'Requests refused with 503 because too many were in flight; without model: all models together',
      labelNames: ['model'],
      registers,
    }),
    fallbacks: new Counter({
      name: name('fallbacks_total'),
      help: 'Requests answered by the champion because candidate or hold-back failed',
      labelNames: ['model'],
      registers,
    }),
    trips: new Counter({
      name: name('trips_total'),
      help: 'Hard limits that set the candidate to 0 on this gateway',
      labelNames: ['model', 'guardrail'],
      registers,
    }),
    shadow: new Counter({
      name: name('shadow_total'),
      help: 'Copies to a shadow: agreed, differed, failed, dropped',
      labelNames: ['model', 'outcome'],
      registers,
    }),
    restarts: new Counter({
      name: name('thread_restarts_total'),
      help: 'Threads replaced because a call was stuck or the thread crashed',
      labelNames: ['model', 'version', 'why'],
      registers,
    }),
    generation: new Gauge({
      name: name('generation'),
      help: 'Generation of the routing table in force',
      labelNames: ['model'],
      registers,
    }),
    lease: new Gauge({
      name: name('lease_held'),
      help: '1 while the last reading of the table is younger than its lease',
      labelNames: ['model'],
      registers,
    }),
    readAge: new Gauge({
      name: name('table_read_age_seconds'),
      help: 'Seconds since the routing tables were last read',
      registers,
    }),
    snapshotBehind: new Gauge({
      name: name('snapshot_behind'),
      help: '1 while the file that a restart without MongoDB would serve from could not be renewed',
      registers,
    }),
    clockBehind: new Gauge({
      name: name('clock_behind_seconds'),
      help: 'By how much the clock of this machine is behind that of MongoDB; below 0: ahead; NaN while they were not compared',
      registers,
    }),
    spooled: new Gauge({
      name: name('spooled_batches'),
      help: 'Window batches waiting in the spool',
      registers,
    }),
    lost: new Gauge({
      name: name('lost_batches'),
      help: 'Window batches given up because the spool was full or could not be written',
      registers,
    }),
    uncounted: new Gauge({
      name: name('versions_without_profile'),
      help: 'Loaded versions whose features are not counted, as they have no profile or it cannot be read',
      registers,
    }),
    kept: new Gauge({
      name: name('kept_rows'),
      help: 'Rows of answered requests whose scores (prediction) or inputs (sample) were stored, thinned out, or lost, since the start',
      labelNames: ['what', 'outcome'],
      registers,
    }),
  };
  return metrics;
}
