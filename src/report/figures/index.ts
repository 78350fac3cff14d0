import type {
  DayFigures,
  FleetReport,
  LeadTime,
  ModelFigures,
  ReportScope,
  Share,
} from '../../contracts/report.js';
import { DAY_MS } from '../facts/traffic.js';
import type { Facts, IncidentFact, Interval } from '../facts/types.js';
import { deploymentFigures, leadTimes } from './deployments.js';
import { deploymentsOf, type Deployment } from './failures.js';
import { incidentFigures } from './incidents.js';
import { unionLength, within } from './intervals.js';
import { groupBy, share, spread, sum } from './numbers.js';
import { retrainingFigures } from './retraining.js';
import { outageOf, serviceOf } from './service.js';

/** All figures of a report, from the facts of its scope. Pure: the same facts give the same report. */
export function reportOf(facts: Facts, scope: ReportScope): FleetReport {
  const window = { from: Date.parse(scope.since), to: Date.parse(scope.until) };
  const all = deploymentsOf(facts);
  const service = serviceOf(facts, window.to);
  const { made, ...deployed } = deploymentFigures(facts, all, window);
  const { leadTime, times } = leadTimes(facts, all, window);
  const { report: incidents, opened } = incidentFigures(facts, window);
  const active = new Set(
    facts.models.map(({ model }) => model).filter((model) => service(model).serves !== null),
  );
  const byModel = modelFigures(facts, { window, made, times, opened, service });
  return {
    ...scope,
    days: (window.to - window.from) / DAY_MS,
    models: facts.models.length,
    ...deployed,
    leadTime,
    availability: {
      byRequests: total(
        byModel.map(({ availability }) => availability.byRequests),
        NO_REQUESTS,
      ),
      byTime: total(
        byModel.map(({ availability }) => availability.byTime),
        NO_SERVICE,
      ),
    },
    incidents,
    retraining: retrainingFigures(facts, all, active, window),
    byDay: dayFigures(facts, made, opened, window),
    byModel,
  };
}

const NO_REQUESTS = 'no requests were counted';
const NO_SERVICE = 'no model was in service';

const total = (shares: readonly Share[], why: string): Share =>
  share(sum(shares.map(({ part }) => part)), sum(shares.map(({ whole }) => whole)), why);

interface Parts {
  readonly window: Interval;
  readonly made: readonly Deployment[];
  readonly times: readonly LeadTime[];
  readonly opened: readonly IncidentFact[];
  readonly service: ReturnType<typeof serviceOf>;
}

function modelFigures(facts: Facts, parts: Parts): readonly ModelFigures[] {
  const { window, service } = parts;
  const by = <T extends { readonly model: string }>(rows: readonly T[]) => {
    const groups = groupBy(rows, ({ model }) => model);
    return (model: string): readonly T[] => groups.get(model) ?? [];
  };
  const made = by(parts.made);
  const times = by(parts.times);
  const opened = by(parts.opened);
  const traffic = by(facts.traffic);
  const critical = by(facts.incidents.filter(({ severity }) => severity === 'critical'));
  return facts.models.map(({ model, team, owner, riskTier, automated }) => {
    const { inService, without } = service(model);
    const served = within(inService, [window]);
    const outages = [
      ...without,
      ...critical(model).map((incident) => outageOf(incident, window.to)),
      ...traffic(model).flatMap(({ dead }) => dead),
    ];
    // Whole seconds would not add up over models: milliseconds do.
    const whole = unionLength(served) / 1000;
    const out = unionLength(within(outages, served)) / 1000;
    return {
      model,
      team,
      owner,
      riskTier,
      deployments: made(model).length,
      failed: made(model).filter(({ failures }) => failures.length > 0).length,
      leadTime: spread(
        times(model).map(({ seconds }) => seconds),
        'no version came into production for the first time',
      ),
      availability: {
        byRequests: share(
          sum(traffic(model).map(({ good }) => good)),
          sum(traffic(model).map(({ valid }) => valid)),
          NO_REQUESTS,
        ),
        byTime: share(whole - out, whole, 'it was not in service'),
      },
      incidents: opened(model).length,
      automatedRetraining: automated,
    };
  });
}

function dayFigures(
  facts: Facts,
  made: readonly Deployment[],
  opened: readonly IncidentFact[],
  window: Interval,
): readonly DayFigures[] {
  const dayOf = (time: number): string => String(Math.floor((time - window.from) / DAY_MS));
  const deployments = groupBy(made, ({ promoted }) => dayOf(promoted.at));
  const incidents = groupBy(opened, (incident) => dayOf(incident.opened));
  const traffic = groupBy(facts.traffic, ({ day }) => String(day));
  return Array.from({ length: Math.ceil((window.to - window.from) / DAY_MS) }, (_, day) => {
    const key = String(day);
    const of = deployments.get(key) ?? [];
    const requests = traffic.get(key) ?? [];
    const count = (severity: string): number =>
      (incidents.get(key) ?? []).filter((incident) => incident.severity === severity).length;
    return {
      day: new Date(window.from + day * DAY_MS).toISOString(),
      deployments: of.length,
      failed: of.filter(({ failures }) => failures.length > 0).length,
      availability: share(sum(requests.map(({ good }) => good)), sum(requests.map(({ valid }) => valid)), '')
        .value,
      incidents: { info: count('info'), warning: count('warning'), critical: count('critical') },
    };
  });
}
