/** Bins by rising cuts: bin i holds cuts[i - 1] <= value < cuts[i], the first and the last have no bound but those of the values. */

/** Bin of a value: how many of the ascending cuts are not above it. */
export function binOf(cuts: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cuts[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One more row in a bin. */
export function increase(counts: { [bin: number]: number; readonly length: number }, bin: number): void {
  counts[bin] = (counts[bin] ?? 0) + 1;
}
