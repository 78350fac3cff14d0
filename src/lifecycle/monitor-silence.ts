/** Which monitors have fallen silent, as one of them sees it. */

/** When a monitor was last here. Times are epoch milliseconds. */
export interface Beat {
  readonly shard: number;
  /** Since when without a silence. */
  readonly since: number;
  readonly seenAt: number;
}

/** Ticks that may fail to come before it is silence, and no less than this. */
const TICKS = 5;
const LEAST_MS = 5 * 60_000;

/** @param seconds between two ticks @returns milliseconds */
export const silenceAfter = (seconds: number): number => Math.max(TICKS * seconds * 1_000, LEAST_MS);

export interface Sight {
  readonly silent: readonly Pick<Beat, 'shard' | 'seenAt'>[];
  /** Every monitor is here. Neither this nor silent: whoever looks has not been here for long enough to say. */
  readonly allHere: boolean;
  /** Those that nobody has ever seen, or waits for. */
  readonly unknown: readonly number[];
  /** Since when whoever looks was away itself, until now; null: it was not. */
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
  const own = beats.find((beat) => beat.shard === shard);
  const isBack = own === undefined || now - own.seenAt > limitMs;
  const since = isBack ? now : own.since;
  const others = Array.from({ length: shards }, (_, other) => other).filter((other) => other !== shard);
  const known = others.flatMap((other) => beats.find((beat) => beat.shard === other) ?? []);
  const stale = known.filter(({ seenAt }) => now - seenAt > limitMs);
  const silent = stale.filter(({ seenAt }) => now - Math.max(seenAt, since) > limitMs);
  return {
    silent: silent.map(({ shard: other, seenAt }) => ({ shard: other, seenAt })),
    allHere: stale.length === 0 && known.length === others.length,
    unknown: others.filter((other) => !known.some((beat) => beat.shard === other)),
    awaySince: own !== undefined && isBack ? own.seenAt : null,
  };
}
