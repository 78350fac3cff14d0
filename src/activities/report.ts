import { FailureType } from '../contracts/failures.js';
import type { ReportActivities } from '../contracts/report.js';
import { isDay, reportedDays } from '../lifecycle/report-day.js';
import type { ArtifactStore } from '../platform/registry/index.js';
import { makeReport } from '../report/fleet-report.js';
import { keepReport } from '../report/store.js';
import { refusal } from './failures.js';
import type { Db } from 'mongodb';

export interface ReportDeps {
  readonly db: Db;
  readonly artifacts: Pick<ArtifactStore, 'put'>;
  /** Epoch milliseconds; the clock when absent. */
  readonly now?: () => number;
}

export function createReportActivities({ db, artifacts, now = Date.now }: ReportDeps): ReportActivities {
  return {
    writeFleetReport: async ({ day }) => {
      const days = isDay(day) ? reportedDays(day) : null;
      if (days === null || Date.parse(days.until) > now())
        throw refusal(
          FailureType.InvalidInput,
          `day is ${JSON.stringify(day)}: a day that is over is needed`,
        );
      const report = await makeReport(db, { ...days, model: null, team: null });
      const madeAt = new Date(now()).toISOString();
      // Drawing takes a library that nothing else here needs.
      const page = async () => {
        const { reportPage } = await import('../report/html/report-page.js');
        return artifacts.put(Buffer.from(reportPage(report, madeAt)));
      };
      return keepReport(db, day, report, madeAt, page);
    },
  };
}
