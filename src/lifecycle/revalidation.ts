import type { BasisChange } from './incidents-state.js';
import { incidentsOf, monitoringOf, withIncidents, type Happening } from './model-incidents.js';
import type { ModelState } from './model-state.js';
import { changedBasis } from './validation-basis.js';

/** People are reminded so long before, or a tenth of the whole time, whichever is shorter. */
const MOST_BEFORE_MS = 14 * 24 * 3600_000;
const SHARE_BEFORE = 0.1;

export const REVALIDATION = 'revalidation';

/**
 * When the validation of what serves is due again: so long after it, or as soon as the manifest changed in what it rests on. It was
 * promoted on its validation; going back to it later validates nothing, and a person can say that it was validated anew. Times are epoch
 * milliseconds.
 * @param promoted when it took production over, each time
 * @param anew when people said that what served then was validated anew
 * @param changed when a manifest was applied that changed what validations rest on
 * @returns null: never, or it was never promoted
 */
export function validationDue(
  promoted: readonly number[],
  anew: readonly number[],
  changed: readonly number[],
  revalidateSeconds: number | null,
): number | null {
  if (promoted.length === 0 || revalidateSeconds === null) return null;
  const first = Math.min(...promoted);
  // What was said of a version before this one is not about this one.
  const validated = Math.max(first, ...anew.filter((time) => time >= first));
  // A release goes on with the manifest that it was started with, so its version may have been validated by one of before a change that
  // its promotion came after. It counts as validated when it was promoted, by the date as by a change.
  return Math.min(validated + revalidateSeconds * 1000, ...changed.filter((time) => time > validated));
}

/** As many champions are known, and of changes without a validation between them the first decides: what is older decides nothing. */
const MAX_CHANGES = 20;

const changesOf = (state: ModelState): readonly BasisChange[] => incidentsOf(state).basisChanges ?? [];

/** In which fields, by their paths, a manifest changes what the validation of a version rests on that serves, or has served and may again. */
export const basisChangedBy = (state: ModelState, manifest: unknown): readonly string[] =>
  state.champions.length === 0 ? [] : changedBasis(state.manifest, manifest);

/**
 * A manifest was applied that changed what validations rest on. What comes before anything was validated since the last change is part
 * of that one: the date is the same.
 * @param fields paths in the manifest
 * @param now epoch milliseconds
 */
export function withBasisChange(state: ModelState, fields: readonly string[], now: number): ModelState {
  const known = changesOf(state);
  const { revalidatedAt } = incidentsOf(state);
  const validated = [
    ...state.champions.map(({ since }) => since),
    ...(revalidatedAt === null ? [] : [revalidatedAt]),
  ];
  const last = known.at(-1);
  const basisChanges =
    last !== undefined && validated.every((time) => Date.parse(time) < Date.parse(last.at))
      ? [...known.slice(0, -1), { at: last.at, fields: [...new Set([...last.fields, ...fields])] }]
      : [...known, { at: new Date(now).toISOString(), fields }];
  return withIncidents(state, { basisChanges: basisChanges.slice(-MAX_CHANGES) });
}

/** When the champion's validation is due again, epoch milliseconds; null: never, or nothing serves. */
export function revalidationDue(state: ModelState): number | null {
  const { champion, champions, retired } = state;
  if (champion === null || retired) return null;
  const promoted = champions
    .filter(({ digest }) => digest === champion.digest)
    .map((championship) => Date.parse(championship.since));
  const { revalidatedAt } = incidentsOf(state);
  const anew = revalidatedAt === null ? [] : [Date.parse(revalidatedAt)];
  const changed = changesOf(state).map(({ at }) => Date.parse(at));
  return validationDue(promoted, anew, changed, monitoringOf(state)?.revalidateSeconds ?? null);
}

/** The next time at which people are told of it, epoch milliseconds; null when there is nothing more to tell. */
export function nextRevalidationNotice(state: ModelState): number | null {
  const due = revalidationDue(state);
  if (due === null) return null;
  const { before, due: told } = incidentsOf(state).revalidationTold;
  const at = new Date(due).toISOString();
  if (told === at) return null;
  return before === at ? due : reminderAt(state, due);
}

function reminderAt(state: ModelState, due: number): number {
  const whole = (monitoringOf(state)?.revalidateSeconds ?? 0) * 1000;
  return due - Math.min(whole * SHARE_BEFORE, MOST_BEFORE_MS);
}

/** What people are told now, once each: that it will be due, and that it is. */
export function revalidationNotice(
  state: ModelState,
  now: number,
): { readonly state: ModelState; readonly happening: Happening } | null {
  const next = nextRevalidationNotice(state);
  const due = revalidationDue(state);
  if (next === null || due === null || next > now) return null;
  const at = new Date(due).toISOString();
  const isDue = now >= due;
  const version = state.champion?.version ?? 'nothing';
  const change = changesOf(state).find((one) => one.at === at);
  const why = change === undefined ? '' : `: the manifest changed in ${change.fields.join(', ')}`;
  const happening: Happening = {
    origin: 'revalidation',
    cause: REVALIDATION,
    severity: isDue ? 'warning' : 'info',
    title: isDue
      ? `The validation of ${version} was due at ${at}${why}`
      : `The validation of ${version} is due at ${at}`,
    text: `${change === undefined ? '' : `It rests on what the manifest said of ${change.fields.join(', ')} before. `}Release a version that was validated anew, or validate this one and resolve this incident with the reason: that sets the next date.`,
    findings: [],
    release: state.champions[0]?.release ?? null,
    onset: null,
    detectedAt: new Date(now).toISOString(),
    holds: false,
  };
  const told = { before: at, due: isDue ? at : null };
  return { state: withIncidents(state, { revalidationTold: told }), happening };
}
