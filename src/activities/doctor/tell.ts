import { differenceKey, type ToldDifference } from '../../contracts/doctor.js';
import type { Alert, AlertDesk } from '../../platform/alerts/index.js';

/** Each difference is one alert for as long as it lasts; a later one of the same kind is another. */
export async function tell(
  alerts: AlertDesk,
  at: string,
  fresh: readonly ToldDifference[],
  resolved: readonly ToldDifference[],
): Promise<void> {
  const problems: unknown[] = [];
  const all = [
    ...fresh.map((difference) => alertOf(difference, at, 'firing')),
    ...resolved.map((difference) => alertOf(difference, at, 'resolved')),
  ];
  for (const alert of all) await alerts.send(alert).catch((error: unknown) => problems.push(error));
  // A repeat tells those receivers that did not take it.
  if (problems.length > 0) throw problems[0];
}

const alertOf = (difference: ToldDifference, at: string, state: 'firing' | 'resolved'): Alert => ({
  model: difference.model,
  key: `doctor/${differenceKey(difference)}/${difference.since}`,
  severity: difference.severity,
  title:
    state === 'firing'
      ? `${difference.code}: ${difference.subject || difference.model}`
      : `Over: ${difference.code}: ${difference.subject || difference.model}`,
  text: `Expected: ${difference.expected}. Found: ${difference.found}. ${difference.advice}`,
  at,
  state,
});
