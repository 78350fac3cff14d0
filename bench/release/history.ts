/** What a workflow's history says about the time that it took and the events that it made. */
import type { WorkflowHandle } from '@temporalio/client';

type Events = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;
type Event = Events[number];

export interface Spent {
  readonly events: number;
  /** Activity tasks, and tries of them: what ran again after a crash counts once more. */
  readonly activities: number;
  readonly tries: number;
  /** Milliseconds of workflow tasks, from start to end; of activities, without those that wait for users. */
  readonly deciding: number;
  readonly acting: number;
  readonly waiting: number;
  /** From the first event to the last. */
  readonly elapsed: number;
  /** By activity type: how many, and milliseconds in all. */
  readonly byActivity: Readonly<Record<string, { readonly count: number; readonly ms: number }>>;
}

/** Looks at a canary's counts until there are enough: it takes as long as users take. */
const WAITING = 'awaitLook';

export function spentOf(events: Events): Spent {
  const byId = new Map(events.map((event) => [Number(event.eventId), event]));
  const before = (id: unknown): Event | undefined => byId.get(Number(id));
  const byActivity: Record<string, { count: number; ms: number }> = {};
  let [deciding, tries] = [0, 0];
  for (const event of events) {
    const decided = event.workflowTaskCompletedEventAttributes;
    if (decided) deciding += between(before(decided.startedEventId), event);
    const acted = event.activityTaskCompletedEventAttributes;
    if (!acted) continue;
    const started = before(acted.startedEventId);
    const name =
      before(acted.scheduledEventId)?.activityTaskScheduledEventAttributes?.activityType?.name ?? 'unknown';
    const known = (byActivity[name] ??= { count: 0, ms: 0 });
    known.count += 1;
    known.ms += between(started, event);
    tries += started?.activityTaskStartedEventAttributes?.attempt ?? 1;
  }
  const all = Object.entries(byActivity);
  return {
    events: events.length,
    activities: all.reduce((sum, [, { count }]) => sum + count, 0),
    tries,
    deciding,
    acting: all.reduce((sum, [name, { ms }]) => sum + (name === WAITING ? 0 : ms), 0),
    waiting: byActivity[WAITING]?.ms ?? 0,
    elapsed: between(events[0], events.at(-1)),
    byActivity,
  };
}

const between = (from: Event | undefined, to: Event | undefined): number =>
  from === undefined || to === undefined ? 0 : millisecondsOf(to) - millisecondsOf(from);

const millisecondsOf = ({ eventTime }: Event): number =>
  Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
