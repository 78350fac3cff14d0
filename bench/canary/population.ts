/** Requests of a canary, each of a new routing key, drawn with a fixed seed. */
import { createRandom, type Random } from '../../test/support/random.js';

/** Bad rates of both arms, one entry a guardrail. */
export interface Rates {
  readonly champion: readonly number[];
  readonly candidate: readonly number[];
}

export interface Population {
  /** The candidate's share of the keys. */
  readonly share: number;
  /** Rates hold for so many requests (a whole number), then for the next so many; a constant rate is one stretch without end. */
  readonly stretch: number;
  /** Rates of the n-th stretch, from 0. */
  readonly rates: (n: number) => Rates;
}

/** Counts of one arm: requests, and the bad ones by guardrail. */
export interface Tally {
  requests: number;
  readonly bad: number[];
}

export interface Tallies {
  readonly candidate: Tally;
  readonly champion: Tally;
}

/** One canary's requests in order: `to` adds all up to a total, and gives what was added. */
export class Draw {
  readonly #random: Random;
  readonly #population: Population;
  #total = 0;

  constructor(seed: number, population: Population) {
    this.#random = createRandom(seed);
    this.#population = population;
  }

  to(total: number): Tallies {
    const { share, stretch, rates } = this.#population;
    const guardrails = rates(0).champion.length;
    const added = { candidate: empty(guardrails), champion: empty(guardrails) };
    while (this.#total < total) {
      const number = Math.floor(this.#total / stretch);
      const until = Math.min(total, Number.isFinite(stretch) ? (number + 1) * stretch : total);
      const now = rates(Number.isFinite(stretch) ? number : 0);
      const n = this.#random.binomial(until - this.#total, share);
      this.#add(added.candidate, n, now.candidate);
      this.#add(added.champion, until - this.#total - n, now.champion);
      this.#total = until;
    }
    return added;
  }

  #add(tally: Tally, requests: number, rates: readonly number[]): void {
    tally.requests += requests;
    rates.forEach((rate, i) => (tally.bad[i] = (tally.bad[i] ?? 0) + this.#random.binomial(requests, rate)));
  }
}

export const empty = (guardrails: number): Tally => ({
  requests: 0,
  bad: Array.from({ length: guardrails }, () => 0),
});

export function addTo(sum: Tally, more: Tally): void {
  sum.requests += more.requests;
  more.bad.forEach((bad, i) => (sum.bad[i] = (sum.bad[i] ?? 0) + bad));
}

/** Four guardrails, the first of which is the one that the candidate may harm. */
export const BASE: readonly number[] = [0.01, 0.001, 0.05, 0.05];

/** The candidate's rate on the first guardrail is `rate`, all the time. */
export const steady = (share: number, rate: number): Population => ({
  share,
  stretch: Number.POSITIVE_INFINITY,
  rates: () => ({ champion: BASE, candidate: BASE.with(0, rate) }),
});

/** As bad as `rate` in the mean, but only in every tenth stretch; like the champion in between. */
export const inBursts = (share: number, rate: number, stretch: number): Population => {
  const [base = 0] = BASE;
  return {
    share,
    stretch,
    rates: (n) => ({
      champion: BASE,
      candidate: n % 10 === 4 ? BASE.with(0, base + 10 * (rate - base)) : BASE,
    }),
  };
};
