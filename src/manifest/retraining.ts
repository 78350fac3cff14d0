import type { Metric } from '../contracts/manifest.js';
import type { Task } from '../contracts/model.js';
import { defaulted, flag, list, number, oneOf, orNull, section, seconds, text, whole } from './fields.js';
import { timeZone } from './release-sections.js';
import { METRICS } from './sections.js';

const HOUR = 3600;
const DAY = 24 * HOUR;

const DEFAULT_METRIC: Readonly<Record<Task, Metric>> = {
  binary: 'auc',
  multiclass: 'logLoss',
  regression: 'rmse',
};

const DEFAULT_TRIGGERS = { finding: true, schedule: null, newLabels: null, maxAgeSeconds: null };

const triggers = section(
  {
    finding: defaulted(flag({ about: 'A finding that asks for it.' }), () => true),
    schedule: defaulted(
      orNull(
        section(
          {
            cron: text({
              about: 'Minute, hour, day of month, month, day of week; at most once an hour.',
              max: 100,
            }),
            timeZone,
          },
          { about: 'By the clocks of a time zone; null for none.' },
        ),
      ),
      () => null,
    ),
    newLabels: defaulted(
      orNull(whole({ about: 'So many labels since the last start; null for none.', min: 1, max: 1e9 })),
      () => null,
    ),
    maxAgeSeconds: defaulted(
      orNull(
        seconds({
          about: 'The champion has served for so long, and again after each such time; null for none.',
          min: HOUR,
          max: 3650 * DAY,
        }),
      ),
      () => null,
    ),
  },
  { about: 'What starts a retraining, beside a person.' },
);

/** Field `retraining`. */
export function retraining(task: Task) {
  return section(
    {
      platform: defaulted(
        oneOf(['process'], { about: "Where it is trained: on the worker's machine." }),
        () => 'process' as const,
      ),
      command: list(text({ about: 'A word of the command.', max: 4096 }), {
        about: 'The trainer and its arguments, without a shell. The contract is in docs/training.md.',
        min: 1,
        max: 100,
      }),
      timeoutSeconds: defaulted(seconds({ about: 'Time of one attempt.', min: 1, max: 3 * DAY }), () => HOUR),
      memoryMb: defaulted(
        whole({ about: 'Memory of all its processes together, MiB.', min: 16, max: 1_048_576 }),
        () => 2048,
      ),
      data: text({
        about:
          'Labelled rows to train on beside the recent ones, Parquet or CSV; a path relative to this file. Not those of `validation.data`, which must not have been seen.',
        max: 4096,
      }).optional(),
      dataDigest: text({
        about: 'Filled in when the manifest is applied.',
        max: 64,
        pattern: /^[0-9a-f]{64}$/,
        allowed: '64 lower-case hex digits',
      }).optional(),
      query: text({
        about:
          'SQL (DuckDB) over the tables `reference` and `recent` that gives the training set: the inputs and the target. All rows of both when absent.',
        max: 10_000,
      }).optional(),
      triggers: triggers.prefault({} as never).meta({ ...triggers.meta(), otherwise: DEFAULT_TRIGGERS }),
      cooldownSeconds: defaulted(
        seconds({ about: 'Least time between two starts.', min: 0, max: 365 * DAY }),
        () => DAY,
      ),
      minLabels: defaulted(
        whole({
          about: 'Fewest labels since the last start; where a finding asks, of rows since the change.',
          min: 0,
          max: 1e9,
        }),
        () => 500,
      ),
      budget: defaulted(
        section(
          {
            runs: whole({ about: 'So many starts …', min: 1, max: 100 }),
            perSeconds: seconds({ about: '… in so long.', min: 1, max: 365 * DAY }),
          },
          { about: 'Most retrainings of the model.' },
        ),
        () => ({ runs: 4, perSeconds: 30 * DAY }),
      ),
      recentSeconds: defaulted(
        seconds({ about: 'How far back labelled rows are taken.', min: 60, max: 365 * DAY }),
        () => 30 * DAY,
      ),
      metric: defaulted(
        oneOf(METRICS, { about: 'What challenger and champion are compared by, on the same recent rows.' }),
        () => DEFAULT_METRIC[task],
      ),
      margin: defaulted(
        number({
          about:
            'The challenger must be better by more than this, with 95 % confidence, in the unit of the metric.',
          min: 0,
          max: 1e9,
        }),
        () => 0,
      ),
    },
    { about: 'How and when a challenger is trained; null for never.' },
  );
}
