const DAY_MS = 86_400_000;
/** Up to the end of its day, a daily report looks back so far. */
const REPORTED_DAYS = 30;

/** `YYYY-MM-DD`, UTC. */
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The last day that was over at a time, epoch milliseconds. */
export const dayBefore = (time: number): string => dayOf(time - DAY_MS);

/** Whether it is a day of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(time) && dayOf(time) === text;
}

/** What the report of a day is about, ISO 8601 UTC. @param day `YYYY-MM-DD` */
export function reportedDays(day: string): { readonly since: string; readonly until: string } {
  const until = Date.parse(day) + DAY_MS;
  return {
    since: new Date(until - REPORTED_DAYS * DAY_MS).toISOString(),
    until: new Date(until).toISOString(),
  };
}
