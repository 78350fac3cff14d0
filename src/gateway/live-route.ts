import type { LocalTrip, ObservedRoute, RoutingTable } from '../contracts/routes.js';
import type { Slot } from './slots.js';

export interface RouteSlots {
  readonly champion: Slot | null;
  readonly candidate: Slot | null;
  readonly holdback: Slot | null;
  readonly shadow: Slot | null;
}

/** Assumed for the first requests, when nothing is known about the champion's time. */
const SHORTEST_RESERVE = 0.2;
const LONGEST_RESERVE = 0.5;

/** One generation in force: requests that began under it end under it. */
export class LiveRoute {
  readonly table: RoutingTable;
  readonly slots: RouteSlots;
  /** For the header of each answer. */
  readonly generationText: string;
  /** True while a newer table that takes the candidate away waits for its versions: no more traffic to it meanwhile. */
  suspended = false;
  #trips: ObservedRoute['trips'] = [];
  #requests = 0;
  readonly #bad: number[];
  #championMs = 0;

  constructor(table: RoutingTable, slots: RouteSlots) {
    this.table = table;
    this.slots = slots;
    this.generationText = String(table.generation);
    this.#bad = table.guardrails.map(() => 0);
  }

  /** Another array once it has tripped. */
  get trips(): ObservedRoute['trips'] {
    return this.#trips;
  }

  get tripped(): boolean {
    return this.#trips.length > 0;
  }

  /**
   * Counts an outcome of the candidate's split requests.
   * @returns true when a hard limit was breached just now
   */
  noteCandidate(bad: number, now: Date): boolean {
    this.#requests += 1;
    this.table.guardrails.forEach((_, i) => {
      if ((bad & (1 << i)) !== 0) this.#bad[i] = (this.#bad[i] ?? 0) + 1;
    });
    if (this.tripped) return false;
    for (const limit of this.table.trips) {
      const count = this.#breach(limit);
      if (count === null) continue;
      const trip = {
        guardrail: limit.guardrail,
        bad: count,
        requests: this.#requests,
        at: now.toISOString(),
      };
      this.#trips = [...this.#trips, trip];
    }
    return this.tripped;
  }

  #breach({ guardrail, maxShare, minRequests }: LocalTrip): number | null {
    const i = this.table.guardrails.findIndex(({ name }) => name === guardrail);
    const bad = this.#bad[i];
    if (bad === undefined || this.#requests < minRequests || this.#requests === 0) return null;
    return bad / this.#requests > maxShare ? bad : null;
  }

  /** The champion's recent time to answer, waiting included: a decaying maximum. */
  noteChampionTime(ms: number): void {
    this.#championMs = Math.max(ms, this.#championMs * 0.99);
  }

  /**
   * Milliseconds within which a version on trial has to answer, so that the champion can still do so within the deadline:
   * the reserve is twice the champion's recent time, at least a fifth and at most half of the deadline. Split requests of
   * both arms are late by this clock, so that neither is judged by a shorter one. The deadline where nobody falls back.
   */
  get trialMs(): number {
    const { deadlineMs, fallback, candidate, holdback } = this.table;
    if (!fallback || (candidate === null && holdback === null)) return deadlineMs;
    const reserve = Math.min(
      Math.max(2 * this.#championMs, deadlineMs * SHORTEST_RESERVE),
      deadlineMs * LONGEST_RESERVE,
    );
    return deadlineMs - reserve;
  }
}
