import {
  baseRate,
  promoteEvidence,
  promoteIncrements,
  promoteThreshold,
  type Margin,
} from '../../../../src/statistics/canary/promote.js';
import {
  addRollbackInterval,
  NO_ROLLBACK_EVIDENCE,
  RISK_RATIOS,
  rollbackEvidence,
  rollbackThreshold,
} from '../../../../src/statistics/canary/rollback.js';
import { createRandom } from '../../../support/random.js';

/** One interval of one guardrail: keys of candidate and champion, bad ones of each. */
export interface Interval {
  readonly share: number;
  readonly n: number;
  readonly m: number;
  readonly x: number;
  readonly y: number;
}

/** A formula under test: the project's, or a mutation of it. */
export interface Formula {
  add(interval: Interval): void;
  lnE(): number;
}
export type MakeFormula = () => Formula;

export const MARGIN: Margin = { relativeMargin: 1.5, absoluteMargin: 0.005 };
export const ROLLBACK_AT = rollbackThreshold(4, 0.01);
export const PROVEN_AT = promoteThreshold(0.05);

/** Total keys at each look: ceil(50 * 1.1^i / share) up to the horizon, and the horizon. */
export function geometricLooks(share: number, horizon: number): number[] {
  const looks: number[] = [];
  for (let i = 0; ; i += 1) {
    const total = Math.ceil((50 * 1.1 ** i) / share);
    if (total >= horizon) return [...looks, horizon];
    looks.push(total);
  }
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Largest share of runs that a rate of `bound` explains (three standard errors). */
export function atMost(bound: number, runs: number): number {
  return bound + 3 * Math.sqrt((bound * (1 - bound)) / runs);
}

export const rollback: MakeFormula = () => {
  let lnM = NO_ROLLBACK_EVIDENCE;
  return {
    add: ({ x, y, share }) => void (lnM = addRollbackInterval(lnM, x, y, share)),
    lnE: () => rollbackEvidence(lnM),
  };
};

/** Mutation: the shares of arms swapped. */
export const rollbackSwapped: MakeFormula = () => {
  const inner = rollback();
  return { add: (i) => inner.add({ ...i, share: 1 - i.share }), lnE: () => inner.lnE() };
};

/** Mutation: the r in the normalising term is missing, ln(1 - share + share) = 0. */
export const rollbackWithoutR: MakeFormula = () => {
  let x = 0;
  return {
    add: (i) => void (x += i.x),
    lnE: () => rollbackEvidence(RISK_RATIOS.map((r) => x * Math.log(r))),
  };
};

/** Mutation: all generations in one table with the overall share. */
export const rollbackPooled: MakeFormula = () => {
  let [n, all, x, b] = [0, 0, 0, 0];
  return {
    add: (i) => {
      n += i.n;
      all += i.n + i.m;
      x += i.x;
      b += i.x + i.y;
    },
    lnE: () => rollbackEvidence(addRollbackInterval(NO_ROLLBACK_EVIDENCE, x, b - x, n / all)),
  };
};

export const promote =
  (historyBad = 0, historyKeys = 0): MakeFormula =>
  () => {
    let [bad, keys, lnE] = [historyBad, historyKeys, 0];
    return {
      add: ({ share, n, m, x, y }) => {
        const interval = { share, candidateKeys: n, candidateBad: x, championKeys: m, championBad: y };
        lnE += promoteEvidence(interval, bad, keys, MARGIN);
        bad += x + y;
        keys += n + m;
      },
      lnE: () => lnE,
    };
  };

/** Mutation: the first interval earns evidence, by a base rate out of thin air: (0.5 + bad) / (strength + keys). */
export const promoteUnseeded =
  (strength: number): MakeFormula =>
  () => {
    let [bad, keys, lnE] = [0, 0, 0];
    return {
      add: ({ share, n, m, x, y }) => {
        const add = promoteIncrements(baseRate(bad, keys + strength - 50), share, MARGIN);
        lnE +=
          x * add.badCandidate + (n - x) * add.okCandidate + y * add.badChampion + (m - y) * add.okChampion;
        bad += x + y;
        keys += n + m;
      },
      lnE: () => lnE,
    };
  };

/** Mutation: the shares of arms swapped in the projection. */
export const promoteSwapped: MakeFormula = () => {
  const inner = promote()();
  return { add: (i) => inner.add({ ...i, share: 1 - i.share }), lnE: () => inner.lnE() };
};

/** Mutation: all generations pooled, the overall share for each new interval's whole table. */
export const promotePooled: MakeFormula = () => {
  let [n, m, x, y] = [0, 0, 0, 0];
  return {
    add: (i) => {
      n += i.n;
      m += i.m;
      x += i.x;
      y += i.y;
    },
    lnE: () => {
      const inner = promote(0.01 * 20_000, 20_000)();
      inner.add({ share: n / (n + m), n, m, x, y });
      return inner.lnE();
    },
  };
};

export interface Canary {
  readonly looks: readonly number[];
  /** Share in force for the keys after `total`. */
  readonly share: (total: number) => number;
  /** Bad rates of the champion and of the candidate, one a guardrail, for the keys after `total`. */
  readonly rates: (total: number) => {
    readonly champion: readonly number[];
    readonly candidate: readonly number[];
  };
}

/** A canary of constant split and rates with geometric looks to 100,000 keys. */
export function constant(share: number, champion: readonly number[], candidate = champion): Canary {
  return {
    looks: geometricLooks(share, 100_000),
    share: () => share,
    rates: () => ({ champion, candidate }),
  };
}

export interface Outcome {
  /** Total keys when it was rolled back or promoted; Infinity when neither. */
  readonly rolledBack: number;
  readonly promoted: number;
}

/**
 * One canary of independent keys: stops at the first roll-back, or when all guardrails are proven. Either side may be left
 * out.
 */
function runCanary(
  seed: number,
  canary: Canary,
  sides: { readonly rollback?: MakeFormula; readonly promote?: MakeFormula },
): Outcome {
  const random = createRandom(seed);
  const guardrails = canary.rates(0).champion.length;
  const make = (formula: MakeFormula | undefined): Formula[] =>
    formula === undefined ? [] : Array.from({ length: guardrails }, () => formula());
  const back = make(sides.rollback);
  const forth = make(sides.promote);
  const proven = forth.map(() => false);
  let total = 0;
  for (const look of canary.looks) {
    const share = canary.share(total);
    const rates = canary.rates(total);
    const n = random.binomial(look - total, share);
    const m = look - total - n;
    for (let g = 0; g < guardrails; g += 1) {
      const x = random.binomial(n, rates.candidate[g] ?? 0);
      const y = random.binomial(m, rates.champion[g] ?? 0);
      back[g]?.add({ share, n, m, x, y });
      forth[g]?.add({ share, n, m, x, y });
    }
    total = look;
    if (back.some((f) => f.lnE() >= ROLLBACK_AT)) return { rolledBack: look, promoted: Infinity };
    forth.forEach((f, g) => (proven[g] ||= f.lnE() >= PROVEN_AT));
    if (proven.length > 0 && proven.every(Boolean)) return { rolledBack: Infinity, promoted: look };
  }
  return { rolledBack: Infinity, promoted: Infinity };
}

/** Many canaries with seeds from `seed` on. */
export function runCanaries(
  runs: number,
  seed: number,
  canary: Canary,
  sides: { readonly rollback?: MakeFormula; readonly promote?: MakeFormula },
): { readonly rolledBack: number; readonly promoted: number; readonly outcomes: readonly Outcome[] } {
  const outcomes = Array.from({ length: runs }, (_, i) => runCanary(seed * 1_000_003 + i, canary, sides));
  const share = (what: keyof Outcome): number => outcomes.filter((o) => o[what] !== Infinity).length / runs;
  return { rolledBack: share('rolledBack'), promoted: share('promoted'), outcomes };
}
