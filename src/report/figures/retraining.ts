import { RETRAINING_OUTCOMES, RETRAINING_TRIGGERS, type FleetReport } from '../../contracts/report.js';
import type { Facts, Interval, RetrainingFact } from '../facts/types.js';
import { isIn } from './deployments.js';
import type { Deployment } from './failures.js';
import { keyOf, share } from './numbers.js';

const WORKED: readonly (string | null)[] = ['submitted', 'not-better'];

/** @param active models in production at the end of the window */
export function retrainingFigures(
  facts: Facts,
  all: readonly Deployment[],
  active: ReadonlySet<string>,
  window: Interval,
): FleetReport['retraining'] {
  const { retrainings, models, heldBack } = facts;
  const ended = retrainings.filter((run) => run.ended !== null && isIn(run.ended, window));
  const requested = retrainings.filter((run) => run.requested !== null && isIn(run.requested, window));
  const enabled = models.filter(({ model, automated }) => automated && active.has(model));
  const ran = new Set(
    ended
      .filter(({ trigger, outcome }) => trigger !== null && trigger !== 'hand' && WORKED.includes(outcome))
      .map(({ model }) => model),
  );
  const fate = fateOf(facts, all);
  const fates = ended.map((run) => fate(run));
  const decided = fates.filter((known) => known !== 'undecided');
  const untouched = fates.filter((known) => known === 'untouched').length;
  const none = 'no model is in production';
  return {
    enabled: share(enabled.length, active.size, none),
    proven: share(enabled.filter(({ model }) => ran.has(model)).length, active.size, none),
    untouched: share(untouched, decided.length, 'no retraining has come to its end'),
    reachedProduction: untouched + fates.filter((known) => known === 'touched').length,
    undecided: fates.length - decided.length,
    requested: countBy(
      RETRAINING_TRIGGERS,
      requested.map(({ trigger }) => trigger),
    ),
    ended: countBy(
      RETRAINING_OUTCOMES,
      ended.map(({ outcome }) => outcome),
    ),
    heldBack: heldBack.filter(({ at }) => isIn(at, window)).length,
  };
}

type Fate = 'untouched' | 'touched' | 'not-in-production' | 'undecided';

/** What became of a retraining that has ended. */
function fateOf(facts: Facts, all: readonly Deployment[]): (run: RetrainingFact) => Fate {
  const releases = new Map(facts.releases.map((release) => [keyOf(release.model, release.release), release]));
  const byHand = new Set([
    ...facts.touched.map(({ model, release }) => keyOf(model, release)),
    ...all
      .filter(({ failures }) => failures.some(({ byPerson }) => byPerson))
      .map(({ model, release }) => keyOf(model, release)),
  ]);
  return ({ model, outcome, release, trigger, byPerson }) => {
    if (outcome !== 'submitted' || release === null) return 'not-in-production';
    const key = keyOf(model, release);
    const end = releases.get(key)?.ended ?? null;
    if (end === null) return 'undecided';
    if (end.outcome !== 'succeeded') return 'not-in-production';
    return byPerson || trigger === 'hand' || byHand.has(key) ? 'touched' : 'untouched';
  };
}

const countBy = <K extends string>(
  kinds: readonly K[],
  values: readonly (K | null)[],
): Readonly<Record<K, number>> =>
  Object.fromEntries(kinds.map((kind) => [kind, values.filter((value) => value === kind).length])) as Record<
    K,
    number
  >;
