import { Cron } from 'croner';
import type { Manifest } from '../contracts/manifest.js';
import { inUnits } from './fields.js';
import { METRICS_OF_TASK } from './gate-checks.js';
import type { Complain, Parts } from './parts.js';

const HOUR = 3600;

/** Rules on retraining across fields, and whether its schedule ever comes. */
export function checkRetraining({ task, retraining, inputs }: Parts, complain: Complain): void {
  if (retraining == null) return;
  const { metric, triggers, minLabels } = retraining;
  if (task !== undefined && !METRICS_OF_TASK[task].includes(metric))
    complain(
      ['retraining', 'metric'],
      metric,
      `allowed with task ${task}: ${METRICS_OF_TASK[task].join(', ')}`,
    );
  if (triggers.newLabels !== null && triggers.newLabels < minLabels)
    complain(
      ['retraining', 'triggers', 'newLabels'],
      triggers.newLabels,
      `allowed: at least minLabels, ${minLabels}, without which nothing starts`,
    );
  const wideText = inputs.findIndex(
    (input) => input !== undefined && input.datatype === 'BYTES' && input.width > 1,
  );
  if (wideText >= 0)
    complain(
      ['retraining'],
      'there',
      `schema.inputs[${wideText}] is BYTES of more than one value, which a training set cannot hold; leave retraining out`,
    );
  const problem = triggers.schedule === null ? null : cronProblem(triggers.schedule);
  if (problem !== null)
    complain(['retraining', 'triggers', 'schedule', 'cron'], triggers.schedule?.cron, problem);
}

/** Times that are looked at for two that are too near: more than a year of hours would be slow, and shows no more. */
const LOOKED_AT = 50;

function cronProblem({
  cron,
  timeZone: zone,
}: NonNullable<NonNullable<Manifest['retraining']>['triggers']['schedule']>): string | null {
  if (cron.trim().split(/\s+/).length !== 5)
    return 'allowed: five fields, minute, hour, day of month, month, day of week, e.g. "30 3 * * mon"';
  let runs: readonly Date[];
  try {
    runs = new Cron(cron, { timezone: zone, paused: true }).nextRuns(LOOKED_AT);
  } catch (error) {
    return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (runs.length === 0) return 'it never comes; allowed: a time that there is';
  const near = runs.some((at, i) => i > 0 && at.getTime() - (runs[i - 1]?.getTime() ?? 0) < HOUR * 1000);
  return near
    ? `it comes more than once an hour; allowed: ${inUnits(HOUR)} between two times at least`
    : null;
}
