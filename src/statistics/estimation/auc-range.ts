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

/** What neighbouring bins come to. Runs side by side are joined without looking into them, so the range costs no more than the bins. */
interface Run {
  /** Expected pairs of a positive and a negative in which the positive has the higher score; half of those of one probability. */
  readonly won: number;
  readonly positives: number;
  readonly negatives: number;
}

const NOTHING: Run = { won: 0, positives: 0, negatives: 0 };

/** Rows of one probability. */
function runOf(rows: number, probability: number): Run {
  const [positives, negatives] = [rows * probability, rows * (1 - probability)];
  return { won: (positives * negatives) / 2, positives, negatives };
}

/** @param above has the higher scores */
const joined = (below: Run, above: Run): Run => ({
  won: below.won + above.won + above.positives * below.negatives,
  positives: below.positives + above.positives,
  negatives: below.negatives + above.negatives,
});

/** The bins below each bin. */
function runsBelow(counts: readonly number[], probabilities: readonly number[]): readonly Run[] {
  let run = NOTHING;
  return counts.map((rows, bin) => {
    const below = run;
    run = joined(run, runOf(rows, item(probabilities, bin)));
    return below;
  });
}

/** The bins above each bin. */
function runsAbove(counts: readonly number[], probabilities: readonly number[]): readonly Run[] {
  let run = NOTHING;
  const runs = counts.map(() => NOTHING);
  for (let bin = counts.length - 1; bin >= 0; bin -= 1) {
    runs[bin] = run;
    run = joined(runOf(item(counts, bin), item(probabilities, bin)), run);
  }
  return runs;
}

/** @param counts rows a bin; some probability lies between 0 and 1, so that both classes are expected */
export function aucRange(
  counts: readonly number[],
  lowest: readonly number[],
  highest: readonly number[],
): Range {
  let least = 1;
  let most = 0;
  const [lowBelow, lowAbove] = [runsBelow(counts, lowest), runsAbove(counts, lowest)];
  const [highBelow, highAbove] = [runsBelow(counts, highest), runsAbove(counts, highest)];
  counts.forEach((rows, bin) => {
    if (rows === 0) return;
    const [low, high] = [item(lowest, bin), item(highest, bin)];
    const around =
      (below: Run | undefined, above: Run | undefined, own: (part: number) => Run) =>
      (part: number): Run =>
        joined(joined(below ?? NOTHING, own(part)), above ?? NOTHING);
    const worst = around(highBelow[bin], lowAbove[bin], (part) => runOf(rows, high + part * (low - high)));
    const best = around(lowBelow[bin], highAbove[bin], (part) =>
      joined(runOf((1 - part) * rows, low), runOf(part * rows, high)),
    );
    for (const auc of extremes(worst)) least = Math.min(least, auc);
    for (const auc of extremes(best)) most = Math.max(most, auc);
  });
  return { least, most };
}

/** The AUC's values that may be extreme for a part from 0 to 1. */
function extremes(runAt: (part: number) => Run): readonly number[] {
  const [start, middle, end] = [runAt(0), runAt(0.5), runAt(1)];
  const won = quadratic(start.won, middle.won, end.won);
  const all = quadratic(pairsOf(start), pairsOf(middle), pairsOf(end));
  const within = stationary(won, all).filter((part) => part > 0 && part < 1);
  return [start, end, ...within.map(runAt)].flatMap((run) => {
    const pairs = pairsOf(run);
    // Without rows of both classes there is no AUC, and next to there it can be anything.
    return pairs > 0 ? [run.won / pairs] : [0, 1];
  });
}

const pairsOf = ({ positives, negatives }: Run): number => positives * negatives;

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
