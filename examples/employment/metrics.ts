/** Quality and fairness of scores, for the table of `evaluate.ts`. The gates compute their own. */

export interface Quality {
  readonly rows: number;
  readonly auc: number;
  readonly logLoss: number;
  readonly brier: number;
  readonly accuracy: number;
  /** Expected calibration error over ten bins of equal width. */
  readonly ece: number;
}

export function quality(labels: ArrayLike<number>, scores: ArrayLike<number>): Quality {
  const rows = labels.length;
  let logLoss = 0;
  let brier = 0;
  let right = 0;
  const bins = Array.from({ length: 10 }, () => ({ scores: 0, labels: 0 }));
  for (let row = 0; row < rows; row += 1) {
    const label = labels[row] as number;
    const score = scores[row] as number;
    const clipped = Math.min(Math.max(score, 1e-7), 1 - 1e-7);
    logLoss -= Math.log(label === 1 ? clipped : 1 - clipped);
    brier += (label - score) ** 2;
    right += score >= 0.5 === (label === 1) ? 1 : 0;
    const bin = bins[Math.min(9, Math.floor(score * 10))];
    if (bin !== undefined) {
      bin.scores += score;
      bin.labels += label;
    }
  }
  const ece = bins.reduce((sum, bin) => sum + Math.abs(bin.scores - bin.labels), 0) / rows;
  return {
    rows,
    auc: auc(labels, scores),
    logLoss: logLoss / rows,
    brier: brier / rows,
    accuracy: right / rows,
    ece,
  };
}

/** Area under the ROC curve by ranks; ties count half. */
export function auc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  const order = Array.from({ length: labels.length }, (_, row) => row);
  order.sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && scores[order[end] as number] === scores[order[start] as number]) end += 1;
    const rank = (start + end + 1) / 2;
    for (let place = start; place < end; place += 1) {
      if (labels[order[place] as number] === 1) {
        positives += 1;
        rankSum += rank;
      }
    }
    start = end;
  }
  const negatives = order.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

export interface GroupRates {
  readonly group: number;
  readonly rows: number;
  /** Share predicted positive. */
  readonly selected: number;
  /** Share predicted positive among the positive: equal opportunity compares these. */
  readonly truePositives: number;
  readonly positives: number;
  readonly baseRate: number;
}

/** Rates by group at a threshold of 0.5, largest group first. */
export function groupRates(
  groups: ArrayLike<number>,
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): readonly GroupRates[] {
  const counts = new Map<number, { rows: number; selected: number; positives: number; found: number }>();
  for (let row = 0; row < labels.length; row += 1) {
    const group = groups[row] as number;
    const count = counts.get(group) ?? { rows: 0, selected: 0, positives: 0, found: 0 };
    counts.set(group, count);
    const selected = (scores[row] as number) >= 0.5 ? 1 : 0;
    const positive = labels[row] as number;
    count.rows += 1;
    count.selected += selected;
    count.positives += positive;
    count.found += selected * positive;
  }
  return [...counts]
    .map(([group, { rows, selected, positives, found }]) => ({
      group,
      rows,
      positives,
      selected: selected / rows,
      truePositives: found / positives,
      baseRate: positives / rows,
    }))
    .sort((a, b) => b.rows - a.rows);
}
