/**
 * The least and the largest expected AUC of binned scores, when all that is known of a row's probability is the range of its bin
 * and that it does not fall as the score rises.
 *
 * The derivative of the AUC by a row's probability rises with the row's place (by 1 a place, over the same denominator). So at the
 * maximum the rows below some place have the lowest probability and those above the highest, the place being anywhere; at the
 * minimum the bins below some bin have the highest and those above the lowest, and the bin itself one value between: within a bin
 * equal probabilities give less than rising ones. For each bin the AUC is then a ratio of two quadratics in one number, whose
 * extrema are at the ends or where a quadratic is 0.
 */
import { item } from '../metrics/scored.js';

export interface Range {
  readonly least: number;
  readonly most: number;
}

/** Rows of one probability, in rising order of their scores. */
type Groups = readonly (readonly [rows: number, probability: number])[];

/** @param counts rows a bin; some probability lies between 0 and 1, so that both classes are expected */
export function aucRange(
  counts: readonly number[],
  lowest: readonly number[],
  highest: readonly number[],
): Range {
  let least = 1;
  let most = 0;
  counts.forEach((rows, bin) => {
    if (rows === 0) return;
    const [low, high] = [item(lowest, bin), item(highest, bin)];
    const around = (
      below: readonly number[],
      above: readonly number[],
      own: (part: number) => Groups,
    ): ((part: number) => Groups) => {
      const groups = counts.map((count, k) => [count, item(k < bin ? below : above, k)] as const);
      return (part) => [...groups.slice(0, bin), ...own(part), ...groups.slice(bin + 1)];
    };
    const worst = around(highest, lowest, (part) => [[rows, high + part * (low - high)]]);
    const best = around(lowest, highest, (part) => [
      [(1 - part) * rows, low],
      [part * rows, high],
    ]);
    for (const auc of extremes(worst)) least = Math.min(least, auc);
    for (const auc of extremes(best)) most = Math.max(most, auc);
  });
  return { least, most };
}

/** The AUC's values that may be extreme for a part from 0 to 1. */
function extremes(groupsAt: (part: number) => Groups): readonly number[] {
  const [start, middle, end] = [0, 0.5, 1].map((part) => pairsOf(groupsAt(part))) as [Pairs, Pairs, Pairs];
  const won = quadratic(start.won, middle.won, end.won);
  const all = quadratic(start.all, middle.all, end.all);
  const parts = [0, 1, ...stationary(won, all)].filter((part) => part >= 0 && part <= 1);
  return parts.flatMap((part) => {
    const pairs = pairsOf(groupsAt(part));
    // Without rows of both classes there is no AUC, and next to there it can be anything.
    return pairs.all > 0 ? [pairs.won / pairs.all] : [0, 1];
  });
}

interface Pairs {
  /** Expected pairs of a positive and a negative in which the positive has the higher score; half of those of one group. */
  readonly won: number;
  readonly all: number;
}

function pairsOf(groups: Groups): Pairs {
  let won = 0;
  let positives = 0;
  let negatives = 0;
  for (const [rows, probability] of groups) {
    const [own, others] = [rows * probability, rows * (1 - probability)];
    won += own * (negatives + others / 2);
    positives += own;
    negatives += others;
  }
  return { won, all: positives * negatives };
}

type Quadratic = readonly [constant: number, linear: number, square: number];

/** Through the values at 0, 1/2 and 1. */
function quadratic(start: number, middle: number, end: number): Quadratic {
  return [start, 4 * middle - 3 * start - end, 2 * start - 4 * middle + 2 * end];
}

/** Where the derivative of the ratio is 0; what is cubic in it cancels out. */
function stationary([a, b, c]: Quadratic, [d, e, f]: Quadratic): readonly number[] {
  const [constant, linear, square] = [b * d - a * e, 2 * (c * d - a * f), c * e - b * f];
  const root = Math.sqrt(linear * linear - 4 * square * constant);
  if (Number.isNaN(root)) return [];
  // Never a difference of what is nearly equal: `square` is often 0 but for the last digits, and then that would be all there is.
  const sum = -(linear + (linear < 0 ? -root : root)) / 2;
  return [sum / square, constant / sum].filter(Number.isFinite);
}
