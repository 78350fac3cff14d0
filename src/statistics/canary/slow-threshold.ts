/** How slow an answer may be before it counts as bad. */
export interface SlowRule {
  /** Times the champion's latency quantile, at least 1. */
  readonly factor: number;
  /** Never below this many milliseconds: differences among fast answers harm nobody. */
  readonly floorMs: number;
}

/**
 * Slow threshold in milliseconds, max(floor, factor x quantile), to be fixed before a step starts. Null when the champion's
 * quantile is not known: without it nothing can be compared.
 * @param championQuantileMs the champion's latency at the chosen quantile (for instance p99), inside the serving thread
 * @throws RangeError when the rule is out of range
 */
export function slowThresholdMs(championQuantileMs: number | null, rule: SlowRule): number | null {
  if (!(rule.factor >= 1 && Number.isFinite(rule.factor))) {
    throw new RangeError(`factor is ${rule.factor}: a number from 1 is needed`);
  }
  if (!(rule.floorMs > 0 && Number.isFinite(rule.floorMs))) {
    throw new RangeError(`floorMs is ${rule.floorMs}: a number above 0 is needed`);
  }
  if (championQuantileMs === null || !Number.isFinite(championQuantileMs) || championQuantileMs < 0)
    return null;
  return Math.max(rule.floorMs, rule.factor * championQuantileMs);
}
