/** Which monitor a model belongs to, and when a monitor ticks. */

/** 32 bits: FNV-1a by Fowler, Noll and Vo over the code units, mixed by the end of Appleby's MurmurHash3. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** From 0: the same model always has the same shard while there are as many. */
export const shardOf = (model: string, shards: number): number => hash(model) % shards;

/** What was stored so long ago is visible, whatever the server was doing: an insert is given up after 5 s. */
export const VISIBLE_MS = 10_000;
/** A tick may begin so late. */
const LATE_MS = 5_000;

export interface TickPlace {
  /** Of whom there may be others on the same servers. */
  readonly installation: string;
  readonly shard: number;
  readonly shards: number;
  /** From one tick to the next. */
  readonly seconds: number;
}

/**
 * The first tick after a moment. Shards tick evenly spread over the interval, so that one is mostly through when the next begins; where
 * the first of them is goes by a hash of the installation. None is in the few seconds before what was stored in the last interval is
 * visible: a tick that is sometimes late would find nothing the one time and twice as much the other. Ticks that were missed are not
 * made up for one by one: the next one takes all windows that have closed.
 * @param now epoch milliseconds
 */
export function nextTick({ installation, shard, shards, seconds }: TickPlace, now: number): number {
  const every = seconds * 1_000;
  const gap = Math.max(1, Math.floor(every / shards));
  const room = gap > LATE_MS ? gap - LATE_MS : gap;
  const place = (VISIBLE_MS + (hash(installation) % room) + shard * gap) % every;
  return Math.floor((now - place) / every) * every + place + every;
}
