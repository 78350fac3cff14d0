import { Context, log } from '@temporalio/activity';
import { Cron } from 'croner';
import { retrainingWorkflowId } from '../../contracts/ids.js';
import type { RetrainingActivities, RetrainingWork } from '../../contracts/retraining.js';
import { assemble } from './assemble.js';
import { judge } from './judge.js';
import type { RetrainingDeps } from './ports.js';
import { trainChallenger } from './train.js';

export type { RetrainingDeps } from './ports.js';

/** Heartbeats go out so often even while a single step takes long. */
const HEARTBEAT_MS = 3_000;

/** Quick ones, for the queue of the workflows. Time zones are data that differ between workers: what is said here stands in the history. */
export const createRetrainingActivities = ({ rows }: Pick<RetrainingDeps, 'rows'>): RetrainingActivities => ({
  readRetrainingSigns: async ({ model, rowsSince, labelsSince, schedule }) => {
    if (schedule === null) {
      const query = { model, since: new Date(rowsSince), labelledAfter: new Date(labelsSince) };
      return { labels: await rows.count(query), next: null };
    }
    const cron = new Cron(schedule.cron, { timezone: schedule.timeZone, paused: true });
    return { labels: 0, next: cron.nextRun(new Date(schedule.after))?.toISOString() ?? null };
  },
});

/** For the waiting task queue. */
export const createRetrainingWork = (deps: RetrainingDeps): RetrainingWork => ({
  assembleTrainingSet: (input) =>
    beating(({ report }) => assemble(deps, input, (rows) => report({ stage: 'reading rows', rows }))),
  trainChallenger: (input) =>
    beating(({ report, signal }) =>
      trainChallenger(deps, input, {
        signal,
        onWait: () => report({ stage: "waits for a place among the fleet's trainings" }),
        onProgress: (progress) => report({ stage: 'training', ...progress }),
      }),
    ),
  judgeChallenger: (input) =>
    beating(async ({ report, signal }) => {
      const judgement = await judge(deps, input, {
        signal,
        report: (stage, done, total) => {
          signal.throwIfAborted();
          report({ stage, done, total });
        },
      });
      await forget(deps, input.challenger.version, input.manifest.name);
      return judgement;
    }),
});

/** Its model is in the artifact store by now. Kept on another machine, it goes there when nobody has touched it for long. */
async function forget({ platform }: RetrainingDeps, version: string, model: string): Promise<void> {
  const [, number] = /^retrained-(\d+)$/.exec(version) ?? [];
  if (number === undefined) return;
  await platform
    .forget(retrainingWorkflowId(model, Number(number)))
    .catch((error: unknown) => log.warn('What a training left could not be removed', { error }));
}

interface Beat {
  readonly report: (details: object) => void;
  readonly signal: AbortSignal;
}

async function beating<T>(act: (beat: Beat) => Promise<T>): Promise<T> {
  const context = Context.current();
  let last: object = { stage: 'starting' };
  const timer = setInterval(() => context.heartbeat(last), HEARTBEAT_MS);
  try {
    return await act({
      signal: context.cancellationSignal,
      report: (details) => {
        last = details;
        context.heartbeat(details);
      },
    });
  } finally {
    clearInterval(timer);
  }
}
