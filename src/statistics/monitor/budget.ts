/** The budget of false findings, shared between the kinds: expectations add up, so the model as a whole keeps to it. */
import type { MonitoringSettings } from '../../contracts/monitoring.js';

/**
 * Shares of one budget. A kind that a model does not have leaves its share unused, so that no kind's luck depends on another. Skew is
 * the drift test on the first windows of a version, under another name. Half of a share goes to the test of the window, half to the watch
 * that adds windows up, where there is one.
 */
export const SHARES = {
  drift: 0.3,
  prediction: 0.1,
  quality: 0.2,
  estimated: 0.1,
  measured: 0.1,
  volume: 0.1,
  latency: 0.05,
  availability: 0.05,
} as const;

/** Below it a share of a window's alpha would not be a small number any more. */
const FEWEST_WINDOWS = 2;

/** Windows between false findings of the model, on average at least: 17,520 for two years of hours. */
export function budgetWindows({ falseFindingSeconds, windowSeconds }: MonitoringSettings): number {
  return Math.max(FEWEST_WINDOWS, falseFindingSeconds / windowSeconds);
}

/** The same for one of `parts` equal parts of a kind's share, all of which may find falsely. */
export function windowsOf(settings: MonitoringSettings, kind: keyof typeof SHARES, parts: number): number {
  return (budgetWindows(settings) * parts) / SHARES[kind];
}

/**
 * A p-value of one test, corrected over all that the model's monitors ask of a window: a finding needs at most 1 / budgetWindows.
 * @param tests with an equal part of the kind's share each
 */
export function corrected(p: number, kind: keyof typeof SHARES, tests: number): number {
  return Math.min(1, (p * tests) / SHARES[kind]);
}
