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

/**
 * The first tick after a moment. Shards tick at their own place within the interval, so that they do not all come at once. Ticks that
 * were missed are not made up for one by one: the next one takes all windows that have closed.
 * @param now epoch milliseconds
 */
export function nextTick(shard: number, seconds: number, now: number): number {
  const every = seconds * 1_000;
  const place = hash(`monitor ${shard}`) % every;
  return Math.floor((now - place) / every) * every + place + every;
}
