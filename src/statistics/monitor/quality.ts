/** Missing, unseen, mistyped and out-of-range values, against the profile's own shares, by an exact test. */
import type { FeatureFinding, MonitoringSettings } from '../../contracts/monitoring.js';
import { CHECKS_OF_A_FEATURE, qualityChecks, type QualityCheck } from './quality-checks.js';
import { budgetWindows, corrected } from './budget.js';
import { fisherGreater, shareOf } from './exact.js';
import { excessInterval } from './intervals.js';
import type { Draft, Judged, MonitoredProfile, OpenCause } from './types.js';
import type { WindowCounts } from '../profile/types.js';
import { LISTED_MOST, namesOf, percent, timeOf } from './words.js';

/** More features than these that break in one window are one cause: a feed, not a column. */
const SINGLE_MOST = 3;
const SEVERAL = 'data-quality/several';
const causeOf = (feature: string): string => `data-quality/${feature}`;
/** From this share of rows on it is critical. */
const CRITICAL = 0.2;

export interface QualityWindow {
  readonly settings: MonitoringSettings;
  readonly profile: MonitoredProfile;
  readonly counts: WindowCounts;
  readonly open: readonly OpenCause[];
  readonly from: number;
  readonly to: number;
}

interface Seen {
  readonly check: QualityCheck;
  /** How much larger the share is than the reference's. */
  readonly excess: number;
  readonly p: number;
}

/** Needs the window's rows only, and no work before: every check holds from the first window on. */
export function judgeQuality(window: QualityWindow): Judged {
  const { settings, profile, counts, open } = window;
  const checks = qualityChecks(profile, counts, settings.ignore);
  const features = new Set(checks.map(({ feature }) => feature)).size;
  const tests = CHECKS_OF_A_FEATURE * features;
  const seen = checks.map((check): Seen => {
    const p = corrected(fisherGreater(check.window, check.reference), 'quality', tests);
    return { check, excess: shareOf(check.window) - shareOf(check.reference), p };
  });
  const significant = seen.filter(({ p }) => p <= 1 / budgetWindows(settings));
  return {
    drafts: (['found', 'immaterial'] as const).flatMap((verdict) =>
      draftsOf(
        window,
        significant.filter(
          ({ excess }) => (excess >= settings.material ? 'found' : 'immaterial') === verdict,
        ),
        verdict,
      ),
    ),
    standing: new Map(
      open
        .filter(({ kind }) => kind === 'data-quality')
        .map(({ cause, features: about }) => {
          const worst = Math.max(
            0,
            ...seen.filter(({ check }) => about.includes(check.feature)).map(({ excess }) => excess),
          );
          // Half of what matters: a share at the border does not come and go.
          return [cause, worst < settings.material / 2 ? ('gone' as const) : ('present' as const)];
        }),
    ),
    waiting: [],
  };
}

function draftsOf(window: QualityWindow, seen: readonly Seen[], verdict: Draft['verdict']): Draft[] {
  const byFeature = new Map<string, Seen[]>();
  for (const one of seen) {
    const { feature } = one.check;
    byFeature.set(feature, [...(byFeature.get(feature) ?? []), one]);
  }
  const several = window.open.find(({ cause }) => cause === SEVERAL)?.features ?? [];
  const own = new Set(window.open.map(({ cause }) => cause));
  const single = [...byFeature].filter(([name]) => own.has(causeOf(name)) || !several.includes(name));
  const together = [...byFeature].filter(([name]) => !own.has(causeOf(name)) && several.includes(name));
  const fresh = single.filter(([name]) => !own.has(causeOf(name)));
  const isFeed = fresh.length > SINGLE_MOST;
  const alone = isFeed ? single.filter(([name]) => own.has(causeOf(name))) : single;
  const feed = isFeed ? [...together, ...fresh] : together;
  return [
    ...alone.map(([name, ones]) => draftOf(window, causeOf(name), ones, verdict)),
    ...(feed.length > 0
      ? [
          draftOf(
            window,
            SEVERAL,
            feed.flatMap(([, ones]) => ones),
            verdict,
          ),
        ]
      : []),
  ];
}

function draftOf(
  { from, to, counts }: QualityWindow,
  cause: string,
  seen: readonly Seen[],
  verdict: Draft['verdict'],
): Draft {
  const sorted = [...seen].sort((a, b) => b.excess - a.excess);
  const [worst] = sorted;
  const names = [...new Set(sorted.map(({ check }) => check.feature))];
  const told =
    worst === undefined
      ? ''
      : `: ${worst.check.what}, ${percent(shareOf(worst.check.window))} of rows, ${percent(shareOf(worst.check.reference))} in the reference`;
  const isCritical = verdict === 'found' && (worst?.excess ?? 0) >= CRITICAL;
  return {
    kind: 'data-quality',
    cause,
    verdict,
    severity: isCritical ? 'critical' : verdict === 'found' ? 'warning' : 'info',
    summary: `Values of ${namesOf(names)}${told}`,
    features: sorted.slice(0, LISTED_MOST).map(({ check, excess, p }): FeatureFinding => ({
      name: check.feature,
      what: check.what,
      effect: excess,
      interval: excessInterval(check.window, check.reference),
      p,
      rows: check.window.rows,
    })),
    rows: counts.rows,
    onset: { estimate: timeOf(from), from: timeOf(from), to: timeOf(to) },
    about: names,
    from,
    to,
  };
}
