import type { VersionRef } from '../../contracts/model.js';
import type { Facts, IncidentFact, Interval, Moment } from '../facts/types.js';
import { isBefore, isTakenBack } from './failures.js';
import { groupBy } from './numbers.js';

/** From here on this serves, nothing does, or the model is retired. */
interface Change extends Moment {
  readonly serves: VersionRef | 'nothing' | 'retired';
}

/** Who serves a model, over time. */
export interface Service {
  /** From its first version in production until it is retired. */
  readonly inService: readonly Interval[];
  /** Of that, when no version served. */
  readonly without: readonly Interval[];
  /** At the end of the scope; null: nothing, or it has never been in service. */
  readonly serves: VersionRef | null;
  readonly isRetired: boolean;
}

const NEVER: Service = { inService: [], without: [], serves: null, isRetired: false };

/** @param until end of the scope, epoch milliseconds */
export function serviceOf(
  facts: Pick<Facts, 'releases' | 'acts'>,
  until: number,
): (model: string) => Service {
  const changes = groupBy(changesOf(facts), ({ model }) => model);
  const known = new Map(
    [...changes].map(([model, all]) => [
      model,
      follow(
        all.toSorted((a, b) => (isBefore(a, b) ? -1 : 1)),
        until,
      ),
    ]),
  );
  return (model) => known.get(model) ?? NEVER;
}

function changesOf({
  releases,
  acts,
}: Pick<Facts, 'releases' | 'acts'>): readonly (Change & { readonly model: string })[] {
  return [
    ...releases.flatMap((release) => {
      const { model, promoted, former, ended, version, digest } = release;
      if (promoted === null) return [];
      const up = { model, ...promoted, serves: { version: version ?? 'unknown', digest: digest ?? '' } };
      if (!isTakenBack(release) || ended === null) return [up];
      const { at, sequence } = ended;
      return [up, { model, at, sequence, serves: former ?? ('nothing' as const) }];
    }),
    ...acts.map(({ model, at, sequence, action, serves }) => ({
      model,
      at,
      sequence,
      serves: action === 'model.retired' ? ('retired' as const) : (serves ?? ('nothing' as const)),
    })),
  ];
}

function follow(changes: readonly Change[], until: number): Service {
  const inService: Interval[] = [];
  const without: Interval[] = [];
  let began: number | null = null;
  let down: number | null = null;
  let serves: VersionRef | null = null;
  const close = (list: Interval[], from: number | null, to: number): null => {
    if (from !== null) list.push({ from, to });
    return null;
  };
  for (const { at, serves: next } of changes) {
    if (next === 'retired') {
      down = close(without, down, at);
      began = close(inService, began, at);
      serves = null;
    } else if (next === 'nothing') {
      if (began !== null) down ??= at;
      serves = null;
    } else {
      began ??= at;
      down = close(without, down, at);
      serves = next;
    }
  }
  close(without, down, until);
  close(inService, began, until);
  return { inService, without, serves, isRetired: changes.at(-1)?.serves === 'retired' };
}

/** When a critical incident was one for users: until it was mitigated or resolved. */
export const outageOf = (
  { onset, detected, opened, mitigated, resolved, lost }: IncidentFact,
  until: number,
): Interval => ({
  from: onset ?? detected ?? opened,
  to: Math.min(mitigated ?? until, resolved ?? until, lost ?? until),
});
