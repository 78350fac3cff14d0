import type { Facts, IncidentFact, Moment, ModelAct, ReleaseFact } from '../facts/types.js';
import { groupBy, keyOf } from './numbers.js';

/** What went wrong with a deployment, by a link that is on record. */
export interface Failure {
  readonly kind: 'taken-back' | 'rolled-back' | 'incident';
  /** Epoch milliseconds; null: not over. */
  readonly over: number | null;
  readonly byPerson: boolean;
}

/** A release that reached production. */
export interface Deployment extends ReleaseFact {
  readonly promoted: Moment;
  readonly failures: readonly Failure[];
}

export const isBefore = (a: Moment, b: Moment): boolean =>
  a.at < b.at || (a.at === b.at && a.sequence < b.sequence);

/** A release that was in production and ended otherwise than well. */
export const isTakenBack = ({ promoted, ended }: ReleaseFact): boolean =>
  promoted !== null && ended !== null && ended.outcome !== 'succeeded';

/** Every deployment on record with what it is to blame for. */
export function deploymentsOf({ releases, acts, incidents }: Facts): readonly Deployment[] {
  const promoted = releases.flatMap((release) =>
    release.promoted === null ? [] : [{ ...release, promoted: release.promoted }],
  );
  const byVersion = groupBy(promoted, ({ model, digest }) => keyOf(model, digest ?? ''));
  const rolledBack = groupBy(
    acts.flatMap((act) => {
      const release = rolledBackFrom(act, byVersion.get(keyOf(act.model, act.from ?? '')) ?? []);
      return release === null ? [] : [{ model: act.model, release, act }];
    }),
    ({ model, release }) => keyOf(model, release),
  );
  // An `info` incident is a notice, not a failure in service.
  const serious = incidents.filter(({ severity, release }) => severity !== 'info' && release !== null);
  const blamed = groupBy(serious, ({ model, release }) => keyOf(model, release ?? 0));
  return promoted.map((release) => {
    const key = keyOf(release.model, release.release);
    const { ended } = release;
    return {
      ...release,
      failures: [
        ...(isTakenBack(release) && ended !== null
          ? [{ kind: 'taken-back' as const, over: ended.at, byPerson: false }]
          : []),
        ...(rolledBack.get(key) ?? []).map(({ act }) => ({
          kind: 'rolled-back' as const,
          over: act.at,
          byPerson: act.byPerson,
        })),
        ...(blamed.get(key) ?? []).map((incident) => ({
          kind: 'incident' as const,
          over: overOf(incident),
          byPerson: false,
        })),
      ],
    };
  });
}

const overOf = ({ tookBack, mitigated, resolved, lost }: IncidentFact): number | null =>
  (tookBack ? mitigated : null) ?? resolved ?? lost;

/** The latest deployment, before the roll-back, of the version that was taken away. */
function rolledBackFrom(act: ModelAct, deployments: readonly (ReleaseFact & { promoted: Moment })[]) {
  if (act.action !== 'model.rolled-back' || act.from === null) return null;
  const before = deployments.filter(({ promoted }) => isBefore(promoted, act));
  const [first, ...rest] = before;
  if (first === undefined) return null;
  return rest.reduce((latest, next) => (isBefore(latest.promoted, next.promoted) ? next : latest), first)
    .release;
}
