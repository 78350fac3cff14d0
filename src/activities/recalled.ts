import { activityInfo } from '@temporalio/activity';
import type { LookRequest, LookTaken, TenureActivities, WaitingActivities } from '../contracts/activities.js';
import { actId, releaseOfWorkflow } from '../contracts/ids.js';
import type { StoredEvent } from '../contracts/ledger.js';
import type { LedgerReader } from '../ledger/index.js';
import { refuseOver } from './ended.js';

type Stages = Pick<TenureActivities, 'validateVersion' | 'checkConformance' | 'readBaseline'> &
  Pick<WaitingActivities, 'awaitLook'>;

/** Step of a release whose event holds an activity's result, and under which name of its evidence. */
const RESULTS = {
  validateVersion: ['validate', 'report'],
  checkConformance: ['conformance', 'conformance'],
  readBaseline: ['baseline', 'baseline'],
} as const;

/**
 * A release's workflow that was reset asks again for what it once knew. What the ledger holds of it is the answer, so that it goes
 * the same way to where it was; and a release that is over by its record is told so.
 */
export function recalling<K extends keyof Stages>(
  ledger: LedgerReader,
  name: K,
  activities: Pick<Stages, K>,
): Stages[K] {
  const run = activities[name] as (input: unknown) => Promise<unknown>;
  const recalled = async (input: unknown): Promise<unknown> => {
    const release = releaseOfWorkflow(activityInfo().workflowExecution?.workflowId ?? '');
    if (release === null) return run(input);
    const { model, release: number } = release;
    await refuseOver(ledger, model, number);
    const id =
      name === 'awaitLook' ? (input as LookRequest).recordedAs : actId(model, number, stepOf(name), 1);
    const event = id === undefined ? null : await ledger.find(model, id);
    return (event === null ? undefined : resultIn(name, event)) ?? run(input);
  };
  return recalled as Stages[K];
}

const stepOf = (name: Exclude<keyof Stages, 'awaitLook'>): string => RESULTS[name][0];

function resultIn(name: keyof Stages, event: StoredEvent): unknown {
  return name === 'awaitLook' ? lookIn(event) : event.evidence[RESULTS[name][1]];
}

function lookIn({ evidence, at }: StoredEvent): LookTaken | undefined {
  const { counts, moment, trips = [], why = 'time' } = evidence;
  if (counts === undefined) return undefined;
  const shadow = { compared: 0, agreed: 0, failed: 0, dropped: 0 };
  const taken = { why, counts, trips, shadow, takenAt: Date.parse(at) } as unknown as LookTaken;
  return moment === undefined
    ? taken
    : { ...taken, moment: moment as unknown as NonNullable<LookTaken['moment']> };
}
