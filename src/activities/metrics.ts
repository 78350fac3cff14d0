import type { Db } from 'mongodb';
import type { MetricsActivities } from '../contracts/activities.js';
import { readBaseline } from '../platform/windows/baseline.js';

/** Numbers from the windows that tune a canary before it starts. */
export const createMetricsActivities = ({ db }: { readonly db: Db }): MetricsActivities => ({
  readBaseline: ({ model, champion, probes, quantiles, lookBackSeconds, at }) =>
    readBaseline(db, {
      model,
      champion: champion.digest,
      probes,
      quantiles,
      from: at - lookBackSeconds * 1_000,
      to: at,
    }),
});
