/** Which monitors have fallen silent, as one of them sees it. */

/** When a monitor was last here. Times are epoch milliseconds. */
export interface Beat {
  readonly shard: number;
  /** Since when without having been away. */
  readonly since: number;
  readonly seenAt: number;
  /** After how long it is silent by its own settings, milliseconds; absent in beats of before. */
  readonly limitMs?: number;
}

/** Ticks that may fail to come before it is silence, and no less than this. */
const TICKS = 5;
const LEAST_MS = 5 * 60_000;

/** @param seconds between two ticks @returns milliseconds */
export const silenceAfter = (seconds: number): number => Math.max(TICKS * seconds * 1_000, LEAST_MS);

/**
 * Who was not here for so long was away, and cannot say of others that they are: where all were stopped together, some of them had been
 * here up to a tick sooner than others.
 */
export const awayAfter = (limitMs: number): number => limitMs / 2;

export interface Sight {
  readonly silent: readonly Pick<Beat, 'shard' | 'seenAt'>[];
  /** Every monitor is here. Neither this nor silent: whoever looks has not been here for long enough to say. */
  readonly allHere: boolean;
  /** Those that nobody waits for yet. */
  readonly unknown: readonly number[];
  /** Those that have not been here yet, as far as is known. */
  readonly fresh: readonly number[];
  /** Since when whoever looks was silent itself, until now; null: it was not. */
  readonly awaySince: number | null;
}

/**
 * Who was away itself, as after a stop of all of them, does not take the others for silent until it has been here for as long as they
 * may be away.
 * @param beats all of them, before whoever looks has noted that it is here
 * @param options.now epoch milliseconds
 */
export function sightOf(
  beats: readonly Beat[],
  options: {
    readonly shard: number;
    readonly shards: number;
    readonly limitMs: number;
    readonly now: number;
  },
): Sight {
  const { shard, shards, limitMs, now } = options;
  const byShard = new Map(beats.map((beat) => [beat.shard, beat]));
  const own = byShard.get(shard);
  const since = own === undefined || now - own.seenAt > awayAfter(limitMs) ? now : own.since;
  const others = Array.from({ length: shards }, (_, other) => other).filter((other) => other !== shard);
  const known = others.flatMap((other) => byShard.get(other) ?? []);
  // Other settings than its own reach a monitor with its next tick, which is by the old ones.
  const limitOf = (beat: Beat): number => Math.max(limitMs, beat.limitMs ?? 0);
  const stale = known.filter((beat) => now - beat.seenAt > limitOf(beat));
  const silent = stale.filter((beat) => now - Math.max(beat.seenAt, since) > limitOf(beat));
  const unknown = others.filter((other) => !byShard.has(other));
  const isNew = known.filter((beat) => beat.since === beat.seenAt).map((beat) => beat.shard);
  return {
    silent: silent.map(({ shard: other, seenAt }) => ({ shard: other, seenAt })),
    allHere: stale.length === 0 && unknown.length === 0,
    unknown,
    fresh: [...unknown, ...isNew],
    awaySince: own !== undefined && now - own.seenAt > limitOf(own) ? own.seenAt : null,
  };
}
