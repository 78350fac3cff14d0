import type { FleetReport, LeadTime } from '../../contracts/report.js';
import type { Facts, Interval } from '../facts/types.js';
import { DAY_MS } from '../facts/traffic.js';
import { type Deployment, isTakenBack } from './failures.js';
import { figure, groupBy, keyOf, secondsBetween, share, spread, sum } from './numbers.js';

/** Points of the plot; the figures count all. */
const MOST_VERSIONS = 2_000;

export const isIn = (time: number, { from, to }: Interval): boolean => time >= from && time < to;

/** @param all every deployment on record, also before the window */
export function deploymentFigures(facts: Facts, all: readonly Deployment[], window: Interval) {
  const days = (window.to - window.from) / DAY_MS;
  const made = all.filter(({ promoted }) => isIn(promoted.at, window));
  const failed = made.filter(({ failures }) => failures.length > 0);
  const hasModels = facts.models.length > 0;
  const deployments: FleetReport['deployments'] = {
    count: made.length,
    frequency: figure(hasModels ? made.length / days : null, 'no model is on record'),
    daysPerWeek: hasModels ? daysPerWeek(made, window) : figure(null, 'no model is on record'),
    undecided: made.filter(({ ended, failures }) => ended === null && failures.length === 0).length,
  };
  const none = 'no deployment in this time';
  return {
    made,
    deployments,
    stopped: stopped(facts, window),
    changeFailRate: share(failed.length, made.length, none),
    reworkRate: rework(facts, made, window),
    recovery: recovery(failed, window.to),
  };
}

function daysPerWeek(made: readonly Deployment[], window: Interval) {
  const weeks = Math.floor((window.to - window.from) / (7 * DAY_MS));
  const days = new Set(made.map(({ promoted }) => Math.floor((promoted.at - window.from) / DAY_MS)));
  const counts = Array.from(
    { length: weeks },
    (_, week) => [...days].filter((day) => Math.floor(day / 7) === week).length,
  );
  return figure(spread(counts, '').median, 'the time is shorter than a week');
}

function stopped({ releases }: Facts, window: Interval): FleetReport['stopped'] {
  const count = (outcome: string): number =>
    releases.filter(
      ({ promoted, ended }) =>
        promoted === null && ended !== null && ended.outcome === outcome && isIn(ended.at, window),
    ).length;
  return { rejected: count('rejected'), rolledBack: count('rolled-back'), aborted: count('aborted') };
}

/**
 * Unplanned changes of production among all: former versions put back, and deployments of a retraining that was asked for by a finding
 * of an incident.
 */
function rework(facts: Facts, made: readonly Deployment[], window: Interval): FleetReport['reworkRate'] {
  const takenBack = facts.releases.filter(
    (release) => isTakenBack(release) && release.ended !== null && isIn(release.ended.at, window),
  ).length;
  const rolledBack = facts.acts.filter(
    ({ action, at }) => action === 'model.rolled-back' && isIn(at, window),
  ).length;
  const restored = takenBack + rolledBack;
  const findings = new Set(
    facts.incidents.flatMap(({ model, findings: of }) => of.map((finding) => keyOf(model, finding))),
  );
  const forIncident = new Set(
    facts.retrainings.flatMap(({ model, finding, release }) =>
      finding !== null && release !== null && findings.has(keyOf(model, finding))
        ? [keyOf(model, release)]
        : [],
    ),
  );
  const unplanned = made.filter(({ model, release }) => forIncident.has(keyOf(model, release))).length;
  return share(restored + unplanned, restored + made.length, 'production was not changed in this time');
}

/** From a failed deployment until all that it is to blame for is over. */
function recovery(failed: readonly Deployment[], until: number): FleetReport['recovery'] {
  const cases = failed.map(({ model, release, promoted, failures }) => {
    const ends = failures.map(({ over }) => over);
    const over = ends.includes(null) ? null : Math.max(...ends.map((end) => end ?? 0));
    return { model, number: release, from: promoted.at, over };
  });
  const times = cases.flatMap(({ from, over }) => (over === null ? [] : [secondsBetween(from, over)]));
  const usable = times.filter((seconds) => seconds >= 0);
  return {
    time: spread(usable, failed.length === 0 ? 'no deployment has failed' : 'no failure is over'),
    open: cases
      .filter(({ over }) => over === null)
      .map(({ model, number, from }) => ({ model, number, ageSeconds: secondsBetween(from, until) })),
    unusable: times.length - usable.length,
  };
}

/** Once a version: from its registration until it was in production for the first time. */
export function leadTimes(facts: Facts, all: readonly Deployment[], window: Interval) {
  const registered = new Map(
    facts.registrations.map(({ model, version, at }) => [keyOf(model, version), at]),
  );
  const releases = groupBy(facts.releases, ({ model, version }) => keyOf(model, version ?? ''));
  const times: LeadTime[] = [];
  let unusable = 0;
  for (const [key, deployments] of groupBy(all, ({ model, version }) => keyOf(model, version ?? ''))) {
    const to = Math.min(...deployments.map(({ promoted }) => promoted.at));
    if (!isIn(to, window)) continue;
    const from = registered.get(key);
    const [{ model, version } = { model: '', version: null }] = deployments;
    if (from === undefined || from > to || version === null) {
      unusable += 1;
      continue;
    }
    const waits = (releases.get(key) ?? []).flatMap((release) => release.waits);
    times.push({
      model,
      version,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      seconds: secondsBetween(from, to),
      approvalSeconds: sum(
        waits.map((wait) => Math.max(0, secondsBetween(Math.max(wait.from, from), Math.min(wait.to, to)))),
      ),
    });
  }
  const none = 'no version came into production for the first time';
  const leadTime: FleetReport['leadTime'] = {
    total: spread(
      times.map(({ seconds }) => seconds),
      none,
    ),
    approvalWait: spread(
      times.map(({ approvalSeconds }) => approvalSeconds),
      none,
    ),
    withoutApproval: spread(
      times.map(({ seconds, approvalSeconds }) => seconds - approvalSeconds),
      none,
    ),
    unusable,
    versions: times.toSorted((a, b) => (a.to < b.to ? 1 : -1)).slice(0, MOST_VERSIONS),
  };
  return { leadTime, times };
}
