/** What gateways stored long after its own time: out of a spool, or by a clock that is behind. */
import { emptySketch, mergeSketch, type MutableSketch } from '../../statistics/sketch.js';
import type { WindowDocument } from './collections.js';

export interface Traffic {
  requests: number;
  bad: number;
  /** Absent where it is not read. */
  readonly latency?: MutableSketch;
}

interface Late extends Traffic {
  /** By how much at least and at most, milliseconds. */
  least: number;
  most: number;
  readonly latency: MutableSketch;
}

const HOUR = 3_600_000;
/** Longer than a window and the minute that it was merged with. */
const SAME_MS = 5 * 60_000;
/** Who stores rows that were answered elsewhere: their times are those of a file, and no clock's. */
const ELSEWHERE = 'observed';

/**
 * Traffic out of a spool is over; of its windows the earlier ones are late by more than the later ones. Where all that a gateway stored
 * in a stretch is late by the same, its clock is behind, and the traffic is of now: it counts for the stretch, or an outage would not be
 * seen, and a gateway that serves would look like one that nobody asks.
 */
export class LateTraffic {
  readonly #late = new Map<Traffic, Map<string, Late>>();

  /** @returns what the document's traffic is to be added to */
  in(
    stretch: Traffic,
    { gateway, insertedAt, from, to }: Pick<WindowDocument, 'gateway' | 'insertedAt' | 'from' | 'to'>,
  ): Late {
    const gateways = this.#late.get(stretch) ?? new Map<string, Late>();
    this.#late.set(stretch, gateways);
    const [least, most] = [insertedAt.getTime() - to, insertedAt.getTime() - from];
    const late = gateways.get(gateway) ?? { least, most, requests: 0, bad: 0, latency: emptySketch() };
    gateways.set(gateway, late);
    late.least = Math.min(late.least, least);
    late.most = Math.max(late.most, most);
    return late;
  }

  /** Once, when all has been read. @returns which gateways' clocks are behind, in words */
  place(): readonly string[] {
    const behind = new Map<string, number>();
    for (const [stretch, gateways] of this.#late)
      for (const [gateway, { least, most, requests, bad, latency }] of gateways) {
        if (most - least > SAME_MS || requests === 0 || gateway === ELSEWHERE) continue;
        stretch.requests += requests;
        stretch.bad += bad;
        if (stretch.latency !== undefined) mergeSketch(stretch.latency, latency);
        behind.set(gateway, least / HOUR);
      }
    return [...behind].map(
      ([gateway, hours]) =>
        `Gateway ${gateway}: its time is ${hours.toFixed(1)} h behind the database's in all windows, as of a wrong clock: ` +
        'its requests count for when they were stored, its rows for the time that they carry',
    );
  }
}
