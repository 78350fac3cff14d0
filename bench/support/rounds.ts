/**
 * Measuring side by side: the machine is shared, so two things are compared only within one run, turn by turn, and by the median of
 * the rounds' ratios: what slows a whole round down slows both.
 */

export interface Compared {
  /** Median of the rounds. */
  readonly ours: number;
  readonly theirs: number;
  /** Median of the rounds' ratios, ours to theirs; it need not be the ratio of the medians. */
  readonly ratio: number;
  readonly ratios: readonly number[];
}

export interface RoundsPlan {
  /** Odd numbers have a middle. */
  readonly rounds: number;
  readonly ours: () => Promise<number>;
  readonly theirs: () => Promise<number>;
  /** Told after each round. */
  readonly onRound?: (text: string) => void;
}

/** One warm-up round that is thrown away, then the rounds; who goes first alternates. */
export async function sideBySide({ rounds, ours, theirs, onRound }: RoundsPlan): Promise<Compared> {
  const seen: { ours: number; theirs: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const first = round % 2 === 0 ? await ours() : await theirs();
    const second = round % 2 === 0 ? await theirs() : await ours();
    const pair = round % 2 === 0 ? { ours: first, theirs: second } : { ours: second, theirs: first };
    if (round === 0) continue;
    seen.push(pair);
    onRound?.(
      `round ${round} of ${rounds}: ${pair.ours.toPrecision(4)} beside ${pair.theirs.toPrecision(4)}`,
    );
  }
  return compare(seen);
}

export function compare(pairs: readonly { readonly ours: number; readonly theirs: number }[]): Compared {
  const ratios = pairs.map(({ ours, theirs }) => ours / theirs);
  return {
    ours: median(pairs.map(({ ours }) => ours)),
    theirs: median(pairs.map(({ theirs }) => theirs)),
    ratio: median(ratios),
    ratios,
  };
}

/** Between the two middle ones of an even number. @throws Error without values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('There is no median of nothing');
  return (lower + upper) / 2;
}

/** The smallest value that at least a share `q` of all do not exceed (nearest rank). @throws Error without values */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (found === undefined) throw new Error('There is no quantile of nothing');
  return found;
}
