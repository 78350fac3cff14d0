import type { VersionRef } from '../contracts/model.js';
import { isRetiring, release, type ModelState } from './model-state.js';

const MAX_CHAMPIONS = 20;

/** Records who serves from now on; the former champion stays warm for the rollback window. */
export function changeChampion(
  state: ModelState,
  champion: VersionRef | null,
  releaseNumber: number,
  now: number,
): ModelState {
  if (champion?.digest === state.champion?.digest) return state;
  const at = new Date(now).toISOString();
  const until = new Date(now + state.manifest.rollbackWindowSeconds * 1000).toISOString();
  const closed = state.champions.map((past) => (past.until === null ? { ...past, until: at } : past));
  const former = state.champion;
  const warm = [
    ...(former === null ? [] : [{ version: former.version, digest: former.digest, until }]),
    ...state.warm.filter((kept) => kept.digest !== former?.digest),
  ].filter((kept) => kept.digest !== champion?.digest);
  return {
    ...state,
    champion: champion === null ? null : { version: champion.version, digest: champion.digest },
    champions:
      champion === null
        ? closed
        : [
            {
              version: champion.version,
              digest: champion.digest,
              release: releaseNumber,
              since: at,
              until: null,
            },
            ...closed,
          ].slice(0, MAX_CHAMPIONS),
    warm,
  };
}

/** A former champion serves again, as the champion of its own release. */
export const goBack = (state: ModelState, champion: VersionRef | null, now: number): ModelState => {
  const before = state.champions.find((past) => past.digest === champion?.digest);
  return changeChampion(state, champion, before?.release ?? 0, now);
};

/** A champion whose release did not succeed steps down for the one before it, and is not kept loaded. */
export function takeBack(state: ModelState, champion: VersionRef | null, now: number): ModelState {
  const taken = state.champion?.digest;
  const next = goBack(state, champion, now);
  return next === state ? state : { ...next, warm: next.warm.filter(({ digest }) => digest !== taken) };
}

/** Who served before a release that ended without a word; it had made its candidate champion, or not. */
export function championBefore(state: ModelState, number: number): VersionRef | null {
  const [current, former] = state.champions;
  if (current === undefined || current.until !== null || current.release !== number) return state.champion;
  return former?.until === current.since ? { version: former.version, digest: former.digest } : null;
}

/**
 * The former champion to go back to: the one named; else the newest from before the one that serves, so that two rollbacks
 * go two versions back. A version that was taken back by its own release is gone back to only by name.
 */
export function rollBackTarget(
  state: ModelState,
  to: string | undefined,
): { readonly target: VersionRef } | { readonly refusal: string } {
  const { champion, champions } = state;
  if (isRetiring(state)) return { refusal: `model ${state.manifest.name} is retired` };
  if (to !== undefined && champion?.version === to) return { refusal: `version ${to} already serves` };
  const former = champions.filter((past) => past.digest !== champion?.digest);
  const since = champions.findLastIndex((past) => past.digest === champion?.digest);
  const older = champions.slice(since + 1).filter((past) => !wasTakenBack(state, past.release));
  const target = to === undefined ? older[0] : former.find((past) => past.version === to);
  if (target !== undefined) return { target: { version: target.version, digest: target.digest } };
  const known = [...new Set(former.map((past) => past.version))];
  const names = `former champions: ${known.length === 0 ? '(none)' : known.join(', ')}`;
  return {
    refusal:
      to === undefined
        ? `there is no former champion to go back to${known.length === 0 ? '' : ` unless it is named: ${known.join(', ')}`}`
        : `version ${to} has not been champion; ${names}`,
  };
}

const wasTakenBack = (state: ModelState, number: number): boolean => {
  const stage = release(state, number)?.stage;
  return stage === 'rolled-back' || stage === 'aborted' || stage === 'rejected';
};
