/** What the histories of the monitors say about their ticks. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { ShardReport } from '../../src/contracts/monitors.js';
import { monitorWorkflowId } from '../../src/contracts/ids.js';
import { nextTick } from '../../src/lifecycle/monitor-ticks.js';

type Events = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

/** A place at which a monitor had to tick, and what became of it; times in milliseconds. */
export interface Tick {
  readonly shard: number;
  /** From the place to the start of the activity; infinite: it never came. */
  readonly lag: number;
  /** Of the activity; infinite: it did not end. */
  readonly took: number;
  readonly evaluated: number;
  readonly found: number;
  readonly failed: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const LAG_MOST_MS = 5_000;

/** Begun within 5 s of its place, and ended before the next. */
export const isOnTime = ({ lag, took }: Tick, seconds: number): boolean =>
  lag <= LAG_MOST_MS && lag + took < seconds * 1_000;

/** Every tick whose place is in the stretch (epoch milliseconds) and was over at its end. */
export async function ticksOf(
  client: Client,
  taskQueue: string,
  { shards, seconds }: { readonly shards: number; readonly seconds: number },
  stretch: { readonly from: number; readonly to: number },
): Promise<readonly Tick[]> {
  const every = seconds * 1_000;
  const ticks: Tick[] = [];
  for (let shard = 0; shard < shards; shard += 1) {
    const of = { installation: taskQueue, shard, shards, seconds };
    const { events } = await client.workflow.getHandle(monitorWorkflowId(taskQueue, shard)).fetchHistory();
    const acts = activitiesOf(events ?? []);
    for (let place = nextTick(of, stretch.from); place + every <= stretch.to; place = nextTick(of, place)) {
      const act = acts.find(({ scheduled }) => scheduled >= place && scheduled < place + every);
      const { evaluated = 0, found = 0, failed = [] } = act?.report ?? {};
      ticks.push({
        shard,
        lag: (act?.started ?? NEVER) - place,
        took: act === undefined ? NEVER : act.ended - act.started,
        evaluated,
        found,
        failed: failed.length,
      });
    }
  }
  return ticks;
}

interface Act {
  readonly scheduled: number;
  readonly started: number;
  readonly ended: number;
  readonly report: Partial<ShardReport>;
}

function activitiesOf(events: Events): readonly Act[] {
  const byId = new Map(events.map((event) => [Number(event.eventId), event]));
  const at = (id: unknown): number => {
    const time = byId.get(Number(id))?.eventTime;
    return Number(time?.seconds ?? NEVER) * 1_000 + (time?.nanos ?? 0) / 1e6;
  };
  return events.flatMap(({ eventId, activityTaskCompletedEventAttributes: done }) => {
    if (!done) return [];
    const data = done.result?.payloads?.[0]?.data;
    const report = data ? (JSON.parse(Buffer.from(data).toString()) as Partial<ShardReport>) : {};
    return [
      { scheduled: at(done.scheduledEventId), started: at(done.startedEventId), ended: at(eventId), report },
    ];
  });
}
